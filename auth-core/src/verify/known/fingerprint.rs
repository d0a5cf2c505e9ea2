//! The keyed fingerprint of a text.
//!
//! Two texts with the same fingerprint would be one credential to us, so nobody may be able to find such a pair. The
//! fingerprint is two sums of [NH](crate::nh), the second with the key moved on by a pair, which squares the bound: two
//! texts of the same length share both with a probability of at most 2^-128. Texts of different lengths differ in the
//! length, which is part of the fingerprint.
//!
//! The key is as long as the longest text, random, and made with the table. Fingerprints never leave the process, so
//! nobody can learn anything about the key: what a MAC adds to a universal hash, so that its tags may be seen, is not
//! needed here.
//!
//! Where in a table a text belongs is a part of its fingerprint. Where no two texts end alike, it may follow from the ending
//! instead, and is then known as soon as the text is seen.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

use crate::nh::{PAIR, product, words};

/// Stands for a text; nobody without the key of the table can tell anything about it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint {
    /// Each by its halves, the lower one first.
    sums: [[u64; 2]; 2],
    length: u32,
    place: u32,
}

impl Fingerprint {
    /// Which set of a table it belongs to, by its upper bits.
    pub(super) const fn place(&self) -> u32 {
        self.place
    }

    /// A part that mostly tells the members of one set apart.
    pub(super) const fn tag(&self) -> u8 {
        (spread(self.sums[1]) >> 56) as u8
    }
}

/// Makes 64 evenly spread bits of a sum. The sums of texts that differ in one word are evenly spaced, and would fill
/// some sets of a table and leave others empty.
const fn spread([low, high]: [u64; 2]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (low ^ high.rotate_left(32)).wrapping_mul(ODD);
    (mixed ^ mixed >> 32).wrapping_mul(ODD) ^ mixed >> 29
}

const fn upper(bits: u64) -> u32 {
    (bits >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "it is taken apart")]
const fn halves(sum: u128) -> [u64; 2] {
    [sum as u64, (sum >> 64) as u64]
}

/// Makes the fingerprints of one table.
pub(crate) struct Fingerprints {
    key: Box<[[u64; 2]]>,
    /// Where places follow from endings.
    ending: Option<[[u64; 2]; ENDING / PAIR]>,
}

/// How many bytes an ending has.
const ENDING: usize = 32;

impl Fingerprints {
    /// The longest text that has one: what fits into the header limit of common servers.
    pub(crate) const LONGEST: usize = 8 * 1024;

    /// With a fresh key; places follow from whole texts.
    ///
    /// # Errors
    /// There are no random bytes.
    pub(super) fn new() -> Result<Self, Unspecified> {
        // one pair for the text's last words, padded, and one for the second sum
        let mut bytes = vec![0; Self::LONGEST + 2 * PAIR];
        rand::fill(&mut bytes)?;
        Ok(Self { key: bytes.as_chunks().0.iter().copied().map(words).collect(), ending: None })
    }

    /// The same; places follow from the endings.
    ///
    /// # Errors
    /// There are no random bytes.
    pub(super) fn by_ending() -> Result<Self, Unspecified> {
        let mut ending = [[0; PAIR]; ENDING / PAIR];
        rand::fill(ending.as_flattened_mut())?;
        Ok(Self { ending: Some(ending.map(words)), ..Self::new()? })
    }

    /// The [place](Fingerprint::place) of the texts that end like this one; `None` where it does not follow from that, or
    /// the text is shorter than an ending.
    #[inline]
    pub(super) fn place(&self, text: &[u8]) -> Option<u32> {
        let (pairs, _) = text.last_chunk::<ENDING>()?.as_chunks();
        let sum = pairs.iter().zip(self.ending.as_ref()?).map(|(pair, key)| product(words(*pair), *key));
        Some(upper(spread(halves(sum.fold(0, u128::wrapping_add)))))
    }

    /// Whether places follow from endings.
    pub(super) fn are_by_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// The fingerprint of a text; `None` where it is too long to have one.
    pub(crate) fn of(&self, text: &[u8]) -> Option<Fingerprint> {
        if text.len() > Self::LONGEST {
            return None;
        }
        let (pairs, rest) = text.as_chunks::<PAIR>();
        let mut last = [0; PAIR];
        last.get_mut(..rest.len())?.copy_from_slice(rest);
        let mut sums = Sums([0; 2]);
        let keys = self.key.get(..pairs.len() + 2)?;
        for ((pair, key), next) in pairs.iter().zip(keys).zip(keys.get(1..)?) {
            sums.add(*pair, *key, *next);
        }
        let [.., key, next] = keys else { return None };
        sums.add(last, *key, *next);
        let (sums, length) = (sums.0.map(halves), u32::try_from(text.len()).ok()?);
        let place = self.place(text).unwrap_or_else(|| upper(spread(sums[0])));
        Some(Fingerprint { sums, length, place })
    }
}

struct Sums([u128; 2]);

impl Sums {
    #[inline]
    fn add(&mut self, pair: [u8; PAIR], key: [u64; 2], next: [u64; 2]) {
        let words = words(pair);
        self.0[0] = self.0[0].wrapping_add(product(words, key));
        self.0[1] = self.0[1].wrapping_add(product(words, next));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn j39_every_byte_and_the_length_count_and_every_table_has_its_own_key() {
        let (ours, theirs) = (Fingerprints::new().expect("random bytes"), Fingerprints::new().expect("random bytes"));
        let text = b"x".repeat(700);
        let known = ours.of(&text);
        assert!(known == ours.of(&text) && known.is_some());
        assert!(known != theirs.of(&text));
        assert!(known != ours.of(&text[1..]));
        assert!(known != ours.of(&[&text[..], b"\0"].concat()));
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] = b'y';
            let other = ours.of(&other);
            assert!(known != other, "{at}");
            // each sum alone tells them apart
            let (known, other) = (known.expect("short enough"), other.expect("short enough"));
            assert!(known.sums[0] != other.sums[0] && known.sums[1] != other.sums[1], "{at}");
        }
    }

    /// Whatever chooses the set must not choose the tag as well.
    #[test]
    fn two_of_one_set_share_a_tag_once_in_256_times() {
        const SETS: usize = 64;
        let prints = Fingerprints::new().expect("random bytes");
        let mut sets = vec![Vec::new(); SETS];
        for number in 0..SETS * SETS {
            let print = prints.of(format!("token-{number}").as_bytes()).expect("short enough");
            sets[(print.place() >> 26) as usize].push(print.tag());
        }
        let shared = |tags: &Vec<u8>| {
            let pairs =
                tags.iter().enumerate().flat_map(|(at, tag)| tags[at + 1..].iter().map(move |other| (tag, other)));
            pairs.filter(|(tag, other)| tag == other).count()
        };
        let shared: usize = sets.iter().map(shared).sum();
        assert!((100..1_000).contains(&shared), "{shared} of about {}", SETS * SETS * SETS / 2);
    }

    #[test]
    fn the_place_follows_from_the_ending_alone_and_from_all_of_it() {
        let prints = Fingerprints::by_ending().expect("random bytes");
        let text: Vec<u8> = (b'0'..b'z').collect();
        let place = prints.of(&text).expect("short enough").place();
        for field in [[b"Bearer ", &text[..]].concat(), text[text.len() - ENDING..].to_vec()] {
            assert_eq!(prints.place(&field), Some(place));
        }
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            let other = prints.of(&other).expect("short enough").place();
            assert_eq!(other == place, at < text.len() - ENDING, "{at}");
        }
        assert!(Fingerprints::by_ending().expect("random bytes").place(&text) != Some(place));
    }

    #[test]
    fn the_place_follows_from_the_whole_text_where_it_is_short_or_endings_are_alike() {
        let places = |prints: &Fingerprints, texts: &mut dyn Iterator<Item = Vec<u8>>| {
            texts.map(|text| prints.of(&text).expect("short enough").place()).collect::<BTreeSet<_>>().len()
        };
        let by_ending = Fingerprints::by_ending().expect("random bytes");
        assert_eq!(places(&by_ending, &mut (0..ENDING).map(|len| b"x".repeat(len))), ENDING);
        assert_eq!(by_ending.place(&b"x".repeat(ENDING - 1)), None);
        let alike = |number: usize| [number.to_string().as_bytes(), &b"x".repeat(ENDING)].concat();
        assert_eq!(places(&by_ending, &mut (0..100).map(alike)), 1);
        let by_text = Fingerprints::new().expect("random bytes");
        assert_eq!(places(&by_text, &mut (0..100).map(alike)), 100);
        assert_eq!(by_text.place(&b"x".repeat(ENDING)), None);
    }

    #[test]
    fn what_is_too_long_has_none() {
        let prints = Fingerprints::new().expect("random bytes");
        assert!(prints.of(&b"x".repeat(Fingerprints::LONGEST)).is_some());
        assert!(prints.of(&b"x".repeat(Fingerprints::LONGEST + 1)).is_none());
    }

    /// NH as RFC 4418 section 5.2.2 writes it down, word by word.
    fn nh(key: &[u64], text: &[u8]) -> u128 {
        let mut padded = text.to_vec();
        padded.resize((text.len() / PAIR + 1) * PAIR, 0);
        let words: Vec<u64> =
            padded.chunks(8).map(|word| word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))).collect();
        let add = |at: usize| (u128::from(words[at]) + u128::from(key[at])) & u128::from(u64::MAX);
        (0..words.len()).step_by(2).fold(0, |sum: u128, at| sum.wrapping_add(add(at) * add(at + 1)))
    }

    proptest! {
        #[test]
        fn both_sums_are_those_of_the_definition(text in "\\PC{0,300}") {
            let prints = Fingerprints::new().expect("random bytes");
            let print = prints.of(text.as_bytes()).expect("short enough");
            let key = prints.key.as_flattened();
            prop_assert_eq!(print.sums, [nh(key, text.as_bytes()), nh(&key[2..], text.as_bytes())].map(halves));
            prop_assert_eq!(print.length as usize, text.len());
        }
    }
}
