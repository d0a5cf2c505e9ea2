//! The keyed hash of a budget's owner, fast and with a bound that can be proven.
//!
//! Nobody outside ever sees a hash, so it need not look random; two owners just must not have the same one, whoever
//! chooses their names. A universal hash promises exactly that, for a fraction of the time of a pseudorandom function:
//! [NH](crate::nh), whose products do not wait for each other, and then a multiplication and shift that makes 64 even
//! bits of its sum (Dietzfelbinger 1996). What that leaves of the order in names that were counted up is stirred away by
//! steps that can be undone, and so bring nothing together; one of them leaves some of it for one key in ten thousand.
//!
//! Two owners differ in the numbers, in the length of a text or in a word at the same place, and then their sums are
//! equal for at most one key in 2⁶³; their 64 bits for one in 2⁶⁴ besides.

use std::array;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::limit::{Facts, Limit, Told};
use crate::nh::{PAIR, product, words};

/// The key of one store, made at random.
pub(super) struct OwnerHash {
    pairs: [[u64; 2]; PAIRS],
    lengths: [u64; 2],
    last: [u128; 3],
    long: RandomState,
}

/// Enough for an owner of usual length: 28 pieces of 16 bytes.
const PAIRS: usize = 28;
/// The lengths of at most eight texts make one word.
const LENGTH_BITS: u32 = 8;
const LONGEST: usize = 255;
const _: () = assert!(LONGEST < 1 << LENGTH_BITS);

impl OwnerHash {
    pub(super) fn new() -> Self {
        let long = RandomState::new();
        let mut numbers = 0_u64..;
        let mut word = || long.hash_one(numbers.next());
        let pairs = array::from_fn(|_| [word(), word()]);
        let lengths = [word(), word()];
        let last = array::from_fn(|_| u128::from(word()) << 64 | u128::from(word()));
        Self { pairs, lengths, last, long }
    }

    pub(super) fn hash(&self, limit: &Limit, facts: &Facts<'_>) -> u64 {
        let mut pieces = Pieces { keys: &self.pairs, sum: 0, lengths: 0, fits: true };
        limit.tell_owner(facts, &mut pieces);
        match pieces.finish(self.lengths) {
            Some(sum) => self.even_bits(sum),
            None => self.hash_long(limit, facts),
        }
    }

    fn even_bits(&self, sum: u128) -> u64 {
        let [low, high] = [sum, sum >> 64].map(|half| half & u128::from(u64::MAX));
        let [one, other, plus] = self.last;
        let mixed = one.wrapping_mul(low).wrapping_add(other.wrapping_mul(high)).wrapping_add(plus);
        stirred(u64::try_from(mixed >> 64).unwrap_or_default())
    }

    #[cold]
    fn hash_long(&self, limit: &Limit, facts: &Facts<'_>) -> u64 {
        let mut state = Long(self.long.build_hasher());
        limit.tell_owner(facts, &mut state);
        state.0.finish()
    }
}

const fn stirred(bits: u64) -> u64 {
    const ODD: u64 = 0xd6e8_feb8_6659_fd93;
    let bits = (bits ^ bits >> 32).wrapping_mul(ODD);
    (bits ^ bits >> 32).wrapping_mul(ODD)
}

/// The sum so far.
struct Pieces<'k> {
    /// Those that no piece had yet.
    keys: &'k [[u64; 2]],
    sum: u128,
    lengths: u64,
    fits: bool,
}

impl Pieces<'_> {
    #[inline]
    fn add(&mut self, piece: [u64; 2], key: [u64; 2]) {
        self.sum = self.sum.wrapping_add(product(piece, key));
    }

    fn finish(mut self, key: [u64; 2]) -> Option<u128> {
        self.add([self.lengths, 0], key);
        self.fits.then_some(self.sum)
    }
}

impl Told for Pieces<'_> {
    #[inline]
    fn numbers(&mut self, one: u64, other: u64) {
        match self.keys.split_first() {
            Some((key, rest)) => {
                self.keys = rest;
                self.add([one, other], *key);
            }
            None => self.fits = false,
        }
    }

    /// A length decides which bytes are read where, and the pieces overlap rather than end early.
    #[inline]
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let keys = self.keys.split_at_checked(bytes.len().div_ceil(PAIR)).filter(|_| bytes.len() <= LONGEST);
        let Some((keys, rest)) = keys else {
            self.fits = false;
            return;
        };
        self.keys = rest;
        // a ninth text would push the first one's length out
        self.fits &= self.lengths >> (u64::BITS - LENGTH_BITS) == 0;
        self.lengths = self.lengths << LENGTH_BITS | bytes.len() as u64;
        let (pieces, _) = bytes.as_chunks();
        for (piece, key) in pieces.iter().zip(keys) {
            self.add(words(*piece), *key);
        }
        if let Some(key) = keys.get(pieces.len()) {
            self.add(last_words(bytes), *key);
        }
    }
}

/// The last 16 bytes, or all of a shorter text: no two texts of one length have the same.
#[inline]
fn last_words(bytes: &[u8]) -> [u64; 2] {
    if let Some(last) = bytes.last_chunk() {
        words(*last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        [*first, *last].map(u64::from_le_bytes)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        [*first, *last].map(|half| u64::from(u32::from_le_bytes(half)))
    } else {
        [bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0]
    }
}

/// For owners that are longer than the key, or have a long text; the lengths keep texts apart.
struct Long<H>(H);

impl<H: Hasher> Told for Long<H> {
    fn numbers(&mut self, one: u64, other: u64) {
        self.0.write_u64(one);
        self.0.write_u64(other);
    }

    fn text(&mut self, text: &str) {
        self.0.write_usize(text.len());
        self.0.write(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{limit, subject};
    use super::*;

    fn hashes(names: &[String]) -> BTreeSet<u64> {
        let hash = OwnerHash::new();
        names.iter().map(|name| hash.hash(&limit("hourly", "5/hour"), &subject(name))).collect()
    }

    #[test]
    fn owners_that_differ_in_a_byte_or_in_length_differ() {
        let mut names = Vec::new();
        for length in 0..600_usize {
            names.push("a".repeat(length));
            for at in (0..length).step_by(if length < 40 { 1 } else { 37 }) {
                let mut name = "a".repeat(length);
                name.replace_range(at..=at, "b");
                names.push(name);
            }
        }
        assert!(names.len() > 2_000);
        assert_eq!(hashes(&names).len(), names.len());
    }

    #[test]
    fn a_hash_is_the_same_every_time_and_another_in_every_store() {
        let (one, other) = (OwnerHash::new(), OwnerHash::new());
        for name in ["alice", &"alice".repeat(200)] {
            let of = |hash: &OwnerHash| hash.hash(&limit("hourly", "5/hour"), &subject(name));
            assert_eq!(of(&one), of(&one));
            assert_ne!(of(&one), of(&other));
        }
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_matters() {
        let hash = OwnerHash::new();
        let of = |issuer, name| {
            let facts = Facts { principal: Some((issuer, name)), ..Facts::default() };
            hash.hash(&limit("hourly", "5/hour"), &facts)
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_ne!(of("", "abc"), of("abc", ""));
    }

    #[test]
    fn what_the_lengths_have_no_room_for_takes_the_slow_way() {
        let hash = OwnerHash::new();
        let is_fast = |texts: &[&str]| {
            let mut pieces = Pieces { keys: &hash.pairs, sum: 0, lengths: 0, fits: true };
            for text in texts {
                pieces.text(text);
            }
            pieces.finish(hash.lengths).is_some()
        };
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        assert!(is_fast(&["a"; 8]) && is_fast(&[&longest]));
        assert!(!is_fast(&["a"; 9]) && !is_fast(&[&longer]));
    }

    /// As evenly over buckets as by chance: nothing is left of the order in which the names were counted up.
    #[test]
    fn names_that_were_counted_up_spread_like_random_ones() {
        const NAMES: usize = 10_000;
        const BUCKETS: usize = 1_250;
        let patterns: [fn(usize) -> String; 4] = [
            |number| number.to_string(),
            |number| format!("user_{number:08}"),
            |number| format!("auth0|{number:024x}"),
            |number| format!("{number:016}@tenant.example.com"),
        ];
        for (round, name) in patterns.iter().cycle().enumerate().take(80) {
            let (hash, limit) = (OwnerHash::new(), limit("hourly", "5/hour"));
            let hashes = (0..NAMES).map(|number| hash.hash(&limit, &subject(&name(number))));
            let hashes: Vec<u64> = hashes.collect();
            let bucket = |hash: u64| usize::try_from((u128::from(hash) * BUCKETS as u128) >> 64).unwrap();
            // what the table goes by: the first bucket, the second one, and the stripe
            let first = spread(&hashes, BUCKETS, bucket);
            let second = spread(&hashes, BUCKETS, |hash| bucket(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let stripe = spread(&hashes, 64, |hash| usize::try_from(hash % 64).unwrap());
            // 1,249 and 63, give or take 50 and 11
            let all = (900.0..1_600.0).contains(&first) && (900.0..1_600.0).contains(&second) && stripe < 150.0;
            assert!(all, "round {round}: {first}, {second}, {stripe}");
        }
    }

    /// Chi-square of so many places.
    fn spread(hashes: &[u64], places: usize, place: impl Fn(u64) -> usize) -> f64 {
        let mut loads = vec![0_u32; places];
        for hash in hashes {
            loads[place(*hash)] += 1;
        }
        let even = f64::from(u32::try_from(hashes.len()).unwrap()) / f64::from(u32::try_from(places).unwrap());
        loads.iter().map(|load| (f64::from(*load) - even).powi(2) / even).sum()
    }

    /// Buckets are chosen by the high bits, lines and stripes by the low ones.
    #[test]
    fn the_bits_are_even() {
        let names: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        let hashes = hashes(&names);
        for bit in 0..64 {
            let ones = hashes.iter().filter(|hash| *hash >> bit & 1 == 1).count();
            assert!((48_500..51_500).contains(&ones), "bit {bit}: {ones}");
        }
    }
}
