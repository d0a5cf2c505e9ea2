//! Keys in memory, for tests and for services whose keys come from their own configuration.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest, KeyStatus};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::outcome::Outcome;

use super::index::Index;
use super::{Answer, ApiKeyStore, KeyChange, KeyScope, KeyUse, Removal, changed, succeeded, takes_room};

/// Keeps keys until the process ends. Every answer is there at once; [`find`](ApiKeyStore::find) takes no lock.
///
/// ```
/// use auth_core::store::{ApiKeyStore, KeyScope, MemoryKeyStore};
/// use auth_core::Outcome;
///
/// let store = MemoryKeyStore::new();
/// assert!(matches!(store.list(&KeyScope::All), Outcome::Done(Ok(keys)) if keys.is_empty()));
/// ```
pub struct MemoryKeyStore {
    /// What verification reads.
    index: Index<HeldKey>,
    /// What everything else reads and writes, by id. Whoever changes the index holds this lock.
    records: Mutex<BTreeMap<Arc<str>, ApiKeyRecord>>,
    /// Since when keys are known to be revoked, by id. Whoever changes it holds the records as well.
    revoked: Mutex<BTreeMap<Arc<str>, Timestamp>>,
}

impl MemoryKeyStore {
    /// A store without keys.
    pub fn new() -> Self {
        Self { index: Index::new(), records: Mutex::default(), revoked: Mutex::default() }
    }

    /// No step leaves the records half changed, so a panic elsewhere does not make them unusable.
    fn records(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, ApiKeyRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn revoked(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Timestamp>> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, record: &ApiKeyRecord) {
        self.index.insert(Arc::new(HeldKey::new(record.clone())));
    }

    fn add(
        &self,
        records: &mut BTreeMap<Arc<str>, ApiKeyRecord>,
        record: ApiKeyRecord,
        most: usize,
    ) -> Result<(), StoreError> {
        let is_theirs = |key: &&ApiKeyRecord| key.issuer == record.issuer && key.owner == record.owner;
        // nobody is counted where there is room for everybody
        let mut theirs = records.values().filter(is_theirs).filter(|key| takes_room(key, record.created));
        if most != usize::MAX && theirs.by_ref().take(most).count() == most {
            return Err(StoreError::Full);
        }
        let Entry::Vacant(place) = records.entry(Arc::clone(&record.id)) else {
            return Err(StoreError::Conflict);
        };
        if self.index.find(&record.digest).is_some() {
            return Err(StoreError::Conflict);
        }
        self.publish(&record);
        place.insert(record);
        Ok(())
    }
}

impl ApiKeyStore for MemoryKeyStore {
    fn find(&self, digest: &KeyDigest, _now: Now) -> Answer<Option<Arc<HeldKey>>> {
        Outcome::Done(Ok(self.index.find(digest)))
    }

    fn holds(&self, digest: &KeyDigest) -> bool {
        self.index.find(digest).is_some()
    }

    fn insert_within(&self, record: ApiKeyRecord, most: usize) -> Answer<()> {
        Outcome::Done(self.add(&mut self.records(), record, most))
    }

    fn by_id(&self, id: &str) -> Answer<Option<ApiKeyRecord>> {
        Outcome::Done(Ok(self.records().get(id).cloned()))
    }

    fn list(&self, scope: &KeyScope) -> Answer<Vec<ApiKeyRecord>> {
        let mut found: Vec<_> = self.records().values().filter(|record| scope.covers(record)).cloned().collect();
        // the walk was in the order of ids, which decides between keys of the same moment
        found.sort_by_key(|record| record.created);
        Outcome::Done(Ok(found))
    }

    fn page(&self, scope: &KeyScope, after: Option<&str>, limit: usize) -> Answer<Vec<ApiKeyRecord>> {
        let after = after.map(str::to_owned);
        self.list(scope).map(move |all| {
            let all = all?;
            let place = |after: &str| all.iter().position(|key| *key.id == *after).map_or(all.len(), |place| place + 1);
            let start = after.as_deref().map_or(0, place);
            Ok(all.into_iter().skip(start).take(limit).collect())
        })
    }

    fn change(&self, id: &str, change: KeyChange) -> Answer<Option<ApiKeyRecord>> {
        let mut records = self.records();
        let Some(record) = records.get_mut(id) else {
            return Outcome::Done(Ok(None));
        };
        let changed = change.apply(record).map(|()| {
            self.publish(record);
            Some(record.clone())
        });
        Outcome::Done(changed)
    }

    fn change_all(&self, scope: &KeyScope, change: KeyChange) -> Answer<Vec<ApiKeyRecord>> {
        let mut records = self.records();
        let mut all = Vec::new();
        for record in records.values_mut().filter(|record| scope.covers(record)) {
            let Some(after) = changed(record, &change) else { continue };
            record.clone_from(&after);
            self.publish(record);
            all.push(after);
        }
        Outcome::Done(Ok(all))
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let mut records = self.records();
        let Some(record) = records.remove(id) else {
            return Outcome::Done(Ok(Removal::Absent));
        };
        self.index.remove(&record.digest, id);
        self.revoked().remove(id);
        Outcome::Done(Ok(Removal::Removed))
    }

    fn delete_revoked(&self, now: Timestamp, kept_for: Duration) -> Answer<u64> {
        let mut records = self.records();
        let mut noted = self.revoked();
        let mut done = 0;
        records.retain(|id, record| {
            if record.status != KeyStatus::Revoked {
                return true;
            }
            let Some(since) = noted.get(id) else {
                noted.insert(Arc::clone(id), now);
                done += 1;
                return true;
            };
            if since.saturating_add(kept_for) > now {
                return true;
            }
            noted.remove(id);
            self.index.remove(&record.digest, id);
            done += 1;
            false
        });
        Outcome::Done(Ok(done))
    }

    fn rotate_within(
        &self,
        id: &str,
        successor: ApiKeyRecord,
        overlap_end: Timestamp,
        most: usize,
    ) -> Answer<Option<ApiKeyRecord>> {
        let mut records = self.records();
        let Some(record) = records.get(id) else {
            return Outcome::Done(Ok(None));
        };
        let Some(replaced) = succeeded(record.clone(), &successor, overlap_end) else {
            return Outcome::Done(Err(StoreError::Conflict));
        };
        let rotated = self.add(&mut records, successor, most).map(|()| {
            self.publish(&replaced);
            records.insert(Arc::clone(&replaced.id), replaced.clone());
            Some(replaced)
        });
        Outcome::Done(rotated)
    }

    fn record_used(&self, uses: Vec<KeyUse>) -> Answer<()> {
        let mut records = self.records();
        for one in uses {
            let Some(record) = records.get_mut(&one.id) else { continue };
            record.last_used = record.last_used.max(Some(one.at));
            let Some(rehash) = one.rehash.filter(|new| self.index.find(&new.digest).is_none()) else { continue };
            let old = std::mem::replace(&mut record.digest, rehash.digest);
            record.pepper = rehash.pepper;
            // first the new entry: a reader in between finds the key under both, never under none
            self.publish(record);
            self.index.remove(&old, &one.id);
        }
        Outcome::Done(Ok(()))
    }
}

impl Default for MemoryKeyStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints how many keys there are, not which.
impl fmt::Debug for MemoryKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeyStore").field("keys", &self.records().len()).finish()
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[test]
    fn promises_are_kept() {
        super::super::conformance::check(|| Arc::new(MemoryKeyStore::new())).unwrap();
    }
}
