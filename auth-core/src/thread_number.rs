//! Numbers for threads, so that each can have a place of its own where processors would wait for each other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of the thread that asks: no other thread has it as long as this one lives, and where few live at a time it
/// is small. Whatever a thread wrote is seen by the one that has its number next. `None` while the thread ends.
#[inline]
pub(crate) fn thread_number() -> Option<usize> {
    thread_local!(static OWN: Number = Number::take());
    OWN.try_with(|number| number.0).ok()
}

/// Given back when the thread ends.
struct Number(usize);

struct Numbers {
    /// Smaller ones first.
    given_back: BinaryHeap<Reverse<usize>>,
    next: usize,
}

impl Numbers {
    fn all() -> MutexGuard<'static, Self> {
        static ALL: Mutex<Numbers> = Mutex::new(Numbers { given_back: BinaryHeap::new(), next: 0 });
        ALL.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Number {
    fn take() -> Self {
        let mut all = Numbers::all();
        if let Some(Reverse(number)) = all.given_back.pop() {
            return Self(number);
        }
        all.next += 1;
        Self(all.next - 1)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        Numbers::all().given_back.push(Reverse(self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// What so many threads answer that live at the same time.
    fn of_threads(count: usize) -> BTreeSet<usize> {
        let all_live = Barrier::new(count);
        let ask = || {
            let number = thread_number().expect("the thread lives");
            all_live.wait();
            assert_eq!(thread_number(), Some(number));
            number
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a number")).collect()
        })
    }

    #[test]
    fn threads_that_live_at_once_have_numbers_of_their_own_and_give_them_back() {
        // other tests have threads, too, but never so many
        for _ in 0..40 {
            let numbers = of_threads(50);
            assert_eq!(numbers.len(), 50);
            assert!(numbers.iter().all(|number| *number < 1_000), "{numbers:?}");
        }
    }
}
