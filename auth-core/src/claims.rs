//! What a token said, as a typed view over its text.

use std::fmt;
use std::sync::Arc;

/// The claims of a verified token.
///
/// The text was read strictly when the token was verified: it is one JSON object without duplicate members.
#[derive(Clone, Default)]
pub struct Claims(Option<Arc<str>>);

impl Claims {
    /// No claims, as for API keys.
    pub const EMPTY: Self = Self(None);
}

/// Prints no claims: they may hold personal data.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}
