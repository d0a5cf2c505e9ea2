//! Whom else the service trusts to say who somebody is: partners with keys that were registered beforehand.
//!
//! A partner signs an assertion that one of its users is this account of ours; see `issue::Assertions` for what has to be in
//! it. Plain data, no logic.

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::keys::KeySet;

/// One partner as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustRecord {
    /// The record's lasting name, unique in its store.
    pub id: Arc<str>,
    /// The value of `iss` in the partner's assertions, unique in its store.
    pub issuer: Arc<str>,
    /// What the partner is called.
    pub name: Option<Arc<str>>,
    /// The partner's public keys.
    pub keys: PublicKeys,
    /// Whose accounts the partner may speak for.
    pub reach: Reach,
    /// Whether its assertions are taken.
    pub status: TrustStatus,
    /// When it was registered.
    pub created: Timestamp,
}

/// Whose accounts a partner may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of one tenant.
    Tenant(Arc<str>),
    /// Every account of the service.
    Everybody,
}

/// Whether a partner's assertions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrustStatus {
    /// They are.
    Active,
    /// They are not, until it is switched on again. Sessions that it opened before go on; those of one that is removed end.
    Disabled,
}

/// One change to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustChange {
    /// Other keys take the place of those before.
    Keys(PublicKeys),
    /// Switches it off.
    Disable,
    /// Switches it on again.
    Enable,
}

/// Public keys as text, found good: PEM, or a JWK Set.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeys(Arc<str>);

impl PublicKeys {
    /// The longest text of keys.
    const LONGEST: usize = 64 * 1024;

    /// Keys in PEM, one or more, or as a JWK Set (RFC 7517 section 5).
    ///
    /// # Errors
    /// It is longer than 64 KiB, no key in it can be used, or one of them is secret.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > Self::LONGEST {
            return Err(ConfigError::new("public keys take 64 KiB at most"));
        }
        let keys = Self(text.into());
        if keys.set()?.iter().any(crate::keys::VerificationKey::is_symmetric) {
            return Err(ConfigError::new("a shared secret is no public key: register what the partner publishes"));
        }
        Ok(keys)
    }

    /// The keys.
    ///
    /// # Errors
    /// None of them can be used, which was seen when they were parsed.
    pub fn set(&self) -> Result<KeySet, ConfigError> {
        if self.0.trim_start().starts_with('{') { KeySet::from_jwks(&self.0) } else { KeySet::from_pem(&self.0) }
    }

    /// The text that they were read from.
    pub fn as_text(&self) -> &Arc<str> {
        &self.0
    }
}

impl TrustRecord {
    /// A partner whose assertions are taken for those accounts.
    pub fn new(
        id: impl Into<Arc<str>>,
        issuer: impl Into<Arc<str>>,
        keys: PublicKeys,
        reach: Reach,
        created: Timestamp,
    ) -> Self {
        let (id, issuer) = (id.into(), issuer.into());
        Self { id, issuer, name: None, keys, reach, status: TrustStatus::Active, created }
    }
}

impl TrustChange {
    /// Makes the change. A store does so within its atomic step.
    pub fn apply(self, record: &mut TrustRecord) {
        match self {
            Self::Keys(keys) => record.keys = keys,
            Self::Disable => record.status = TrustStatus::Disabled,
            Self::Enable => record.status = TrustStatus::Active,
        }
    }
}

impl fmt::Debug for TrustRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustRecord")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("reach", &self.reach)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Prints how long they are: nobody wants to read them.
impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKeys({} bytes)", self.0.len())
    }
}
