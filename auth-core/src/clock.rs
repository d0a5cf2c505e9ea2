//! Time as an argument: one reading holds the wall clock and the monotonic clock together.
//!
//! Tokens live by the wall clock, because their issuer wrote wall-clock times into them. Budgets and cool-downs live
//! by the monotonic clock, because nobody may refill them by stepping a clock. The gate reads a [`Clock`] once per
//! decision; nothing below it does, so every test can choose its own [`Now`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What tokens are compared with.
    pub wall: Timestamp,
    /// What elapsed time is measured with.
    pub monotonic: Monotonic,
}

/// A wall-clock instant in microseconds since the Unix epoch, negative before it.
///
/// ```
/// use auth_core::Timestamp;
///
/// let expiry = Timestamp::from_unix_seconds(1_700_000_000);
/// assert_eq!(expiry.to_rfc3339(), "2023-11-14T22:13:20Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be expressed.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be expressed.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant so many whole seconds after the epoch; saturates some 290,000 years away from it.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// The instant so many microseconds after the epoch.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Microseconds since the epoch.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// This instant moved later; saturates.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// This instant moved earlier; saturates.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }

    /// The instant in RFC 3339 form, UTC, whole seconds. Years outside 0 to 9999 are clamped to that range.
    pub fn to_rfc3339(self) -> String {
        const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
        const FIRST: i64 = -62_167_219_200; // 0000-01-01T00:00:00Z
        let seconds = self.unix_seconds().clamp(FIRST, LAST);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The proleptic Gregorian date that lies so many days after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last day of its year; 400 of them make one era of
/// exactly 146,097 days.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let since_era_zero = days + 719_468; // from 0000-03-01
    let era = since_era_zero.div_euclid(146_097);
    let day_of_era = since_era_zero.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// An instant of the monotonic clock in nanoseconds since an arbitrary moment of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(u64);

impl Monotonic {
    /// The instant so many nanoseconds after the arbitrary zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the arbitrary zero.
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Reads both clocks.
    fn now(&self) -> Now;

    /// What both clocks showed a moment ago, a few milliseconds as a rule, for whoever asks often and can do with that.
    ///
    /// [`now`](Self::now), unless a clock knows something cheaper.
    fn recent(&self) -> Now {
        self.now()
    }
}

/// The clocks of the machine.
///
/// The wall clock is never behind the moment at which the process first read it plus the time since then, so that a
/// token that has expired stays expired when somebody sets the clock back. A jump forward is taken as it is; when it is
/// put right, the time goes on from where it should be.
///
/// A reading of a machine's clock costs as much as matching a route, so the wall clock is read at most every 10 ms and
/// counted on with the monotonic clock in between: a step is seen so much later. On Linux the recent time is that of the
/// system's last tick, usually 1 to 10 ms ago, which takes a third of the time; elsewhere it is the time itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Now {
        read(monotonic::now)
    }

    fn recent(&self) -> Now {
        read(monotonic::recent)
    }
}

/// Both clocks, at the instant that a reading of the monotonic clock shows.
fn read(monotonic: impl FnOnce() -> Duration) -> Now {
    static WALL: OnceLock<Wall> = OnceLock::new();
    let wall = WALL.get_or_init(|| Wall { zero: monotonic::now(), ..Wall::starting_at(system_time()) });
    // a recent time may lie before the first reading
    let elapsed = monotonic().saturating_sub(wall.zero);
    let nanos = Monotonic(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
    Now { wall: wall.at(elapsed, || (monotonic::now().saturating_sub(wall.zero), system_time())), monotonic: nanos }
}

/// The monotonic clock of the system, from an arbitrary zero.
#[cfg(target_os = "linux")]
mod monotonic {
    use std::time::Duration;

    use rustix::time::{ClockId, Timespec, clock_gettime};

    pub(super) fn now() -> Duration {
        duration(clock_gettime(ClockId::Monotonic))
    }

    /// What it showed at the last tick.
    pub(super) fn recent() -> Duration {
        duration(clock_gettime(ClockId::MonotonicCoarse))
    }

    /// A monotonic clock is never negative.
    fn duration(time: Timespec) -> Duration {
        Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
    }
}

/// The monotonic clock of the system, from an arbitrary zero.
#[cfg(not(target_os = "linux"))]
mod monotonic {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    pub(super) fn now() -> Duration {
        static ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);
        ZERO.elapsed()
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
    zero: Duration,
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
        Self { zero: Duration::ZERO, at_zero: shown, ahead: AtomicI64::new(0), due: AtomicI64::new(0) }
    }

    /// The wall clock so long after zero. `shown` reads how long after zero it is right now, and what it shows.
    fn at(&self, elapsed: Duration, shown: impl FnOnce() -> (Duration, Timestamp)) -> Timestamp {
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

/// Clocks that move only when told to, for tests.
///
/// ```
/// use auth_core::{Clock, SimulatedClock};
/// use std::time::Duration;
///
/// let clock = SimulatedClock::at_unix_seconds(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().wall.unix_seconds(), 1_700_000_060);
/// ```
#[derive(Debug)]
pub struct SimulatedClock {
    wall_micros: AtomicI64,
    monotonic_nanos: AtomicU64,
}

impl SimulatedClock {
    /// A clock that stands at this wall-clock second.
    pub fn at_unix_seconds(seconds: i64) -> Self {
        Self {
            wall_micros: AtomicI64::new(Timestamp::from_unix_seconds(seconds).0),
            monotonic_nanos: AtomicU64::new(0),
        }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.wall_micros.fetch_add(micros(by), Ordering::SeqCst);
        self.monotonic_nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as an administrator or NTP might; negative steps go back.
    pub fn step_wall(&self, seconds: i64) {
        self.wall_micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Now {
        Now {
            wall: Timestamp(self.wall_micros.load(Ordering::SeqCst)),
            monotonic: Monotonic(self.monotonic_nanos.load(Ordering::SeqCst)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_covers_leap_days_and_the_time_before_the_epoch() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_rfc3339(), text);
        }
    }

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
            let since_start = Duration::from_secs(since_start);
            assert_eq!(wall.at(since_start, || (since_start, at(shown))), at(read), "{shown}");
        }
    }

    #[test]
    fn between_readings_the_wall_clock_is_counted_on() {
        let wall = Wall::starting_at(Timestamp(0));
        let at = |millis: u64, shown: i64| {
            let elapsed = Duration::from_millis(millis);
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
        let shown = || (Duration::from_millis(58), Timestamp(90_058_000));
        assert_eq!(wall.at(Duration::from_millis(50), shown), Timestamp(90_050_000), "8 ms ago");
        assert_eq!(wall.at(Duration::from_millis(59), || unreachable!()), Timestamp(90_059_000));
    }

    #[test]
    fn the_recent_time_is_never_ahead() {
        for _ in 0..1_000 {
            let (recent, now) = (SystemClock.recent(), SystemClock.now());
            assert!(recent.monotonic <= now.monotonic);
        }
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX.saturating_add(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
    }
}
