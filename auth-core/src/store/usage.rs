//! What a store of usage promises, and the one in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::outcome::Outcome;
use crate::usage::UsageCount;

use super::Answer;

/// Keeps how much credentials are used.
pub trait UsageStore: Send + Sync + 'static {
    /// Adds to what is there, all of it in one step.
    fn add(&self, counts: Vec<UsageCount>) -> Answer<()>;

    /// The counts of one credential, of hours that begin then or later, by hour and status.
    fn of(&self, credential: &str, since: Timestamp) -> Answer<Vec<UsageCount>>;

    /// Removes counts of hours that began before that instant; answers how many.
    ///
    /// One step removes at least one of them where there is any, and may leave others for the next call.
    fn delete_before(&self, before: Timestamp) -> Answer<u64>;
}

/// Keeps usage in memory, until the process ends.
#[derive(Debug, Default)]
pub struct MemoryUsageStore(Mutex<BTreeMap<Key, u64>>);

/// Credential, hour in microseconds, status.
type Key = (Arc<str>, i64, u16);

impl MemoryUsageStore {
    /// A store without a count.
    pub fn new() -> Self {
        Self::default()
    }
}

impl UsageStore for MemoryUsageStore {
    fn add(&self, counts: Vec<UsageCount>) -> Answer<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for UsageCount { credential, hour, status, requests } in counts {
            let sum = kept.entry((credential, hour.unix_micros(), status)).or_default();
            *sum = sum.saturating_add(requests);
        }
        Outcome::Done(Ok(()))
    }

    fn of(&self, credential: &str, since: Timestamp) -> Answer<Vec<UsageCount>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (Arc::from(credential), since.unix_micros(), 0);
        let counts = kept.range(from..).take_while(|((id, ..), _)| **id == *credential);
        Outcome::Done(Ok(counts
            .map(|((id, hour, status), requests)| UsageCount {
                credential: Arc::clone(id),
                hour: Timestamp::from_unix_micros(*hour),
                status: *status,
                requests: *requests,
            })
            .collect()))
    }

    fn delete_before(&self, before: Timestamp) -> Answer<u64> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = kept.len();
        kept.retain(|(_, hour, _), _| *hour >= before.unix_micros());
        Outcome::Done(Ok((there - kept.len()) as u64))
    }
}
