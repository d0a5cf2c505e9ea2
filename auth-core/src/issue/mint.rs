//! Random text for keys and their ids.

use aws_lc_rs::rand::SystemRandom;

use crate::Secret;
use crate::api_key::{KeyFormat, checksum_digits, random_text};

use super::KeyError;

/// Random characters of an id: 95 bits, so that ids neither meet by accident nor tell how many there are.
const ID_CHARS: usize = 16;

impl KeyFormat {
    /// A new key: at least 128 bits from the operating system's generator (RFC 6749 section 10.10).
    ///
    /// # Errors
    /// [`KeyError::Environment`] where the format has no such environment, or has environments and none is named;
    /// [`KeyError::Random`] where the generator fails.
    pub fn mint(&self, environment: Option<&str>) -> Result<Secret, KeyError> {
        if self.start(environment).is_none() {
            return Err(KeyError::Environment(environment.unwrap_or("none").into()));
        }
        let random = |chars, into: &mut String| random_text(&SystemRandom::new(), chars, into).is_ok();
        self.mint_with(environment, random).ok_or(KeyError::Random)
    }

    /// A key whose characters between prefix and checksum are appended by `fill`; `None` where there is no such environment,
    /// or `fill` failed.
    pub(super) fn mint_with(
        &self,
        environment: Option<&str>,
        fill: impl FnOnce(usize, &mut String) -> bool,
    ) -> Option<Secret> {
        let start = self.start(environment)?;
        // room for all of it at once: growing would leave copies of a part behind in freed memory
        let mut key = String::with_capacity(start.len() + self.random_chars() + 8);
        key.push_str(start);
        if !fill(self.random_chars(), &mut key) {
            return None;
        }
        let checksum = checksum_digits(&key);
        key.extend(checksum.map(char::from));
        Some(Secret::from(key))
    }
}

/// A public name with this prefix, such as `key_7GvJ0aNqT3mXw2Zb`.
pub(super) fn id(prefix: &str) -> Result<String, KeyError> {
    let mut id = prefix.to_owned();
    random_text(&SystemRandom::new(), ID_CHARS, &mut id).map_err(|_| KeyError::Random)?;
    Ok(id)
}
