//! What a store of clients promises.

use std::sync::Arc;

use crate::client::{ClientChange, ClientRecord};

use super::{Answer, Removal};

/// Keeps OAuth clients. Every operation is one atomic step; what was answered is in force for every step that begins
/// afterwards, in every process on the same data.
pub trait ClientStore: Send + Sync + 'static {
    /// Adds a client.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where its id is there already; of two that add the same at
    /// once, one gets this.
    fn insert(&self, client: ClientRecord) -> Answer<()>;

    /// The client with this id, whatever its status.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where it cannot be known now. Never `None` in doubt.
    fn by_id(&self, id: &str) -> Answer<Option<Arc<ClientRecord>>>;

    /// At most so many clients in scope, the oldest first, from the one that follows `after` on. Nothing follows a client
    /// that is not there.
    fn list(&self, scope: &ClientScope, after: Option<&str>, limit: usize) -> Answer<Vec<ClientRecord>>;

    /// Changes a client, and answers what it is then; `None` where there is no such client.
    ///
    /// # Errors
    /// As [`ClientChange::apply`]; then nothing was changed.
    fn change(&self, id: &str, change: ClientChange) -> Answer<Option<ClientRecord>>;

    /// Removes a client without a trace; answers whether it was there.
    fn delete(&self, id: &str) -> Answer<Removal>;
}

/// Which clients to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientScope {
    /// Every client.
    All,
    /// Those that act in one tenant.
    Tenant(Arc<str>),
}

impl ClientScope {
    pub(super) fn covers(&self, client: &ClientRecord) -> bool {
        match self {
            Self::All => true,
            Self::Tenant(tenant) => client.tenant.as_ref() == Some(tenant),
        }
    }
}
