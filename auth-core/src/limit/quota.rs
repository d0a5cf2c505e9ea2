//! How many requests in what time, and how many at once.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use crate::ConfigError;

/// So many requests in so much time, of which so many may come at once.
///
/// Written `100/hour`, `5/10s`, `1000/day burst 50`, `100/hour burst 2x`. Without a burst, the whole count may come at
/// once. The quota refills evenly, one request every `per / count`, rounded up to whole nanoseconds.
///
/// ```
/// use auth_core::limit::Quota;
/// use std::time::Duration;
///
/// let quota: Quota = "100/hour burst 1.5x".parse()?;
/// assert_eq!((quota.count(), quota.per(), quota.burst()), (100, Duration::from_secs(3600), 150));
/// assert_eq!(quota.interval(), Duration::from_secs(36));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    count: NonZeroU32,
    burst: NonZeroU32,
    per: NonZeroU64,
    interval: NonZeroU64,
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
/// Rounding the interval up to whole nanoseconds slows a rate of a million a second by less than a thousandth.
const SHORTEST_INTERVAL: u64 = 1_000;
const LONGEST_WINDOW: u64 = 366 * DAY;
/// Keeps every instant of a budget within 63 bits, whatever the burst.
const LONGEST_REFILL: u64 = 10 * LONGEST_WINDOW;

/// How many requests may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burst {
    /// So many.
    Count(NonZeroU32),
    /// So many times the count of the quota, rounded down, at least 1.
    Factor(Factor),
}

/// A factor such as `1.5x`, to a thousandth, greater than 0 and at most 1000.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Factor {
    thousandths: NonZeroU32,
}

impl Quota {
    /// One a second; also fills places that are not in use.
    pub(crate) const ONE_A_SECOND: Self = Self {
        count: NonZeroU32::MIN,
        burst: NonZeroU32::MIN,
        per: NonZeroU64::new(SECOND).unwrap(),
        interval: NonZeroU64::new(SECOND).unwrap(),
    };

    /// So many requests in that time, all of which may come at once.
    ///
    /// # Errors
    /// A count of 0, more than a million a second, or a time of 0 or of more than 366 days.
    pub fn new(count: u32, per: Duration) -> Result<Self, ConfigError> {
        let burst = NonZeroU32::new(count).ok_or_else(|| {
            ConfigError::new("a quota of 0 lets nothing pass: write 1 or more, or deny the route by a rule")
        })?;
        Self::checked(burst, per, burst)
    }

    /// The same quota with another burst.
    ///
    /// # Errors
    /// A burst that would take more than ten years to refill.
    pub fn with_burst(self, burst: Burst) -> Result<Self, ConfigError> {
        let burst = match burst {
            Burst::Count(count) => count,
            Burst::Factor(factor) => factor.of(self.count),
        };
        Self::checked(self.count, self.per(), burst)
    }

    fn checked(count: NonZeroU32, per: Duration, burst: NonZeroU32) -> Result<Self, ConfigError> {
        let per = u64::try_from(per.as_nanos()).ok().filter(|nanos| *nanos <= LONGEST_WINDOW);
        let per = per.and_then(NonZeroU64::new).ok_or_else(|| {
            ConfigError::new("the time of a quota is more than 0 and at most 366 days: write a shorter one")
        })?;
        let interval = per.get().div_ceil(u64::from(count.get()));
        let interval = NonZeroU64::new(interval).filter(|nanos| nanos.get() >= SHORTEST_INTERVAL).ok_or_else(|| {
            ConfigError::new(format!("{count} in {} is more than a million a second: write less", Window(per)))
        })?;
        if u64::from(burst.get()).saturating_mul(interval.get()) > LONGEST_REFILL {
            return Err(ConfigError::new(format!(
                "a burst of {burst} at {count}/{} takes more than ten years to refill: write a smaller burst",
                Window(per)
            )));
        }
        Ok(Self { count, burst, per, interval })
    }

    /// The same quota with the burst multiplied; the rate stays.
    ///
    /// The burst is at least 1, and no more than refills within ten years.
    #[must_use]
    pub fn times(self, factor: Factor) -> Self {
        let refillable = u32::try_from(LONGEST_REFILL / self.interval).unwrap_or(u32::MAX);
        let burst = factor.of(self.burst).min(NonZeroU32::new(refillable).unwrap_or(NonZeroU32::MIN));
        Self { burst, ..self }
    }

    /// How many requests in [`per`](Self::per).
    pub const fn count(&self) -> u32 {
        self.count.get()
    }

    /// How many may come at once.
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// The time the count is for.
    pub const fn per(&self) -> Duration {
        Duration::from_nanos(self.per.get())
    }

    /// How long it takes until one more may pass.
    pub const fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval.get())
    }

    /// How long it takes from empty to full.
    pub const fn refill(&self) -> Duration {
        Duration::from_nanos(self.refill_nanos())
    }

    /// Whole seconds of [`per`](Self::per), rounded up, as the `w` of `RateLimit-Policy` has them.
    pub const fn window_seconds(&self) -> u64 {
        self.per.get().div_ceil(SECOND)
    }

    pub(crate) const fn interval_nanos(&self) -> NonZeroU64 {
        self.interval
    }

    /// At most ten years.
    pub(crate) const fn refill_nanos(&self) -> u64 {
        self.interval.get() * self.burst.get() as u64
    }

    /// What tells two rates apart, whatever their bursts.
    pub(crate) const fn rate(&self) -> (u32, u64) {
        (self.count.get(), self.per.get())
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
        let per = read_window(window.trim()).ok_or_else(malformed)?;
        let in_text = |error: ConfigError| error.at(format_args!("`{text}`"));
        let quota = Self::new(count, per).map_err(in_text)?;
        match burst {
            Some(burst) => quota.with_burst(burst.trim().parse()?).map_err(in_text),
            None => Ok(quota),
        }
    }
}

const HOW_TO_WRITE: &str = "write a count, a slash and a time, such as 100/hour, 5/10s or 1000/day burst 2x; \
    times are ms, second, minute, hour, day and week";

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

impl FromStr for Burst {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.ends_with('x') {
            return text.parse().map(Self::Factor);
        }
        text.parse().map(Self::Count).map_err(|_| {
            ConfigError::new(format!("`{text}` is not a burst: write a count of 1 or more, or a factor such as 1.5x"))
        })
    }
}

impl Factor {
    /// Changes nothing.
    pub const ONE: Self = Self { thousandths: NonZeroU32::new(1_000).unwrap() };

    /// Rounded down, at least 1.
    fn of(self, count: NonZeroU32) -> NonZeroU32 {
        let product = u64::from(self.thousandths.get()) * u64::from(count.get()) / 1_000;
        NonZeroU32::new(u32::try_from(product).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
    }
}

/// Reads `2x`, `1.5x` or the bare number.
impl FromStr for Factor {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let number = text.trim().trim_end_matches('x').trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let thousandths = (digits(whole) && digits(fraction) && fraction.len() <= 3)
            .then(|| format!("{whole}{fraction:0<3}").parse::<u32>().ok())
            .flatten()
            .filter(|thousandths| *thousandths <= 1_000_000)
            .and_then(NonZeroU32::new);
        let thousandths = thousandths.ok_or_else(|| {
            ConfigError::new(format!("`{text}` is not a factor: write one from 0.001x to 1000x, such as 1.5x"))
        })?;
        Ok(Self { thousandths })
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.thousandths.get() / 1_000, self.thousandths.get() % 1_000);
        let fraction = format!("{fraction:03}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}x"),
            fraction => write!(f, "{whole}.{fraction}x"),
        }
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The window as it is written behind the slash.
struct Window(NonZeroU64);

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str, &str); 4] =
            [(DAY, "day", "d"), (3_600 * SECOND, "hour", "h"), (60 * SECOND, "minute", "m"), (SECOND, "second", "s")];
        let nanos = self.0.get();
        match UNITS.into_iter().find(|(unit, ..)| nanos.is_multiple_of(*unit)) {
            Some((unit, name, _)) if nanos == unit => f.write_str(name),
            Some((unit, _, letter)) => write!(f, "{}{letter}", nanos / unit),
            None => write!(f, "{}ms", nanos.div_ceil(SECOND / 1_000)),
        }
    }
}

/// As it is written in a configuration.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, Window(self.per))?;
        if self.burst == self.count { Ok(()) } else { write!(f, " burst {}", self.burst) }
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
            let read = quota(text);
            assert_eq!((read.count(), read.per().as_secs(), read.burst()), (count, seconds, burst), "{text}");
            assert_eq!(quota(&read.to_string()), read);
        }
        assert_eq!(quota("5/250ms").per(), Duration::from_millis(250));
        assert_eq!(quota("5/250ms").window_seconds(), 1);
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
