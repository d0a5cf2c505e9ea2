//! How much a budget holds, as it is written: a rate, or an allowance of the calendar.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::rate::{DAY, SECOND};
use super::{Allowance, Burst, Factor, Period, Rate};
use crate::ConfigError;

/// How much a budget holds, and how it comes back: evenly, or whole at the end of a period of the calendar.
///
/// A rate is written `100/hour`, `5/10s`, `1000/day burst 50`, `100/hour burst 2x`; without a burst, the whole count may
/// come at once. An allowance is written `1000/calendar hour`, `500/calendar day`, `10000/calendar month`, in UTC.
///
/// ```
/// use auth_core::limit::{Period, Quota};
/// use std::time::Duration;
///
/// let Quota::Rate(rate) = "100/hour burst 1.5x".parse()? else { unreachable!() };
/// assert_eq!((rate.count(), rate.per(), rate.burst()), (100, Duration::from_secs(3600), 150));
/// assert_eq!(rate.interval(), Duration::from_secs(36));
/// let Quota::Allowance(allowance) = "500/calendar day".parse()? else { unreachable!() };
/// assert_eq!((allowance.count(), allowance.period()), (500, Period::Day));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// Comes back evenly.
    Rate(Rate),
    /// Comes back whole when the period ends.
    Allowance(Allowance),
}

/// Eight of them travel with every decision.
const _: () = assert!(size_of::<Quota>() == 24);

impl Quota {
    /// One a second; also fills places that are not in use.
    pub(crate) const ONE_A_SECOND: Self = Self::Rate(Rate::ONE_A_SECOND);

    /// A rate of so many requests in that time, all of which may come at once.
    ///
    /// # Errors
    /// As [`Rate::new`].
    pub fn new(count: u32, per: Duration) -> Result<Self, ConfigError> {
        Rate::new(count, per).map(Self::Rate)
    }

    /// The same rate with another burst.
    ///
    /// # Errors
    /// A burst that would take more than ten years to refill. An allowance has no burst: all of it may be used at once.
    pub fn with_burst(self, burst: Burst) -> Result<Self, ConfigError> {
        match self {
            Self::Rate(rate) => rate.with_burst(burst).map(Self::Rate),
            Self::Allowance(allowance) => Err(ConfigError::new(format!(
                "{allowance} has no burst, because all of it may be used at once: leave the burst out, or write a rate"
            ))),
        }
    }

    /// The same rate with the burst multiplied; an allowance stays as it is.
    #[must_use]
    pub fn times(self, factor: Factor) -> Self {
        match self {
            Self::Rate(rate) => Self::Rate(rate.times(factor)),
            Self::Allowance(_) => self,
        }
    }

    /// How many requests in the time or period it is for.
    pub const fn count(&self) -> u32 {
        match self {
            Self::Rate(rate) => rate.count(),
            Self::Allowance(allowance) => allowance.count(),
        }
    }

    /// How many may come at once: the burst of a rate, the whole of an allowance.
    pub const fn burst(&self) -> u32 {
        match self {
            Self::Rate(rate) => rate.burst(),
            Self::Allowance(allowance) => allowance.count(),
        }
    }

    /// Whole seconds of the time it is for, rounded up, as the `w` of `RateLimit-Policy` has them.
    ///
    /// A month has 31 days, because the policy must be the same in every response (RateLimit-11 section 3) and none may
    /// look more generous than it is.
    pub const fn window_seconds(&self) -> u64 {
        match self {
            Self::Rate(rate) => rate.per_nanos().div_ceil(SECOND),
            Self::Allowance(allowance) => allowance.period().longest().as_secs(),
        }
    }

    /// What tells budgets of one name apart: two rates, whatever their bursts, and two periods, whatever their counts.
    ///
    /// What was spent is the same number under every count, so a changed plan goes on with it. The first number is 0
    /// for periods alone.
    pub(crate) const fn kind(&self) -> (u32, u64) {
        match self {
            Self::Rate(rate) => (rate.count(), rate.per_nanos()),
            Self::Allowance(allowance) => (0, allowance.period() as u64),
        }
    }
}

impl From<Rate> for Quota {
    fn from(rate: Rate) -> Self {
        Self::Rate(rate)
    }
}

impl From<Allowance> for Quota {
    fn from(allowance: Allowance) -> Self {
        Self::Allowance(allowance)
    }
}

impl FromStr for Quota {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let malformed = || ConfigError::new(format!("`{text}` is not a quota: {HOW_TO_WRITE}"));
        let (rate, burst) = match text.split_once("burst") {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let (count, window) = rate.split_once('/').ok_or_else(malformed)?;
        let count = count.trim().parse().map_err(|_| malformed())?;
        let in_text = |error: ConfigError| error.at(format_args!("`{text}`"));
        let quota = match window.trim().strip_prefix("calendar ") {
            Some(period) => {
                let period = Period::read(period.trim_start()).ok_or_else(malformed)?;
                Allowance::new(count, period).map(Self::Allowance)
            }
            None => Self::new(count, read_window(window.trim()).ok_or_else(malformed)?),
        };
        let quota = quota.map_err(in_text)?;
        match burst {
            Some(burst) => quota.with_burst(burst.trim().parse()?).map_err(in_text),
            None => Ok(quota),
        }
    }
}

const HOW_TO_WRITE: &str = "write a count, a slash and a time, such as 100/hour, 5/10s or 1000/day burst 2x; \
    times are ms, second, minute, hour, day and week; or 500/calendar day for an allowance, whose periods are \
    calendar hour, calendar day and calendar month";

/// `hour`, `10s`, `15 minutes`.
fn read_window(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let nanos = match unit.trim() {
        "ms" | "millisecond" | "milliseconds" => SECOND / 1_000,
        "s" | "sec" | "second" | "seconds" => SECOND,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hour" | "hours" => 3_600 * SECOND,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    };
    Some(Duration::from_nanos(number.saturating_mul(nanos)))
}

/// As it is written in a configuration.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::Allowance(allowance) => allowance.fmt(f),
        }
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().unwrap()
    }

    fn rate(text: &str) -> Rate {
        let Quota::Rate(rate) = quota(text) else { panic!("{text} is no rate") };
        rate
    }

    #[test]
    fn quotas_are_read_as_they_are_spoken() {
        for (text, count, seconds, burst) in [
            ("100/hour", 100, 3_600, 100),
            ("10/second", 10, 1, 10),
            ("1000/day", 1_000, 86_400, 1_000),
            ("5/10s", 5, 10, 5),
            (" 5 / 15 minutes ", 5, 900, 5),
            ("10/hour burst 20", 10, 3_600, 20),
            ("10/h burst 1.5x", 10, 3_600, 15),
            ("1/week burst 2x", 1, 604_800, 2),
            ("5/s burst 0.25x", 5, 1, 1),
            ("3/s burst 0.001x", 3, 1, 1),
        ] {
            let read = rate(text);
            assert_eq!((read.count(), read.per().as_secs(), read.burst()), (count, seconds, burst), "{text}");
            assert_eq!(quota(&read.to_string()), Quota::Rate(read));
        }
        assert_eq!(rate("5/250ms").per(), Duration::from_millis(250));
        assert_eq!(quota("5/250ms").window_seconds(), 1);
    }

    #[test]
    fn allowances_are_read_as_they_are_spoken() {
        for (text, count, period, seconds) in [
            ("1000/calendar hour", 1_000, Period::Hour, 3_600),
            (" 500 / calendar  day ", 500, Period::Day, 86_400),
            ("4294967295/calendar month", u32::MAX, Period::Month, 2_678_400),
        ] {
            let read = quota(text);
            assert_eq!(read, Allowance::new(count, period).unwrap().into(), "{text}");
            assert_eq!((read.burst(), read.window_seconds()), (count, seconds));
            assert_eq!(quota(&read.to_string()), read);
            assert_eq!(read.times("2x".parse().unwrap()), read);
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, part) in [
            ("100", "such as 100/hour"),
            ("100/fortnight", "times are ms, second"),
            ("-1/s", "write a count"),
            ("1.5/s", "write a count"),
            ("5000000000/s", "write a count"),
            ("0/hour", "write 1 or more"),
            ("5/0s", "more than 0"),
            ("5/400d", "at most 366 days"),
            ("5/99999999999999999999s", "write a count"),
            ("2000000/s", "more than a million a second"),
            ("0/calendar day", "write 1 or more"),
            ("5/calendar week", "calendar hour, calendar day and calendar month"),
            ("5/calendar 2 days", "calendar hour, calendar day"),
            ("5/calendar", "500/calendar day"),
            ("5/calendar day burst 2x", "has no burst"),
            ("5/hour burst", "not a burst"),
            ("5/hour burst 0", "count of 1 or more"),
            ("5/hour burst 0x", "0.001x to 1000x"),
            ("5/hour burst 1.2345x", "0.001x to 1000x"),
            ("5/hour burst -1x", "0.001x to 1000x"),
            ("1/day burst 4000000000", "ten years"),
        ] {
            let error = text.parse::<Quota>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_factor_changes_the_burst_and_nothing_else() {
        let factor: Factor = "1.5x".parse().unwrap();
        let scaled = quota("10/hour burst 5").times(factor);
        assert_eq!((scaled.count(), scaled.burst()), (10, 7));
        assert_eq!(quota("10/hour").times(Factor::ONE), quota("10/hour"));
        let most = quota("1/366d burst 10").times("1000x".parse().unwrap());
        assert_eq!(most.burst(), 10);
        for text in ["2x", "1.5x", "0.125x"] {
            assert_eq!(text.parse::<Factor>().unwrap().to_string(), text);
        }
    }
}
