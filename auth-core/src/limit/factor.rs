//! Bursts, and factors of them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::ConfigError;

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
    pub(super) fn of(self, count: NonZeroU32) -> NonZeroU32 {
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
