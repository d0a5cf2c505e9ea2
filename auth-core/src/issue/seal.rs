//! Small secrets that lie encrypted in a store: the secrets of second factors.
//!
//! What is sealed begins with a byte that says how, and four that say with which key; then come the nonce and the output
//! of AES-256-GCM. Whose secret it is, is authenticated with it: moved to another account, it does not open.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::account::SealedSecret;
use crate::{ConfigError, Secret};

/// Seals secrets with a key that is kept apart from the store, and opens those that it or an earlier key sealed.
///
/// ```
/// use auth_core::Secret;
/// use auth_core::issue::{Seal, SealError};
///
/// let seal = Seal::new(&Secret::from("32 random bytes, from a file or a variable"))?;
/// let sealed = seal.seal(&Secret::from("secret"), "account_1")?;
/// assert_eq!(seal.open(&sealed, "account_1")?, Secret::from("secret"));
/// assert_eq!(seal.open(&sealed, "account_2"), Err(SealError::Damaged));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Security: nonces are random, so one key is good for some four thousand million secrets (NIST SP 800-38D section 8.3).
#[derive(Clone)]
pub struct Seal {
    current: Arc<Key>,
    earlier: Arc<[Arc<Key>]>,
}

struct Key {
    mark: [u8; MARK],
    key: RandomizedNonceKey,
}

const MARK: usize = 4;
const VERSION: u8 = 1;
const SHORTEST_KEY: usize = 32;

/// Why a secret could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// It was sealed with a key that is not there any more.
    UnknownKey,
    /// It is not what was sealed, or not for this owner.
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

    /// Seals a secret of that owner.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn seal(&self, secret: &Secret, owner: &str) -> Result<SealedSecret, SealError> {
        let mut text = Zeroizing::new(secret.expose().to_vec());
        let (key, owner) = (&self.current, associated(owner));
        let (nonce, tag) =
            key.key.seal_in_place_separate_tag(Aad::from(owner), &mut text).map_err(|_| SealError::Random)?;
        let parts: [&[u8]; 5] = [&[VERSION], &key.mark, nonce.as_ref(), &text, tag.as_ref()];
        Ok(SealedSecret::from_bytes(parts.concat()))
    }

    /// Opens a secret of that owner.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`], and [`SealError::Damaged`] where it was changed or is somebody else's.
    pub fn open(&self, sealed: &SealedSecret, owner: &str) -> Result<Secret, SealError> {
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
        let opened = key.key.open_in_place(nonce, Aad::from(associated(owner)), &mut text);
        opened.map(|secret| Secret::new(secret.to_vec())).map_err(|_| SealError::Damaged)
    }
}

impl Key {
    /// Key and mark are derived, so that any text of sufficient length will do, and the mark tells nothing of the key.
    fn new(secret: &Secret) -> Result<Self, ConfigError> {
        if secret.expose().len() < SHORTEST_KEY {
            return Err(ConfigError::new("the key for sealing secrets is too short: use at least 32 random bytes"));
        }
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        let key = hmac::sign(&master, b"auth-core seal 1: key");
        let mark = hmac::sign(&master, b"auth-core seal 1: mark");
        let mark = *mark.as_ref().first_chunk().ok_or_else(unusable)?;
        Ok(Self { mark, key: RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| unusable())? })
    }
}

fn unusable() -> ConfigError {
    ConfigError::new("the key for sealing secrets cannot be used")
}

fn associated(owner: &str) -> Vec<u8> {
    [b"auth-core seal 1\0", owner.as_bytes()].concat()
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
            Self::Damaged => "a sealed secret was changed, or is not this account's",
            Self::Random => "the operating system gives no random bytes",
        })
    }
}

impl std::error::Error for SealError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Secret {
        Secret::new(vec![byte; 32])
    }

    #[test]
    fn only_what_was_sealed_for_an_owner_opens_for_it() {
        let seal = Seal::new(&key(1)).unwrap();
        let secret = Secret::from("twenty bytes, exactly");
        let sealed = seal.seal(&secret, "account_1").unwrap();
        assert_eq!(seal.open(&sealed, "account_1"), Ok(secret.clone()));
        assert_eq!(seal.open(&sealed, "account_2"), Err(SealError::Damaged));
        assert_ne!(seal.seal(&secret, "account_1").unwrap(), sealed, "a nonce of its own");
        let hidden = sealed.as_bytes().windows(6).all(|part| part != b"twenty");
        assert!(hidden && !format!("{seal:?} {sealed:?}").contains("twenty"));
    }

    #[test]
    fn every_byte_counts() {
        let seal = Seal::new(&key(1)).unwrap();
        let sealed = seal.seal(&Secret::from("secret"), "a").unwrap();
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(seal.open(&SealedSecret::from_bytes(bytes), "a").is_err(), "{at}");
            let cut = SealedSecret::from_bytes(&sealed.as_bytes()[..at]);
            assert!(seal.open(&cut, "a").is_err(), "{at}");
        }
    }

    #[test]
    fn an_earlier_key_still_opens_and_no_longer_seals() {
        let (old, new) = (Seal::new(&key(1)).unwrap(), Seal::new(&key(2)).unwrap());
        let sealed = old.seal(&Secret::from("secret"), "a").unwrap();
        assert_eq!(new.open(&sealed, "a"), Err(SealError::UnknownKey));
        let both = new.clone().with_previous(&key(1)).unwrap();
        assert_eq!(both.open(&sealed, "a"), Ok(Secret::from("secret")));
        let fresh = both.seal(&Secret::from("secret"), "a").unwrap();
        assert!(new.open(&fresh, "a").is_ok() && old.open(&fresh, "a").is_err());
        assert!(Seal::new(&Secret::new(vec![0; 31])).is_err());
    }
}
