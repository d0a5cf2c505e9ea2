//! One set of the table: a line of memory.

use std::sync::atomic::AtomicU8;

use arc_swap::ArcSwapOption;

use super::{Fingerprint, Kept, Mark};
use crate::clock::Timestamp;

/// How many entries a set has room for: their tags and pointers fill a cache line.
pub(super) const WAYS: usize = 7;

/// Among many credentials a look-up mostly waits for memory, so that a set is one line of it. One pointer in a hundred
/// is followed in vain, as its tag is no longer than a byte.
#[repr(C, align(64))]
pub(super) struct Set<V> {
    pub(super) tags: [AtomicU8; WAYS],
    pub(super) slots: [ArcSwapOption<V>; WAYS],
}

/// How many bytes a set has.
pub(super) const SET: usize = 64;
const _: () = assert!(size_of::<Set<Mark>>() == SET);

impl<V: Kept> Set<V> {
    pub(super) fn empty() -> Self {
        Self { tags: Default::default(), slots: Default::default() }
    }

    /// The same text's place, a free one, one whose verdict is over, one that nobody asked for lately, or any.
    pub(super) fn place_for(&self, print: Fingerprint, now: Timestamp) -> usize {
        let mut best = (Worth::Wanted, print.tag() as usize % WAYS);
        for (place, slot) in self.slots.iter().enumerate() {
            let worth = match slot.load().as_deref().map(V::mark) {
                Some(mark) if mark.print == print => return place,
                Some(mark) if !mark.span.holds(now) => Worth::Nothing,
                Some(mark) if !mark.is_wanted() => Worth::Little,
                Some(_) => Worth::Wanted,
                None => Worth::Nothing,
            };
            if worth < best.0 {
                best = (worth, place);
            }
        }
        if best.0 == Worth::Wanted {
            // next time it shows who is still wanted
            for slot in &self.slots {
                slot.load().as_deref().map(|value| value.mark().unwant());
            }
        }
        best.1
    }
}

#[derive(PartialEq, PartialOrd)]
enum Worth {
    Nothing,
    Little,
    Wanted,
}

/// Whether nobody asked for it since this was last called.
pub(super) fn is_dispensable(mark: &Mark, now: Timestamp) -> bool {
    !mark.unwant() || !mark.span.holds(now)
}
