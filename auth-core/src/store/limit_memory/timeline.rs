//! Time that does not go back, from a clock that might.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::clock::Monotonic;

/// The time of the budgets: that of the clock, moved ahead by as much as the clock ever stepped back.
///
/// Threads read the clock and act on it later, so a reading that is a little older than the latest means nothing and
/// is taken as it is; GCRA frees nothing for it. A clock that is behind by more than any thread is ever held up was
/// set back, though it should not be possible. From then on, time goes on from the latest reading: nothing is freed,
/// and nobody waits until the clock has caught up.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The latest reading, to [`COARSE`].
    latest: AtomicU64,
    ahead: AtomicU64,
    stepping: Mutex<()>,
}

/// How much later a reading must be to be written down: one write a second disturbs no other processor.
const COARSE: u64 = 1_000_000_000;
/// A reading this much older than the latest is from a clock that was set back.
const STEP: u64 = 600 * 1_000_000_000;
/// Leaves as much again for budgets that are full later.
const LAST: u64 = 1 << 62;

impl Timeline {
    /// The instant in the time of the budgets.
    pub(super) fn own(&self, clock: Monotonic) -> u64 {
        let own = self.reckon(clock);
        let latest = self.latest.load(Ordering::Acquire);
        if own > latest {
            if own - latest > COARSE {
                self.latest.fetch_max(own, Ordering::AcqRel);
            }
            return own;
        }
        if latest - own <= STEP { own } else { self.step(clock) }
    }

    #[cold]
    fn step(&self, clock: Monotonic) -> u64 {
        let _one_at_a_time = self.stepping.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = self.latest.load(Ordering::Acquire).saturating_sub(self.reckon(clock));
        if behind > STEP {
            self.ahead.fetch_add(behind, Ordering::AcqRel);
        }
        self.reckon(clock)
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
        assert_eq!(own(0), 200 * MINUTE);
        assert_eq!(own(1), 200 * MINUTE + 1);
    }

    #[test]
    fn l25_a_jump_to_the_end_of_time_and_back_does_not_stop_it() {
        let timeline = Timeline::default();
        assert_eq!(timeline.own(Monotonic::from_nanos(u64::MAX / 8)), u64::MAX / 8);
        assert_eq!(timeline.own(Monotonic::from_nanos(0)), u64::MAX / 8);
        assert_eq!(timeline.own(Monotonic::from_nanos(MINUTE)), u64::MAX / 8 + MINUTE);
    }
}
