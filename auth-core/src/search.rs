//! Where a byte stands in a text, looking at eight bytes at a time.

/// How many bytes are looked at together.
const WORD: usize = 8;

/// Where the byte stands first.
#[inline]
pub(crate) fn first(wanted: u8, text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let found = places(wanted, *word);
        if found != 0 {
            return Some(index * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == wanted).map(|place| words.len() * WORD + place)
}

/// Where the byte stands last.
pub(crate) fn last(wanted: u8, text: &[u8]) -> Option<usize> {
    let (rest, words) = text.as_rchunks();
    for (index, word) in words.iter().enumerate().rev() {
        let found = places(wanted, *word);
        if found != 0 {
            return Some(rest.len() + index * WORD + WORD - 1 - found.leading_zeros() as usize / 8);
        }
    }
    rest.iter().rposition(|byte| *byte == wanted)
}

/// The highest bit of each byte that is the wanted one, the first byte in the lowest place.
#[inline]
fn places(wanted: u8, word: [u8; WORD]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // zero where it is the wanted byte; adding 127 to the lower seven bits carries into the highest unless they are zero
    let differing = u64::from_le_bytes(word) ^ u64::from_le_bytes([wanted; WORD]);
    !(((differing & LOW) + LOW) | differing | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_found_wherever_they_are() {
        for len in 0..40 {
            for [one, other] in (0..len).flat_map(|one| (one..len).map(move |other| [one, other])) {
                // bytes that differ from the wanted one in a single bit, or by one
                for (wanted, filler) in [(b'.', b'/'), (b'.', b'-'), (b'"', 0xa2), (0x1f, 0x9f), (b' ', 0)] {
                    let mut text = vec![filler; len];
                    text[one] = wanted;
                    text[other] = wanted;
                    assert_eq!((first(wanted, &text), last(wanted, &text)), (Some(one), Some(other)), "{text:?}");
                }
            }
            assert_eq!((first(b'.', &vec![b','; len]), last(b'.', &vec![b','; len])), (None, None));
        }
    }
}
