//! What tokens look like: a prefix, random characters, a checksum.

use crate::ConfigError;
use crate::api_key::KeyFormat;
use crate::rejection::CredentialFault;

/// Characters behind the prefix: 32 random ones are 190 bits, and six of checksum.
const TAIL: usize = 38;

/// How the opaque tokens of one service look: `prefix_` and 38 letters and digits.
///
/// The prefix and the exact length tell them from every other credential of the same source, and let secret scanners find
/// a leaked one. The last six characters are a checksum, so that a mistyped token is refused without a look-up.
///
/// ```
/// use auth_core::opaque::TokenFormat;
///
/// let format = TokenFormat::new("at")?;
/// assert_eq!(format.regex(), "at_[a-zA-Z0-9]{38}");
/// assert!(!format.recognises("at_short"));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFormat(KeyFormat);

impl TokenFormat {
    /// Tokens with this prefix.
    ///
    /// # Errors
    /// The prefix begins with a letter and goes on with letters, digits, `_` and `-`, at most 32 in all.
    pub fn new(prefix: &str) -> Result<Self, ConfigError> {
        Ok(Self(KeyFormat::new(prefix, [])?.with_tail(TAIL)?))
    }

    /// Whether a text has prefix, length and alphabet of a token; its checksum may still be wrong.
    pub fn recognises(&self, text: &str) -> bool {
        self.0.is_formed(text)
    }

    /// Checks the whole form, the checksum included. Looks nothing up and allocates nothing.
    ///
    /// # Errors
    /// [`CredentialFault::Malformed`].
    pub fn check(&self, text: &str) -> Result<(), CredentialFault> {
        self.0.parse(text).map(|_| ())
    }

    /// A regular expression that matches every token of this format, for secret scanners; it is not anchored.
    pub fn regex(&self) -> String {
        self.0.regex()
    }

    #[cfg(feature = "issue")]
    pub(crate) fn as_keys(&self) -> &KeyFormat {
        &self.0
    }
}
