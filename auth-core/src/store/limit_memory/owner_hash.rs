//! The keyed hash of a budget's owner, fast and with a bound that can be proven.
//!
//! Nobody outside ever sees a hash, so it need not look random; two owners just must not have the same one, whoever
//! chooses their names. A universal hash promises exactly that, for a fraction of the time of a pseudorandom function:
//! [NH](crate::nh), whose products do not wait for each other, and then a multiplication and shift that makes 64 even
//! bits of its sum (Dietzfelbinger 1996). What that leaves of the order in names that were counted up is stirred away by
//! steps that can be undone, and so bring nothing together.
//!
//! Two owners differ in the numbers, in the length of a text or in a word at the same place, and then their sums are
//! equal for at most one key in 2⁶³; their 64 bits for one in 2⁶⁴ besides.

use std::array;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::limit::{Charge, Facts, Told};
use crate::nh::{product, words};

/// The key of one store, made at random.
pub(super) struct OwnerHash {
    words: [u64; WORDS],
    lengths: [u64; 2],
    last: [u128; 3],
    long: RandomState,
}

/// Enough for an owner of usual length: 28 pieces of 16 bytes.
const WORDS: usize = 56;
/// Texts are at most eight, each with 16 bits for its length.
const LENGTH_BITS: u32 = 16;

impl OwnerHash {
    pub(super) fn new() -> Self {
        let long = RandomState::new();
        let word = |number: usize| long.hash_one(number);
        let double = |number| u128::from(word(number)) << 64 | u128::from(word(number + 1));
        let lengths = [word(WORDS), word(WORDS + 1)];
        let last = array::from_fn(|at| double(WORDS + 2 + 2 * at));
        Self { words: array::from_fn(word), lengths, last, long }
    }

    pub(super) fn hash(&self, charge: &Charge<'_>, facts: &Facts<'_>) -> u64 {
        let mut pieces = Pieces { words: &self.words, sum: 0, lengths: 0, fits: true };
        charge.tell_owner(facts, &mut pieces);
        match pieces.finish(&self.lengths) {
            Some(sum) => self.even_bits(sum),
            None => self.hash_long(charge, facts),
        }
    }

    fn even_bits(&self, sum: u128) -> u64 {
        let [low, high] = [sum, sum >> 64].map(|half| half & u128::from(u64::MAX));
        let [one, other, plus] = self.last;
        let mixed = one.wrapping_mul(low).wrapping_add(other.wrapping_mul(high)).wrapping_add(plus);
        stirred(u64::try_from(mixed >> 64).unwrap_or_default())
    }

    #[cold]
    fn hash_long(&self, charge: &Charge<'_>, facts: &Facts<'_>) -> u64 {
        let mut state = Long(self.long.build_hasher());
        charge.tell_owner(facts, &mut state);
        state.0.finish()
    }
}

const fn stirred(bits: u64) -> u64 {
    const ODD: u64 = 0xd6e8_feb8_6659_fd93;
    let bits = (bits ^ bits >> 32).wrapping_mul(ODD);
    let bits = (bits ^ bits >> 32).wrapping_mul(ODD);
    bits ^ bits >> 32
}

/// The sum so far.
struct Pieces<'k> {
    /// Those that no piece had yet.
    words: &'k [u64],
    sum: u128,
    lengths: u128,
    fits: bool,
}

impl<'k> Pieces<'k> {
    #[inline]
    fn next(&mut self, one: u64, other: u64) {
        let Some(([key, other_key], rest)) = self.words.split_first_chunk() else {
            self.fits = false;
            return;
        };
        self.words = rest;
        self.sum = self.sum.wrapping_add(product([one, other], [*key, *other_key]));
    }

    fn finish(mut self, words: &'k [u64; 2]) -> Option<u128> {
        let [low, high] = [self.lengths, self.lengths >> 64].map(|half| half & u128::from(u64::MAX));
        self.words = words;
        self.next(u64::try_from(low).unwrap_or_default(), u64::try_from(high).unwrap_or_default());
        self.fits.then_some(self.sum)
    }
}

impl Told for Pieces<'_> {
    #[inline]
    fn numbers(&mut self, one: u64, other: u64) {
        self.next(one, other);
    }

    /// A length decides which bytes are read where, and the pieces overlap rather than end early.
    #[inline]
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let length = u16::try_from(bytes.len()).unwrap_or_else(|_| {
            self.fits = false;
            0
        });
        self.lengths = self.lengths << LENGTH_BITS | u128::from(length);
        let (pieces, rest) = bytes.as_chunks();
        for piece in pieces {
            let [one, other] = words(*piece);
            self.next(one, other);
        }
        if rest.is_empty() {
            return;
        }
        if let Some(last) = bytes.last_chunk() {
            let [one, other] = words(*last);
            self.next(one, other);
        } else if let (Some(first), Some(last)) = (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
            self.next(u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        } else {
            self.next(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0);
        }
    }
}

/// For owners that are longer than the key; the lengths keep texts apart.
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

    use super::super::tests::{charge, subject};
    use super::*;

    fn hashes(names: &[String]) -> BTreeSet<u64> {
        let hash = OwnerHash::new();
        names.iter().map(|name| hash.hash(&charge("hourly", "5/hour"), &subject(name))).collect()
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
            let of = |hash: &OwnerHash| hash.hash(&charge("hourly", "5/hour"), &subject(name));
            assert_eq!(of(&one), of(&one));
            assert_ne!(of(&one), of(&other));
        }
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_matters() {
        let hash = OwnerHash::new();
        let of = |issuer, name| {
            let facts = Facts { principal: Some((issuer, name)), ..Facts::default() };
            hash.hash(&charge("hourly", "5/hour"), &facts)
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_ne!(of("", "abc"), of("abc", ""));
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
