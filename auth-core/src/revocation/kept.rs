//! What is kept over restarts, and how far this process has taken it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Now;
use crate::store::{Mark, RevocationStore};

/// For how long a store remembers what need not be remembered any more: clocks of several machines differ.
const KEPT_AFTER_END: Duration = Duration::from_hours(24);

/// How often it is looked for what may be deleted.
const DELETED_EVERY: Duration = Duration::from_mins(10);

/// By how much the wall clock may go its own way. Beyond, somebody set it, and nobody can say what has ended.
const STEADY: Duration = Duration::from_hours(1);

pub(super) struct Kept {
    pub(super) store: Arc<dyn RevocationStore>,
    /// How old the last look may be.
    believed_for: Duration,
    /// The number of the last entry that is in the list.
    taken_up: AtomicU64,
    /// When the last good look began, on the monotonic clock.
    looked: AtomicU64,
    /// When it was last looked for what may be deleted.
    deleted: AtomicU64,
    opened: Now,
}

impl Kept {
    /// Nothing is taken up yet: whoever calls this looks before anybody asks.
    pub(super) fn new(store: Arc<dyn RevocationStore>, believed_for: Duration, now: Now) -> Self {
        let nanos = now.monotonic.nanos();
        Self {
            store,
            believed_for,
            taken_up: AtomicU64::new(Mark::START.number()),
            looked: AtomicU64::new(nanos),
            deleted: AtomicU64::new(nanos),
            opened: now,
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark::after(self.taken_up.load(Ordering::SeqCst))
    }

    /// Everything up to there is in the list. Of two looks at once, the one that came further counts.
    pub(super) fn advance(&self, mark: Mark) {
        self.taken_up.fetch_max(mark.number(), Ordering::SeqCst);
    }

    /// A look that began then has taken up everything.
    pub(super) fn confirm(&self, now: Now) {
        self.looked.fetch_max(now.monotonic.nanos(), Ordering::SeqCst);
    }

    /// Whether what is in the list may be believed. Ages are taken in either direction: who stands far before the last
    /// look has another clock.
    pub(super) fn is_current(&self, now: Now) -> bool {
        let age = self.looked.load(Ordering::SeqCst).abs_diff(now.monotonic.nanos());
        Duration::from_nanos(age) <= self.believed_for
    }

    /// Whether to delete now; says so to one caller at a time.
    ///
    /// A wall clock that was set since the list was opened deletes nothing: what it calls ended may be in force again
    /// when it is set right.
    pub(super) fn deletion_is_due(&self, now: Now) -> bool {
        let (at, last) = (now.monotonic.nanos(), self.deleted.load(Ordering::Relaxed));
        Duration::from_nanos(at.saturating_sub(last)) >= DELETED_EVERY
            && self.clock_is_steady(now)
            && self.deleted.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn clock_is_steady(&self, now: Now) -> bool {
        let elapsed = Duration::from_nanos(now.monotonic.nanos().saturating_sub(self.opened.monotonic.nanos()));
        let expected = self.opened.wall.saturating_add(elapsed).unix_micros();
        Duration::from_micros(expected.abs_diff(now.wall.unix_micros())) <= STEADY
    }

    /// Deletes what ended a day ago.
    pub(super) async fn delete(&self, now: Now) {
        let before = now.wall.saturating_sub(KEPT_AFTER_END);
        loop {
            match self.store.delete_ended(before).resolve().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "revocations that have ended could not be deleted");
                    return;
                }
            }
        }
    }
}
