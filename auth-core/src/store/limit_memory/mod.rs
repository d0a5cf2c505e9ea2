//! Budgets in memory: exact under concurrency, bounded whatever is asked for, without a sweep.
//!
//! A budget takes 16 bytes: the keyed hash of its owner, and the instant at which it is full again. It lies in one of
//! two buckets of eight that follow from the hash. A place whose instant has passed is free: the budget in it is full,
//! so forgetting it changes nothing. That is all the expiry there is.
//!
//! A single charge to a budget that is there is one compare-and-swap. Several are taken by claiming their places in
//! the order in which they lie, so that nobody waits in a circle; a claim lasts for some tens of nanoseconds.
//!
//! Where both buckets of a new owner are full of budgets in use, it shares an overflow budget with its network: made-up
//! keys and addresses neither grow the memory nor push others out.
//!
//! - `word`: the instant of one place, and the one bit that claims it
//! - `table`: the places, made page by page, and how an owner finds its own
//! - `owner_hash`: the keyed hash of a budget's owner
//! - `overflow`: what is shared when the table is full
//! - `several`: charges that are taken together
//! - `present`: the same where every budget is there already
//! - `timeline`: time that does not go back
//! - `calendar`: which hour, day and month run

mod calendar;
mod overflow;
mod owner_hash;
mod present;
mod several;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod word;

use std::fmt;
use std::hash::RandomState;
use std::num::NonZeroU32;

use super::{Answer, LimitStore};
use crate::clock::{Now, Timestamp};
use crate::limit::{Allowance, Balance, Charge, Charges, Facts, Quota, Rate, Room, Spending, gcra};
use crate::outcome::Outcome;
use calendar::Calendar;
use overflow::Overflow;
use owner_hash::OwnerHash;
use table::{Key, Table};
use timeline::Timeline;

/// Budgets in the memory of this process; gone when it ends.
///
/// ```
/// use auth_core::limit::{Charges, Facts, Limit, Scope, Verdict};
/// use auth_core::store::{LimitStore, MemoryLimitStore};
/// use auth_core::{Clock, Outcome, SimulatedClock};
///
/// let (store, clock) = (MemoryLimitStore::new(), SimulatedClock::at_unix_seconds(1_700_000_000));
/// let limit = Limit::new("example", "2/second".parse()?, Scope::EVERYBODY);
/// let (facts, one) = (Facts::default(), [limit.charge(1)]);
/// let charges = Charges::new(&facts, &one)?;
/// let spend = || match store.spend(&charges, clock.now()) {
///     Outcome::Done(Ok(spending)) => spending.verdict(),
///     _ => unreachable!("this store answers at once"),
/// };
/// assert_eq!((spend(), spend()), (Verdict::Fits, Verdict::Fits));
/// assert!(matches!(spend(), Verdict::Wait(_)));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
pub struct MemoryLimitStore {
    table: Table,
    overflow: Overflow,
    timeline: Timeline,
    calendar: Calendar,
    /// Nobody outside can choose owners that meet in one place.
    owners: OwnerHash,
    /// The same of networks that share a budget.
    secret: RandomState,
}

/// How full a [`MemoryLimitStore`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUsage {
    /// How many budgets are not full, and so take a place. Counted while others spend, so approximate.
    pub budgets: usize,
    /// How many bytes the places take that were made so far.
    pub bytes: usize,
    /// How many charges went to a shared overflow budget since the store was made. A number that grows says that the
    /// store is too small, or that somebody floods it.
    pub overflowed: u64,
}

impl MemoryLimitStore {
    /// Room for a quarter of a million budgets in use at once.
    ///
    /// That is enough for three budgets each of 80,000 callers within one window, and takes 6 MiB when all are in use.
    /// Memory is taken as budgets come: a hundred of them take at most half a MiB.
    pub const DEFAULT_CAPACITY: NonZeroU32 = NonZeroU32::new(1 << 18).unwrap();

    /// A store without budgets, of the default capacity.
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// A store that holds so many budgets in use at once, in 24 bytes each.
    ///
    /// Whoever comes beyond that shares a budget with its network. For each kind of quota to which that happens there are 2
    /// bytes a budget more, 8 KiB at least and half a MiB at most.
    pub fn with_capacity(budgets: NonZeroU32) -> Self {
        Self {
            table: Table::with_capacity(budgets),
            overflow: Overflow::new(budgets),
            timeline: Timeline::default(),
            calendar: Calendar::default(),
            owners: OwnerHash::new(),
            secret: RandomState::new(),
        }
    }

    /// How full the store is. Reads the whole table: some milliseconds for a million budgets.
    pub fn usage(&self, now: Now) -> LimitUsage {
        LimitUsage {
            budgets: self.table.in_use(self.timeline.own(now.monotonic)),
            bytes: self.table.bytes() + self.overflow.bytes(),
            overflowed: self.overflow.charges(),
        }
    }

    fn key(&self, charge: &Charge<'_>, facts: &Facts<'_>) -> Key {
        Key::new(self.owners.hash(charge.limit, facts))
    }

    /// Applies a change to one budget wherever it is, as one step.
    fn apply(&self, charge: &Charge<'_>, facts: &Facts<'_>, now: Moment<'_>, kind: Change) -> Balance {
        let key = self.key(charge, facts);
        let step = |full_at| kind.of(full_at, now, charge);
        loop {
            if let Some(place) = self.table.find(key) {
                match place.change(&step) {
                    Some(balance) => return balance,
                    None => continue, // somebody else's by now
                }
            }
            let fresh = step(0);
            let Some(full_at) = fresh.write else {
                return if self.table.is_full_for(key, now.own) {
                    self.overflow.change(charge, facts, &self.secret, &step)
                } else {
                    fresh.balance
                };
            };
            match self.table.insert(key, now.own, full_at) {
                table::Insertion::Inserted => return fresh.balance,
                table::Insertion::Present => {}
                table::Insertion::Full => {
                    self.overflow.count();
                    return self.overflow.change(charge, facts, &self.secret, &step);
                }
            }
        }
    }

    fn moment(&self, now: Now) -> Moment<'_> {
        Moment { own: self.timeline.own(now.monotonic), wall: now.wall, calendar: &self.calendar }
    }

    fn each(&self, charges: &Charges<'_>, now: Moment<'_>, change: Change) -> Spending {
        Spending::new(charges.iter().map(|charge| self.apply(&charge, charges.facts(), now, change)))
    }
}

impl Default for MemoryLimitStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLimitStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimitStore").finish_non_exhaustive()
    }
}

impl LimitStore for MemoryLimitStore {
    fn spend(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        let now = self.moment(now);
        match charges.at(0) {
            // Made where it is answered: moving one costs more than a budget's arithmetic.
            Some(only) if charges.len() == 1 => {
                let balance = self.apply(&only, charges.facts(), now, Change::Spend);
                Outcome::Done(Ok(Spending::of(balance)))
            }
            _ => Outcome::Done(Ok(self.spend_several(charges, now))),
        }
    }

    fn look(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        let now = self.moment(now);
        Outcome::Done(Ok(self.each(charges, now, Change::Look)))
    }

    fn debit(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        let now = self.moment(now);
        Outcome::Done(Ok(self.each(charges, now, Change::Debit)))
    }
}

/// One reading of the clocks, in the time of the budgets; the calendar is looked at only for those that live by it.
#[derive(Clone, Copy)]
struct Moment<'s> {
    own: u64,
    wall: Timestamp,
    calendar: &'s Calendar,
}

/// What is done to a budget.
#[derive(Clone, Copy)]
enum Change {
    Look,
    Spend,
    Debit,
}

/// What comes of a change: what is written, if anything, and what is told.
///
/// What is written is always later than what was there and than `now`; the protocol of the table rests on it.
struct Step {
    write: Option<u64>,
    balance: Balance,
}

impl Change {
    fn of(self, full_at: u64, now: Moment<'_>, charge: &Charge<'_>) -> Step {
        match charge.limit.quota() {
            Quota::Rate(rate) => self.of_rate(full_at, now.own, rate, charge.units),
            Quota::Allowance(allowance) => self.of_allowance(full_at, now, *allowance, charge.units),
        }
    }

    fn of_rate(self, full_at: u64, now: u64, rate: &Rate, units: u32) -> Step {
        let ruling = gcra::rule(full_at, now, rate, units);
        let write = match (self, ruling) {
            (Self::Spend, gcra::Ruling::Fits(spent)) => Some(spent),
            (Self::Debit, _) => Some(gcra::debit(full_at, now, rate, units)),
            (Self::Look | Self::Spend, _) => None,
        };
        let write = write.filter(|written| *written > full_at.max(now));
        let until_full = write.unwrap_or(full_at).saturating_sub(now);
        Step { write, balance: Balance::ruled(*rate, until_full, ruling) }
    }

    /// Apart, so that rates pay for none of it.
    #[inline(never)]
    fn of_allowance(self, instant: u64, now: Moment<'_>, allowance: Allowance, units: u32) -> Step {
        let running = now.calendar.running(allowance.period(), now.own, now.wall);
        // What is below the mark is of an earlier period. What is above the next one was written by somebody who has
        // seen a later period begin, and that is the one that counts.
        let (mark, spent) = match calendar::split(instant) {
            (mark, spent) if mark >= running.mark => (mark, spent),
            _ => (running.mark, 0),
        };
        let room = allowance.rule(spent, units);
        let after = match (self, room) {
            (Self::Spend, Room::Fits(after)) => after,
            (Self::Debit, _) => allowance.debit(spent, units),
            (Self::Look | Self::Spend, _) => spent,
        };
        let write = (after > spent).then(|| mark + u64::from(after));
        Step { write, balance: Balance::counted(allowance, after, running.until_end, room) }
    }
}
