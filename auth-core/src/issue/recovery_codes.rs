//! Codes for a person whose app is lost: each is good once.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::base32;
use super::totp::NoRandomBytes;
use crate::Secret;
use crate::api_key::{KeyDigest, KeyHasher, Peppers};

/// New recovery codes of one account: to be shown once, and what is kept of them.
#[derive(Clone, Debug)]
pub struct RecoveryCodes {
    /// The codes, such as `JBSW-Y3DP-EBLW-64TM`, for the person to write down.
    pub codes: Vec<Secret>,
    /// Their keyed hashes, for the account's [second factor](crate::account::SecondFactor::Confirmed).
    pub digests: Vec<KeyDigest>,
}

/// How many there are.
const CODES: usize = 10;
/// Random bytes of each: 80 bits, which nobody guesses, however often the hashes are looked at.
const BYTES: usize = 10;
/// Characters between two hyphens.
const GROUP: usize = 4;

impl RecoveryCodes {
    /// Ten new codes for that account, hashed with the current pepper.
    ///
    /// # Errors
    /// [`NoRandomBytes`].
    pub fn generate(account: &str, peppers: &Peppers) -> Result<Self, NoRandomBytes> {
        let mut made = Self { codes: Vec::with_capacity(CODES), digests: Vec::with_capacity(CODES) };
        for _ in 0..CODES {
            let mut bytes = Zeroizing::new([0; BYTES]);
            rand::fill(bytes.as_mut_slice()).map_err(|_| NoRandomBytes)?;
            let mut text = Zeroizing::new(String::with_capacity(BYTES * 2));
            base32::encode(bytes.as_slice(), &mut text);
            made.digests.push(digest(account, &text, peppers.current()));
            made.codes.push(grouped(&text));
        }
        Ok(made)
    }

    /// What a code that was typed in may be kept as: its hashes under every pepper in use, for
    /// [`spend_recovery_code`](crate::store::AccountStore::spend_recovery_code).
    ///
    /// Case, hyphens and white space do not count. What cannot be a code has none.
    pub fn digests_of(account: &str, typed: &str, peppers: &Peppers) -> Vec<KeyDigest> {
        if typed.len() > 64 {
            return Vec::new();
        }
        let mut code = Zeroizing::new(String::with_capacity(typed.len()));
        let counts = typed.chars().filter(|one| *one != '-' && !one.is_whitespace());
        code.extend(counts.map(|one| one.to_ascii_uppercase()));
        if code.len() != BYTES * 8 / 5 {
            return Vec::new();
        }
        peppers.iter().map(|pepper| digest(account, &code, pepper)).collect()
    }
}

/// Of this account and as a recovery code: what is hashed with the same pepper for another purpose is something else.
fn digest(account: &str, code: &str, pepper: &KeyHasher) -> KeyDigest {
    let mut text = Zeroizing::new(String::with_capacity(account.len() + code.len() + 16));
    for part in ["recovery code\0", account, "\0", code] {
        text.push_str(part);
    }
    pepper.digest(&text)
}

fn grouped(code: &str) -> Secret {
    let mut text = String::with_capacity(code.len() + code.len() / GROUP);
    for (at, one) in code.chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(one);
    }
    Secret::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn peppers(id: &str) -> Peppers {
        Peppers::new(KeyHasher::new(id, &Secret::new(vec![7; 32])).unwrap())
    }

    #[test]
    fn ten_codes_of_80_bits_that_are_found_again_however_they_are_typed() {
        let peppers = peppers("a");
        let made = RecoveryCodes::generate("account_1", &peppers).unwrap();
        let texts: BTreeSet<_> = made.codes.iter().map(|code| code.expose_text().unwrap()).collect();
        assert_eq!((texts.len(), made.digests.len()), (10, 10));
        for (code, digest) in made.codes.iter().zip(&made.digests) {
            let code = code.expose_text().unwrap();
            assert_eq!((code.len(), code.matches('-').count()), (19, 3));
            for typed in
                [code.to_owned(), code.to_lowercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))]
            {
                assert_eq!(RecoveryCodes::digests_of("account_1", &typed, &peppers), [*digest], "{typed}");
            }
            assert_ne!(RecoveryCodes::digests_of("account_2", code, &peppers), [*digest]);
        }
        assert!(!format!("{made:?}").contains('-'));
    }

    #[test]
    fn what_cannot_be_a_code_has_no_digest() {
        for typed in ["", "JBSW-Y3DP", "JBSW-Y3DP-EBLW-64TMA", &"A".repeat(1_000), &"-".repeat(65)] {
            assert!(RecoveryCodes::digests_of("a", typed, &peppers("a")).is_empty());
        }
    }

    #[test]
    fn a_code_outlives_a_change_of_pepper() {
        let made = RecoveryCodes::generate("a", &peppers("old")).unwrap();
        let new = KeyHasher::new("new", &Secret::new(vec![8; 32])).unwrap();
        let both = Peppers::new(new).with_previous(peppers("old").current().clone()).unwrap();
        let code = made.codes[3].expose_text().unwrap();
        assert!(RecoveryCodes::digests_of("a", code, &both).contains(&made.digests[3]));
        assert_eq!(RecoveryCodes::digests_of("a", code, &both).len(), 2);
    }
}
