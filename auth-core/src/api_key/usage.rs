//! When keys and tokens were last used, collected in memory and written down in batches.
//!
//! A use costs the request an atomic load, and once a second per key an atomic store; a token, whose end may depend on
//! its uses, is stored every time. The first use since
//! the last batch also puts a pointer into a bounded queue, which takes no lock. Whoever owns a timer empties the
//! queue into the store; what was not written when the process dies is lost, and nothing else is.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::principal::Identity;
use crate::store::{KeyUse, Rehash};

use super::ApiKeyRecord;

/// Keys or tokens that can wait to be written: 16 bytes each. A use beyond that is noted at a later use.
const QUEUE: usize = 16_384;

/// Something whose uses are written down.
pub(crate) trait Used {
    /// Uses closer together than so many microseconds count as one.
    const GRAIN_MICROS: i64;

    fn activity(&self) -> &Activity;
}

/// When something was last used.
pub(crate) struct Activity {
    /// Microseconds of the latest use.
    latest: AtomicI64,
    /// Whether it lies in the queue.
    queued: AtomicBool,
}

impl Activity {
    /// Last used then.
    pub(crate) fn since(at: Timestamp) -> Self {
        Self { latest: AtomicI64::new(at.unix_micros()), queued: AtomicBool::new(false) }
    }

    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.latest.load(Ordering::SeqCst))
    }

    /// Was used then, unless it was used later.
    pub(crate) fn advance(&self, at: Timestamp) {
        self.latest.fetch_max(at.unix_micros(), Ordering::SeqCst);
    }
}

/// A record as a store hands it out for verification, with room to note its use.
///
/// A store that keeps records in memory hands out the same one every time: then uses in between two batches are
/// written once.
pub struct HeldKey {
    record: ApiKeyRecord,
    identity: Arc<Identity>,
    activity: Activity,
}

impl HeldKey {
    /// A record without a use to be written.
    pub fn new(record: ApiKeyRecord) -> Self {
        let identity = Arc::new(record.identity());
        Self { record, identity, activity: Activity::since(Timestamp::MIN) }
    }

    /// What the key says about its bearer.
    pub(crate) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

impl Deref for HeldKey {
    type Target = ApiKeyRecord;

    fn deref(&self) -> &ApiKeyRecord {
        &self.record
    }
}

impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}

impl Used for HeldKey {
    const GRAIN_MICROS: i64 = 1_000_000;

    fn activity(&self) -> &Activity {
        &self.activity
    }
}

/// A use that is not written down yet.
pub(crate) struct Noted<T> {
    used: Arc<T>,
    rehash: Option<Box<Rehash>>,
}

/// All uses that are not written down yet.
pub(crate) struct Uses<T> {
    queue: SyncSender<Noted<T>>,
    noted: Mutex<Receiver<Noted<T>>>,
}

impl<T: Used> Uses<T> {
    pub(crate) fn new() -> Self {
        let (queue, noted) = sync_channel(QUEUE);
        Self { queue, noted: Mutex::new(noted) }
    }

    /// Notes that a key was used, and which digest it shall get instead of the one it was found under.
    ///
    /// The order matters together with [`take`](Self::take): here the time is stored before the flag is read, there
    /// the flag is cleared before the time is read, so that a use is either in the batch or queues the key again.
    pub(crate) fn note(&self, used: &Arc<T>, at: Timestamp, rehash: impl FnOnce() -> Option<Rehash>) {
        let activity = used.activity();
        let latest = activity.latest.load(Ordering::Relaxed);
        if at.unix_micros().saturating_sub(latest) >= T::GRAIN_MICROS {
            activity.advance(at);
        }
        if activity.queued.load(Ordering::SeqCst) {
            return;
        }
        self.enqueue(Noted { used: Arc::clone(used), rehash: rehash().map(Box::new) });
    }

    /// Takes what was noted since the last time: what to write, and what to [put back](Self::put_back) if it fails.
    pub(crate) fn take<U>(&self, to_write: impl Fn(&T, Timestamp, Option<Rehash>) -> U) -> (Vec<U>, Vec<Noted<T>>) {
        // only flushes meet here, never requests
        let queue = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<Noted<T>> = queue.try_iter().collect();
        let batch = taken.iter().map(|noted| {
            let activity = noted.used.activity();
            activity.queued.store(false, Ordering::SeqCst);
            to_write(&noted.used, activity.latest(), noted.rehash.as_deref().cloned())
        });
        (batch.collect(), taken)
    }

    /// Notes again what could not be written.
    pub(crate) fn put_back(&self, taken: Vec<Noted<T>>) {
        for noted in taken {
            self.enqueue(noted);
        }
    }

    fn enqueue(&self, noted: Noted<T>) {
        let used = Arc::clone(&noted.used);
        if !used.activity().queued.swap(true, Ordering::SeqCst) && self.queue.try_send(noted).is_err() {
            used.activity().queued.store(false, Ordering::SeqCst);
        }
    }
}

impl Uses<HeldKey> {
    /// The uses of keys since the last time.
    pub(crate) fn take_keys(&self) -> (Vec<KeyUse>, Vec<Noted<HeldKey>>) {
        self.take(|key, at, rehash| KeyUse { id: Arc::clone(&key.id), at, rehash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::KeyDigest;

    fn held() -> Arc<HeldKey> {
        let digest = KeyDigest::from_bytes([1; 32]);
        Arc::new(HeldKey::new(ApiKeyRecord::new("key_1", digest, "p", "us", "alice", Timestamp::MIN)))
    }

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn uses_between_two_batches_are_one_with_the_latest_time() {
        let (uses, key) = (Uses::new(), held());
        for at in [5, 9, 7] {
            uses.note(&key, second(at), || None);
        }
        let (batch, _) = uses.take_keys();
        assert_eq!(batch.iter().map(|one| (&*one.id, one.at)).collect::<Vec<_>>(), [("key_1", second(9))]);
        assert!(uses.take_keys().0.is_empty());
        uses.note(&key, second(11), || None);
        assert_eq!(uses.take_keys().0.len(), 1);
    }

    #[test]
    fn what_could_not_be_written_comes_again() {
        let (uses, key) = (Uses::new(), held());
        let rehash = Rehash { digest: KeyDigest::from_bytes([2; 32]), pepper: "q".into() };
        uses.note(&key, second(1), || Some(rehash.clone()));
        let (_, taken) = uses.take_keys();
        uses.put_back(taken);
        assert_eq!(uses.take_keys().0[0].rehash, Some(rehash));
    }

    #[test]
    fn a_full_queue_drops_uses_and_recovers() {
        let uses = Uses::new();
        let keys: Vec<_> = (0..=QUEUE).map(|_| held()).collect();
        for key in &keys {
            uses.note(key, second(1), || None);
        }
        assert_eq!(uses.take_keys().0.len(), QUEUE);
        uses.note(&keys[QUEUE], second(2), || None);
        assert_eq!(uses.take_keys().0.len(), 1);
    }
}
