//! What came of one login.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::names::Names;
use crate::rejection::CredentialFault;

/// One session as a store keeps it: the family of all tokens that come of one login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session's name, random, unique in its store: the `sid` of its tokens.
    pub id: Arc<str>,
    /// The id of the account.
    pub account: Arc<str>,
    /// The account's generation at login.
    pub generation: u64,
    /// The id of the API key that it was opened with instead of a password: it is over when the key is.
    pub key: Option<Arc<str>>,
    /// The id of the OAuth client that holds it; `None` where whoever logged in holds it.
    pub client: Option<Arc<str>>,
    /// Whose word it was opened by, where it was opened by one: it ends where that is taken for nothing any more.
    pub vouched_by: Option<Voucher>,
    /// What it may do of what the account may; `None` means everything.
    pub permissions: Option<Names>,
    /// When it was opened.
    pub created: Timestamp,
    /// From when on it is over, however much it is used (T17).
    pub ends: Timestamp,
    /// How long it may lie unused.
    pub idle_limit: Option<Duration>,
    /// When it was last used to get tokens; when it was opened, at first.
    pub last_used: Timestamp,
    /// Whether it was ended before its time.
    pub status: SessionStatus,
    /// The refresh token in force, where there is one.
    pub refresh: Option<RefreshToken>,
}

/// Somebody else by whose word a session was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// A partner, by the id of its [record](crate::trust::TrustRecord).
    Partner(Arc<str>),
    /// An OpenID provider, which said that it was one of its subjects.
    Provider {
        /// The provider's issuer.
        issuer: Arc<str>,
        /// Who the person is there.
        subject: Arc<str>,
    },
}

/// Whether a session was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// It was not.
    Open,
    /// It was, then: by logout, by the reuse of a token, by a change to its account.
    Ended(Timestamp),
}

/// A refresh token as a store keeps it: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The keyed hash of the token, unique in its store among all that are and were in force.
    pub digest: KeyDigest,
    /// The id of the pepper that the digest was made with.
    pub pepper: Arc<str>,
}

impl RefreshToken {
    /// The token with this digest, made with the pepper of this id.
    pub fn new(digest: KeyDigest, pepper: impl Into<Arc<str>>) -> Self {
        Self { digest, pepper: pepper.into() }
    }
}

impl SessionRecord {
    /// An open session without an idle limit or a refresh token; set the fields for more.
    pub fn new(
        id: impl Into<Arc<str>>,
        account: impl Into<Arc<str>>,
        generation: u64,
        created: Timestamp,
        ends: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            account: account.into(),
            generation,
            key: None,
            client: None,
            vouched_by: None,
            permissions: None,
            created,
            ends,
            idle_limit: None,
            last_used: created,
            status: SessionStatus::Open,
            refresh: None,
        }
    }

    /// From when on it is over unless it is used: the earlier of its absolute end and its idle end.
    pub fn end(&self) -> Timestamp {
        let idle_end = self.idle_limit.map(|limit| self.last_used.saturating_add(limit));
        idle_end.map_or(self.ends, |idle_end| idle_end.min(self.ends))
    }

    /// Whether it is good at that time.
    ///
    /// # Errors
    /// `Revoked` where it was ended, or `Expired` from the very instant of its end on.
    pub fn check(&self, at: Timestamp) -> Result<(), CredentialFault> {
        match self.status {
            SessionStatus::Ended(_) => Err(CredentialFault::Revoked),
            SessionStatus::Open if self.end() <= at => Err(CredentialFault::Expired),
            SessionStatus::Open => Ok(()),
        }
    }
}
