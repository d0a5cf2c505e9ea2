//! A count that many threads add to and hardly anybody reads.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::thread_number::thread_number;

/// Exact, and as cheap for each thread as if it were alone: it adds to a place of its own, without telling the others.
/// Threads beyond the first few dozen of the process share one more place, which costs them an atomic addition.
pub(super) struct Tally {
    own: Box<[Place; PLACES]>,
    shared: AtomicU64,
}

const PLACES: usize = 64;

/// Two cache lines, because some processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place(AtomicU64);

impl Tally {
    pub(super) fn new() -> Self {
        Self { own: Box::new(array::from_fn(|_| Place::default())), shared: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn add_one(&self) {
        match thread_number().and_then(|number| self.own.get(number)) {
            // nobody else writes here
            Some(Place(count)) => count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed),
            None => drop(self.shared.fetch_add(1, Ordering::Relaxed)),
        }
    }

    pub(super) fn sum(&self) -> u64 {
        let own = self.own.iter().map(|place| place.0.load(Ordering::Relaxed));
        own.fold(self.shared.load(Ordering::Relaxed), u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_addition_of_every_thread_counts() {
        let tally = Tally::new();
        // more threads than there are places
        for _ in 0..3 {
            thread::scope(|scope| {
                for _ in 0..PLACES {
                    scope.spawn(|| (0..1_000).for_each(|_| tally.add_one()));
                }
            });
        }
        assert_eq!(tally.sum(), 3 * PLACES as u64 * 1_000);
        assert!(tally.shared.load(Ordering::Relaxed) >= 2 * PLACES as u64 * 1_000);
    }
}
