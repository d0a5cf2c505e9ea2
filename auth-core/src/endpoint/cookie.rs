//! The cookie that a browser keeps an access token in, where no script can read it.

use std::sync::Arc;

use crate::error::ConfigError;
use crate::issue::MintedAccessToken;

/// The cookie that a login can ask for by the member `cookie`: `Secure`, `HttpOnly` and `SameSite=Strict`.
///
/// Nobody is given one who does not ask, so that API clients, which send their token in a header, never send two
/// credentials.
///
/// Security: a browser sends it along with whatever a page makes it ask, so a gate that takes it has to refuse requests
/// from other sites that change anything; it does, see [`Source::Cookie`](crate::credential::Source::Cookie).
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: Arc<str>,
}

impl AccessCookie {
    /// A cookie of that name. One that begins with `__Host-` is kept by browsers for this very host alone, and is the
    /// better choice where the name is free.
    ///
    /// # Errors
    /// The name is no token (RFC 6265 section 4.1.1).
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_char) {
            return Err(ConfigError::new("the name of a cookie consists of letters, digits and !#$%&'*+-.^_`|~"));
        }
        Ok(Self { name: name.into() })
    }

    /// The field that sets it.
    pub(super) fn of(&self, token: &MintedAccessToken) -> String {
        let text = token.token.expose_text().unwrap_or_default();
        self.with(text, token.lifetime.as_secs())
    }

    /// The field that takes it away.
    pub(super) fn removal(&self) -> String {
        self.with("", 0)
    }

    fn with(&self, value: &str, max_age: u64) -> String {
        format!("{}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=Strict", self.name)
    }
}
