//! When keys were last used, collected in memory and written down in batches.
//!
//! A use costs the request an atomic load, and once a second per key an atomic store. The first use of a key since
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

/// Keys that can wait to be written: 16 bytes each. A use beyond that is noted at a later use.
const QUEUE: usize = 16_384;

/// Uses closer together than this count as one.
const GRAIN_MICROS: i64 = 1_000_000;

/// A record as a store hands it out for verification, with room to note its use.
///
/// A store that keeps records in memory hands out the same one every time: then uses in between two batches are
/// written once.
pub struct HeldKey {
    record: ApiKeyRecord,
    identity: Arc<Identity>,
    /// Microseconds of the latest use.
    latest: AtomicI64,
    /// Whether the key lies in the queue.
    queued: AtomicBool,
}

impl HeldKey {
    /// A record without a use to be written.
    pub fn new(record: ApiKeyRecord) -> Self {
        let identity = Arc::new(record.identity());
        Self { record, identity, latest: AtomicI64::new(i64::MIN), queued: AtomicBool::new(false) }
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

/// A use that is not written down yet.
pub(crate) struct Noted {
    key: Arc<HeldKey>,
    rehash: Option<Box<Rehash>>,
}

/// All uses that are not written down yet.
pub(crate) struct Uses {
    queue: SyncSender<Noted>,
    noted: Mutex<Receiver<Noted>>,
}

impl Uses {
    pub(crate) fn new() -> Self {
        let (queue, noted) = sync_channel(QUEUE);
        Self { queue, noted: Mutex::new(noted) }
    }

    /// Notes that a key was used, and which digest it shall get instead of the one it was found under.
    ///
    /// The order matters together with [`take`](Self::take): here the time is stored before the flag is read, there
    /// the flag is cleared before the time is read, so that a use is either in the batch or queues the key again.
    pub(crate) fn note(&self, key: &Arc<HeldKey>, at: Timestamp, rehash: impl FnOnce() -> Option<Rehash>) {
        let micros = at.unix_micros();
        if micros.saturating_sub(key.latest.load(Ordering::Relaxed)) >= GRAIN_MICROS {
            key.latest.fetch_max(micros, Ordering::SeqCst);
        }
        if key.queued.load(Ordering::SeqCst) {
            return;
        }
        self.enqueue(Noted { key: Arc::clone(key), rehash: rehash().map(Box::new) });
    }

    /// Takes what was noted since the last time: what to write, and what to [put back](Self::put_back) if it fails.
    pub(crate) fn take(&self) -> (Vec<KeyUse>, Vec<Noted>) {
        // only flushes meet here, never requests
        let queue = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<Noted> = queue.try_iter().collect();
        (taken.iter().map(Noted::to_use).collect(), taken)
    }

    /// Notes again what could not be written.
    pub(crate) fn put_back(&self, taken: Vec<Noted>) {
        for noted in taken {
            self.enqueue(noted);
        }
    }

    fn enqueue(&self, noted: Noted) {
        let key = Arc::clone(&noted.key);
        if !key.queued.swap(true, Ordering::SeqCst) && self.queue.try_send(noted).is_err() {
            key.queued.store(false, Ordering::SeqCst);
        }
    }
}

impl Noted {
    fn to_use(&self) -> KeyUse {
        self.key.queued.store(false, Ordering::SeqCst);
        let at = Timestamp::from_unix_micros(self.key.latest.load(Ordering::SeqCst));
        KeyUse { id: Arc::clone(&self.key.id), at, rehash: self.rehash.as_deref().cloned() }
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
        let (batch, _) = uses.take();
        assert_eq!(batch.iter().map(|one| (&*one.id, one.at)).collect::<Vec<_>>(), [("key_1", second(9))]);
        assert!(uses.take().0.is_empty());
        uses.note(&key, second(11), || None);
        assert_eq!(uses.take().0.len(), 1);
    }

    #[test]
    fn what_could_not_be_written_comes_again() {
        let (uses, key) = (Uses::new(), held());
        let rehash = Rehash { digest: KeyDigest::from_bytes([2; 32]), pepper: "q".into() };
        uses.note(&key, second(1), || Some(rehash.clone()));
        let (_, taken) = uses.take();
        uses.put_back(taken);
        assert_eq!(uses.take().0[0].rehash, Some(rehash));
    }

    #[test]
    fn a_full_queue_drops_uses_and_recovers() {
        let uses = Uses::new();
        let keys: Vec<_> = (0..=QUEUE).map(|_| held()).collect();
        for key in &keys {
            uses.note(key, second(1), || None);
        }
        assert_eq!(uses.take().0.len(), QUEUE);
        uses.note(&keys[QUEUE], second(2), || None);
        assert_eq!(uses.take().0.len(), 1);
    }
}
