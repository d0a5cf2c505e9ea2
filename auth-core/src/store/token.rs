//! What a store of opaque tokens promises.

use std::sync::Arc;

use crate::api_key::KeyDigest;
use crate::clock::{Now, Timestamp};
use crate::opaque::{HeldToken, TokenRecord};

use super::Answer;

/// Keeps opaque tokens.
///
/// A change is in force for every [`find`](Self::find) that begins after the change was answered. How soon it is in
/// force for other processes on the same data is said by each store.
pub trait TokenStore: Send + Sync + 'static {
    /// The token with this digest, whatever its status. This is the hot path: a store answers from memory where it can.
    ///
    /// A token that seems to have ended unused is answered with the latest use that any process wrote down.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where it cannot be known now. Never `None` in doubt.
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldToken>>>;

    /// Whether memory holds a token with this digest, however old what it says. Never waits; the default holds nothing.
    ///
    /// Such a token is no guess, so that a gate which counts failed attempts looks it up whoever else fails from the same
    /// address.
    fn holds(&self, digest: &KeyDigest) -> bool {
        let _ = digest;
        false
    }

    /// Adds a token; all of it is there afterwards, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where its id or its digest is there already; of two that add
    /// the same at once, one gets this.
    fn insert(&self, record: TokenRecord) -> Answer<()>;

    /// The tokens in scope, revoked ones too, the oldest first.
    fn list(&self, scope: &TokenScope) -> Answer<Vec<TokenRecord>>;

    /// Takes back every token in scope, in one step and for good; answers how many of them were not revoked before.
    ///
    /// A token that is inserted afterwards is none of them. Where nobody may log in meanwhile, add a
    /// [`Revocation`](crate::revocation::Revocation) of the subject, which covers by time of issue.
    fn revoke(&self, scope: &TokenScope) -> Answer<u64>;

    /// Writes down uses, all in one step. A time never moves back, and tokens that are gone are passed over.
    fn record_used(&self, uses: Vec<TokenUse>) -> Answer<()>;

    /// Removes tokens whose end, by the uses that were written down, lies before that instant; answers how many.
    ///
    /// One step removes at least one of them where there is any, and may leave others for the next call, so that no
    /// writer waits for long. Uses that are not written down yet do not count: choose an instant an hour ago or so.
    fn delete_ended(&self, before: Timestamp) -> Answer<u64>;
}

/// Which tokens are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenScope {
    /// The token with this id.
    Id(Arc<str>),
    /// The tokens of one session or family.
    Session {
        /// Who issued them.
        issuer: Arc<str>,
        /// The session.
        id: Arc<str>,
    },
    /// The tokens of one subject: issuer and subject together (RFC 7519 section 4.1.2).
    Subject {
        /// Who vouches for the subject.
        issuer: Arc<str>,
        /// The subject.
        subject: Arc<str>,
    },
}

impl TokenScope {
    pub(super) fn covers(&self, record: &TokenRecord) -> bool {
        match self {
            Self::Id(id) => record.id == *id,
            Self::Session { issuer, id } => record.issuer == *issuer && record.session.as_ref() == Some(id),
            Self::Subject { issuer, subject } => record.issuer == *issuer && record.subject == *subject,
        }
    }
}

/// That a token was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUse {
    /// The token's id.
    pub id: Arc<str>,
    /// When.
    pub at: Timestamp,
}
