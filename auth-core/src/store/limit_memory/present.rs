//! Charges that are taken together where every budget is there already, and has room: what nearly every request is.
//!
//! The same protocol as in `several`, without what new owners and refusals need. Whatever else turns up, everything is
//! given back as it was found, and the general way decides.

use std::array;

use super::table::{Key, Place};
use super::{Change, MemoryLimitStore, Moment};
use crate::limit::{Balance, Charges, MAX_CHARGES, Spending};

/// A budget that is about to be claimed, or is.
#[derive(Clone, Copy)]
struct Held<'t> {
    place: Place<'t>,
    /// What was there when the place was claimed.
    found: u64,
}

impl MemoryLimitStore {
    /// Spends from budgets that are all there; `None`, and nothing is spent, where the general way has to be taken.
    pub(super) fn spend_present(&self, charges: &Charges<'_>, keys: &[Key], now: Moment<'_>) -> Option<Spending> {
        let mut all = [None; MAX_CHARGES];
        for ((held, key), charge) in all.iter_mut().zip(keys).zip(charges.iter()) {
            let place = self.table.find(*key)?;
            // A request that is refused anyway claims nothing, so that a flood of them holds nobody up.
            if !Change::Spend.of(place.word.instant(), now, &charge).balance.fits() {
                return None;
            }
            *held = Some(Held { place, found: 0 });
        }
        let all = all.get_mut(..keys.len())?;
        let order = order(all)?;
        let order = order.get(..all.len())?;
        for (claimed, at) in order.iter().enumerate() {
            let held = all.get_mut(*at)?.as_mut()?;
            match held.place.claim() {
                Some(found) => held.found = found,
                None => return give_back(all, order.get(..claimed)?),
            }
        }
        let mut later = [0; MAX_CHARGES];
        let steps = all.iter().flatten().zip(charges.iter());
        let spending = Spending::new(steps.zip(&mut later).map(|((held, charge), later)| {
            let step = Change::Spend.of(held.found, now, &charge);
            *later = step.write.unwrap_or(held.found);
            step.balance
        }));
        if !spending.iter().all(Balance::fits) {
            return give_back(all, order);
        }
        for (held, later) in all.iter().flatten().zip(later) {
            held.place.word.release(later);
        }
        Some(spending)
    }
}

/// The order in which the places are claimed; `None` where one of them is there twice.
fn order(all: &[Option<Held<'_>>]) -> Option<[usize; MAX_CHARGES]> {
    let number = |at: usize| all.get(at).and_then(Option::as_ref).map_or(usize::MAX, |held| held.place.number);
    let mut order = array::from_fn(|at| at);
    let used = order.get_mut(..all.len())?;
    used.sort_unstable_by_key(|at| number(*at));
    used.is_sorted_by(|one, next| number(*one) < number(*next)).then_some(order)
}

fn give_back(all: &[Option<Held<'_>>], claimed: &[usize]) -> Option<Spending> {
    for held in claimed.iter().filter_map(|at| all.get(*at)?.as_ref()) {
        held.place.word.release(held.found);
    }
    None
}
