//! Clients in memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::{ClientChange, ClientRecord};
use crate::error::StoreError;
use crate::outcome::Outcome;

use super::client::{ClientScope, ClientStore};
use super::{Answer, Removal};

type Clients = BTreeMap<Arc<str>, Arc<ClientRecord>>;

/// Keeps clients until the process ends. Every answer is there at once.
///
/// ```
/// use auth_core::Outcome;
/// use auth_core::store::{ClientStore, MemoryClientStore};
///
/// assert!(matches!(MemoryClientStore::new().by_id("nobody"), Outcome::Done(Ok(None))));
/// ```
#[derive(Default)]
pub struct MemoryClientStore(Mutex<Clients>);

impl MemoryClientStore {
    /// A store without clients.
    pub fn new() -> Self {
        Self::default()
    }

    /// No step leaves a client half changed, so a panic elsewhere does not make them unusable.
    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientStore for MemoryClientStore {
    fn insert(&self, client: ClientRecord) -> Answer<()> {
        Outcome::Done(match self.clients().entry(Arc::clone(&client.id)) {
            Entry::Vacant(place) => {
                place.insert(Arc::new(client));
                Ok(())
            }
            Entry::Occupied(_) => Err(StoreError::Conflict),
        })
    }

    fn by_id(&self, id: &str) -> Answer<Option<Arc<ClientRecord>>> {
        Outcome::Done(Ok(self.clients().get(id).cloned()))
    }

    fn list(&self, scope: &ClientScope, after: Option<&str>, limit: usize) -> Answer<Vec<ClientRecord>> {
        let clients = self.clients();
        let place = |client: &ClientRecord| (client.created, Arc::clone(&client.id));
        let after = match after {
            None => None,
            Some(id) => match clients.get(id) {
                Some(client) => Some(place(client)),
                None => return Outcome::Done(Ok(Vec::new())),
            },
        };
        let follows = |client: &ClientRecord| after.as_ref().is_none_or(|after| place(client) > *after);
        let found = clients.values().filter(|client| scope.covers(client) && follows(client));
        let mut found: Vec<ClientRecord> = found.map(|client| ClientRecord::clone(client)).collect();
        found.sort_by_cached_key(place);
        found.truncate(limit);
        Outcome::Done(Ok(found))
    }

    fn change(&self, id: &str, change: ClientChange) -> Answer<Option<ClientRecord>> {
        let mut clients = self.clients();
        let Some(kept) = clients.get_mut(id) else { return Outcome::Done(Ok(None)) };
        let mut changed = ClientRecord::clone(kept);
        Outcome::Done(change.apply(&mut changed).map(|()| {
            *kept = Arc::new(changed.clone());
            Some(changed)
        }))
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let removed = self.clients().remove(id);
        Outcome::Done(Ok(if removed.is_some() { Removal::Removed } else { Removal::Absent }))
    }
}

impl fmt::Debug for MemoryClientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryClientStore").field("clients", &self.clients().len()).finish()
    }
}
