//! The places, made page by page, and how an owner finds its own.

use std::array;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Step;
use super::word::{Patience, Word};
use crate::limit::Balance;

/// The keyed hash of a budget's owner; stands for the owner.
///
/// Of a million owners, two have the same hash once in 12 million stores. Nobody outside can bring that about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn new(hash: u64) -> Self {
        Self(hash.max(1)) // 0 marks a place that never had an owner
    }

    /// The lines of a bucket, by their first places, in the order in which the owner looks through them.
    fn lines(self) -> [usize; 2] {
        // A bit that chooses neither bucket nor stripe.
        if self.0 >> 7 & 1 == 0 { [0, PLACES_PER_LINE] } else { [PLACES_PER_LINE, 0] }
    }
}

/// Eight places in two cache lines. Owner and instant lie side by side, so that spending from a budget takes one line
/// of memory: what a check costs, when there are many budgets, is the waiting for that line.
#[derive(Default)]
#[repr(align(128))]
struct Bucket {
    places: [Slot; PLACES],
}

#[derive(Default)]
struct Slot {
    owner: AtomicU64,
    word: Word,
}

const PLACES: usize = 8;
const PLACES_PER_LINE: usize = PLACES / 2;
/// A page of memory: what a first budget costs.
const BUCKETS_PER_SEGMENT: usize = 32;
/// Insertions of one owner wait for each other, and by chance those of others.
const STRIPES: usize = 64;
/// A new owner goes into its first bucket while that has so many free places: finding it then takes one line of memory.
const ROOMY: usize = 3;

type Segment = [Bucket; BUCKETS_PER_SEGMENT];

pub(super) struct Table {
    segments: Box<[OnceLock<Box<Segment>>]>,
    stripes: [Mutex<()>; STRIPES],
}

fn segments_for(budgets: NonZeroU32) -> usize {
    let places = budgets.get() as usize + budgets.get() as usize / 2;
    places.div_ceil(PLACES * BUCKETS_PER_SEGMENT)
}

/// How many bytes a table takes when all of its pages are made.
#[cfg(test)]
pub(super) fn most_bytes(budgets: NonZeroU32) -> usize {
    segments_for(budgets) * (size_of::<Segment>() + size_of::<OnceLock<Box<Segment>>>())
}

/// One place of the table, as it is found.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    /// Places are claimed in the order of their numbers.
    pub(super) number: usize,
    pub(super) word: &'t Word,
    pub(super) owner: &'t AtomicU64,
    pub(super) key: Key,
}

/// What became of an insertion.
pub(super) enum Insertion {
    Inserted,
    /// Somebody else inserted the same owner before.
    Present,
    /// Both buckets are full of budgets in use.
    Full,
}

impl Table {
    /// Half as many places again as budgets: with two buckets to choose from, both are then full for about one owner
    /// in a hundred thousand, even when every budget is in use.
    pub(super) fn with_capacity(budgets: NonZeroU32) -> Self {
        let segments = segments_for(budgets);
        Self { segments: (0..segments).map(|_| OnceLock::new()).collect(), stripes: array::from_fn(|_| Mutex::new(())) }
    }

    pub(super) fn bytes(&self) -> usize {
        let made = self.segments.iter().filter(|segment| segment.get().is_some()).count();
        size_of_val(&*self.segments) + made * size_of::<Segment>()
    }

    pub(super) fn in_use(&self, now: u64) -> usize {
        let made = self.segments.iter().filter_map(OnceLock::get);
        let slots = made.flat_map(|segment| segment.iter()).flat_map(|bucket| &bucket.places);
        slots.filter(|slot| slot.word.instant() > now).count()
    }

    /// The two buckets of an owner, which may be the same one.
    fn buckets(&self, key: Key) -> [usize; 2] {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15; // odd, its bits well mixed
        let count = self.segments.len() * BUCKETS_PER_SEGMENT;
        let scaled = |hash: u64| {
            let product = u128::from(hash) * count as u128;
            usize::try_from(product >> 64).unwrap_or_default()
        };
        [scaled(key.0), scaled(key.0.wrapping_mul(GOLDEN))]
    }

    fn bucket(&self, number: usize) -> Option<&Bucket> {
        self.segments.get(number / BUCKETS_PER_SEGMENT)?.get()?.get(number % BUCKETS_PER_SEGMENT)
    }

    /// The place of an owner. That there is none may be out of date at once, unless the owner's stripe is locked.
    pub(super) fn find(&self, key: Key) -> Option<Place<'_>> {
        let [first, second] = self.buckets(key);
        self.find_in(first, key).or_else(|| self.find_in(second, key))
    }

    fn find_in(&self, number: usize, key: Key) -> Option<Place<'_>> {
        let bucket = self.bucket(number)?;
        let (line, at) = key.lines().into_iter().find_map(|line| {
            let places = bucket.places.get(line..line + PLACES_PER_LINE)?;
            Some((line, places.iter().position(|slot| slot.owner.load(Ordering::Acquire) == key.0)?))
        })?;
        let at = line + at;
        Some(Place::new(number * PLACES + at, bucket.places.get(at)?, key))
    }

    /// A place that a new owner may claim, but not one of those that are taken already.
    ///
    /// The owner's stripe must be locked, or one owner might get two places.
    pub(super) fn free(&self, key: Key, now: u64, is_taken: impl Fn(usize) -> bool) -> Option<(Place<'_>, u64)> {
        let mut best = None;
        for number in self.buckets(key) {
            let segment = self.segments.get(number / BUCKETS_PER_SEGMENT)?.get_or_init(Box::default);
            let bucket = segment.get(number % BUCKETS_PER_SEGMENT)?;
            let mut room = 0;
            // The oldest of its own line, or else of the other.
            let mut oldest: Option<(usize, Place<'_>, u64)> = None;
            for line in key.lines() {
                for (at, slot) in bucket.places.iter().enumerate().skip(line).take(PLACES_PER_LINE) {
                    let place = Place::new(number * PLACES + at, slot, key);
                    let Some(instant) = slot.word.unclaimed().filter(|instant| *instant <= now) else { continue };
                    if is_taken(place.number) {
                        continue;
                    }
                    room += 1;
                    if oldest.is_none_or(|(in_line, _, so_far)| in_line == line && instant < so_far) {
                        oldest = Some((line, place, instant));
                    }
                }
            }
            let oldest = oldest.map(|(_, place, instant)| (place, instant));
            if room >= ROOMY {
                return oldest;
            }
            if best.is_none_or(|(most, _)| room > most) {
                best = oldest.map(|found| (room, found)).or(best);
            }
        }
        best.map(|(_, found)| found)
    }

    /// Whether a new owner would find no place.
    pub(super) fn is_full_for(&self, key: Key, now: u64) -> bool {
        self.buckets(key).into_iter().all(|number| {
            self.bucket(number).is_some_and(|bucket| bucket.places.iter().all(|slot| slot.word.instant() > now))
        })
    }

    /// Gives a new owner a place.
    pub(super) fn insert(&self, key: Key, now: u64, full_at: u64) -> Insertion {
        let _stripe = self.lock(key);
        if self.find(key).is_some() {
            return Insertion::Present;
        }
        loop {
            let Some((place, seen)) = self.free(key, now, |_| false) else { return Insertion::Full };
            if place.word.claim(seen) {
                place.move_in(full_at);
                return Insertion::Inserted;
            }
        }
    }

    pub(super) fn stripe(key: Key) -> usize {
        usize::try_from(key.0 % STRIPES as u64).unwrap_or_default()
    }

    fn lock(&self, key: Key) -> Option<MutexGuard<'_, ()>> {
        self.lock_stripe(Self::stripe(key))
    }

    pub(super) fn lock_stripe(&self, stripe: usize) -> Option<MutexGuard<'_, ()>> {
        self.stripes.get(stripe).map(|mutex| mutex.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'t> Place<'t> {
    fn new(number: usize, slot: &'t Slot, key: Key) -> Self {
        Self { number, word: &slot.word, owner: &slot.owner, key }
    }

    /// Changes the budget as one step; `None` where the place is somebody else's by now.
    pub(super) fn change(&self, step: &impl Fn(u64) -> Step) -> Option<Balance> {
        let mut patience = Patience::default();
        // The instant before the owner; see the proof in `word`.
        let mut seen = self.word.unclaimed();
        loop {
            if !self.is_owned() {
                return None;
            }
            let Some(full_at) = seen else {
                patience.wait();
                seen = self.word.unclaimed();
                continue;
            };
            let Step { write, balance } = step(full_at);
            let is_now = match write {
                Some(later) => self.word.swap(full_at, later),
                None => Some(self.word.unclaimed()).filter(|now| *now != seen).map_or(Ok(()), Err),
            };
            match is_now {
                Ok(()) => return Some(balance),
                Err(now) => seen = now,
            }
        }
    }

    /// Claims the place and answers what was there; `None` where it is somebody else's by now.
    pub(super) fn claim(&self) -> Option<u64> {
        let mut patience = Patience::default();
        loop {
            let seen = self.word.unclaimed();
            if !self.is_owned() {
                return None;
            }
            if let Some(seen) = seen
                && self.word.claim(seen)
            {
                return Some(seen);
            }
            patience.wait();
        }
    }

    /// Whether the place is still the owner's.
    pub(super) fn is_owned(&self) -> bool {
        self.owner.load(Ordering::Acquire) == self.key.0
    }

    /// Makes the owner the place's owner and ends the claim.
    pub(super) fn move_in(&self, full_at: u64) {
        self.owner.store(self.key.0, Ordering::Release);
        self.word.release(full_at);
    }
}
