//! Numbers for threads, so that each can have a place of its own where processors would wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of the thread that asks: no other thread has it, nor ever gets it. Threads are numbered in the order in
/// which they first ask, so that numbers are small where threads live long. `None` while the thread ends.
#[inline]
pub(crate) fn thread_number() -> Option<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.try_with(|number| *number).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_shares_it_with_nobody() {
        let ask = || {
            let number = thread_number().expect("the thread lives");
            assert_eq!(thread_number(), Some(number));
            number
        };
        let spawned: Vec<_> = (0..50).map(|_| thread::spawn(ask)).collect();
        let mut numbers: BTreeSet<_> = spawned.into_iter().map(|thread| thread.join().expect("a number")).collect();
        assert!(numbers.insert(ask()) && numbers.len() == 51);
    }
}
