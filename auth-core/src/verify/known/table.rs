//! The table of sets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use super::{CacheCounts, CacheSize, Fingerprint, Fingerprints};
use crate::clock::Timestamp;

/// How many entries a set has room for: as many as fit, with their tags and the counts, into two cache lines of 64 bytes.
const WAYS: usize = 8;

/// When a verdict holds: from the first instant on, and before the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Span {
    /// Whenever it is asked for.
    pub(crate) const EVER: Self = Self { from: Timestamp::MIN, until: Timestamp::MAX };

    pub(crate) fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// What is remembered of a text.
pub(crate) enum Memory<V> {
    /// It holds now.
    Holds(V),
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
    evictions: AtomicU64,
}

/// Counts are kept per set, so that threads with different credentials do not wait for each other's.
///
/// Among many credentials a look-up mostly waits for memory. The two lines of a set lie side by side where processors
/// fetch lines in pairs.
#[repr(align(128))]
struct Set<V> {
    tags: [AtomicU32; WAYS],
    slots: [ArcSwapOption<Entry<V>>; WAYS],
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Entry<V> {
    print: Fingerprint,
    value: V,
    span: Span,
    bytes: usize,
    /// Whether somebody asked for it since room was last looked for here.
    wanted: AtomicBool,
}

impl<V: Clone> Known<V> {
    /// An empty table, or nothing where the operating system gives no random bytes.
    pub(crate) fn new(size: CacheSize) -> Option<Self> {
        // half full on average, so that a set seldom has to part with what is still wanted
        let sets = (size.entries.get().div_ceil(WAYS / 2)).next_power_of_two();
        Some(Self {
            fingerprints: Fingerprints::new().ok()?,
            sets: (0..sets).map(|_| Set::empty()).collect(),
            size,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            evictions: AtomicU64::new(0),
        })
    }

    pub(crate) fn fingerprint(&self, text: &[u8]) -> Option<Fingerprint> {
        self.fingerprints.of(text)
    }

    /// The value under that fingerprint, where it holds now.
    pub(crate) fn find(&self, print: Fingerprint, now: Timestamp) -> Option<V> {
        match self.recall(print, now) {
            Some(Memory::Holds(value)) => Some(value),
            Some(Memory::Over) | None => {
                self.count_miss(print);
                None
            }
        }
    }

    /// Counts a text that had to be verified.
    pub(crate) fn count_miss(&self, print: Fingerprint) {
        self.set(print.place()).misses.fetch_add(1, Ordering::Relaxed);
    }

    /// What is remembered under that fingerprint, also where it is over. Counts hits, and leaves it to whoever goes on
    /// to verify to count the miss.
    #[inline]
    pub(crate) fn recall(&self, print: Fingerprint, now: Timestamp) -> Option<Memory<V>> {
        let set = self.set(print.place());
        for (tag, slot) in set.tags.iter().zip(&set.slots) {
            if tag.load(Ordering::Acquire) != print.tag() {
                continue;
            }
            let entry = slot.load();
            let Some(entry) = entry.as_deref().filter(|entry| entry.print == print && entry.span.from <= now) else {
                continue;
            };
            if now >= entry.span.until {
                return Some(Memory::Over);
            }
            // a line that is only read stays with every processor that reads it
            if !entry.wanted.load(Ordering::Relaxed) {
                entry.wanted.store(true, Ordering::Relaxed);
            }
            set.hits.fetch_add(1, Ordering::Relaxed);
            return Some(Memory::Holds(entry.value.clone()));
        }
        None
    }

    /// Remembers a value of about so many bytes.
    pub(crate) fn keep(&self, print: Fingerprint, value: V, span: Span, bytes: usize, now: Timestamp) {
        let bytes = bytes + size_of::<Entry<V>>();
        if bytes > self.size.bytes.get() {
            return;
        }
        let entry = Entry { print, value, span, bytes, wanted: AtomicBool::new(false) };
        let set = self.set(print.place());
        let place = set.place_for(print, now);
        if let (Some(tag), Some(slot)) = (set.tags.get(place), set.slots.get(place)) {
            tag.store(print.tag(), Ordering::Release);
            self.put(slot, Some(Arc::new(entry)), now);
        }
        self.make_room(now);
    }

    /// Remembers nothing of that text any more.
    pub(crate) fn forget(&self, print: Fingerprint, now: Timestamp) {
        let is_it = |slot: &&ArcSwapOption<Entry<V>>| slot.load().as_deref().is_some_and(|entry| entry.print == print);
        for slot in self.set(print.place()).slots.iter().filter(is_it) {
            self.put(slot, None, now);
        }
    }

    /// What is held and what it was good for.
    pub(crate) fn counts(&self) -> CacheCounts {
        let sum = |count: fn(&Set<V>) -> &AtomicU64| {
            self.sets.iter().map(|set| count(set).load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
        };
        CacheCounts {
            hits: sum(|set| &set.hits),
            misses: sum(|set| &set.misses),
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
            let set = self.set(self.hand.fetch_add(1, Ordering::Relaxed) as u64);
            for slot in &set.slots {
                let dispensable = slot.load().as_ref().is_some_and(|entry| entry.is_dispensable(now));
                if dispensable && is_full() {
                    self.put(slot, None, now);
                }
            }
        }
    }

    fn put(&self, slot: &ArcSwapOption<Entry<V>>, entry: Option<Arc<Entry<V>>>, now: Timestamp) {
        if let Some(entry) = &entry {
            self.entries.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(entry.bytes, Ordering::Relaxed);
        }
        if let Some(gone) = slot.swap(entry) {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(gone.bytes, Ordering::Relaxed);
            if gone.span.holds(now) {
                self.evictions.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn set(&self, place: u64) -> &Set<V> {
        let last = self.sets.len() - 1;
        // the number of sets is a power of two
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "masked to the number of sets")]
        &self.sets[place as usize & last]
    }
}

/// Prints no value: they say who callers are.
impl<V: Clone> fmt::Debug for Known<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}

impl<V> Set<V> {
    fn empty() -> Self {
        Self { tags: Default::default(), slots: Default::default(), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The same text's place, a free one, one whose verdict is over, one that nobody asked for lately, or any.
    fn place_for(&self, print: Fingerprint, now: Timestamp) -> usize {
        let mut best = (Worth::Wanted, (print.tag() >> 29) as usize);
        for (place, slot) in self.slots.iter().enumerate() {
            let worth = match slot.load().as_deref() {
                Some(entry) if entry.print == print => return place,
                Some(entry) if !entry.span.holds(now) => Worth::Nothing,
                Some(entry) if !entry.wanted.load(Ordering::Relaxed) => Worth::Little,
                Some(_) => Worth::Wanted,
                None => Worth::Nothing,
            };
            if worth < best.0 {
                best = (worth, place);
            }
        }
        if best.0 == Worth::Wanted {
            // next time it shows who is still wanted
            let entries = self.slots.iter().filter_map(ArcSwapOption::load_full);
            entries.for_each(|entry| entry.wanted.store(false, Ordering::Relaxed));
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

impl<V> Entry<V> {
    /// Whether nobody asked for it since this was last called.
    fn is_dispensable(&self, now: Timestamp) -> bool {
        !self.wanted.swap(false, Ordering::Relaxed) || !self.span.holds(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVER: Span = Span::EVER;
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

    fn table(size: CacheSize) -> Known<usize> {
        Known::new(size).expect("random bytes")
    }

    fn print(known: &Known<usize>, number: usize) -> Fingerprint {
        known.fingerprint(format!("token-{number}").as_bytes()).expect("a fingerprint")
    }

    #[test]
    fn a_verdict_holds_within_its_span_alone() {
        let known = table(CacheSize::default());
        let at = Timestamp::from_unix_seconds;
        known.keep(print(&known, 1), 1, Span { from: at(10), until: at(20) }, 100, at(15));
        for (second, found) in [(9, false), (10, true), (19, true), (20, false), (12, true)] {
            assert_eq!(known.find(print(&known, 1), at(second)).is_some(), found, "{second}");
        }
        let counts = known.counts();
        assert_eq!((counts.hits, counts.misses, counts.entries), (3, 2, 1));
    }

    #[test]
    fn what_is_forgotten_is_gone_and_takes_no_room() {
        let known = table(CacheSize::default());
        for number in 0..20 {
            known.keep(print(&known, number), number, EVER, 100, NOW);
        }
        known.forget(print(&known, 7), NOW);
        assert!(known.recall(print(&known, 7), NOW).is_none());
        assert!((0..20).filter(|number| known.find(print(&known, *number), NOW) == Some(*number)).count() == 19);
        assert_eq!(known.counts().entries, 19);
    }

    #[test]
    fn the_last_verdict_on_a_text_counts_and_takes_no_more_room() {
        let known = table(CacheSize::default());
        for round in 0..100 {
            known.keep(print(&known, 1), round, EVER, 100, NOW);
            assert_eq!(known.find(print(&known, 1), NOW), Some(round));
        }
        assert_eq!(known.counts().entries, 1);
    }

    #[test]
    fn entries_and_bytes_are_bounded_and_everything_held_is_counted() {
        let each = 1_000 + size_of::<Entry<usize>>();
        for size in [CacheSize::entries(100), CacheSize::entries(2_000).bytes(100 * each), CacheSize::entries(1)] {
            let known = table(size);
            for number in 0..2_000 {
                known.keep(print(&known, number), number, EVER, 1_000, NOW);
                let counts = known.counts();
                assert!(counts.entries <= size.entries.get() && counts.bytes <= size.bytes.get(), "{counts:?}");
                assert_eq!(counts.bytes, counts.entries * each);
            }
            let held = (0..2_000).filter(|number| known.find(print(&known, *number), NOW) == Some(*number)).count();
            let counts = known.counts();
            assert_eq!(held, counts.entries);
            assert_eq!(counts.evictions, 2_000 - held as u64);
        }
    }

    #[test]
    fn what_is_larger_than_everything_is_not_kept() {
        let known = table(CacheSize::entries(10).bytes(1_000));
        known.keep(print(&known, 1), 1, EVER, 1_000, NOW);
        assert_eq!(known.counts().entries, 0);
    }

    #[test]
    fn what_is_wanted_outlives_a_flood_of_what_is_used_once() {
        let known = table(CacheSize::entries(64));
        for wanted in 0..8 {
            known.keep(print(&known, wanted), wanted, EVER, 100, NOW);
        }
        let mut lost = 0;
        for number in 100..2_000 {
            known.keep(print(&known, number), number, EVER, 100, NOW);
            for wanted in 0..8 {
                if known.find(print(&known, wanted), NOW).is_none() {
                    lost += 1;
                    known.keep(print(&known, wanted), wanted, EVER, 100, NOW);
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
                        let print = print(known, number);
                        assert!(known.find(print, NOW).is_none_or(|found| found == number));
                        known.keep(print, number, EVER, 10, NOW);
                    }
                });
            }
        });
        assert!(known.counts().entries <= 32, "{:?}", known.counts());
    }
}
