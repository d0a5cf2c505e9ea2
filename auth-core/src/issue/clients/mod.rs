//! OAuth clients: who they are, how they prove it, and the tokens they get. No HTTP here.
//!
//! **Proof.** A secret is compared by its keyed hash, in the same time whether there is such a client or not. What makes a
//! client unusable (switched off, ended, of another environment or network, of a tenant that is switched off) is told like a
//! wrong secret.
//!
//! **Guessing.** A proof that fails is charged to the source it came from, one that is good to the client. So nobody uses up
//! another's budget by guessing, and a source that has used up its own is answered the same whether it guesses right or
//! wrong, with however many guesses at once.
//!
//! **Ending.** A client that is switched off, deleted or given less loses the tokens that it was given so far, at once: they
//! are put on the list of [revocations](crate::revocation) as "issued before now". Tokens do not outlive their client's end. That
//! goes for what it was given for an account and for the token of somebody else, too: both name the client as what they came
//! of.
//!
//! - `registration`: making, changing, rotating, deleting
//! - `authentication`: who asks; `assertion`: by a signature
//! - `throttle`: how often
//! - `token`: what they get; `exchange`: for the token of somebody else; `subject`: whose token that is; `origins`: what the new
//!   one came of
//! - `error`: why not

mod assertion;
mod authentication;
mod error;
mod exchange;
mod origins;
mod registration;
mod subject;
mod throttle;
mod token;

use std::fmt;
use std::sync::Arc;

use crate::api_key::Peppers;
use crate::clock::Clock;
use crate::issue::AccessTokenIssuer;
use crate::policy::PermissionModel;
use crate::revocation::Revocations;
use crate::store::{AccountStore, ClientStore, LimitStore, OnceStore};

pub use error::ClientError;
pub use exchange::Exchange;
pub use registration::{FreshClient, NewClient};
pub use throttle::ClientQuotas;

/// The OAuth clients of one service. Clones share everything.
#[derive(Clone)]
pub struct Clients(Arc<ClientParts>);

/// What clients are put together of.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientParts {
    /// Where they are kept.
    pub store: Arc<dyn ClientStore>,
    /// What their secrets are hashed with.
    pub peppers: Peppers,
    /// What signs their tokens.
    pub issuer: AccessTokenIssuer,
    /// Which permission brings which along: what a request for less may name.
    pub permissions: PermissionModel,
    /// The list that tokens are put on that are taken back. Without one, they live on until they end by themselves.
    pub revocations: Option<Revocations>,
    /// Where the tenants are kept that clients act in; one that is switched off gets no tokens.
    pub tenants: Option<Arc<dyn AccountStore>>,
    /// What remembers the assertions that were used; without it, clients cannot sign.
    pub used: Option<Arc<dyn OnceStore>>,
    /// The environments that clients are made for; empty where they belong to none.
    pub environments: Vec<Arc<str>>,
    /// The environment of this service: clients of another one are nobody here.
    pub environment: Option<Arc<str>>,
    /// How often tokens may be asked for, and proofs fail.
    pub quotas: ClientQuotas,
    /// Where that is counted.
    pub limit_store: Arc<dyn LimitStore>,
    /// The time at which tokens are taken back: later than that of any token that was given before.
    pub clock: Arc<dyn Clock>,
    /// What the ids of clients begin with.
    pub id_prefix: Arc<str>,
}

impl ClientParts {
    /// Clients with the usual quotas and nothing else; set the fields for more.
    pub fn new(
        store: Arc<dyn ClientStore>,
        peppers: Peppers,
        issuer: AccessTokenIssuer,
        limit_store: Arc<dyn LimitStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            peppers,
            issuer,
            permissions: PermissionModel::default(),
            revocations: None,
            tenants: None,
            used: None,
            environments: Vec::new(),
            environment: None,
            quotas: ClientQuotas::default(),
            limit_store,
            clock,
            id_prefix: "client_".into(),
        }
    }
}

impl Clients {
    /// Clients of these parts.
    pub fn new(parts: ClientParts) -> Self {
        Self(Arc::new(parts))
    }

    /// What signs their tokens.
    pub fn issuer(&self) -> &AccessTokenIssuer {
        &self.0.issuer
    }

    /// Where clients are kept, for looking at them. Whoever changes one there sees to what has to end with it; better use
    /// [`change`](Self::change).
    pub fn store(&self) -> &Arc<dyn ClientStore> {
        &self.0.store
    }

    /// The environment of this service.
    pub fn environment(&self) -> Option<&Arc<str>> {
        self.0.environment.as_ref()
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("issuer", self.0.issuer.issuer()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientParts").field("issuer", self.issuer.issuer()).finish_non_exhaustive()
    }
}
