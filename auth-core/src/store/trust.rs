//! What a store of partners promises, and one in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::trust::{TrustChange, TrustRecord};

use super::{Answer, Removal};

/// Keeps [partners](crate::trust). There are few of them, and they are looked up when one of them speaks.
///
/// Every operation is one atomic step; what was answered is in force for every operation that begins afterwards.
pub trait TrustStore: Send + Sync + 'static {
    /// Adds a partner.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its id or its issuer is there already; of two that add the same at once, one gets this.
    fn insert(&self, record: TrustRecord) -> Answer<()>;

    /// The partner that signs with this issuer, switched on or not.
    fn by_issuer(&self, issuer: &str) -> Answer<Option<TrustRecord>>;

    /// Every partner, the oldest first.
    fn list(&self) -> Answer<Vec<TrustRecord>>;

    /// Changes a partner, and answers what it is then; `None` where there is no such partner.
    fn change(&self, id: &str, change: TrustChange) -> Answer<Option<TrustRecord>>;

    /// Removes a partner; answers whether it was there.
    fn delete(&self, id: &str) -> Answer<Removal>;
}

/// Keeps partners until the process ends.
#[derive(Debug, Default)]
pub struct MemoryTrustStore(Mutex<Vec<TrustRecord>>);

impl MemoryTrustStore {
    /// A store without partners.
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Vec<TrustRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TrustStore for MemoryTrustStore {
    fn insert(&self, record: TrustRecord) -> Answer<()> {
        let mut records = self.records();
        let is_there = records.iter().any(|known| known.id == record.id || known.issuer == record.issuer);
        if is_there {
            return Outcome::Done(Err(StoreError::Conflict));
        }
        records.push(record);
        records.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        Outcome::Done(Ok(()))
    }

    fn by_issuer(&self, issuer: &str) -> Answer<Option<TrustRecord>> {
        Outcome::Done(Ok(self.records().iter().find(|known| &*known.issuer == issuer).cloned()))
    }

    fn list(&self) -> Answer<Vec<TrustRecord>> {
        Outcome::Done(Ok(self.records().clone()))
    }

    fn change(&self, id: &str, change: TrustChange) -> Answer<Option<TrustRecord>> {
        let mut records = self.records();
        let found = records.iter_mut().find(|known| &*known.id == id);
        Outcome::Done(Ok(found.map(|record| {
            change.apply(record);
            record.clone()
        })))
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let mut records = self.records();
        let before = records.len();
        records.retain(|known| &*known.id != id);
        Outcome::Done(Ok(if records.len() < before { Removal::Removed } else { Removal::Absent }))
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_promises() {
        super::super::conformance::check_trusts(|| std::sync::Arc::new(MemoryTrustStore::new())).unwrap();
    }
}
