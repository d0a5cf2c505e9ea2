//! Revocations in memory, for tests and for several gates in one process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::outcome::Outcome;
use crate::revocation::Revocation;

use super::{Answer, Changes, Mark, RevocationStore};

/// Keeps revocations until the process ends. Every answer is there at once.
#[derive(Default)]
pub struct MemoryRevocationStore(Mutex<Log>);

#[derive(Default)]
struct Log {
    entries: BTreeMap<u64, Revocation>,
    newest: u64,
}

impl MemoryRevocationStore {
    /// A store without revocations.
    pub fn new() -> Self {
        Self::default()
    }

    /// No step leaves the log half changed, so a panic elsewhere does not make it unusable.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RevocationStore for MemoryRevocationStore {
    fn add(&self, revocation: Revocation) -> Answer<()> {
        let mut log = self.log();
        log.newest += 1;
        let number = log.newest;
        log.entries.insert(number, revocation);
        Outcome::Done(Ok(()))
    }

    fn changes(&self, since: Mark) -> Answer<Changes> {
        let log = self.log();
        let revocations = log.entries.range(since.number().saturating_add(1)..).map(|(_, one)| one.clone()).collect();
        Outcome::Done(Ok(Changes { revocations, mark: Mark::after(log.newest) }))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        let mut log = self.log();
        let kept = log.entries.len();
        log.entries.retain(|_, revocation| revocation.until >= before);
        Outcome::Done(Ok(u64::try_from(kept - log.entries.len()).unwrap_or(u64::MAX)))
    }
}

/// Prints how many revocations there are, not which.
impl fmt::Debug for MemoryRevocationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocationStore").field("revocations", &self.log().entries.len()).finish()
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn promises_are_kept() {
        super::super::conformance::check_revocations(|| Arc::new(MemoryRevocationStore::new())).unwrap();
    }
}
