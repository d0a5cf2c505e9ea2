//! Who an account is elsewhere.

use std::sync::Arc;

use crate::clock::Timestamp;

/// That an account here is somebody at another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountLink {
    /// The other issuer.
    pub issuer: Arc<str>,
    /// Who it is there: together with the issuer, nobody else ever (OpenID Connect Core section 2).
    pub subject: Arc<str>,
    /// The account's id.
    pub account: Arc<str>,
    /// Since when.
    pub created: Timestamp,
}

impl AccountLink {
    /// A link.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        subject: impl Into<Arc<str>>,
        account: impl Into<Arc<str>>,
        created: Timestamp,
    ) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), account: account.into(), created }
    }
}
