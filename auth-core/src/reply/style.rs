//! How an API words its refusals.

use std::collections::BTreeMap;

use crate::error::ConfigError;
use crate::rejection::Rejection;
use crate::reply::Shape;

/// The shape, codes and words of an API's refusals.
///
/// Codes and messages are overridden by the name of a [cause](Rejection::cause), or of a [code](Rejection::code) for
/// all causes that share it; the cause wins.
///
/// ```
/// use auth_core::reply::{CodeStyle, ErrorStyle, Shape};
///
/// let style = ErrorStyle::new(Shape::NestedWithDetails)
///     .codes(CodeStyle::UpperSnake)
///     .code("missing_token", "AUTHENTICATION_REQUIRED")?
///     .code("token_expired", "TOKEN_EXPIRED")?
///     .message("invalid_token", "The provided authentication token is invalid or expired")?;
///
/// assert!(style.clone().code("tokn_expired", "TOKEN_EXPIRED").is_err());
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ErrorStyle {
    pub(super) shape: Shape,
    pub(super) code_style: CodeStyle,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) messages: BTreeMap<String, String>,
    pub(super) realm: String,
}

/// How the codes that are not overridden are spelt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeStyle {
    /// `invalid_token`, the default, as in the OAuth RFCs.
    #[default]
    Snake,
    /// `INVALID_TOKEN`.
    UpperSnake,
}

impl Default for ErrorStyle {
    fn default() -> Self {
        Self::new(Shape::default())
    }
}

impl ErrorStyle {
    /// The style of that shape, with its usual codes, our words, and the realm `api`.
    pub fn new(shape: Shape) -> Self {
        let code_style = if matches!(shape, Shape::Stamped) { CodeStyle::UpperSnake } else { CodeStyle::Snake };
        Self { shape, code_style, codes: BTreeMap::new(), messages: BTreeMap::new(), realm: "api".to_owned() }
    }

    /// Spells the codes that are not overridden in this way.
    #[must_use]
    pub fn codes(mut self, style: CodeStyle) -> Self {
        self.code_style = style;
        self
    }

    /// Answers this code to that cause, verbatim.
    ///
    /// # Errors
    /// If no rejection has that cause or code.
    pub fn code(mut self, cause: &str, code: impl Into<String>) -> Result<Self, ConfigError> {
        known(cause)?;
        self.codes.insert(cause.to_owned(), code.into());
        Ok(self)
    }

    /// Answers these words to that cause. Challenges keep our own words, since they may not carry every character.
    ///
    /// # Errors
    /// If no rejection has that cause or code.
    pub fn message(mut self, cause: &str, message: impl Into<String>) -> Result<Self, ConfigError> {
        known(cause)?;
        self.messages.insert(cause.to_owned(), message.into());
        Ok(self)
    }

    /// Names the protection space in challenges (RFC 9110 section 11.5).
    ///
    /// # Errors
    /// If the realm has a quote, a backslash or anything but printable ASCII.
    pub fn realm(mut self, realm: impl Into<String>) -> Result<Self, ConfigError> {
        let realm = realm.into();
        if !realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
            return Err(ConfigError::new("the realm must be printable ASCII without quotes and backslashes"));
        }
        self.realm = realm;
        Ok(self)
    }
}

fn known(cause: &str) -> Result<(), ConfigError> {
    if Rejection::causes().any(|known| known == cause) {
        return Ok(());
    }
    let mut all: Vec<&str> = Rejection::causes().collect();
    all.sort_unstable();
    all.dedup();
    Err(ConfigError::new(format!("no refusal has the cause `{cause}`: the causes are {}", all.join(", "))))
}
