//! What a charge came to, without an allocation.

use std::cmp::Reverse;
use std::fmt;
use std::ops::Deref;
use std::slice;
use std::time::Duration;

use super::MAX_CHARGES;
use super::{Allowance, Quota, Rate, Room, gcra};
use crate::clock::Timestamp;

/// What one budget, or all of them together, say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Fits,
    /// It fits after this time, if nobody else spends meanwhile.
    Wait(Duration),
    /// It asks for more than a budget ever holds; no waiting helps.
    Never,
}

/// One budget after a request was charged for or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    level: Level,
    /// Nanoseconds, or one of the two constants below: eight balances travel with every decision, so they are small.
    wait: u64,
}

/// How much a budget holds; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Rate { rate: Rate, until_full: u64 },
    Allowance { allowance: Allowance, spent: u32, until_end: u64 },
}

const _: () = assert!(size_of::<Balance>() == 40);

/// Fills places that are not in use.
const NOTHING: Balance = Balance { level: Level::Rate { rate: Rate::ONE_A_SECOND, until_full: 0 }, wait: FITS };
const FITS: u64 = 0;
const NEVER: u64 = u64::MAX;

impl Balance {
    /// A budget of that rate which is full again after that time, and what it said to the request.
    ///
    /// A wait counts as at least a nanosecond. Times are cut at some 584 years.
    pub fn of_rate(rate: Rate, until_full: Duration, verdict: Verdict) -> Self {
        Self { level: Level::Rate { rate, until_full: nanos(until_full) }, wait: FITS }.judged(verdict)
    }

    /// An allowance of which so much is spent in a period that ends after that time, and what it said to the request.
    pub fn of_allowance(allowance: Allowance, spent: u32, until_end: Duration, verdict: Verdict) -> Self {
        let until_end = nanos(until_end);
        Self { level: Level::Allowance { allowance, spent, until_end }, wait: FITS }.judged(verdict)
    }

    /// The same as of a rate, from a ruling and a time in nanoseconds.
    pub(crate) const fn ruled(rate: Rate, until_full: u64, ruling: gcra::Ruling) -> Self {
        let wait = match ruling {
            gcra::Ruling::Fits(_) => FITS,
            gcra::Ruling::Wait(nanos) => nanos, // at least one, and far from the largest
            gcra::Ruling::Never => NEVER,
        };
        Self { level: Level::Rate { rate, until_full }, wait }
    }

    /// The same as of an allowance.
    pub(crate) const fn counted(allowance: Allowance, spent: u32, until_end: u64, room: Room) -> Self {
        let wait = match room {
            Room::Fits(_) => FITS,
            Room::NextPeriod => until_end, // at least one, and far from the largest
            Room::Never => NEVER,
        };
        Self { level: Level::Allowance { allowance, spent, until_end }, wait }
    }

    /// Whether it had room.
    pub(crate) const fn fits(&self) -> bool {
        self.wait == FITS
    }

    /// The same balance with another verdict.
    #[must_use]
    pub fn judged(self, verdict: Verdict) -> Self {
        let wait = match verdict {
            Verdict::Fits => FITS,
            Verdict::Wait(wait) => nanos(wait).clamp(FITS + 1, NEVER - 1),
            Verdict::Never => NEVER,
        };
        Self { wait, ..self }
    }

    /// The quota that was asked for.
    pub const fn quota(&self) -> Quota {
        match self.level {
            Level::Rate { rate, .. } => Quota::Rate(rate),
            Level::Allowance { allowance, .. } => Quota::Allowance(allowance),
        }
    }

    /// How many units would fit now.
    pub fn remaining(&self) -> u32 {
        match &self.level {
            Level::Rate { rate, until_full } => gcra::available_after(*until_full, rate),
            Level::Allowance { allowance, spent, .. } => allowance.remaining(*spent),
        }
    }

    /// When the budget is full again, if nobody spends from it; for an allowance, when its period ends.
    pub const fn until_full(&self) -> Duration {
        Duration::from_nanos(self.until_full_nanos())
    }

    const fn until_full_nanos(&self) -> u64 {
        match self.level {
            Level::Rate { until_full, .. } => until_full,
            Level::Allowance { until_end, .. } => until_end,
        }
    }

    /// When one unit fits: at once, where something remains.
    pub fn until_one(&self) -> Duration {
        match &self.level {
            Level::Rate { rate, until_full } => {
                let a_unit_less = rate.refill_nanos().saturating_sub(rate.interval_nanos().get());
                Duration::from_nanos(until_full.saturating_sub(a_unit_less))
            }
            Level::Allowance { .. } if self.remaining() > 0 => Duration::ZERO,
            Level::Allowance { until_end, .. } => Duration::from_nanos(*until_end),
        }
    }

    /// The instant at which the budget is full again: for an allowance, the end of its period to the second.
    ///
    /// The time of day is read again after the budget was asked, and a store may have a clock of its own; of the
    /// ends that a calendar has, the nearest is meant.
    pub fn resets(&self, now: Timestamp) -> Timestamp {
        let instant = now.saturating_add(self.until_full());
        match &self.level {
            Level::Rate { .. } => instant,
            Level::Allowance { allowance, .. } => {
                let period = allowance.period();
                period.end_after(instant.saturating_sub(period.longest() / 4))
            }
        }
    }

    /// The same balance for a caller who is sent away for longer. A budget that refuses is not full before it has room,
    /// but a period ends when it ends.
    fn later(self, by: Duration) -> Self {
        let Verdict::Wait(wait) = self.verdict() else { return self };
        let wait = wait.saturating_add(by);
        let level = match self.level {
            Level::Rate { rate, until_full } => Level::Rate { rate, until_full: until_full.max(nanos(wait)) },
            level @ Level::Allowance { .. } => level,
        };
        Self { level, ..self }.judged(Verdict::Wait(wait))
    }

    /// What this budget said by itself.
    pub const fn verdict(&self) -> Verdict {
        verdict_of(self.wait)
    }
}

const fn verdict_of(wait: u64) -> Verdict {
    match wait {
        FITS => Verdict::Fits,
        NEVER => Verdict::Never,
        wait => Verdict::Wait(Duration::from_nanos(wait)),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What all charges of one request came to: a balance for each, in the order of the charges.
///
/// ```
/// use auth_core::limit::{Balance, Rate, Spending, Verdict};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let refused = Spending::new([
///     Balance::of_rate(Rate::new(10, second)?, second, Verdict::Wait(second / 10)),
///     Balance::of_rate(Rate::new(100, 3600 * second)?, 36 * second, Verdict::Fits),
/// ]);
/// assert_eq!(refused.verdict(), Verdict::Wait(second / 10));
/// assert_eq!(refused.exceeded().collect::<Vec<_>>(), [0]);
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Spending(Balances);

/// A single balance is apart, so that nothing is written into the places that it leaves empty.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each request with several")]
enum Balances {
    One(Balance),
    Several([Balance; MAX_CHARGES], usize),
}

impl Spending {
    /// These balances; those beyond [`MAX_CHARGES`] are left out.
    #[inline]
    pub fn new(balances: impl IntoIterator<Item = Balance>) -> Self {
        let (mut all, mut count) = ([NOTHING; MAX_CHARGES], 0);
        for (place, balance) in all.iter_mut().zip(balances) {
            *place = balance;
            count += 1;
        }
        Self(Balances::Several(all, count))
    }

    /// One balance.
    #[inline]
    pub(crate) const fn of(only: Balance) -> Self {
        Self(Balances::One(only))
    }

    /// Whether the request may pass: it fits into all budgets, or into none as far as it is concerned.
    ///
    /// The wait is the longest, since all of them must have room.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        verdict_of(self.iter().map(|balance| balance.wait).max().unwrap_or(FITS))
    }

    /// The same, with every wait longer by that time. What never fits stays so.
    #[must_use]
    pub fn later(mut self, by: Duration) -> Self {
        for balance in self.0.as_mut_slice() {
            *balance = balance.later(by);
        }
        self
    }

    /// Which charges did not fit, by their places.
    pub fn exceeded(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter().enumerate().filter(|(_, balance)| balance.wait != FITS).map(|(place, _)| place)
    }

    /// The balance with the least left, and its place; of several, the one that takes longest to be full again.
    pub fn scarcest(&self) -> Option<(usize, &Balance)> {
        // the first of several that are equal; a division each is enough
        self.iter().enumerate().min_by_key(|(_, balance)| (balance.remaining(), Reverse(balance.until_full_nanos())))
    }
}

impl Balances {
    fn as_mut_slice(&mut self) -> &mut [Balance] {
        match self {
            Self::One(only) => slice::from_mut(only),
            Self::Several(all, count) => all.get_mut(..*count).unwrap_or_default(),
        }
    }
}

impl Deref for Spending {
    type Target = [Balance];

    #[inline]
    fn deref(&self) -> &[Balance] {
        match &self.0 {
            Balances::One(only) => slice::from_ref(only),
            Balances::Several(all, count) => all.get(..*count).unwrap_or_default(),
        }
    }
}

impl PartialEq for Spending {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Spending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(quota: &str, until_full: u64, verdict: Verdict) -> Balance {
        let Quota::Rate(rate) = quota.parse().unwrap() else { panic!("{quota} is no rate") };
        Balance::of_rate(rate, Duration::from_secs(until_full), verdict)
    }

    #[test]
    fn the_longest_wait_counts_and_never_is_the_longest() {
        let wait = |seconds| Verdict::Wait(Duration::from_secs(seconds));
        let of = |verdicts: &[Verdict]| Spending::new(verdicts.iter().map(|one| balance("5/s", 0, *one))).verdict();
        assert_eq!(of(&[]), Verdict::Fits);
        assert_eq!(of(&[Verdict::Fits, Verdict::Fits]), Verdict::Fits);
        assert_eq!(of(&[Verdict::Fits, wait(2), wait(5), wait(3), Verdict::Fits]), wait(5));
        assert_eq!(of(&[wait(2), Verdict::Never, wait(5)]), Verdict::Never);
    }

    #[test]
    fn the_scarcest_is_the_one_with_the_least_left_and_then_the_slowest() {
        let fits = Verdict::Fits;
        let budgets = Spending::new([
            balance("100/100s", 95, fits),
            balance("10/10s", 5, fits),
            balance("10/100s", 50, fits),
            balance("1000/h", 10, fits),
        ]);
        assert_eq!(budgets.iter().map(Balance::remaining).collect::<Vec<_>>(), [5, 5, 5, 997]);
        assert_eq!(budgets.scarcest().map(|(place, _)| place), Some(0));
        assert_eq!(Spending::new([]).scarcest(), None);
    }
}
