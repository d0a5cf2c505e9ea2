//! What is kept of a client.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::names::Names;
use crate::network::NetworkSet;

use super::{ClientSecret, Grants};

/// One client as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientRecord {
    /// The `client_id`, unique in its store.
    pub id: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
    /// The tenant it acts in.
    pub tenant: Option<Arc<str>>,
    /// The environment it belongs to: it is nobody in another one.
    pub environment: Option<Arc<str>>,
    /// The plan that chooses its limits.
    pub plan: Option<Arc<str>>,
    /// What it may do at most; a request may ask for less.
    pub permissions: Names,
    /// The networks it may be used from; `None` means any, an empty set means none.
    pub networks: Option<Arc<NetworkSet>>,
    /// What it may ask tokens for.
    pub grants: Grants,
    /// Its secrets, the current one first: at most two.
    pub secrets: Vec<ClientSecret>,
    /// The JWK set of its public keys, as text, where it signs instead of sending a secret (RFC 7523 section 2.2).
    pub public_keys: Option<Arc<str>>,
    /// Whether it may be used.
    pub status: ClientStatus,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; `None` where it has no end.
    pub expires: Option<Timestamp>,
    /// Tokens that were issued before that instant were taken back: new ones say that they were issued later.
    pub tokens_from: Option<Timestamp>,
    /// When it last got a token, as far as that was written down.
    pub last_used: Option<Timestamp>,
}

/// Whether a client may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientStatus {
    /// It may.
    Active,
    /// It is switched off and can be switched on again.
    Disabled,
}

impl ClientRecord {
    /// An active client that may do nothing, called after its id; set the fields for more.
    pub fn new(id: impl Into<Arc<str>>, created: Timestamp) -> Self {
        let id = id.into();
        Self {
            name: Arc::clone(&id),
            id,
            tenant: None,
            environment: None,
            plan: None,
            permissions: Names::EMPTY,
            networks: None,
            grants: Grants::NONE,
            secrets: Vec::new(),
            public_keys: None,
            status: ClientStatus::Active,
            created,
            expires: None,
            tokens_from: None,
            last_used: None,
        }
    }

    /// Whether it may be used at that instant: switched on, and not past its end.
    pub fn is_usable(&self, at: Timestamp) -> bool {
        self.status == ClientStatus::Active && self.expires.is_none_or(|end| at < end)
    }
}
