//! What an API calls the members of its requests and answers.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::error::ConfigError;
use serde_json::Value;

/// Every member that an endpoint reads or writes, by the name that it has unless it is given another.
const MEMBERS: [&str; 63] = [
    "access_token",
    "api_key",
    "authorization_url",
    "by_hour",
    "by_status",
    "client_id",
    "client_secret",
    "clients",
    "code",
    "cookie",
    "created_at",
    "description",
    "email",
    "email_verified",
    "enabled",
    "environment",
    "expires_at",
    "expires_in",
    "grants",
    "hour",
    "id",
    "iss",
    "jwks",
    "key",
    "keys",
    "last_used_at",
    "limit",
    "name",
    "networks",
    "new_password",
    "old_password",
    "otpauth_uri",
    "overlap",
    "password",
    "permissions",
    "plan",
    "recovery_code",
    "recovery_codes",
    "redirect_uri",
    "refresh_token",
    "remaining",
    "replaced_by",
    "requests",
    "reset_at",
    "roles",
    "rotated_from",
    "scopes",
    "secret",
    "secrets",
    "session",
    "starts_with",
    "state",
    "status",
    "tenant",
    "tenant_name",
    "ticket",
    "token",
    "token_type",
    "total",
    "type",
    "usage",
    "user",
    "user_name",
];

/// What an API calls the members of its requests and answers, and how it writes times.
///
/// ```
/// use auth_core::endpoint::Words;
///
/// let words = Words::default().call("tenant", "org_id")?.call("plan", "tier")?;
/// assert!(words.call("tenent", "org_id").is_err());
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Words {
    names: BTreeMap<&'static str, String>,
    times: Times,
    token_type: Option<String>,
}

/// How an API writes times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// `"2031-01-15T10:00:00Z"` (RFC 3339), the default.
    #[default]
    Rfc3339,
    /// Seconds since the epoch.
    Epoch,
}

impl Words {
    /// Calls a member something else, in requests and answers alike.
    ///
    /// # Errors
    /// There is no such member, or the name is empty.
    pub fn call(mut self, member: &str, name: impl Into<String>) -> Result<Self, ConfigError> {
        let (member, name) = (self::member(member)?, name.into());
        if name.is_empty() {
            return Err(ConfigError::new(format!("the name for the member `{member}` is empty")));
        }
        self.names.insert(member, name);
        Ok(self)
    }

    /// Writes times in this way.
    #[must_use]
    pub fn times(self, times: Times) -> Self {
        Self { times, ..self }
    }

    /// Writes the type of access tokens like this, such as `Bearer`; clients compare it without case (RFC 6749 section 5.1).
    #[must_use]
    pub fn token_type_as(self, written: impl Into<String>) -> Self {
        Self { token_type: Some(written.into()), ..self }
    }

    /// The type of access tokens as it is written: `bearer` unless the API writes it in another way.
    pub(super) fn token_type(&self) -> &str {
        self.token_type.as_deref().unwrap_or("bearer")
    }

    /// What the member is called.
    pub(super) fn name<'a>(&'a self, member: &'a str) -> &'a str {
        self.names.get(member).map_or(member, String::as_str)
    }

    /// A time as it is written.
    pub(super) fn time(&self, at: Timestamp) -> Value {
        match self.times {
            Times::Rfc3339 => Value::from(at.to_rfc3339()),
            Times::Epoch => Value::from(at.unix_seconds()),
        }
    }
}

/// The member of that name, as configurations call it.
///
/// # Errors
/// There is no such member.
pub fn member(member: &str) -> Result<&'static str, ConfigError> {
    MEMBERS.into_iter().find(|known| *known == member).ok_or_else(|| {
        ConfigError::new(format!(
            "no endpoint has a member `{}`: there are {}",
            member.escape_debug(),
            MEMBERS.join(", ")
        ))
    })
}
