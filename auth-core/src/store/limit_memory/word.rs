//! The instant of one place, and the one bit that claims it.
//!
//! Instants are nanoseconds below 2⁶³, some 292 years; the highest bit says that somebody has claimed the place and
//! will write to it within nanoseconds. Whoever finds it claimed spins, and yields where that takes longer, because
//! the claimer may have lost its processor.
//!
//! # Why a compare-and-swap cannot hit a stranger's budget
//!
//! A place changes its owner only while it is claimed, and is claimed for that only when its instant `v` is not after
//! the claimer's `now`. What the claimer then writes is after its `now`, and so after `v`. Every other write is later
//! than what was there, too; a claim that is given up restores what it found, with the old owner. So the unclaimed
//! instants of a place strictly grow, and an instant that was read with one owner is never seen again with another.
//! Whoever reads instant, then owner, then swaps the instant has therefore swapped that owner's; and whoever reads
//! instant, owner and the same instant again has read them together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const CLAIMED: u64 = 1 << 63;

/// Waiting for somebody who will be done in nanoseconds.
#[derive(Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// After this many pauses, some microseconds, the other has probably lost its processor.
    const SPINS: u32 = 7;

    pub(super) fn wait(&mut self) {
        if self.0 >= Self::SPINS {
            return thread::yield_now();
        }
        for _ in 0..1_u32 << self.0 {
            std::hint::spin_loop();
        }
        self.0 += 1;
    }
}

/// The instant at which the budget of a place is full again.
#[derive(Default)]
pub(super) struct Word(AtomicU64);

impl Word {
    /// The instant, claimed or not.
    pub(super) fn instant(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & !CLAIMED
    }

    /// The instant, unless somebody has claimed the place.
    pub(super) fn unclaimed(&self) -> Option<u64> {
        let word = self.0.load(Ordering::Acquire);
        (word & CLAIMED == 0).then_some(word)
    }

    /// Writes a later instant, if this one is still there and unclaimed; else what [`unclaimed`](Self::unclaimed) is.
    pub(super) fn swap(&self, seen: u64, later: u64) -> Result<(), Option<u64>> {
        debug_assert!(later > seen && later & CLAIMED == 0);
        let swapped = self.0.compare_exchange(seen, later, Ordering::AcqRel, Ordering::Acquire);
        swapped.map(|_| ()).map_err(|word| (word & CLAIMED == 0).then_some(word))
    }

    /// Claims the place, if this instant is still there and unclaimed.
    pub(super) fn claim(&self, seen: u64) -> bool {
        self.0.compare_exchange(seen, seen | CLAIMED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Claims the place however long it takes, and answers what was there.
    pub(super) fn claim_patiently(&self) -> u64 {
        let mut patience = Patience::default();
        loop {
            if let Some(seen) = self.unclaimed()
                && self.claim(seen)
            {
                return seen;
            }
            patience.wait();
        }
    }

    /// Ends a claim: a later instant, or the one that was found.
    pub(super) fn release(&self, instant: u64) {
        debug_assert!(instant & CLAIMED == 0);
        self.0.store(instant, Ordering::Release);
    }
}
