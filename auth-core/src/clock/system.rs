//! The clocks of the machine.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Clock, Monotonic, Now, Timestamp, counter, micros};

/// The clocks of the machine.
///
/// The wall clock is never behind the moment at which the process first read it plus the time since then, so that a
/// token that has expired stays expired when somebody sets the clock back. A jump forward is taken as it is; when it is
/// put right, the time goes on from where it should be.
///
/// Asking a machine for the time costs as much as matching a route. So both clocks are asked for at most every 10 ms, and
/// counted on in between by the processor's counter, where it has one that is even: a step is seen so much later, and two
/// readings may be a fraction of a microsecond apart in the wrong order. The first reading measures the pace of the counter,
/// which takes some milliseconds; a gate does that when it is built. On Linux the recent time is that of the system's last
/// tick, usually 1 to 10 ms ago, which takes half of the time; elsewhere it is the time itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Now {
        read(|| counter::now(monotonic::now))
    }

    fn recent(&self) -> Now {
        read(monotonic::recent)
    }
}

/// Both clocks, at the instant that a reading of the monotonic clock shows.
fn read(monotonic: impl FnOnce() -> u64) -> Now {
    static WALL: OnceLock<Wall> = OnceLock::new();
    let wall = WALL.get_or_init(|| Wall { zero: monotonic::now(), ..Wall::starting_at(system_time()) });
    // a recent time may lie before the first reading
    let elapsed = monotonic().saturating_sub(wall.zero);
    let shown = || (monotonic::now().saturating_sub(wall.zero), system_time());
    Now { wall: wall.at(elapsed, shown), monotonic: Monotonic(elapsed) }
}

/// The monotonic clock of the system, in nanoseconds from an arbitrary zero.
#[cfg(target_os = "linux")]
mod monotonic {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    pub(super) fn now() -> u64 {
        nanos(clock_gettime(ClockId::Monotonic))
    }

    /// What it showed at the last tick.
    pub(super) fn recent() -> u64 {
        nanos(clock_gettime(ClockId::MonotonicCoarse))
    }

    /// A monotonic clock is never negative, nor does it show more than 500 years.
    fn nanos(time: Timespec) -> u64 {
        let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or_default());
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
    }
}

/// The monotonic clock of the system, in nanoseconds from an arbitrary zero.
#[cfg(not(target_os = "linux"))]
mod monotonic {
    use std::sync::LazyLock;
    use std::time::Instant;

    pub(super) fn now() -> u64 {
        static ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(ZERO.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) use now as recent;
}

fn system_time() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => Timestamp(micros(after)),
        Err(before) => Timestamp(-micros(before.duration())),
    }
}

/// The wall clock, followed by counting on from what it showed at first.
struct Wall {
    /// The reading of the monotonic clock then.
    zero: u64,
    /// What it showed then.
    at_zero: Timestamp,
    /// By how many microseconds it was ahead of the counting when it was read last; never negative.
    ahead: AtomicI64,
    /// The microsecond after zero from which on it is read again.
    due: AtomicI64,
}

impl Wall {
    /// In microseconds.
    const FOLLOWED_EVERY: i64 = 10_000;

    fn starting_at(shown: Timestamp) -> Self {
        Self { zero: 0, at_zero: shown, ahead: AtomicI64::new(0), due: AtomicI64::new(0) }
    }

    /// The wall clock so many nanoseconds after zero. `shown` reads how many it is right now, and what it shows.
    fn at(&self, elapsed: u64, shown: impl FnOnce() -> (u64, Timestamp)) -> Timestamp {
        let micros = |nanos: u64| (nanos / 1_000).cast_signed();
        let elapsed = micros(elapsed);
        // Two threads that read it at the same time write nearly the same.
        if elapsed >= self.due.load(Ordering::Relaxed) {
            let (now, shown) = shown();
            self.ahead.store(shown.0.saturating_sub(self.counted(micros(now))).max(0), Ordering::Relaxed);
            self.due.store(elapsed.saturating_add(Self::FOLLOWED_EVERY), Ordering::Relaxed);
        }
        Timestamp(self.counted(elapsed).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    fn counted(&self, elapsed: i64) -> i64 {
        self.at_zero.0.saturating_add(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn l25_a_clock_that_is_set_back_goes_on_and_one_that_jumped_comes_back() {
        let at = Timestamp::from_unix_seconds;
        let wall = Wall::starting_at(at(1_000));
        for (since_start, shown, read) in [
            (60, 1_060, 1_060),
            // set back by an hour, and by all the time since the epoch
            (61, 1_061 - 3_600, 1_061),
            (62, 0, 1_062),
            // a jump forward, and the same put right two minutes later
            (63, 1_063 + 34_560_000, 1_063 + 34_560_000),
            (183, 1_183, 1_183),
        ] {
            let since_start = since_start * 1_000_000_000;
            assert_eq!(wall.at(since_start, || (since_start, at(shown))), at(read), "{shown}");
        }
    }

    #[test]
    fn between_readings_the_wall_clock_is_counted_on() {
        let wall = Wall::starting_at(Timestamp(0));
        let at = |millis: u64, shown: i64| {
            let elapsed = millis * MILLI;
            wall.at(elapsed, || (elapsed, Timestamp(shown * 1_000))).unix_micros() / 1_000
        };
        assert_eq!(at(0, 500), 500);
        assert_eq!(at(9, 90_000), 509);
        assert_eq!(at(10, 90_000), 90_000);
        assert_eq!(at(19, 0), 90_009);
        assert_eq!(at(20, 0), 20);
    }

    #[test]
    fn the_wall_clock_is_as_old_as_the_reading_it_is_counted_on_with() {
        let wall = Wall::starting_at(Timestamp(0));
        let shown = || (58 * MILLI, Timestamp(90_058_000));
        assert_eq!(wall.at(50 * MILLI, shown), Timestamp(90_050_000), "8 ms ago");
        assert_eq!(wall.at(59 * MILLI, || unreachable!()), Timestamp(90_059_000));
    }

    /// The counter is not believed for as long as this runs. Most readings are right, whatever holds this thread up.
    #[test]
    fn the_counter_tells_the_time_of_the_system() {
        let (start, mut off) = (monotonic::now(), Vec::new());
        while monotonic::now() < start + 30 * MILLI {
            let (before, told, after) = (monotonic::now(), counter::now(monotonic::now), monotonic::now());
            off.push(before.saturating_sub(told).max(told.saturating_sub(after)));
        }
        off.sort_unstable();
        assert!(off[off.len() / 2] < MILLI / 10, "{} of {} ns", off[off.len() / 2], off.len());
    }

    /// A reading may be behind by as long as the thread was held up while it asked the system.
    #[test]
    fn the_recent_time_is_not_ahead() {
        let ahead = (0..1_000).map(|_| {
            let (recent, now) = (SystemClock.recent(), SystemClock.now());
            recent.monotonic.0.saturating_sub(now.monotonic.0)
        });
        assert!(ahead.filter(|nanos| *nanos > MILLI).count() < 100);
    }
}
