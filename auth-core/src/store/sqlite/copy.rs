//! The records held in memory, and for how long they may be believed.
//!
//! The file may be changed by another process at any time: somebody revokes a key on the command line while the
//! gateway runs. What memory holds is therefore believed only for [`BELIEVED_FOR`] after the file was last asked
//! whether it changed, as measured on the caller's monotonic clock. A request that finds the last question too old
//! waits for the next answer; one that finds it middle-aged ([`ASKED_AFTER`]) has the question put again in passing. So
//! under load the file is asked four times a second and no request waits; without load nothing happens at all; and
//! when the file cannot be asked, nothing is decided on what it said long ago.
//!
//! That a key does not exist is never said from memory: a key made on the command line works at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::api_key::KeyDigest;
use crate::clock::Monotonic;
use crate::store::index::{Held, Index};

/// How late a change by another process may take effect.
pub(super) const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// From which age on the file is asked again in passing.
const ASKED_AFTER: Duration = Duration::from_millis(250);

/// Stands for "never asked": no clock gets there within 584 years.
const NEVER: u64 = u64::MAX;

/// What readers share with the thread that owns the file. Only that thread changes it.
pub(super) struct Copy<T> {
    pub(super) index: Index<T>,
    /// The monotonic time of the request for which the file was last asked; taken before asking.
    asked_at: AtomicU64,
    /// Whether a question is on its way.
    asking: AtomicBool,
}

impl<T: Held> Copy<T> {
    pub(super) fn new() -> Self {
        Self { index: Index::new(), asked_at: AtomicU64::new(NEVER), asking: AtomicBool::new(false) }
    }

    /// The record that a request at that time may be told of from memory; otherwise the file has to be asked.
    ///
    /// Ages are taken in either direction: a caller whose clock stands before the last question has another clock,
    /// or was overtaken by a moment.
    pub(super) fn believed(&self, digest: &KeyDigest, at: Monotonic) -> Option<Arc<T>> {
        if self.age(at) > BELIEVED_FOR {
            return None;
        }
        self.index.find(digest)
    }

    /// Whether the file should be asked in passing; says so to one caller at a time.
    pub(super) fn is_due(&self, at: Monotonic) -> bool {
        self.age(at) > ASKED_AFTER && !self.asking.load(Ordering::Relaxed) && !self.asking.swap(true, Ordering::Relaxed)
    }

    /// The file was asked for this request, and everything it said is in the index.
    pub(super) fn confirm(&self, at: Monotonic) {
        self.asked_at.store(at.nanos(), Ordering::SeqCst);
        self.asking.store(false, Ordering::Relaxed);
    }

    /// Nothing in here may be believed until the file has been asked again.
    pub(super) fn distrust(&self) {
        self.asked_at.store(NEVER, Ordering::SeqCst);
        self.asking.store(false, Ordering::Relaxed);
    }

    /// The question could not be put; the next request may try.
    pub(super) fn not_asked(&self) {
        self.asking.store(false, Ordering::Relaxed);
    }

    fn age(&self, at: Monotonic) -> Duration {
        Duration::from_nanos(self.asked_at.load(Ordering::SeqCst).abs_diff(at.nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::api_key::{ApiKeyRecord, HeldKey};

    const DIGEST: KeyDigest = KeyDigest::from_bytes([1; 32]);

    fn copy() -> Copy<HeldKey> {
        let copy = Copy::new();
        copy.index.insert(Arc::new(HeldKey::new(ApiKeyRecord::new("k", DIGEST, "p", "i", "o", Timestamp::MIN))));
        copy
    }

    fn after_millis(millis: u64) -> Monotonic {
        Monotonic::from_nanos(5_000_000_000 + millis * 1_000_000)
    }

    #[test]
    fn memory_is_believed_for_one_second_and_asked_again_in_time() {
        let copy = copy();
        let believed = |millis| copy.believed(&DIGEST, after_millis(millis)).is_some();
        assert!(!believed(0), "the file was never asked");
        copy.confirm(after_millis(0));
        assert!(believed(0) && believed(1_000) && !believed(1_001));
        assert!(!copy.is_due(after_millis(250)));
        assert!(copy.is_due(after_millis(251)));
        assert!(!copy.is_due(after_millis(252)), "the question is on its way");
        copy.distrust();
        assert!(!believed(0));
    }

    #[test]
    fn a_caller_with_another_clock_has_to_ask() {
        let copy = copy();
        copy.confirm(after_millis(10_000));
        assert!(copy.believed(&DIGEST, after_millis(8_999)).is_none());
        assert!(copy.believed(&DIGEST, after_millis(9_999)).is_some());
    }
}
