//! The monotonic clock, counted on between readings.
//!
//! The system's way to the exact time waits until the processor has done everything before, which takes three times as
//! long as reading the processor's counter. So the system is asked every few milliseconds, and the counter tells how
//! long ago that was.
//!
//! The counter is never believed for longer than that: where its pace was measured a little wrongly, where the machine
//! slept, or goes on as another one whose counter runs differently, the time is wrong until the system is asked again, and
//! then right. So it can go back, by less than a microsecond as a rule.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use quanta::Clock;

/// The system's monotonic clock, in nanoseconds.
///
/// The first call measures the pace of the counter, which takes some milliseconds.
pub(super) fn now(system: fn() -> u64) -> u64 {
    static COUNTER: LazyLock<Counter> = LazyLock::new(Counter::new);
    let counter = &*COUNTER;
    counter.counting.at(counter.nanos(), || counter.read_with(system))
}

/// The counter of the processor; where it has none that is even, the system's clock.
struct Counter {
    clock: Clock,
    zero: u64,
    counting: Counting,
}

impl Counter {
    fn new() -> Self {
        let clock = Clock::new();
        Self { zero: clock.raw(), clock, counting: Counting::new() }
    }

    /// What it counted since zero, roughly in nanoseconds.
    fn nanos(&self) -> u64 {
        self.clock.delta_as_nanos(self.zero, self.clock.raw())
    }

    /// What the system shows, and what the counter shows right after. A thread that loses its processor between the two
    /// tries again, or everybody would be late for a while.
    fn read_with(&self, system: fn() -> u64) -> (u64, u64) {
        const TRIES: u32 = 4;
        const AT_ONCE: u64 = 50_000;
        let (mut before, mut tries) = (self.nanos(), 0);
        loop {
            let (shown, after) = (system(), self.nanos());
            tries += 1;
            if after.wrapping_sub(before) < AT_ONCE || tries == TRIES {
                return (shown, after);
            }
            before = after;
        }
    }
}

/// What has to be added to the counter.
struct Counting {
    /// What the counter showed when the system was asked last.
    asked: AtomicU64,
    /// By how much the system was ahead of the counter then, modulo 2⁶⁴.
    ahead: AtomicU64,
}

impl Counting {
    /// In nanoseconds.
    const BELIEVED_FOR: u64 = 10_000_000;

    fn new() -> Self {
        // no counter is there yet, so that the first one is not believed
        Self { asked: AtomicU64::new(u64::MAX / 2), ahead: AtomicU64::new(0) }
    }

    /// The time when the counter shows this. `ask` asks the system, and reads the counter afterwards.
    #[inline]
    fn at(&self, counted: u64, ask: impl FnOnce() -> (u64, u64)) -> u64 {
        // a counter that went back has not been seen for long either
        if counted.wrapping_sub(self.asked.load(Ordering::Acquire)) < Self::BELIEVED_FOR {
            return counted.wrapping_add(self.ahead.load(Ordering::Relaxed));
        }
        self.ask(ask)
    }

    #[cold]
    fn ask(&self, ask: impl FnOnce() -> (u64, u64)) -> u64 {
        let (system, counted) = ask();
        // Two threads that ask at the same time write nearly the same.
        self.ahead.store(system.wrapping_sub(counted), Ordering::Relaxed);
        self.asked.store(counted, Ordering::Release);
        system
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn between_readings_the_counter_counts() {
        let counting = Counting::new();
        assert_eq!(counting.at(5, || (700 * MILLI, 5)), 700 * MILLI);
        assert_eq!(counting.at(5 + MILLI, || unreachable!()), 701 * MILLI);
        assert_eq!(counting.at(5 + 10 * MILLI - 1, || unreachable!()), 710 * MILLI - 1);
        assert_eq!(counting.at(5 + 10 * MILLI, || (709 * MILLI, 5 + 10 * MILLI)), 709 * MILLI);
        assert_eq!(counting.at(5 + 11 * MILLI, || unreachable!()), 710 * MILLI);
    }

    #[test]
    fn a_counter_that_jumps_either_way_is_not_believed() {
        let counting = Counting::new();
        let mut system = 1_000 * MILLI;
        for counted in [MILLI, 90_000 * MILLI, 3 * MILLI, 0, u64::MAX / 4] {
            system += MILLI;
            assert_eq!(counting.at(counted, || (system, counted)), system, "{counted}");
            assert_eq!(counting.at(counted + 2, || unreachable!()), system + 2);
        }
    }

    /// As on a machine that the process was moved to.
    #[test]
    fn a_counter_of_another_pace_is_off_for_no_longer_than_it_is_believed() {
        for (counts, of) in [(3_u64, 1), (1, 3), (1_001, 1_000)] {
            let counting = Counting::new();
            let most = Counting::BELIEVED_FOR * counts.abs_diff(of) / counts;
            for step in 0..10_000_u64 {
                let system = step * MILLI / 7;
                let counted = system * counts / of;
                let told = counting.at(counted, || (system, counted));
                // the counter rounds
                assert!(told.abs_diff(system) <= most + 3, "{step}: {told}, {system}");
            }
        }
    }

    #[test]
    fn a_reading_that_was_held_up_is_repeated() {
        static READINGS: AtomicU64 = AtomicU64::new(0);
        let system = || {
            let reading = READINGS.fetch_add(1, Ordering::Relaxed) + 1;
            let start = Instant::now();
            while reading <= 2 && start.elapsed() < Duration::from_micros(200) {}
            reading
        };
        let (shown, _) = Counter::new().read_with(system);
        // the machine may hold the third one up, too
        assert!((3..=4).contains(&shown), "{shown}");
        assert_eq!(READINGS.load(Ordering::Relaxed), shown);
    }
}
