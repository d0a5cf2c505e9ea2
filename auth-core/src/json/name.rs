//! Names of members as numbers, so that most comparisons are one of numbers.

/// A number that equal names share and different names rarely do.
///
/// Of a name of up to seven bytes, as most registered names are, the number is the name itself: where two such numbers
/// are equal, so are the names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Set where the number is not the whole name.
    const PARTIAL: u64 = 1 << 63;

    /// Spreads what the bits of a number say over all of them (the golden ratio, as in Fibonacci hashing).
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

    #[inline]
    pub(crate) const fn of(name: &[u8]) -> Self {
        let length = name.len() as u64;
        if let (Some(head), Some(tail)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            let ends = u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29);
            return Self(ends ^ length.wrapping_mul(Self::SPREAD) | Self::PARTIAL);
        }
        let bytes = match *name {
            [] => 0,
            [one] => one as u64,
            [one, two] => one as u64 | (two as u64) << 8,
            [one, two, three] => one as u64 | (two as u64) << 8 | (three as u64) << 16,
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                // the two overlap, and where they do they are the same
                (Some(head), Some(tail)) => {
                    u32::from_le_bytes(*head) as u64 | (u32::from_le_bytes(*tail) as u64) << ((length - 4) * 8)
                }
                _ => 0,
            },
        };
        Self(bytes | length << 56)
    }

    /// That of the name which the first `length` bytes of a word are, at most seven.
    #[inline]
    pub(super) const fn of_word(word: u64, length: usize) -> Self {
        Self(word & ((1 << (length * 8)) - 1) | (length as u64) << 56)
    }

    /// Whether all names of this number are the same.
    #[inline]
    pub(super) const fn is_exact(self) -> bool {
        self.0 & Self::PARTIAL == 0
    }

    /// One of 64 bits, to tell at once that a name is not among others.
    #[inline]
    pub(super) const fn bit(self) -> u64 {
        1 << (self.0.wrapping_mul(Self::SPREAD) >> 58)
    }
}

/// A name to look for.
#[derive(Clone, Copy)]
pub(crate) struct Name<'n> {
    pub(super) text: &'n str,
    pub(super) fingerprint: Fingerprint,
}

impl<'n> Name<'n> {
    pub(crate) const fn new(text: &'n str) -> Self {
        Self { text, fingerprint: Fingerprint::of(text.as_bytes()) }
    }

    /// A name whose fingerprint was taken before.
    pub(crate) const fn known(text: &'n str, fingerprint: Fingerprint) -> Self {
        Self { text, fingerprint }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn exact_fingerprints_are_equal_where_the_names_are(
            one in prop::collection::vec(prop::sample::select(vec![0, 1, b'a', 0xff]), 0..10),
            other in prop::collection::vec(prop::sample::select(vec![0, 1, b'a', 0xff]), 0..10),
        ) {
            let (first, second) = (Fingerprint::of(&one), Fingerprint::of(&other));
            prop_assert_eq!(first.is_exact(), one.len() < 8);
            if first.is_exact() || one == other {
                prop_assert_eq!(first == second, one == other);
                let mut word = [b'"'; 8];
                word[..one.len()].copy_from_slice(&one);
                prop_assert_eq!(Fingerprint::of_word(u64::from_le_bytes(word), one.len()), first);
            }
        }
    }

    #[test]
    fn every_byte_of_a_short_name_counts() {
        for len in 0..8 {
            for place in 0..len {
                let name = vec![b'n'; len];
                let mut other = name.clone();
                other[place] = b'm';
                assert_ne!(Fingerprint::of(&name), Fingerprint::of(&other), "{len} {place}");
            }
        }
    }
}
