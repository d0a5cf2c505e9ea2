//! Time as an argument: one reading holds the wall clock and the monotonic clock together.
//!
//! Tokens live by the wall clock, because their issuer wrote wall-clock times into them. Budgets and cool-downs live
//! by the monotonic clock, because nobody may refill them by stepping a clock. The gate reads a [`Clock`] once per
//! decision; nothing below it does, so every test can choose its own [`Now`].
//!
//! - `system`: the clocks of the machine
//! - `counter`: the monotonic clock, counted on between readings

mod counter;
mod system;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub use system::SystemClock;

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
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX.saturating_add(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
    }
}
