//! Keyed hashes of keys, and the peppers they are made with.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::{ConfigError, Secret};

/// The keyed hash of an API key: all that a store holds of it.
///
/// Security: equality takes the same time wherever the first difference is, and `Debug` prints a placeholder: with a
/// digest and the pepper, a guess could be confirmed.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// A digest as a store read it back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for KeyDigest {}

/// Hashes a part of the digest: it is evenly spread already, and nobody without the pepper can aim at a value.
impl std::hash::Hash for KeyDigest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write(&self.0[24..]);
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// Makes digests with one pepper: HMAC-SHA-256 (RFC 2104).
///
/// The pepper is kept apart from the store, so that whoever reads the store cannot check guesses, nor add a key of
/// their own making without the pepper as well.
#[derive(Clone)]
pub struct KeyHasher {
    id: Arc<str>,
    key: Arc<hmac::Key>,
}

impl KeyHasher {
    /// A hasher with this pepper. The id is written beside every digest, to tell later which pepper made it.
    ///
    /// # Errors
    /// A pepper of less than 32 bytes is refused: it must not be easier to guess than a key. So is an id that is
    /// empty, longer than 64 bytes or not of letters, digits, `_`, `-` and `.`.
    pub fn new(id: &str, pepper: &Secret) -> Result<Self, ConfigError> {
        if !is_id(id) {
            return Err(ConfigError::new(
                "the id of a pepper is 1 to 64 letters, digits, `_`, `-` and `.`, such as `2031-a`",
            ));
        }
        if pepper.expose().len() < 32 {
            return Err(ConfigError::new(format!("the pepper `{id}` is too short: use at least 32 random bytes")));
        }
        Ok(Self { id: id.into(), key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, pepper.expose())) })
    }

    /// The id of the pepper.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The digest of a key.
    pub fn digest(&self, key: &str) -> KeyDigest {
        let tag = hmac::sign(&self.key, key.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        KeyDigest(digest)
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHasher").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The pepper in use, and those it replaced.
///
/// New keys are hashed with the current pepper. A key that is found under an older one still works and is hashed
/// anew when last-used times are next written; an old pepper can go once no record names it any more.
#[derive(Clone, Debug)]
pub struct Peppers {
    current: KeyHasher,
    older: Arc<[KeyHasher]>,
}

impl Peppers {
    /// One pepper, nothing to replace.
    pub fn new(current: KeyHasher) -> Self {
        Self { current, older: Arc::new([]) }
    }

    /// Also accepts keys that were hashed with this older pepper. Each one costs a hash for keys not found before it.
    ///
    /// # Errors
    /// Two peppers with one id: records could not say which of them they mean.
    pub fn with_previous(self, previous: KeyHasher) -> Result<Self, ConfigError> {
        if self.iter().any(|known| known.id == previous.id) {
            return Err(ConfigError::new(format!("two peppers have the id `{}`", previous.id)));
        }
        let older = self.older.iter().cloned().chain([previous]).collect();
        Ok(Self { older, current: self.current })
    }

    /// The pepper that new keys are hashed with.
    pub fn current(&self) -> &KeyHasher {
        &self.current
    }

    /// The peppers it replaced, in the order in which they were given.
    pub fn older(&self) -> impl Iterator<Item = &KeyHasher> {
        self.older.iter()
    }

    /// All peppers, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &KeyHasher> {
        std::iter::once(&self.current).chain(self.older())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_peppers_and_double_ids_are_refused() {
        let long = Secret::from("0123456789abcdef0123456789abcdef");
        assert!(KeyHasher::new("a", &Secret::from("0123456789abcdef0123456789abcde")).is_err());
        assert!(KeyHasher::new("", &long).is_err());
        let hasher = KeyHasher::new("a", &long).unwrap();
        assert!(Peppers::new(hasher.clone()).with_previous(hasher).is_err());
    }

    #[test]
    fn digests_are_hmac_sha_256() {
        // RFC 4231 test case 6: a key longer than the block
        let hasher = KeyHasher::new("a", &Secret::new(vec![0xaa; 131])).unwrap();
        let digest = hasher.digest("Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(digest.as_bytes()[..4], [0x60, 0xe4, 0x31, 0x59]);
        assert_eq!(digest.as_bytes()[28..], [0x0e, 0xe3, 0x7f, 0x54]);
    }

    #[test]
    fn s14_debug_shows_neither_pepper_nor_digest() {
        let hasher = KeyHasher::new("a", &Secret::from("0123456789abcdef0123456789abcdef")).unwrap();
        let text = format!("{hasher:?} {:?}", hasher.digest("k"));
        assert_eq!(text, "KeyHasher { id: \"a\", .. } KeyDigest(…)");
    }
}
