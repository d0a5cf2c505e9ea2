//! Tokens in memory, for tests and for services whose sessions may end with the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api_key::KeyDigest;
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::opaque::{HeldToken, TokenRecord, TokenStatus};
use crate::outcome::Outcome;

use super::index::Index;
use super::{Answer, TokenScope, TokenStore, TokenUse};

type Records = BTreeMap<Arc<str>, TokenRecord>;

/// Keeps tokens until the process ends. Every answer is there at once; [`find`](TokenStore::find) takes no lock.
///
/// It grows with the tokens it is given: whoever owns a timer calls [`delete_ended`](TokenStore::delete_ended).
///
/// ```
/// use auth_core::store::{MemoryTokenStore, TokenScope, TokenStore};
/// use auth_core::Outcome;
///
/// let store = MemoryTokenStore::new();
/// assert!(matches!(store.revoke(&TokenScope::Id("tok_1".into())), Outcome::Done(Ok(0))));
/// ```
pub struct MemoryTokenStore {
    /// What verification reads.
    index: Index<HeldToken>,
    /// What everything else reads and writes, by id. Whoever changes the index holds this lock.
    records: Mutex<Records>,
}

impl MemoryTokenStore {
    /// A store without tokens.
    pub fn new() -> Self {
        Self { index: Index::new(), records: Mutex::default() }
    }

    /// No step leaves the records half changed, so a panic elsewhere does not make them unusable.
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, record: &TokenRecord) {
        let fresh = HeldToken::new(record.clone());
        let held = match self.index.find(&record.digest) {
            Some(replaced) => fresh.succeed(&replaced),
            None => fresh,
        };
        self.index.insert(Arc::new(held));
    }

    fn add(&self, records: &mut Records, record: TokenRecord) -> Result<(), StoreError> {
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

impl TokenStore for MemoryTokenStore {
    fn find(&self, digest: &KeyDigest, _now: Now) -> Answer<Option<Arc<HeldToken>>> {
        Outcome::Done(Ok(self.index.find(digest)))
    }

    fn holds(&self, digest: &KeyDigest) -> bool {
        self.index.find(digest).is_some()
    }

    fn insert(&self, record: TokenRecord) -> Answer<()> {
        Outcome::Done(self.add(&mut self.records(), record))
    }

    fn list(&self, scope: &TokenScope) -> Answer<Vec<TokenRecord>> {
        let mut found: Vec<_> = self.records().values().filter(|record| scope.covers(record)).cloned().collect();
        // the walk was in the order of ids, which decides between tokens of the same moment
        found.sort_by_key(|record| record.created);
        Outcome::Done(Ok(found))
    }

    fn revoke(&self, scope: &TokenScope) -> Answer<u64> {
        let mut records = self.records();
        let mut revoked = 0;
        let in_force = |record: &&mut TokenRecord| record.status != TokenStatus::Revoked && scope.covers(record);
        for record in records.values_mut().filter(in_force) {
            record.status = TokenStatus::Revoked;
            self.publish(record);
            revoked += 1;
        }
        Outcome::Done(Ok(revoked))
    }

    fn record_used(&self, uses: Vec<TokenUse>) -> Answer<()> {
        let mut records = self.records();
        for one in uses {
            let Some(record) = records.get_mut(&one.id).filter(|record| record.last_seen < one.at) else { continue };
            record.last_seen = one.at;
            // nothing to do for the token in use, but for one that another process would have used
            if self.index.find(&record.digest).is_some_and(|held| held.last_used() < one.at) {
                self.publish(record);
            }
        }
        Outcome::Done(Ok(()))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        let mut records = self.records();
        let kept = records.len();
        records.retain(|id, record| {
            let stays = record.end_after(record.last_seen) >= before;
            if !stays {
                self.index.remove(&record.digest, id);
            }
            stays
        });
        Outcome::Done(Ok(u64::try_from(kept - records.len()).unwrap_or(u64::MAX)))
    }
}

impl Default for MemoryTokenStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints how many tokens there are, not which.
impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokenStore").field("tokens", &self.records().len()).finish()
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[test]
    fn promises_are_kept() {
        super::super::conformance::check_tokens(|| Arc::new(MemoryTokenStore::new())).unwrap();
    }
}
