//! Making a hash, and comparing a password with one. What is here takes its time; see `pool`.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;

use crate::Secret;
use crate::account::PasswordHash;

use super::{PasswordCost, PasswordError};

/// The longest password in bytes. It is hashed whole; the bound keeps requests from being dear before that.
pub(super) const LONGEST: usize = 1_024;
/// Bytes of salt, as RFC 9106 section 3.1 recommends.
const SALT: usize = 16;

/// What comparing a password with a hash comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is the password.
    Right(Freshness),
    /// It is not, or there is no such account.
    Wrong,
}

/// Whether a hash was made at the cost that new ones are made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It was.
    Current,
    /// It was not: hash the password anew, now that it is there.
    Outdated,
}

fn argon2(cost: PasswordCost) -> Result<Argon2<'static>, PasswordError> {
    let params = cost.params().ok_or(PasswordError::Unreadable)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a salt of its own.
pub(super) fn hash(password: &Secret, cost: PasswordCost) -> Result<PasswordHash, PasswordError> {
    if password.expose().len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| PasswordError::Random)?;
    let made: phc::PasswordHash =
        argon2(cost)?.hash_password_with_salt(password.expose(), &salt).map_err(|_| PasswordError::OutOfMemory)?;
    PasswordHash::parse(&made.to_string()).map_err(|_| PasswordError::Unreadable)
}

/// Compares a password with a hash, in a time that depends on the hash's cost alone.
pub(super) fn verify(
    password: &Secret,
    against: &PasswordHash,
    cost: PasswordCost,
) -> Result<PasswordVerdict, PasswordError> {
    let hash = phc::PasswordHash::new(against.as_str()).map_err(|_| PasswordError::Unreadable)?;
    // Whoever can write hashes must not be able to make a login take all the memory either.
    let made_at = Params::try_from(&hash).ok().as_ref().and_then(PasswordCost::of);
    let made_at = made_at.filter(|_| hash.algorithm.as_str() == Algorithm::Argon2id.as_str());
    let made_at = made_at.ok_or(PasswordError::Unreadable)?;
    match argon2(made_at)?.verify_password(password.expose(), &hash) {
        Ok(()) if made_at == cost && hash.version == Some(Version::V0x13.into()) => {
            Ok(PasswordVerdict::Right(Freshness::Current))
        }
        Ok(()) => Ok(PasswordVerdict::Right(Freshness::Outdated)),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(PasswordVerdict::Wrong),
        Err(_) => Err(PasswordError::OutOfMemory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak() -> PasswordCost {
        PasswordCost::dangerously_weak(8, 1, 1).unwrap()
    }

    fn compare(password: &str, hash: &str) -> Result<PasswordVerdict, PasswordError> {
        verify(&Secret::from(password), &PasswordHash::parse(hash).unwrap(), weak())
    }

    #[test]
    fn s2_passwords_are_compared_exactly_as_sent() {
        let long = "ä".repeat(100);
        for password in
            ["correct horse", " correct horse ", "", "Ünï©ødé \u{0}\n", &"x".repeat(64), &long, &"y".repeat(1_024)]
        {
            let made = hash(&Secret::from(password), weak()).unwrap();
            let right = Ok(PasswordVerdict::Right(Freshness::Current));
            assert_eq!(compare(password, made.as_str()), right, "{password:?}");
            for other in [format!("{password} "), password.to_uppercase() + "x", format!("{password}\u{0}")] {
                assert_eq!(compare(&other, made.as_str()), Ok(PasswordVerdict::Wrong), "{other:?}");
            }
        }
        let made = hash(&Secret::from(&*long), weak()).unwrap();
        assert_eq!(compare(&long[..198], made.as_str()), Ok(PasswordVerdict::Wrong), "nothing is cut off");
        assert_eq!(hash(&Secret::from("x".repeat(1_025)), weak()), Err(PasswordError::TooLong));
    }

    #[test]
    fn s3_a_hash_says_how_it_was_made_and_no_two_are_alike() {
        let made = |cost| hash(&Secret::from("password"), cost).unwrap();
        let standard = made(PasswordCost::default());
        assert!(standard.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", standard.as_str());
        assert_ne!(made(weak()), made(weak()));
        assert_eq!(compare("password", standard.as_str()), Ok(PasswordVerdict::Right(Freshness::Outdated)));
        assert_eq!(compare("Password", standard.as_str()), Ok(PasswordVerdict::Wrong));
    }

    /// The test vector of the reference implementation for argon2id, version 19, with 64 MiB made smaller.
    #[test]
    fn s3_hashes_of_others_are_understood() {
        let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert_eq!(compare("password", hash), Ok(PasswordVerdict::Right(Freshness::Outdated)));
        assert_eq!(compare("passwore", hash), Ok(PasswordVerdict::Wrong));
    }

    #[test]
    fn what_is_no_hash_of_this_kind_is_an_error_and_never_right() {
        for hash in [
            "$argon2id$v=19$m=8,t=1,p=1",
            "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$2b$12$abcdefghijklmnopqrstuu5jkhjhkjhkjhkjhkjhkjhkjh",
            "$argon2id$rubbish",
        ] {
            let told = compare("password", hash);
            assert!(matches!(told, Err(PasswordError::Unreadable) | Ok(PasswordVerdict::Wrong)), "{hash}: {told:?}");
        }
    }
}
