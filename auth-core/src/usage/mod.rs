//! How much credentials are used: requests by key or token, by hour and by the status they were answered.
//!
//! Counting costs a request one short lock of one shard out of several. Whoever owns a timer [writes down](UsageCounts::flush)
//! what was counted, every second or so; what was not written when the process dies is lost, and nothing else is. What is
//! not written yet is bounded as well: beyond it, further counts are dropped and said to be, rather than memory filled.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::store::{Answer, UsageStore};

/// How many requests with one credential were answered so within one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageCount {
    /// The id of the key or token.
    pub credential: Arc<str>,
    /// When the hour began, in UTC.
    pub hour: Timestamp,
    /// The status of the answers.
    pub status: u16,
    /// How many there were.
    pub requests: u64,
}

/// Seconds.
const HOUR: i64 = 3_600;

const SHARDS: usize = 16;

/// How many counts can wait to be written, in some hundred bytes each.
const MOST_WAITING: usize = 65_536;

/// For how long counts are kept.
const KEPT_FOR: Duration = Duration::from_hours(31 * 24);

/// Counts requests by credential; clones share everything.
#[derive(Clone)]
pub struct UsageCounts(Arc<Shared>);

struct Shared {
    shards: [Mutex<HashMap<Key, u64>>; SHARDS],
    hasher: RandomState,
    waiting: AtomicUsize,
    is_full: AtomicBool,
    store: Arc<dyn UsageStore>,
}

/// Credential, hour in seconds, status.
type Key = (Arc<str>, i64, u16);

impl UsageCounts {
    /// Counts that are kept there.
    pub fn new(store: Arc<dyn UsageStore>) -> Self {
        Self(Arc::new(Shared {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            waiting: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            store,
        }))
    }

    /// Counts one request.
    pub fn count(&self, credential: &str, status: u16, at: Timestamp) {
        let all = &*self.0;
        let Some(shard) = self.shard(credential) else { return };
        let hour = at.unix_seconds().div_euclid(HOUR) * HOUR;
        let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::from(credential), hour, status);
        if let Some(count) = counts.get_mut(&key) {
            *count += 1;
            return;
        }
        if all.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            all.waiting.fetch_sub(1, Ordering::Relaxed);
            if !all.is_full.swap(true, Ordering::Relaxed) {
                tracing::warn!("more usage is counted than can be written down: some of it is lost");
            }
            return;
        }
        counts.insert(key, 1);
    }

    /// Writes down what was counted since the last time.
    ///
    /// # Errors
    /// The store could not write; the counts are kept for the next time.
    pub fn flush(&self) -> Answer<()> {
        let batch = self.take();
        if batch.is_empty() {
            return Outcome::Done(Ok(()));
        }
        let (counts, kept) = (self.clone(), batch.clone());
        self.0.store.add(batch).map(move |written| {
            if written.is_err() {
                counts.put_back(kept);
            }
            written
        })
    }

    fn shard(&self, credential: &str) -> Option<&Mutex<HashMap<Key, u64>>> {
        let place = self.0.hasher.hash_one(credential) % SHARDS as u64;
        self.0.shards.get(usize::try_from(place).ok()?)
    }

    fn take(&self) -> Vec<UsageCount> {
        let mut batch = Vec::new();
        for shard in &self.0.shards {
            let counts = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            self.0.waiting.fetch_sub(counts.len(), Ordering::Relaxed);
            batch.extend(counts.into_iter().map(|((credential, hour, status), requests)| UsageCount {
                credential,
                hour: Timestamp::from_unix_seconds(hour),
                status,
                requests,
            }));
        }
        self.0.is_full.store(false, Ordering::Relaxed);
        batch
    }

    fn put_back(&self, batch: Vec<UsageCount>) {
        for count in batch {
            let Some(shard) = self.shard(&count.credential) else { continue };
            let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (count.credential, count.hour.unix_seconds(), count.status);
            let waits = counts.entry(key).or_insert_with(|| {
                self.0.waiting.fetch_add(1, Ordering::Relaxed);
                0
            });
            *waits += count.requests;
        }
    }

    /// What was counted for a credential from that instant on, the oldest hour first.
    ///
    /// # Errors
    /// The store cannot tell.
    pub async fn of(&self, credential: &str, since: Timestamp) -> Result<Vec<UsageCount>, StoreError> {
        self.flush().resolve().await?;
        self.0.store.of(credential, since).resolve().await
    }

    /// Throws away what is older than 31 days. Call it now and then.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_old(&self, now: Now) -> Result<(), StoreError> {
        while self.0.store.delete_before(now.wall.saturating_sub(KEPT_FOR)).resolve().await? > 0 {}
        Ok(())
    }
}

impl fmt::Debug for UsageCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageCounts").field("waiting", &self.0.waiting.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryUsageStore;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn written(counts: &UsageCounts) {
        assert!(matches!(counts.flush(), Outcome::Done(Ok(()))));
    }

    fn of(store: &MemoryUsageStore, credential: &str) -> Vec<(i64, u16, u64)> {
        let Outcome::Done(Ok(counts)) = store.of(credential, at(0)) else { unreachable!("memory never waits") };
        counts.iter().map(|count| (count.hour.unix_seconds(), count.status, count.requests)).collect()
    }

    #[test]
    fn requests_are_counted_by_hour_and_status_and_added_to_what_is_there() {
        let store = Arc::new(MemoryUsageStore::new());
        let counts = UsageCounts::new(Arc::<MemoryUsageStore>::clone(&store));
        for (seconds, status) in [(0, 200), (3_599, 200), (3_600, 200), (3_600, 403)] {
            counts.count("key_1", status, at(seconds));
        }
        counts.count("key_2", 200, at(0));
        assert_eq!(of(&store, "key_1"), []);
        written(&counts);
        assert_eq!(of(&store, "key_1"), [(0, 200, 2), (3_600, 200, 1), (3_600, 403, 1)]);
        counts.count("key_1", 200, at(10));
        written(&counts);
        assert_eq!(of(&store, "key_1")[0], (0, 200, 3));
        assert_eq!(of(&store, "key_2"), [(0, 200, 1)]);
    }

    #[test]
    fn what_waits_to_be_written_is_bounded() {
        let store = Arc::new(MemoryUsageStore::new());
        let counts = UsageCounts::new(Arc::<MemoryUsageStore>::clone(&store));
        for number in 0..MOST_WAITING + 10 {
            counts.count(&format!("key_{number}"), 200, at(0));
        }
        assert_eq!(counts.0.waiting.load(Ordering::Relaxed), MOST_WAITING);
        counts.count("key_0", 200, at(0));
        written(&counts);
        assert_eq!(of(&store, "key_0"), [(0, 200, 2)]);
        assert_eq!(counts.0.waiting.load(Ordering::Relaxed), 0);
    }
}
