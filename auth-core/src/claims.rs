//! What a token said, as a typed view over its text.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::json::{Members, Object, Value};
use crate::shared_str::SharedStr;

/// The claims of a verified token.
///
/// The text was read strictly when the token was verified: it is one JSON object without duplicate members, and
/// `serde_json` can read it. Cloning copies a pointer; looking a claim up walks the text and copies nothing unless the
/// claim is a string with escapes.
///
/// ```
/// use auth_core::Claims;
///
/// let claims = Claims::parse(r#"{"email":"ada@example.org","realm_access":{"roles":["dev"]},"level":3}"#)?;
/// assert_eq!(claims.get("email").and_then(|email| email.as_str()).as_deref(), Some("ada@example.org"));
/// assert_eq!(claims.get("level").and_then(|level| level.as_i64()), Some(3));
///
/// let roles = claims.get("realm_access").and_then(|access| access.get("roles"));
/// assert_eq!(roles.map(|roles| roles.deserialize::<Vec<String>>()), Some(Ok(vec!["dev".to_owned()])));
///
/// #[derive(serde::Deserialize)]
/// struct Mine<'c> {
///     email: &'c str,
///     level: u8,
/// }
/// let mine: Mine<'_> = claims.deserialize()?;
/// assert_eq!((mine.email, mine.level), ("ada@example.org", 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Claims(Option<SharedStr>);

impl Claims {
    /// No claims, as for API keys.
    pub const EMPTY: Self = Self(None);

    /// Claims for a verifier of the application's own, or for a test.
    ///
    /// # Errors
    /// The text is not one JSON object, has a duplicate member on any level, nests deeper than 32 levels or has more
    /// than 256 members in one object.
    pub fn parse(json: &str) -> Result<Self, ClaimError> {
        Object::read(json, &mut Members::new()).map_err(|_| ClaimError::NotAnObject)?;
        Ok(Self::scanned(&json.into()))
    }

    /// Claims whose text has been through [`Object::read`].
    pub(crate) fn scanned(json: &Arc<str>) -> Self {
        Self(Some(SharedStr::trimmed(json)))
    }

    /// The claim of that name; dots in a name are part of it.
    pub fn get(&self, name: &str) -> Option<Claim<'_>> {
        Value::object(self.as_json()).member(name).map(Claim)
    }

    /// All claims as the one JSON object that they came as.
    pub fn as_json(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }

    /// The claims as a type of the application's own.
    ///
    /// # Errors
    /// The claims do not fit the type.
    pub fn deserialize<'c, T: Deserialize<'c>>(&'c self) -> Result<T, ClaimError> {
        deserialize(self.as_json())
    }
}

/// Prints no claims: they may hold personal data.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}

/// One claim, or a value inside one.
#[derive(Clone, Copy)]
pub struct Claim<'c>(Value<'c>);

impl<'c> Claim<'c> {
    /// The text, where the claim is a string.
    pub fn as_str(self) -> Option<Cow<'c, str>> {
        self.0.as_str()
    }

    /// The number, where the claim is a whole number of that range.
    pub fn as_i64(self) -> Option<i64> {
        self.0.as_number()?.parse().ok()
    }

    /// The number, where the claim is one.
    pub fn as_f64(self) -> Option<f64> {
        self.0.as_number()?.parse().ok()
    }

    /// The truth value, where the claim is one.
    pub fn as_bool(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// Whether the claim is `null`.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The member of that name, where the claim is an object.
    pub fn get(self, name: &str) -> Option<Self> {
        self.0.member(name).map(Self)
    }

    /// The items, where the claim is an array; nothing otherwise.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.0.items().into_iter().flatten().map(Self)
    }

    /// The claim as it stands in the token.
    pub fn as_json(self) -> &'c str {
        self.0.raw()
    }

    /// The claim as a type of the application's own.
    ///
    /// # Errors
    /// The claim does not fit the type.
    pub fn deserialize<T: Deserialize<'c>>(self) -> Result<T, ClaimError> {
        deserialize(self.0.raw())
    }
}

/// Prints no value: it may be personal data.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(…)")
    }
}

fn deserialize<'c, T: Deserialize<'c>>(json: &'c str) -> Result<T, ClaimError> {
    // the message of the parser quotes values, so only the place is kept
    serde_json::from_str(json).map_err(|error| ClaimError::Shape { byte: error.column() })
}

/// Why claims could not be read. It quotes none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The text is not one JSON object that can be read in one way only.
    NotAnObject,
    /// The claims do not fit the type that was asked for.
    Shape {
        /// Where in the text it was found out.
        byte: usize,
    },
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the claims are not one strict JSON object"),
            Self::Shape { byte } => write!(f, "the claims do not fit the type asked for, at or before byte {byte}"),
        }
    }
}

impl std::error::Error for ClaimError {}
