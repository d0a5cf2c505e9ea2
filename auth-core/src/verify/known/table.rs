//! The table of sets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use prefetch_index::prefetch_index;

use super::set::{SET, Set, WAYS, is_dispensable};
use super::tally::Tally;
use super::{CacheCounts, CacheSize, Fingerprint, Fingerprints, Kept, Mark, Span};
use crate::clock::Timestamp;

/// Of so many sets, 1 MiB, what is needed is nearly always in a cache of the processor: there is nothing to fetch.
const AT_HAND: usize = (1 << 20) / SET;

/// What is remembered of a text.
pub(crate) enum Memory<V> {
    /// It holds now.
    Holds(Arc<V>),
    /// It held once, and its end has passed.
    Over,
}

/// Remembers values under the fingerprints of texts.
pub(crate) struct Known<V> {
    fingerprints: Fingerprints,
    sets: Box<[Set<V>]>,
    size: CacheSize,
    entries: AtomicUsize,
    bytes: AtomicUsize,
    /// Where room is looked for next, once there are too many entries or bytes in all.
    hand: AtomicUsize,
    hits: Tally,
    misses: Tally,
    evictions: AtomicU64,
}

impl<V: Kept> Known<V> {
    /// An empty table, or nothing where the operating system gives no random bytes.
    pub(crate) fn new(size: CacheSize) -> Option<Self> {
        Some(Self::with(Fingerprints::new().ok()?, size))
    }

    /// An empty table for texts that end differently, whose sets can be [fetched ahead](Self::fetch_ahead) where it is large.
    ///
    /// Texts that end alike share one set, so they have to end in what is different for each: a signature, or random.
    pub(crate) fn by_ending(size: CacheSize) -> Option<Self> {
        let fingerprints = if sets_for(size) > AT_HAND { Fingerprints::by_ending() } else { Fingerprints::new() };
        Some(Self::with(fingerprints.ok()?, size))
    }

    fn with(fingerprints: Fingerprints, size: CacheSize) -> Self {
        Self {
            fingerprints,
            sets: (0..sets_for(size)).map(|_| Set::empty()).collect(),
            size,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            hits: Tally::new(),
            misses: Tally::new(),
            evictions: AtomicU64::new(0),
        }
    }

    /// Whether [fetching ahead](Self::fetch_ahead) does anything.
    pub(crate) fn fetches_ahead(&self) -> bool {
        self.fingerprints.are_by_ending()
    }

    /// Has the processor fetch the set of texts that end like this one meanwhile; of short ones another or none.
    #[inline]
    pub(crate) fn fetch_ahead(&self, text: &[u8]) {
        if let Some(place) = self.fingerprints.place(text) {
            prefetch_index(&*self.sets, self.index(place));
        }
    }

    pub(crate) fn fingerprint(&self, text: &[u8]) -> Option<Fingerprint> {
        self.fingerprints.of(text)
    }

    /// Counts a text that did not have to be verified.
    #[inline]
    pub(crate) fn count_hit(&self) {
        self.hits.add_one();
    }

    /// Counts a text that had to be verified.
    pub(crate) fn count_miss(&self) {
        self.misses.add_one();
    }

    /// What is remembered under that fingerprint, also where it is over. Whether it was good for anything, and is a hit,
    /// whoever asks knows and counts.
    #[inline]
    pub(crate) fn recall(&self, print: Fingerprint, now: Timestamp) -> Option<Memory<V>> {
        let set = self.set(print.place());
        for (tag, slot) in set.tags.iter().zip(&set.slots) {
            if tag.load(Ordering::Acquire) != print.tag() {
                continue;
            }
            let found = slot.load();
            let Some(mark) = found.as_deref().map(V::mark).filter(|mark| mark.print == print) else { continue };
            if now < mark.span.from {
                continue;
            }
            if now >= mark.span.until {
                return Some(Memory::Over);
            }
            mark.want();
            return Guard::into_inner(found).map(Memory::Holds);
        }
        None
    }

    /// Remembers a value of about so many bytes. Nobody else may hold it yet: what somebody holds is not kept.
    pub(crate) fn keep(&self, print: Fingerprint, value: &mut Arc<V>, span: Span, bytes: usize, now: Timestamp) {
        let Some(bytes) = u32::try_from(bytes).ok().filter(|_| bytes <= self.size.bytes.get()) else { return };
        let Some(own) = Arc::get_mut(value) else { return };
        *own.mark_mut() = Mark::new(print, span, bytes);
        let set = self.set(print.place());
        let place = set.place_for(print, now);
        if let (Some(tag), Some(slot)) = (set.tags.get(place), set.slots.get(place)) {
            tag.store(print.tag(), Ordering::Release);
            self.put(slot, Some(Arc::clone(value)), now);
        }
        self.make_room(now);
    }

    /// Remembers nothing of that text any more.
    pub(crate) fn forget(&self, print: Fingerprint, now: Timestamp) {
        let is_it = |slot: &&ArcSwapOption<V>| slot.load().as_deref().is_some_and(|value| value.mark().print == print);
        for slot in self.set(print.place()).slots.iter().filter(is_it) {
            self.put(slot, None, now);
        }
    }

    /// What is held and what it was good for.
    pub(crate) fn counts(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            evictions: self.evictions.load(Ordering::Relaxed),
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Goes on from where it last stopped until the bounds are kept. What was wanted lately is passed over once.
    fn make_room(&self, now: Timestamp) {
        let is_full = || {
            self.entries.load(Ordering::Relaxed) > self.size.entries.get()
                || self.bytes.load(Ordering::Relaxed) > self.size.bytes.get()
        };
        // two rounds: after the first nothing counts as wanted any more
        for _ in 0..2 * self.sets.len() {
            if !is_full() {
                return;
            }
            let next = self.hand.fetch_add(1, Ordering::Relaxed) % self.sets.len();
            let Some(set) = self.sets.get(next) else { return };
            for slot in &set.slots {
                let dispensable = slot.load().as_deref().is_some_and(|value| is_dispensable(value.mark(), now));
                if dispensable && is_full() {
                    self.put(slot, None, now);
                }
            }
        }
    }

    fn put(&self, slot: &ArcSwapOption<V>, value: Option<Arc<V>>, now: Timestamp) {
        let bytes = |value: &Arc<V>| value.mark().bytes as usize;
        if let Some(value) = &value {
            self.entries.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes(value), Ordering::Relaxed);
        }
        if let Some(gone) = slot.swap(value) {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes(&gone), Ordering::Relaxed);
            if gone.mark().span.holds(now) {
                self.evictions.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn set(&self, place: u32) -> &Set<V> {
        #[expect(clippy::indexing_slicing, reason = "less than the number of sets")]
        &self.sets[self.index(place)]
    }

    fn index(&self, place: u32) -> usize {
        ((u64::from(place) * self.sets.len() as u64) >> 32) as usize
    }
}

/// Half full on average, so that a set seldom has to part with what is still wanted.
const fn sets_for(size: CacheSize) -> usize {
    size.entries.get().saturating_mul(2).div_ceil(WAYS)
}

/// Prints no value: they say who callers are.
impl<V: Kept> fmt::Debug for Known<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVER: Span = Span::EVER;
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

    #[derive(Debug)]
    struct Number(usize, Mark);

    impl Kept for Number {
        fn mark(&self) -> &Mark {
            &self.1
        }

        fn mark_mut(&mut self) -> &mut Mark {
            &mut self.1
        }
    }

    fn table(size: CacheSize) -> Known<Number> {
        Known::new(size).expect("random bytes")
    }

    fn print(known: &Known<Number>, number: usize) -> Fingerprint {
        known.fingerprint(format!("token-{number}").as_bytes()).expect("a fingerprint")
    }

    fn keep(known: &Known<Number>, text: usize, value: usize, span: Span, bytes: usize, now: Timestamp) {
        let mut value = Arc::new(Number(value, Mark::default()));
        known.keep(print(known, text), &mut value, span, bytes, now);
    }

    fn find(known: &Known<Number>, number: usize, now: Timestamp) -> Option<usize> {
        match known.recall(print(known, number), now) {
            Some(Memory::Holds(found)) => Some(found.0),
            Some(Memory::Over) | None => None,
        }
    }

    #[test]
    fn a_verdict_holds_within_its_span_alone() {
        let known = table(CacheSize::default());
        let at = Timestamp::from_unix_seconds;
        keep(&known, 1, 1, Span { from: at(10), until: at(20) }, 100, at(15));
        for (second, found) in [(9, false), (10, true), (19, true), (20, false), (12, true)] {
            assert_eq!(find(&known, 1, at(second)).is_some(), found, "{second}");
        }
        assert_eq!(known.counts().entries, 1);
    }

    #[test]
    fn what_is_forgotten_is_gone_and_takes_no_room() {
        let known = table(CacheSize::default());
        for number in 0..20 {
            keep(&known, number, number, EVER, 100, NOW);
        }
        known.forget(print(&known, 7), NOW);
        assert!(known.recall(print(&known, 7), NOW).is_none());
        assert!((0..20).filter(|number| find(&known, *number, NOW) == Some(*number)).count() == 19);
        assert_eq!(known.counts().entries, 19);
    }

    #[test]
    fn the_last_verdict_on_a_text_counts_and_takes_no_more_room() {
        let known = table(CacheSize::default());
        for round in 0..100 {
            keep(&known, 1, round, EVER, 100, NOW);
            assert_eq!(find(&known, 1, NOW), Some(round));
        }
        assert_eq!(known.counts().entries, 1);
    }

    #[test]
    fn entries_and_bytes_are_bounded_and_everything_held_is_counted() {
        let each = 1_000;
        for size in [CacheSize::entries(100), CacheSize::entries(2_000).bytes(100 * each), CacheSize::entries(1)] {
            let known = table(size);
            for number in 0..2_000 {
                keep(&known, number, number, EVER, 1_000, NOW);
                let counts = known.counts();
                assert!(counts.entries <= size.entries.get() && counts.bytes <= size.bytes.get(), "{counts:?}");
                assert_eq!(counts.bytes, counts.entries * each);
            }
            let held = (0..2_000).filter(|number| find(&known, *number, NOW) == Some(*number)).count();
            let counts = known.counts();
            assert_eq!(held, counts.entries);
            assert_eq!(counts.evictions, 2_000 - held as u64);
        }
    }

    /// A set has room for nearly as many as may belong to it.
    #[test]
    fn nearly_all_that_the_bound_allows_is_kept() {
        const ENTRIES: usize = 20_000;
        let known = table(CacheSize::entries(ENTRIES).bytes(usize::MAX));
        for number in 0..ENTRIES {
            keep(&known, number, number, EVER, 100, NOW);
        }
        let lost = ENTRIES - known.counts().entries;
        assert!(lost < ENTRIES / 50, "{lost} of {ENTRIES}");
    }

    #[test]
    fn more_than_a_mebibyte_of_sets_is_fetched_ahead_and_belongs_by_endings() {
        let fetches =
            |entries| Known::<Number>::by_ending(CacheSize::entries(entries)).map(|known| known.fetches_ahead());
        assert_eq!([57_344, 57_345].map(fetches), [Some(false), Some(true)]);
        assert!(!table(CacheSize::entries(57_345)).fetches_ahead());
    }

    /// Where a table is small, or is not told that endings differ, they may be alike.
    #[test]
    fn texts_that_end_alike_are_remembered_beside_each_other() {
        for known in [Known::by_ending(CacheSize::default()), Known::new(CacheSize::entries(100_000))] {
            let known: Known<Number> = known.expect("random bytes");
            let print = |number| known.fingerprint(format!("{number}.the-same-suffix-of-all-these-tokens").as_bytes());
            for number in 0..1_000 {
                let mut value = Arc::new(Number(number, Mark::default()));
                known.keep(print(number).expect("a fingerprint"), &mut value, EVER, 10, NOW);
            }
            assert!(known.counts().entries > 990, "{:?}", known.counts());
        }
    }

    #[test]
    fn what_is_larger_than_everything_is_not_kept() {
        let known = table(CacheSize::entries(10).bytes(1_000));
        keep(&known, 1, 1, EVER, 1_001, NOW);
        assert_eq!(known.counts().entries, 0);
        keep(&known, 1, 1, EVER, 1_000, NOW);
        assert_eq!(known.counts().entries, 1);
    }

    /// Its mark would change under those who hold it.
    #[test]
    fn what_somebody_holds_is_not_kept() {
        let (known, mut value) = (table(CacheSize::default()), Arc::new(Number(1, Mark::default())));
        let held = Arc::clone(&value);
        known.keep(print(&known, 1), &mut value, EVER, 10, NOW);
        assert_eq!((find(&known, 1, NOW), known.counts().entries), (None, 0));
        drop(held);
        known.keep(print(&known, 1), &mut value, EVER, 10, NOW);
        assert_eq!(find(&known, 1, NOW), Some(1));
        // the table holds it now
        known.keep(print(&known, 2), &mut value, EVER, 10, NOW);
        assert_eq!((find(&known, 1, NOW), find(&known, 2, NOW)), (Some(1), None));
    }

    #[test]
    fn what_is_wanted_outlives_a_flood_of_what_is_used_once() {
        let known = table(CacheSize::entries(64));
        for wanted in 0..8 {
            keep(&known, wanted, wanted, EVER, 100, NOW);
        }
        let mut lost = 0;
        for number in 100..2_000 {
            keep(&known, number, number, EVER, 100, NOW);
            for wanted in 0..8 {
                if find(&known, wanted, NOW).is_none() {
                    lost += 1;
                    keep(&known, wanted, wanted, EVER, 100, NOW);
                }
            }
        }
        assert!(lost < 152, "{lost} of 15,200 look-ups");
    }

    #[test]
    fn threads_find_what_they_kept_or_nothing_but_never_another_s() {
        let known = table(CacheSize::entries(32));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let known = &known;
                scope.spawn(move || {
                    for round in 0..5_000 {
                        let number = thread * 7 + round % 50;
                        assert!(find(known, number, NOW).is_none_or(|found| found == number));
                        keep(known, number, number, EVER, 10, NOW);
                    }
                });
            }
        });
        assert!(known.counts().entries <= 32, "{:?}", known.counts());
    }
}
