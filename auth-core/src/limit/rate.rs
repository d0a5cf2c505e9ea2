//! So many requests in so much time, which come back evenly.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::{Burst, Factor};
use crate::ConfigError;

/// So many requests in so much time, of which so many may come at once; they come back evenly, one every `per / count`,
/// rounded up to whole nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    burst: NonZeroU32,
    per: NonZeroU64,
    interval: NonZeroU64,
}

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const DAY: u64 = 86_400 * SECOND;
/// Rounding the interval up to whole nanoseconds slows a rate of a million a second by less than a thousandth.
const SHORTEST_INTERVAL: u64 = 1_000;
const LONGEST_WINDOW: u64 = 366 * DAY;
/// Keeps every instant of a budget within 63 bits, whatever the burst.
const LONGEST_REFILL: u64 = 10 * LONGEST_WINDOW;

impl Rate {
    pub(super) const ONE_A_SECOND: Self = Self::in_seconds(NonZeroU32::MIN, NonZeroU64::MIN);

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

    /// So many in so many seconds, for rates that are written in code: between one in a year and a million a second.
    pub(crate) const fn in_seconds(count: NonZeroU32, seconds: NonZeroU64) -> Self {
        const A_SECOND: NonZeroU64 = NonZeroU64::new(SECOND).unwrap();
        let per = seconds.saturating_mul(A_SECOND);
        let interval = match NonZeroU64::new(per.get().div_ceil(count.get() as u64)) {
            Some(interval) => interval,
            None => A_SECOND,
        };
        Self { count, burst: count, per, interval }
    }

    /// The same rate with another burst.
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

    /// The same rate with the burst multiplied.
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

    pub(super) const fn per_nanos(&self) -> u64 {
        self.per.get()
    }

    pub(crate) const fn interval_nanos(&self) -> NonZeroU64 {
        self.interval
    }

    /// At most ten years.
    pub(crate) const fn refill_nanos(&self) -> u64 {
        self.interval.get() * self.burst.get() as u64
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
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, Window(self.per))?;
        if self.burst == self.count { Ok(()) } else { write!(f, " burst {}", self.burst) }
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
