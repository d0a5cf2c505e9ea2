//! What is shared when the table is full: a budget per limit and network.

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Step;
use super::word::{Patience, Word};
use crate::limit::{Balance, Charge, Facts, Network, Quota};

/// Budgets for whoever finds no place.
///
/// Limits and networks share words by chance, which is acceptable for owners that are many more than the store was
/// made for: a flood from so many networks as a class has words spends six in ten of them, one from a tenth as many spends
/// every tenth. But only those share whose quotas refill in steps of the same length, to a factor of two, so that what one
/// spends by the day does not shut out another that is counted by the second. Allowances share with those of the same
/// period whose counts are alike, to a factor of sixteen.
///
/// Who comes to have a place of its own begins there with a full budget.
pub(super) struct Overflow {
    /// The words of each class, made when one is needed.
    classes: [OnceLock<Box<[Word]>>; CLASSES],
    /// Words of each class.
    shares: usize,
    charges: AtomicU64,
}

/// Lengths of steps, by the place of their highest bit, and counts of each of three periods, by that of their highest
/// hexadecimal digit.
const CLASSES: usize = RATES + 3 * COUNTS;
/// A microsecond, which has 10 bits, to 366 days, which have 55.
const RATES: usize = 46;
const COUNTS: usize = 8;
/// At least 8 KiB a class, and at most half a MiB.
const FEWEST: usize = 1 << 10;
const MOST: usize = 1 << 16;

impl Overflow {
    /// For a store of so many budgets: another two bytes a budget for each class that is in use.
    pub(super) fn new(capacity: NonZeroU32) -> Self {
        let shares = (capacity.get() as usize / 4).clamp(FEWEST, MOST);
        Self { classes: [const { OnceLock::new() }; CLASSES], shares, charges: AtomicU64::new(0) }
    }

    pub(super) fn bytes(&self) -> usize {
        self.classes.iter().filter_map(OnceLock::get).map(|words| size_of_val(&**words)).sum()
    }

    pub(super) fn charges(&self) -> u64 {
        self.charges.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.charges.fetch_add(1, Ordering::Relaxed);
    }

    /// The word for a charge, and its place.
    pub(super) fn find(
        &self,
        charge: &Charge<'_>,
        facts: &Facts<'_>,
        secret: &impl BuildHasher,
    ) -> Option<(usize, &Word)> {
        let mut state = secret.build_hasher();
        state.write(charge.limit.name().as_bytes());
        let (kind, bits) = facts.network.map_or((0, 0), Network::numbers);
        state.write_u64(kind);
        state.write_u64(bits);
        let share = usize::try_from(state.finish() % self.shares as u64).ok()?;
        let class = class(charge.limit.quota());
        let words = self.classes.get(class)?.get_or_init(|| (0..self.shares).map(|_| Word::default()).collect());
        words.get(share).map(|word| (class * self.shares + share, word))
    }

    /// Applies a change to the shared budget, as one step.
    pub(super) fn change(
        &self,
        charge: &Charge<'_>,
        facts: &Facts<'_>,
        secret: &impl BuildHasher,
        step: &impl Fn(u64) -> Step,
    ) -> Balance {
        let Some((_, word)) = self.find(charge, facts, secret) else { return step(0).balance };
        let mut patience = Patience::default();
        loop {
            if let Some(full_at) = word.unclaimed() {
                let Step { write, balance } = step(full_at);
                if write.is_none_or(|later| word.swap(full_at, later).is_ok()) {
                    return balance;
                }
            }
            patience.wait();
        }
    }
}

fn class(quota: &Quota) -> usize {
    match quota {
        Quota::Rate(rate) => (rate.interval_nanos().ilog2() as usize).saturating_sub(9).min(RATES - 1),
        Quota::Allowance(allowance) => {
            let digit = allowance.count().checked_ilog2().unwrap_or_default() as usize / 4;
            RATES + COUNTS * (allowance.period() as usize) + digit
        }
    }
}
