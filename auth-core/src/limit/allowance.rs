//! So many requests in each hour, day or month of the calendar, as pure arithmetic.
//!
//! What is kept for a budget is how much of it was spent in the period that runs. At the period's end, which is the
//! same moment for everybody, nothing of that counts any more. So at most twice the count passes around such a moment;
//! whoever does not want that takes a [`Rate`](super::Rate).

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::ConfigError;
use crate::clock::{Timestamp, civil_from_days};

/// So many requests in each hour, day or month of the calendar, all of which may come at once.
///
/// Periods follow the wall clock, because people do, as long as the clock that nobody sets agrees to a 64th of the period. A
/// wall clock that is set frees nothing: the period that runs goes on for as long as it had left, at most a 64th and some
/// seconds less or more, and the one after it ends by the calendar. A machine that slept is one whose clock was set forward.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allowance {
    count: NonZeroU32,
    period: Period,
}

/// A stretch of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// What an allowance says to a number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// They fit; so much is spent then.
    Fits(u32),
    /// They fit in the next period.
    NextPeriod,
    /// They are more than a whole allowance, so that no waiting helps.
    Never,
}

impl Allowance {
    /// So many requests in each such period.
    ///
    /// # Errors
    /// A count of 0.
    pub fn new(count: u32, period: Period) -> Result<Self, ConfigError> {
        let count = NonZeroU32::new(count).ok_or_else(|| {
            ConfigError::new("an allowance of 0 lets nothing pass: write 1 or more, or deny the route by a rule")
        })?;
        Ok(Self { count, period })
    }

    /// How many requests in each period.
    pub const fn count(&self) -> u32 {
        self.count.get()
    }

    /// What it is for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// How many units fit when so many were spent.
    pub const fn remaining(&self, spent: u32) -> u32 {
        self.count.get().saturating_sub(spent)
    }

    /// Whether so many units fit when so many were spent.
    pub const fn rule(&self, spent: u32, units: u32) -> Room {
        if units > self.count.get() {
            return Room::Never;
        }
        // A smaller count than what was spent: the plan was changed within the period.
        if units > 0 && units > self.remaining(spent) {
            return Room::NextPeriod;
        }
        Room::Fits(spent.saturating_add(units))
    }

    /// What is spent after units that were used already and cannot be refused any more: no more than twice the count.
    pub fn debit(&self, spent: u32, units: u32) -> u32 {
        spent.saturating_add(units).min(self.count.get().saturating_mul(2)).max(spent)
    }
}

impl Period {
    /// The first end of a period after this instant.
    ///
    /// ```
    /// use auth_core::Timestamp;
    /// use auth_core::limit::Period;
    ///
    /// let at = Timestamp::from_unix_seconds(1_642_244_400); // 2022-01-15T11:00:00Z
    /// let ends = [Period::Hour, Period::Day, Period::Month].map(|period| period.end_after(at).to_rfc3339());
    /// assert_eq!(ends, ["2022-01-15T12:00:00Z", "2022-01-16T00:00:00Z", "2022-02-01T00:00:00Z"]);
    /// ```
    pub fn end_after(self, at: Timestamp) -> Timestamp {
        let next = |length: i64| at.unix_seconds().div_euclid(length) * length + length;
        Timestamp::from_unix_seconds(match self {
            Self::Hour => next(3_600),
            Self::Day => next(86_400),
            Self::Month => first_of_next_month(at.unix_seconds().div_euclid(86_400)) * 86_400,
        })
    }

    /// How long it is at most: a month counts as 31 days.
    pub const fn longest(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Month => 31 * 86_400,
        })
    }

    /// `hour`, `day` or `month`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    pub(super) const fn read(name: &str) -> Option<Self> {
        Some(match name.as_bytes() {
            b"hour" => Self::Hour,
            b"day" => Self::Day,
            b"month" => Self::Month,
            _ => return None,
        })
    }
}

/// Days since 1970-01-01, of any day and of the first day of the month after it.
fn first_of_next_month(days: i64) -> i64 {
    let first = |days: i64| days + 1 - civil_from_days(days).2;
    // 31 days after the first of a month lies in the next one, whatever their lengths
    first(first(days) + 31)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As it is written in a configuration.
impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/calendar {}", self.count, self.period)
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(period: Period, seconds: i64) -> String {
        period.end_after(Timestamp::from_unix_seconds(seconds)).to_rfc3339()
    }

    #[test]
    fn months_end_where_the_calendar_says_leap_years_included() {
        for (seconds, ends) in [
            (951_782_399, "2000-02-29T00:00:00Z"),   // 2000-02-28T23:59:59Z, by the day
            (4_107_455_999, "2100-02-28T00:00:00Z"), // 2100-02-27T23:59:59Z
            (4_107_542_399, "2100-03-01T00:00:00Z"), // 2100-02-28T23:59:59Z, no leap year
        ] {
            assert_eq!(end(Period::Day, seconds), ends);
        }
        for (seconds, ends) in [
            (951_782_400, "2000-03-01T00:00:00Z"),   // 2000-02-29
            (951_868_799, "2000-03-01T00:00:00Z"),   // its last second
            (951_868_800, "2000-04-01T00:00:00Z"),   // the first of March
            (4_107_542_399, "2100-03-01T00:00:00Z"), // the last second of February 2100
            (4_107_542_400, "2100-04-01T00:00:00Z"),
            (1_704_067_199, "2024-01-01T00:00:00Z"), // the last second of 2023
            (1_704_067_200, "2024-02-01T00:00:00Z"),
            (1_706_659_200, "2024-02-01T00:00:00Z"), // 31 January
            (1_714_435_200, "2024-05-01T00:00:00Z"), // 30 April
            (-1, "1970-01-01T00:00:00Z"),
            (-2_678_401, "1969-12-01T00:00:00Z"),
        ] {
            assert_eq!(end(Period::Month, seconds), ends, "{seconds}");
        }
    }

    #[test]
    fn hours_end_on_the_hour_and_the_end_itself_belongs_to_the_next() {
        let (before, on) =
            (Timestamp::from_unix_micros(1_642_247_999_999_999), Timestamp::from_unix_seconds(1_642_248_000));
        assert_eq!(Period::Hour.end_after(before), on);
        assert_eq!(Period::Hour.end_after(on), Timestamp::from_unix_seconds(1_642_251_600));
        assert_eq!(end(Period::Hour, -1), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn an_allowance_holds_its_count_and_no_more() {
        let allowance = Allowance::new(5, Period::Day).unwrap();
        assert_eq!(allowance.rule(0, 5), Room::Fits(5));
        assert_eq!(allowance.rule(4, 1), Room::Fits(5));
        assert_eq!(allowance.rule(4, 2), Room::NextPeriod);
        assert_eq!(allowance.rule(0, 6), Room::Never);
        assert_eq!(allowance.rule(5, 0), Room::Fits(5));
        assert!(Allowance::new(0, Period::Day).is_err());
    }

    #[test]
    fn what_was_spent_counts_against_a_changed_count() {
        let (small, large) = (Allowance::new(10, Period::Day).unwrap(), Allowance::new(500, Period::Day).unwrap());
        assert_eq!((large.remaining(10), large.rule(10, 1)), (490, Room::Fits(11)));
        assert_eq!(
            (small.remaining(400), small.rule(400, 1), small.rule(400, 0)),
            (0, Room::NextPeriod, Room::Fits(400))
        );
    }

    #[test]
    fn what_was_used_is_owed_but_never_more_than_twice_the_count() {
        let allowance = Allowance::new(5, Period::Hour).unwrap();
        assert_eq!(allowance.debit(4, 3), 7);
        assert_eq!(allowance.debit(4, u32::MAX), 10);
        assert_eq!(allowance.debit(50, 1), 50);
        assert_eq!(Allowance::new(u32::MAX, Period::Hour).unwrap().debit(u32::MAX, 9), u32::MAX);
    }

    proptest! {
        #[test]
        fn an_end_is_later_no_further_than_its_length_and_the_start_of_the_next(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let at = Timestamp::from_unix_micros(micros);
            for period in [Period::Hour, Period::Day, Period::Month] {
                let end = period.end_after(at);
                prop_assert!(end > at && end <= at.saturating_add(period.longest()));
                prop_assert_eq!(period.end_after(end.saturating_sub(Duration::from_micros(1))), end);
                let text = end.to_rfc3339();
                let aligned = match period { Period::Hour => ":00:00Z", Period::Day => "T00:00:00Z", Period::Month => "-01T00:00:00Z" };
                prop_assert!(text.ends_with(aligned), "{}", text);
            }
        }
    }
}
