//! Which hour, day and month run, by one mark each.
//!
//! A budget of the calendar lies in the table as one instant like every other. The mark of a period is an instant a
//! little after its end, the same for all budgets, and what was spent of a budget is how many nanoseconds its instant
//! lies after the mark. So a budget is in use while its period runs, its place is free soon afterwards, and instants
//! grow with what is spent and from one period to the next, which is all that the protocol of the table asks for.
//!
//! A period ends when the wall clock has passed its end, as long as the clock that nobody sets agrees: not much before its
//! mark, and at the latest when that has passed. So a wall clock that is set forward frees nothing, nor does one that is set
//! back, and nobody waits for longer than a period and a little. The period after that ends when the calendar says so.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::limit::Period;

/// The periods that run.
#[derive(Debug, Default)]
pub(super) struct Calendar([AtomicU64; 3]);

/// A period that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Running {
    /// Later than now; its lower bits are zero.
    pub(super) mark: u64,
    /// Nanoseconds.
    pub(super) until_end: u64,
}

/// Marks lie so far apart that what is spent, 32 bits of it, never reaches the next one.
const SPENT_BITS: u32 = 33;
const HOUR_BITS: u32 = 34;
const HOUR: i64 = 3_600_000_000;
/// The end of the year 9999, in seconds.
const LATEST: i64 = 253_402_300_799;
/// By so much of the period the wall clock may be slower or faster than the clock that nobody sets: a 64th.
const SLACK: u32 = 64;

fn slack(period: Period) -> u64 {
    u64::try_from((period.longest() / SLACK).as_nanos()).unwrap_or_default()
}

/// What of an instant is spent, and the mark below it.
pub(super) fn split(instant: u64) -> (u64, u32) {
    let spent = instant & ((1 << SPENT_BITS) - 1);
    (instant - spent, u32::try_from(spent).unwrap_or(u32::MAX))
}

/// One mark and the end of its period in the calendar, packed to change in one step.
#[derive(Clone, Copy)]
struct Entry {
    mark: u64,
    end: Timestamp,
}

impl Entry {
    fn unpack(bits: u64) -> Self {
        let hours = i64::try_from(bits & ((1 << HOUR_BITS) - 1)).unwrap_or_default();
        Self { mark: bits >> HOUR_BITS << SPENT_BITS, end: Timestamp::from_unix_micros(hours.saturating_mul(HOUR)) }
    }

    fn pack(self) -> u64 {
        let hours = u64::try_from(self.end.unix_micros() / HOUR).unwrap_or_default();
        self.mark >> SPENT_BITS << HOUR_BITS | hours
    }

    /// `None` where the period is over.
    fn running(self, period: Period, now: u64, wall: Timestamp) -> Option<Running> {
        let until_mark = self.mark.checked_sub(now)?;
        let until_end = nanos_between(wall, self.end).unwrap_or_default();
        // the mark lies a slack and up to one of its steps after the end
        let at_least = until_mark.saturating_sub(2 * (slack(period) + (1 << SPENT_BITS)));
        let until_end = until_end.max(at_least).min(until_mark);
        (until_end > 0).then_some(Running { mark: self.mark, until_end })
    }

    /// The period that runs now, after this one.
    fn next(self, period: Period, now: u64, wall: Timestamp) -> Self {
        let end = period.end_after(wall);
        let about = now.saturating_add(nanos_between(wall, end).unwrap_or_default()).saturating_add(slack(period));
        let number = about.div_ceil(1 << SPENT_BITS).max((self.mark >> SPENT_BITS) + 1);
        Self { mark: number << SPENT_BITS, end }
    }
}

fn nanos_between(earlier: Timestamp, later: Timestamp) -> Option<u64> {
    let micros = later.unix_micros().checked_sub(earlier.unix_micros())?;
    u64::try_from(micros).ok().map(|micros| micros.saturating_mul(1_000))
}

impl Calendar {
    /// The period that runs, by the time of the budgets and the wall clock.
    pub(super) fn running(&self, period: Period, now: u64, wall: Timestamp) -> Running {
        // so that its hours can be packed, and every period has an end
        let wall = wall.clamp(Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(LATEST));
        let [hour, day, month] = &self.0;
        let place = match period {
            Period::Hour => hour,
            Period::Day => day,
            Period::Month => month,
        };
        let mut seen = place.load(Ordering::Acquire);
        loop {
            let entry = Entry::unpack(seen);
            if let Some(running) = entry.running(period, now, wall) {
                return running;
            }
            let next = entry.next(period, now, wall).pack();
            // Who loses has seen what somebody else found to run, or goes on from there.
            seen = match place.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => next,
                Err(other) => other,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOON: i64 = 1_700_049_600; // 2023-11-15T12:00:00Z

    fn running(calendar: &Calendar, own: u64, wall: i64) -> (u64, u64) {
        let running = calendar.running(Period::Hour, own * SECOND, Timestamp::from_unix_seconds(wall));
        assert!(running.mark > own * SECOND && split(running.mark).1 == 0);
        (running.mark, running.until_end / SECOND)
    }

    #[test]
    fn a_period_runs_to_its_end_by_the_wall_clock() {
        let calendar = Calendar::default();
        let (first, left) = running(&calendar, 100, NOON + 600);
        assert_eq!(left, 3_000);
        assert_eq!(running(&calendar, 3_099, NOON + 3_599), (first, 1));
        let (second, left) = running(&calendar, 3_100, NOON + 3_600);
        assert!(second > first && left == 3_600);
        // a slow thread with an older reading
        assert_eq!(running(&calendar, 3_099, NOON + 3_599).0, second);
        // ten years without a request
        let (third, left) = running(&calendar, 315_360_000, NOON + 315_360_000);
        assert!(third > second && left == 3_600);
    }

    #[test]
    fn l25_a_wall_clock_that_is_set_back_frees_nothing_and_blocks_for_no_longer_than_a_period() {
        for back in [60, 1_800, 7_200, 34_560_000] {
            let calendar = Calendar::default();
            let (mark, _) = running(&calendar, 1_000, NOON + 1_800);
            let (same, left) = running(&calendar, 1_001, NOON + 1_801 - back);
            assert_eq!(same, mark, "{back}");
            assert!(left <= 1_800 + 60 + 9, "{back}: {left}");
            let ended = 1_001 + left + 1;
            assert!(running(&calendar, ended, NOON + 1_801 - back + i64::try_from(left).unwrap() + 1).0 > mark);
        }
    }

    #[test]
    fn l25_a_jump_ahead_frees_nothing_and_one_that_is_put_right_leaves_the_calendar_right() {
        for jump in [120, 1_800, 7_200, 34_560_123] {
            let calendar = Calendar::default();
            let (mark, _) = running(&calendar, 0, NOON + 1_800);
            let (same, left) = running(&calendar, 10, NOON + 1_810 + jump);
            assert_eq!(same, mark, "{jump}");
            assert!((1_590..=1_790).contains(&left), "{jump}: {left}");
            assert_eq!(running(&calendar, 20, NOON + 1_820), (mark, 1_780), "{jump}: put right");
            assert!(running(&calendar, 1_800, NOON + 3_600).0 > mark, "{jump}");
        }
    }

    #[test]
    fn l25_after_a_jump_ahead_the_next_period_ends_by_the_calendar() {
        let calendar = Calendar::default();
        running(&calendar, 0, NOON);
        let (mark, left) = running(&calendar, 10, NOON + 86_410 + 600);
        let over = 10 + left + 1;
        let wall = NOON + 86_400 + 600 + i64::try_from(over).unwrap();
        let (next, left) = running(&calendar, over, wall);
        assert!(next > mark);
        assert_eq!(i64::try_from(left).unwrap(), 3_600 - wall % 3_600);
    }

    /// Slewed by the 64th that is allowed, it ends the period when it says so.
    #[test]
    fn a_wall_clock_that_is_a_little_fast_or_slow_is_followed() {
        for off in [-50, 50] {
            let calendar = Calendar::default();
            let (mark, _) = running(&calendar, 0, NOON);
            let end = u64::try_from(3_600 - off).unwrap();
            assert_eq!(running(&calendar, end - 1, NOON + 3_599), (mark, 1), "{off}");
            assert!(running(&calendar, end, NOON + 3_600).0 > mark, "{off}");
        }
    }

    #[test]
    fn marks_grow_however_often_the_clock_jumps() {
        let (calendar, mut last) = (Calendar::default(), 0);
        for jump in 0..1_000_i64 {
            let (mark, _) = running(&calendar, jump.unsigned_abs() * 4_000, NOON + jump % 7 * 36_000);
            assert!(mark >= last + (1 << SPENT_BITS));
            last = mark;
        }
        assert_eq!(split(last + 7), (last, 7));
    }

    #[test]
    fn the_beginning_and_the_end_of_time_have_hours() {
        assert_eq!(running(&Calendar::default(), 5, -90).1, 3_600);
        let calendar = Calendar::default();
        for period in [Period::Hour, Period::Day, Period::Month] {
            for (now, wall) in [(0, Timestamp::MAX), (1 << 62, Timestamp::MAX), (1 << 62, Timestamp::MIN)] {
                let running = calendar.running(period, now, wall);
                assert!(running.mark > now && running.until_end > 0);
            }
        }
    }
}
