//! NH, the universal hash of UMAC (Black, Halevi, Krawczyk, Krovetz and Rogaway, 1999; RFC 4418 section 5.2), over words
//! of 64 bits instead of 32.
//!
//! Pairs of words of a text are added to words of a random key and multiplied, and the products are added up modulo
//! 2^128. Two texts of as many words that are chosen without knowledge of the key have the same sum with a probability
//! of at most 2^-64. It is no pseudorandom function: whoever sees sums learns about the key. Here nobody does, and two
//! multiplications of one cycle each are all that it takes for 16 bytes.

/// What one multiplication takes in.
pub(crate) const PAIR: usize = 16;

/// The two words of a pair of them.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the pair is taken apart")]
pub(crate) const fn words(pair: [u8; PAIR]) -> [u64; 2] {
    // one number of 128 bits, so that both words come by one load each
    let pair = u128::from_le_bytes(pair);
    [pair as u64, (pair >> 64) as u64]
}

/// (m1 + k1)(m2 + k2), the sums modulo 2^64.
#[inline]
pub(crate) const fn product(words: [u64; 2], key: [u64; 2]) -> u128 {
    words[0].wrapping_add(key[0]) as u128 * words[1].wrapping_add(key[1]) as u128
}

#[cfg(test)]
mod tests {
    /// The same function over words of four bits, where every key can be tried. Moving both texts by as much only moves
    /// the keys, so one of them can stand at zero.
    #[test]
    fn the_bound_holds_for_every_pair_of_small_texts() {
        let nh = |text: [u16; 2], key: [u16; 2]| ((text[0] + key[0]) % 16) * ((text[1] + key[1]) % 16);
        let all = || (0..256_u16).map(|both| [both / 16, both % 16]);
        for text in all().skip(1) {
            let shared = all().filter(|key| nh(text, *key) == nh([0, 0], *key)).count();
            assert!(shared <= 256 / 16, "{text:?} shares the sum of zeros under {shared} of 256 keys");
        }
    }
}
