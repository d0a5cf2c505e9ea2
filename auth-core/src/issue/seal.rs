//! Small secrets that lie encrypted with somebody else: those of second factors in a store, attempts to log in with a client.
//!
//! What is sealed begins with a byte that says how, and four that say with which key; then come the nonce and the output
//! of AES-256-GCM. Whose secret it is, is authenticated with it: moved to another account, it does not open. Each purpose
//! has a key of its own, derived with HKDF (RFC 5869), so that what clients are given to keep never opens as anything that
//! lies in a store, and the other way round, whoever its owner is said to be.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use crate::account::SealedSecret;
use crate::{ConfigError, Secret};

/// Seals secrets with a key that is kept apart from the store, and opens those that it or an earlier key sealed.
///
/// ```
/// use auth_core::Secret;
/// use auth_core::issue::{Seal, SealError, SealedFor};
///
/// let seal = Seal::new(&Secret::from("32 random bytes, from a file or a variable"))?;
/// let sealed = seal.seal(&Secret::from("secret"), SealedFor::SecondFactor, "account_1")?;
/// assert_eq!(seal.open(&sealed, SealedFor::SecondFactor, "account_1")?, Secret::from("secret"));
/// assert_eq!(seal.open(&sealed, SealedFor::SecondFactor, "account_2"), Err(SealError::Damaged));
/// assert_eq!(seal.open(&sealed, SealedFor::SsoState, "account_1"), Err(SealError::Damaged));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Security: nonces are random, so one key is good for some four thousand million secrets of a purpose (NIST SP 800-38D
/// section 8.3).
#[derive(Clone)]
pub struct Seal {
    current: Arc<Key>,
    earlier: Arc<[Arc<Key>]>,
}

/// What a secret is sealed for: for anything else it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedFor {
    /// The secret of a second factor, kept in the store; its owner is an account.
    SecondFactor,
    /// An attempt to log in at a provider, kept by the client; its owner is the provider.
    SsoState,
}

struct Key {
    mark: [u8; MARK],
    second_factor: RandomizedNonceKey,
    sso_state: RandomizedNonceKey,
}

const MARK: usize = 4;
/// 1 had one key for all purposes.
const VERSION: u8 = 2;
const SHORTEST_KEY: usize = 32;

/// Why a secret could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// It was sealed with a key that is not there any more.
    UnknownKey,
    /// It is not what was sealed, or not for this purpose and owner.
    Damaged,
    /// The operating system gave no random bytes.
    Random,
}

impl Seal {
    /// Seals with this key.
    ///
    /// # Errors
    /// A key of less than 32 bytes.
    pub fn new(key: &Secret) -> Result<Self, ConfigError> {
        Ok(Self { current: Arc::new(Key::new(key)?), earlier: Arc::new([]) })
    }

    /// Also opens what was sealed with this earlier key.
    ///
    /// # Errors
    /// A key of less than 32 bytes.
    pub fn with_previous(self, key: &Secret) -> Result<Self, ConfigError> {
        let earlier = self.earlier.iter().cloned().chain([Arc::new(Key::new(key)?)]).collect();
        Ok(Self { current: self.current, earlier })
    }

    /// Seals a secret of that owner for that purpose.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn seal(&self, secret: &Secret, purpose: SealedFor, owner: &str) -> Result<SealedSecret, SealError> {
        let mut text = Zeroizing::new(secret.expose().to_vec());
        let (key, owner) = (&self.current, associated(owner));
        let (nonce, tag) =
            key.of(purpose).seal_in_place_separate_tag(Aad::from(owner), &mut text).map_err(|_| SealError::Random)?;
        let parts: [&[u8]; 5] = [&[VERSION], &key.mark, nonce.as_ref(), &text, tag.as_ref()];
        Ok(SealedSecret::from_bytes(parts.concat()))
    }

    /// Opens a secret of that owner that was sealed for that purpose.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`], and [`SealError::Damaged`] where it was changed, is somebody
    /// else's or was sealed for something else.
    pub fn open(&self, sealed: &SealedSecret, purpose: SealedFor, owner: &str) -> Result<Secret, SealError> {
        let (version, rest) = sealed.as_bytes().split_first().ok_or(SealError::Damaged)?;
        let (mark, rest) = rest.split_first_chunk::<MARK>().ok_or(SealError::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Damaged)?;
        if *version != VERSION {
            return Err(SealError::Damaged);
        }
        let mut keys = std::iter::once(&self.current).chain(self.earlier.iter());
        let key = keys.find(|key| key.mark == *mark).ok_or(SealError::UnknownKey)?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.of(purpose).open_in_place(nonce, Aad::from(associated(owner)), &mut text);
        opened.map(|secret| Secret::new(secret.to_vec())).map_err(|_| SealError::Damaged)
    }
}

impl Key {
    /// Key and mark are derived, so that any text of sufficient length will do, and the mark tells nothing of the key.
    fn new(secret: &Secret) -> Result<Self, ConfigError> {
        if secret.expose().len() < SHORTEST_KEY {
            return Err(ConfigError::new("the key for sealing secrets is too short: use at least 32 random bytes"));
        }
        let master = Salt::new(HKDF_SHA256, &[]).extract(secret.expose());
        let sealing = |label: &str| {
            let key = Zeroizing::new(derived::<SEALING_KEY>(&master, label)?);
            RandomizedNonceKey::new(&AES_256_GCM, &*key).map_err(|_| unusable())
        };
        Ok(Self {
            mark: derived(&master, "auth-core seal 2: mark")?,
            second_factor: sealing("auth-core seal 2: second factor")?,
            sso_state: sealing("auth-core seal 2: sso state")?,
        })
    }

    const fn of(&self, purpose: SealedFor) -> &RandomizedNonceKey {
        match purpose {
            SealedFor::SecondFactor => &self.second_factor,
            SealedFor::SsoState => &self.sso_state,
        }
    }
}

const SEALING_KEY: usize = 32;

/// That many bytes, as HKDF tells it of how many.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derived<const N: usize>(master: &Prk, label: &str) -> Result<[u8; N], ConfigError> {
    let mut bytes = [0; N];
    let info = [label.as_bytes()];
    let expanded = master.expand(&info, Length(N)).map_err(|_| unusable())?;
    expanded.fill(&mut bytes).map_err(|_| unusable())?;
    Ok(bytes)
}

fn unusable() -> ConfigError {
    ConfigError::new("the key for sealing secrets cannot be used")
}

fn associated(owner: &str) -> Vec<u8> {
    [b"auth-core seal 2\0", owner.as_bytes()].concat()
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKey => "a secret was sealed with a key that is not there: name it as an earlier one",
            Self::Damaged => "a sealed secret was changed, or was not sealed for this",
            Self::Random => "the operating system gives no random bytes",
        })
    }
}

impl std::error::Error for SealError {}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR: SealedFor = SealedFor::SecondFactor;

    fn key(byte: u8) -> Secret {
        Secret::new(vec![byte; 32])
    }

    #[test]
    fn only_what_was_sealed_for_an_owner_opens_for_it() {
        let seal = Seal::new(&key(1)).unwrap();
        let secret = Secret::from("twenty bytes, exactly");
        let sealed = seal.seal(&secret, FOR, "account_1").unwrap();
        assert_eq!(seal.open(&sealed, FOR, "account_1"), Ok(secret.clone()));
        assert_eq!(seal.open(&sealed, FOR, "account_2"), Err(SealError::Damaged));
        assert_ne!(seal.seal(&secret, FOR, "account_1").unwrap(), sealed, "a nonce of its own");
        let hidden = sealed.as_bytes().windows(6).all(|part| part != b"twenty");
        assert!(hidden && !format!("{seal:?} {sealed:?}").contains("twenty"));
    }

    #[test]
    fn every_byte_counts() {
        let seal = Seal::new(&key(1)).unwrap();
        let sealed = seal.seal(&Secret::from("secret"), FOR, "a").unwrap();
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(seal.open(&SealedSecret::from_bytes(bytes), FOR, "a").is_err(), "{at}");
            let cut = SealedSecret::from_bytes(&sealed.as_bytes()[..at]);
            assert!(seal.open(&cut, FOR, "a").is_err(), "{at}");
        }
    }

    #[test]
    fn what_was_sealed_for_one_purpose_opens_for_no_other() {
        let seal = Seal::new(&key(2)).unwrap().with_previous(&key(1)).unwrap();
        let earlier = Seal::new(&key(1)).unwrap();
        let all = [SealedFor::SecondFactor, SealedFor::SsoState];
        for (sealing, opening) in all.into_iter().flat_map(|one| all.map(|other| (one, other))) {
            for by in [&seal, &earlier] {
                let sealed = by.seal(&Secret::from("secret"), sealing, "a").unwrap();
                let expected = if sealing == opening { Ok(Secret::from("secret")) } else { Err(SealError::Damaged) };
                assert_eq!(seal.open(&sealed, opening, "a"), expected, "{sealing:?} {opening:?}");
            }
        }
    }

    #[test]
    fn keys_are_derived_as_rfc_5869_says() {
        // appendix A.3: no salt and no label
        let master = Salt::new(HKDF_SHA256, &[]).extract(&[0x0b; 22]);
        let expected = [0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80, 0x2a, 0x06, 0x3c, 0x5a, 0x31];
        assert_eq!(derived::<16>(&master, "").unwrap(), expected);
    }

    #[test]
    fn an_earlier_key_still_opens_and_no_longer_seals() {
        let (old, new) = (Seal::new(&key(1)).unwrap(), Seal::new(&key(2)).unwrap());
        let sealed = old.seal(&Secret::from("secret"), FOR, "a").unwrap();
        assert_eq!(new.open(&sealed, FOR, "a"), Err(SealError::UnknownKey));
        let both = new.clone().with_previous(&key(1)).unwrap();
        assert_eq!(both.open(&sealed, FOR, "a"), Ok(Secret::from("secret")));
        let fresh = both.seal(&Secret::from("secret"), FOR, "a").unwrap();
        assert!(new.open(&fresh, FOR, "a").is_ok() && old.open(&fresh, FOR, "a").is_err());
        assert!(Seal::new(&Secret::new(vec![0; 31])).is_err());
    }
}
