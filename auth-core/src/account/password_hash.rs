//! The hash of a password.

use std::fmt;
use std::sync::Arc;

use crate::ConfigError;

/// The longest text that is taken for a hash: several times the length of any in use.
const LONGEST: usize = 512;

/// The hash of a password in the PHC string format, such as `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
///
/// It says by itself how it was made, so that hashes of several kinds can lie beside each other while one replaces
/// another. Security: `Debug` prints a placeholder, since a hash can be guessed at.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Arc<str>);

impl PasswordHash {
    /// A hash as it was made, or as a store read it back. Only its outer form is looked at.
    ///
    /// # Errors
    /// A text that does not begin with `$` and the name of a function, has another character than printable ASCII, or
    /// more than 512 bytes.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let function = text.strip_prefix('$').and_then(|rest| rest.split_once('$')).map(|(function, _)| function);
        let is_named = function.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        });
        if !is_named || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new(
                "a password's hash is a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…$…`",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text, for checking a password against it and for a store to keep.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s14_only_hashes_are_taken_and_none_is_printed() {
        let hash = PasswordHash::parse("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA").unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
        for text in ["", "hunter2", "$", "$$", "$argon2id", "$Argon2$x", "$argon2id$a b", "$argon2id$\u{e9}"] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
        assert!(PasswordHash::parse(&format!("$a${}", "x".repeat(509))).is_ok());
        assert!(PasswordHash::parse(&format!("$a${}", "x".repeat(510))).is_err());
    }
}
