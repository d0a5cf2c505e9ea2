//! What a charge came to, without an allocation.

use std::cmp::Reverse;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::charge::MAX_CHARGES;
use super::{Quota, gcra};

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
    quota: Quota,
    /// Nanoseconds.
    until_full: u64,
    /// Nanoseconds, or one of the two constants below: eight balances travel with every decision, so they are small.
    wait: u64,
}

/// Fills places that are not in use.
const NOTHING: Balance = Balance { quota: Quota::ONE_A_SECOND, until_full: 0, wait: FITS };
const FITS: u64 = 0;
const NEVER: u64 = u64::MAX;

impl Balance {
    /// A budget of that quota which is full again after that time, and what it said to the request.
    ///
    /// A wait counts as at least a nanosecond. Times are cut at some 584 years.
    pub fn new(quota: Quota, until_full: Duration, verdict: Verdict) -> Self {
        Self { quota, until_full: nanos(until_full), wait: FITS }.judged(verdict)
    }

    /// The same from a ruling and a time in nanoseconds.
    pub(crate) const fn ruled(quota: Quota, until_full: u64, ruling: gcra::Ruling) -> Self {
        let wait = match ruling {
            gcra::Ruling::Fits(_) => FITS,
            gcra::Ruling::Wait(nanos) => nanos, // at least one, and far from the largest
            gcra::Ruling::Never => NEVER,
        };
        Self { quota, until_full, wait }
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
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// How many units would fit now.
    pub fn remaining(&self) -> u32 {
        gcra::available_after(self.until_full, &self.quota)
    }

    /// When the budget is full again, if nobody spends from it.
    pub const fn until_full(&self) -> Duration {
        Duration::from_nanos(self.until_full)
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
/// use auth_core::limit::{Balance, Spending, Verdict};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let refused = Spending::new([
///     Balance::new("10/second".parse()?, second, Verdict::Wait(second / 10)),
///     Balance::new("100/hour".parse()?, 36 * second, Verdict::Fits),
/// ]);
/// assert_eq!(refused.verdict(), Verdict::Wait(second / 10));
/// assert_eq!(refused.exceeded().collect::<Vec<_>>(), [0]);
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Spending {
    balances: [Balance; MAX_CHARGES],
    count: usize,
}

impl Spending {
    /// These balances; those beyond [`MAX_CHARGES`] are left out.
    #[inline]
    pub fn new(balances: impl IntoIterator<Item = Balance>) -> Self {
        let mut all = Self { balances: [NOTHING; MAX_CHARGES], count: 0 };
        for (place, balance) in all.balances.iter_mut().zip(balances) {
            *place = balance;
            all.count += 1;
        }
        all
    }

    /// One balance.
    #[inline]
    pub(crate) const fn of(only: Balance) -> Self {
        Self { balances: [only, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING], count: 1 }
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
        for balance in self.balances.iter_mut().take(self.count) {
            if let Verdict::Wait(wait) = balance.verdict() {
                // a budget that refuses is not full before it has room
                let until_full = balance.until_full().max(wait.saturating_add(by));
                *balance = Balance::new(balance.quota, until_full, Verdict::Wait(wait.saturating_add(by)));
            }
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
        self.iter().enumerate().min_by_key(|(_, balance)| (balance.remaining(), Reverse(balance.until_full)))
    }
}

impl Deref for Spending {
    type Target = [Balance];

    fn deref(&self) -> &[Balance] {
        self.balances.get(..self.count).unwrap_or_default()
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
        Balance::new(quota.parse().unwrap(), Duration::from_secs(until_full), verdict)
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
