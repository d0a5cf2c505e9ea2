//! A count that many threads add to and hardly anybody reads.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::thread_number::thread_number;

/// Exact, and as cheap for each thread as if it were alone: it adds to a place of its own, without telling the others.
/// Where more threads live than there are places, the rest share some, which costs them an atomic addition.
pub(super) struct Tally {
    own: Box<[Place; PLACES]>,
    shared: Box<[Place; PLACES]>,
}

const PLACES: usize = 64;

/// Two cache lines, because some processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place(AtomicU64);

impl Tally {
    pub(super) fn new() -> Self {
        let places = || Box::new(array::from_fn(|_| Place::default()));
        Self { own: places(), shared: places() }
    }

    #[inline]
    pub(super) fn add_one(&self) {
        self.add_one_as(thread_number());
    }

    fn add_one_as(&self, thread: Option<usize>) {
        let number = thread.unwrap_or(PLACES);
        if let Some(Place(count)) = self.own.get(number) {
            // nobody else writes here
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        } else if let Some(Place(count)) = self.shared.get(number % PLACES) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self) -> u64 {
        sum(&*self.own).wrapping_add(sum(&*self.shared))
    }
}

fn sum(places: &[Place]) -> u64 {
    places.iter().map(|place| place.0.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_addition_of_every_thread_counts() {
        const EACH: u64 = 2_000;
        let tally = Tally::new();
        let add = |thread| (0..EACH).for_each(|_| tally.add_one_as(thread));
        // as many with places of their own as without, and one that ends
        thread::scope(|scope| {
            for number in 0..2 * PLACES {
                scope.spawn(move || add(Some(number)));
            }
            scope.spawn(|| add(None));
        });
        let half = PLACES as u64 * EACH;
        assert_eq!((sum(&*tally.own), sum(&*tally.shared), tally.sum()), (half, half + EACH, 2 * half + EACH));
        // its own number, whichever that is
        tally.add_one();
        assert_eq!(tally.sum(), 2 * half + EACH + 1);
    }
}
