//! Charges that are taken together: all or none.
//!
//! The places are claimed in the order of their numbers, then everything is decided, then everything is written. Who
//! waits for a place holds only lower ones, so nobody waits in a circle. New owners' stripes are locked before the
//! first claim and in their order, and whoever has claimed a place waits for no stripe; so no circle leads through
//! them either.

use std::sync::MutexGuard;

use super::table::{Key, Place, Table};
use super::word::Word;
use super::{Change, MemoryLimitStore, Moment};
use crate::limit::{Charge, Charges, Facts, MAX_CHARGES, Spending, Verdict};

/// Where the budget of a charge is, or will be.
#[derive(Clone, Copy)]
struct Seat<'t> {
    /// Claimed in this order.
    number: usize,
    word: &'t Word,
    holder: Holder<'t>,
    /// What was there when the place was claimed.
    found: u64,
    /// What shall be there afterwards.
    full_at: u64,
}

#[derive(Clone, Copy)]
enum Holder<'t> {
    Present(Place<'t>),
    /// A free place, which is claimed only if nothing happened to it since.
    New(Place<'t>),
    Overflow,
}

/// At most so many seats, and the seat of each charge.
struct Seats<'t> {
    distinct: [Option<Seat<'t>>; MAX_CHARGES],
    of_charge: [usize; MAX_CHARGES],
    count: usize,
}

impl MemoryLimitStore {
    /// Spends all charges, or none.
    pub(super) fn spend_several(&self, charges: &Charges<'_>, now: Moment<'_>) -> Spending {
        let mut keys = [Key::new(0); MAX_CHARGES];
        for (key, charge) in keys.iter_mut().zip(charges.iter()) {
            *key = self.key(&charge, charges.facts());
        }
        let keys = keys.get(..charges.len()).unwrap_or_default();
        self.spend_present(charges, keys, now).unwrap_or_else(|| self.spend_claiming(charges, keys, now))
    }

    /// The general way. Apart, so that the usual one pays for none of it.
    #[inline(never)]
    fn spend_claiming(&self, charges: &Charges<'_>, keys: &[Key], now: Moment<'_>) -> Spending {
        loop {
            let mut places = [None; MAX_CHARGES];
            let mut may_fit = true;
            for ((place, key), charge) in places.iter_mut().zip(keys).zip(charges.iter()) {
                *place = self.table.find(*key);
                let full_at = place.map_or(0, |place| place.word.instant());
                may_fit &= Change::Spend.of(full_at, now, &charge).balance.verdict() == Verdict::Fits;
            }
            // A request that is refused anyway claims nothing, so that a flood of them holds nobody up. Charges for one
            // budget are judged one after the other, which looking does not do.
            if !may_fit && are_distinct(keys) {
                let seen = self.each(charges, now, Change::Look);
                if seen.verdict() != Verdict::Fits {
                    return seen;
                }
            }
            if let Some(spending) = self.take(charges, keys, places, now) {
                return spending;
            }
        }
    }

    /// Claims, decides and writes; `None` where a place was lost meanwhile.
    fn take<'t>(
        &'t self,
        charges: &Charges<'_>,
        keys: &[Key],
        mut places: [Option<Place<'t>>; MAX_CHARGES],
        now: Moment<'_>,
    ) -> Option<Spending> {
        let _stripes = self.lock_missing(keys, &mut places);
        let mut seats = Seats { distinct: [None; MAX_CHARGES], of_charge: [0; MAX_CHARGES], count: 0 };
        // Those that are there come first: a budget that is full again may lie in the free place that a new one finds.
        for (number, place) in places.iter().enumerate() {
            if let Some(place) = place {
                seats.assign(number, Seat::of(*place, Holder::Present));
            }
        }
        for (number, ((charge, key), place)) in charges.iter().zip(keys).zip(places).enumerate() {
            if place.is_none() {
                let seat = match seats.reserved(*key) {
                    Some(seat) => seat,
                    None => self.new_seat(&charge, charges.facts(), *key, now, &seats)?,
                };
                seats.assign(number, seat);
            }
        }
        seats.claim_all().then(|| seats.decide(charges, now))
    }

    /// A free place for a new owner, or its share of the overflow.
    fn new_seat<'t>(
        &'t self,
        charge: &Charge<'_>,
        facts: &Facts<'_>,
        key: Key,
        now: Moment<'_>,
        seats: &Seats<'t>,
    ) -> Option<Seat<'t>> {
        if let Some((place, seen)) = self.table.free(key, now.own, |number| seats.has(number)) {
            return Some(Seat { found: seen, ..Seat::of(place, Holder::New) });
        }
        self.overflow.count();
        let (number, word) = self.overflow.find(charge, facts, &self.secret)?;
        Some(Seat { number: usize::MAX / 2 + number, word, holder: Holder::Overflow, found: 0, full_at: 0 })
    }

    /// Locks the stripes of owners without a place, and looks for them once more.
    fn lock_missing<'t>(
        &'t self,
        keys: &[Key],
        places: &mut [Option<Place<'t>>; MAX_CHARGES],
    ) -> [Option<MutexGuard<'t, ()>>; MAX_CHARGES] {
        let mut guards = [const { None }; MAX_CHARGES];
        if keys.iter().zip(&*places).all(|(_, place)| place.is_some()) {
            return guards;
        }
        let mut stripes = [usize::MAX; MAX_CHARGES];
        for ((stripe, key), place) in stripes.iter_mut().zip(keys).zip(&*places) {
            if place.is_none() {
                *stripe = Table::stripe(*key);
            }
        }
        stripes.sort_unstable();
        let mut last = usize::MAX;
        for (guard, stripe) in guards.iter_mut().zip(stripes) {
            if stripe != last {
                *guard = self.table.lock_stripe(stripe);
                last = stripe;
            }
        }
        for (key, place) in keys.iter().zip(places) {
            *place = place.or_else(|| self.table.find(*key));
        }
        guards
    }
}

fn are_distinct(keys: &[Key]) -> bool {
    keys.iter().enumerate().all(|(number, key)| !keys.iter().take(number).any(|other| other == key))
}

impl<'t> Seat<'t> {
    fn of(place: Place<'t>, holder: fn(Place<'t>) -> Holder<'t>) -> Self {
        Self { number: place.number, word: place.word, holder: holder(place), found: 0, full_at: 0 }
    }

    /// Claims the place; the answer is whether it is still the one that was chosen.
    fn claim(&mut self) -> bool {
        let claimed = match self.holder {
            Holder::New(_) => return self.word.unclaimed() == Some(self.found) && self.word.claim(self.found),
            Holder::Present(place) => place.claim(),
            Holder::Overflow => Some(self.word.claim_patiently()),
        };
        self.found = claimed.unwrap_or_default();
        claimed.is_some()
    }

    /// Ends the claim, and writes what shall be there.
    fn settle(&self) {
        match self.holder {
            Holder::New(place) if self.full_at > self.found => place.move_in(self.full_at),
            _ => self.word.release(self.full_at),
        }
    }
}

impl<'t> Seats<'t> {
    fn all(&self) -> impl DoubleEndedIterator<Item = &Seat<'t>> {
        self.distinct.iter().flatten()
    }

    fn has(&self, number: usize) -> bool {
        self.all().any(|seat| seat.number == number)
    }

    /// The place that is reserved for the same new owner already.
    fn reserved(&self, key: Key) -> Option<Seat<'t>> {
        self.all().find(|seat| matches!(seat.holder, Holder::New(place) if place.key == key)).copied()
    }

    /// Gives a charge its seat; a seat that two charges share is there once.
    fn assign(&mut self, charge: usize, seat: Seat<'t>) {
        let at = self.all().position(|known| known.number == seat.number).unwrap_or(self.count);
        if at == self.count
            && let Some(empty) = self.distinct.get_mut(at)
        {
            *empty = Some(seat);
            self.count += 1;
        }
        if let Some(of_charge) = self.of_charge.get_mut(charge) {
            *of_charge = at;
        }
    }

    /// The seats in the order in which they are claimed.
    fn in_order(&self) -> [usize; MAX_CHARGES] {
        let mut order = std::array::from_fn(|at| at);
        order.sort_unstable_by_key(|at| {
            self.distinct.get(*at).and_then(|seat| *seat).map_or(usize::MAX, |seat| seat.number)
        });
        order
    }

    /// Claims all places, or none.
    fn claim_all(&mut self) -> bool {
        let order = self.in_order();
        for (claimed, at) in order.into_iter().take(self.count).enumerate() {
            let Some(Some(seat)) = self.distinct.get_mut(at) else { continue };
            if !seat.claim() {
                for held in order.iter().take(claimed).filter_map(|at| self.distinct.get(*at)).flatten() {
                    held.word.release(held.found);
                }
                return false;
            }
        }
        true
    }

    /// Decides while everything is claimed, and ends the claims.
    fn decide(&mut self, charges: &Charges<'_>, now: Moment<'_>) -> Spending {
        for seat in self.distinct.iter_mut().flatten() {
            seat.full_at = seat.found;
        }
        let spent = self.step_each(charges, now, Change::Spend);
        if spent.verdict() == Verdict::Fits {
            self.all().for_each(Seat::settle);
            return spent;
        }
        for seat in self.distinct.iter_mut().flatten() {
            seat.full_at = seat.found;
        }
        let untouched = self.step_each(charges, now, Change::Look);
        self.all().for_each(Seat::settle);
        Spending::new(untouched.iter().zip(&*spent).map(|(is, would_be)| is.judged(would_be.verdict())))
    }

    fn step_each(&mut self, charges: &Charges<'_>, now: Moment<'_>, change: Change) -> Spending {
        Spending::new(charges.iter().zip(self.of_charge).map(|(charge, at)| {
            let seat = self.distinct.get_mut(at).and_then(Option::as_mut);
            // A free place may hold what is left of somebody else's budget: an instant that has passed, so nothing.
            let step = change.of(seat.as_ref().map_or(0, |seat| seat.full_at), now, &charge);
            if let (Some(seat), Some(written)) = (seat, step.write) {
                seat.full_at = written;
            }
            step.balance
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SECOND, at, charge, store, subject};
    use super::*;

    /// What a thread sees that was held up between finding a place and claiming it.
    #[test]
    fn a_place_that_changed_hands_is_not_claimed_for_the_former_owner() {
        let store = store(1);
        let quick = charge("quick", "5/s");
        let key = store.key(&quick, &subject("early"));
        store.table.insert(key, 0, 1);
        let early = store.table.find(key).unwrap();
        for number in 0..1_000 {
            store.apply(&quick, &subject(&number.to_string()), store.moment(at(100 * SECOND)), Change::Spend);
        }
        assert!(store.table.find(key).is_none());
        let before = early.word.instant();
        assert!(!Seat::of(early, Holder::Present).claim());
        assert!(!Seat::of(early, Holder::New).claim());
        let told = early.change(&|full_at| Change::Spend.of(full_at, store.moment(at(200 * SECOND)), &quick));
        assert!(told.is_none());
        assert_eq!(early.word.instant(), before);
    }
}
