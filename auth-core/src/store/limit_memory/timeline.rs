//! Time that does not go back, from a clock that might.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::clock::Monotonic;

/// The time of the budgets: that of the clock, moved ahead by as much as the clock ever stepped back.
///
/// Threads read the clock and act on it later, so a reading that is a little older than the latest means nothing and
/// is taken as it is; GCRA frees nothing for it. One that is older by more than [`STEP`] is taken for the latest. It may
/// be that of a thread which was held up for long: it says nothing about anybody else's time. Only where such readings
/// advance by more than a second, and nobody reads a current one meanwhile, was the clock set back, though it should not
/// be possible. From then on, time goes on from the latest reading: nothing is freed, and nobody waits until the clock has
/// caught up.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The latest reading, to [`COARSE`].
    latest: AtomicU64,
    ahead: AtomicU64,
    /// The first of the readings that are far behind, since the last current one, or [`NOBODY`].
    behind: AtomicU64,
    stepping: Mutex<()>,
}

/// How much later a reading must be to be written down: one write a second disturbs no other processor. Readings that
/// differ by more have advanced.
const COARSE: u64 = 1_000_000_000;
/// A reading this much older than the latest is nobody's present time.
const STEP: u64 = 600 * 1_000_000_000;
/// Leaves as much again for budgets that are full later.
const LAST: u64 = 1 << 62;

/// Later than any instant.
const NOBODY: u64 = u64::MAX;

impl Default for Timeline {
    fn default() -> Self {
        let behind = AtomicU64::new(NOBODY);
        Self { latest: AtomicU64::default(), ahead: AtomicU64::default(), behind, stepping: Mutex::default() }
    }
}

impl Timeline {
    /// The instant in the time of the budgets.
    pub(super) fn own(&self, clock: Monotonic) -> u64 {
        let own = self.reckon(clock);
        let latest = self.latest.load(Ordering::Acquire);
        if own.saturating_add(STEP) < latest {
            return self.far_behind(clock);
        }
        if self.behind.load(Ordering::Relaxed) != NOBODY {
            self.behind.store(NOBODY, Ordering::Relaxed);
        }
        if own > latest && own - latest > COARSE {
            self.latest.fetch_max(own, Ordering::AcqRel);
        }
        own
    }

    #[cold]
    fn far_behind(&self, clock: Monotonic) -> u64 {
        let _one_at_a_time = self.stepping.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, latest) = (self.reckon(clock), self.latest.load(Ordering::Acquire));
        if own.saturating_add(STEP) >= latest {
            return own;
        }
        let first = self.behind.load(Ordering::Relaxed);
        let has_advanced = own > first.saturating_add(COARSE);
        let next = if has_advanced { NOBODY } else { own.min(first) };
        // where a current reading came meanwhile, this one begins anew
        if self.behind.compare_exchange(first, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() && has_advanced {
            self.ahead.fetch_add(latest - first, Ordering::AcqRel);
            return self.reckon(clock);
        }
        latest
    }

    fn reckon(&self, clock: Monotonic) -> u64 {
        clock.nanos().saturating_add(self.ahead.load(Ordering::Acquire)).min(LAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn l25_a_clock_that_is_set_back_goes_on_from_where_it_was() {
        let timeline = Timeline::default();
        let own = |clock| timeline.own(Monotonic::from_nanos(clock));
        assert_eq!(own(100 * MINUTE), 100 * MINUTE);
        assert_eq!(own(95 * MINUTE), 95 * MINUTE);
        assert_eq!(own(7 * MINUTE), 100 * MINUTE);
        assert_eq!(own(8 * MINUTE), 101 * MINUTE);
        assert_eq!(own(107 * MINUTE), 200 * MINUTE);
        assert_eq!([0, 1, 2].map(own), [200 * MINUTE; 3]);
        assert_eq!(own(MINUTE), 201 * MINUTE);
        assert_eq!(own(MINUTE + 1), 201 * MINUTE + 1);
    }

    #[test]
    fn l25_whoever_was_held_up_moves_nobody_s_time() {
        let timeline = Timeline::default();
        let own = |clock| timeline.own(Monotonic::from_nanos(clock));
        assert_eq!(own(100 * MINUTE), 100 * MINUTE);
        // work that goes by the time it began at, again and again, between others' current readings
        for minute in 100..120 {
            assert_eq!([85, 85, 10].map(|behind| own(behind * MINUTE)), [minute * MINUTE; 3]);
            assert_eq!(own(minute * MINUTE), minute * MINUTE);
            assert_eq!([85; 3].map(|behind| own(behind * MINUTE)), [minute * MINUTE; 3]);
            assert_eq!(own((minute + 1) * MINUTE), (minute + 1) * MINUTE);
        }
    }

    #[test]
    fn l25_a_jump_to_the_end_of_time_and_back_does_not_stop_it() {
        let timeline = Timeline::default();
        assert_eq!(timeline.own(Monotonic::from_nanos(u64::MAX / 8)), u64::MAX / 8);
        assert_eq!(timeline.own(Monotonic::from_nanos(0)), u64::MAX / 8);
        assert_eq!(timeline.own(Monotonic::from_nanos(MINUTE)), u64::MAX / 8 + MINUTE);
    }
}
