//! What a store knows about one token.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::names::Names;
use crate::principal::{Identity, Method};
use crate::rejection::CredentialFault;
use crate::shared_str::SharedStr;

/// One opaque token as a store keeps it: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRecord {
    /// The public name of the token, random, unique in its store.
    pub id: Arc<str>,
    /// The keyed hash of the token, unique in its store.
    pub digest: KeyDigest,
    /// The id of the pepper that the digest was made with.
    pub pepper: Arc<str>,
    /// Who vouches for the subject.
    pub issuer: Arc<str>,
    /// Whose token it is.
    pub subject: Arc<str>,
    /// The tenant the bearer acts in.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses the bearer's limits.
    pub plan: Option<Arc<str>>,
    /// What the bearer may do.
    pub permissions: Names,
    /// What the bearer is.
    pub roles: Names,
    /// The OAuth scopes it was given. They grant nothing by themselves: list what they stand for in `permissions`.
    pub scopes: Names,
    /// The session or family it belongs to.
    pub session: Option<Arc<str>>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused, however much it is used.
    pub ends: Timestamp,
    /// How long it may lie unused.
    pub idle_limit: Option<Duration>,
    /// When it was last used, as far as that was written down; when it was made, at first.
    pub last_seen: Timestamp,
    /// Whether it is in force.
    pub status: TokenStatus,
}

/// Whether a token is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenStatus {
    /// It is, until it ends.
    Active,
    /// It was taken back, for good.
    Revoked,
}

impl TokenRecord {
    /// An active token without permissions or an idle limit; set the fields for more.
    pub fn new(
        id: impl Into<Arc<str>>,
        digest: KeyDigest,
        pepper: impl Into<Arc<str>>,
        (issuer, subject): (impl Into<Arc<str>>, impl Into<Arc<str>>),
        created: Timestamp,
        ends: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            digest,
            pepper: pepper.into(),
            issuer: issuer.into(),
            subject: subject.into(),
            tenant: None,
            plan: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            scopes: Names::EMPTY,
            session: None,
            created,
            ends,
            idle_limit: None,
            last_seen: created,
            status: TokenStatus::Active,
        }
    }

    /// From when on it is refused if its last use was then: the earlier of its absolute end and its idle end.
    pub fn end_after(&self, last_seen: Timestamp) -> Timestamp {
        let idle_end = self.idle_limit.map(|limit| last_seen.saturating_add(limit));
        idle_end.map_or(self.ends, |idle_end| idle_end.min(self.ends))
    }

    /// Whether it is good at that time, if its last use was then.
    ///
    /// # Errors
    /// `Revoked`, or `Expired` from the very instant of the end on.
    pub fn check(&self, last_seen: Timestamp, wall: Timestamp) -> Result<(), CredentialFault> {
        match self.status {
            TokenStatus::Revoked => Err(CredentialFault::Revoked),
            TokenStatus::Active if self.end_after(last_seen) <= wall => Err(CredentialFault::Expired),
            TokenStatus::Active => Ok(()),
        }
    }

    /// What the token says about its bearer. Copies pointers alone.
    pub(super) fn identity(&self, last_seen: Timestamp) -> Identity {
        let mut identity = Identity::new(Method::OpaqueToken, Arc::clone(&self.issuer), Arc::clone(&self.subject));
        identity.tenant = self.tenant.as_ref().map(SharedStr::from);
        identity.plan = self.plan.as_ref().map(SharedStr::from);
        identity.permissions = self.permissions.clone();
        identity.roles = self.roles.clone();
        identity.scopes = self.scopes.clone();
        identity.credential_id = Some(SharedStr::from(&self.id));
        identity.session = self.session.as_ref().map(SharedStr::from);
        identity.issued = Some(self.created);
        identity.expires = Some(self.end_after(last_seen));
        identity
    }
}
