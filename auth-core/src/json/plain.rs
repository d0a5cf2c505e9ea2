//! The search that reading JSON mostly consists of: where the plain part of a string ends.

use crate::stray::{no_byte_strays, outside};

/// What may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Printable ASCII without a backslash, as in nearly every token: there are no escapes, and a string ends at the
    /// next quote.
    Simple,
    /// Anything else.
    Any,
}

impl Spelling {
    pub(super) fn of(text: &[u8]) -> Self {
        let stray = |byte: u8| outside(byte, b' ', b'~') | u8::from(byte == b'\\');
        if no_byte_strays(text, stray) { Self::Simple } else { Self::Any }
    }
}

/// Where the first quote, backslash or control character at or behind `at` is, looking at eight bytes at a time; the
/// end of the bytes where there is none.
#[inline]
pub(super) fn plain(bytes: &[u8], mut at: usize, spelling: Spelling) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        let found = if spelling == Spelling::Simple { quotes(word) } else { marks(word) };
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let stops = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The lowest bit that is set belongs to the first quote, among bytes that are ASCII.
#[inline]
pub(super) fn quotes(word: u64) -> u64 {
    // subtracting borrows into the high bit of a byte that is zero, and of no byte before it
    (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES) & HIGH
}

/// The lowest bit that is set belongs to the first byte that ends the plain part, among any bytes.
#[inline]
fn marks(word: u64) -> u64 {
    // the same for each kind; bytes of 0x80 and more never count
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (control | quote | backslash) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_ends_the_plain_part_is_found_at_every_place() {
        for len in 0..20 {
            for start in 0..=len {
                for place in start..=len {
                    for byte in 0..=255 {
                        // what comes behind, and what stands before, must not matter
                        let mut bytes = vec![b'"'; start];
                        bytes.resize(len, 0xe9);
                        if let Some(found) = bytes.get_mut(place) {
                            *found = byte;
                        }
                        if let Some(behind) = bytes.get_mut(place + 1) {
                            *behind = b'"';
                        }
                        let mut expected = bytes.iter().enumerate().skip(start);
                        let expected = expected.find(|(_, byte)| **byte < b' ' || matches!(byte, b'"' | b'\\'));
                        let expected = expected.map_or(len, |(at, _)| at);
                        assert_eq!(plain(&bytes, start, Spelling::Any), expected, "{len} {start} {place} {byte}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_quote_of_a_simple_text_is_found_at_every_place() {
        for len in 0..40 {
            for start in 0..=len {
                for place in start..=len {
                    for byte in b' '..=b'~' {
                        let mut bytes = vec![byte; len];
                        for quote in (0..start).chain(place..len) {
                            bytes[quote] = b'"';
                        }
                        let expected = if byte == b'"' { start } else { place };
                        if byte != b'\\' {
                            assert_eq!(
                                plain(&bytes, start, Spelling::Simple),
                                expected,
                                "{len} {start} {place} {byte}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn one_odd_byte_anywhere_makes_a_text_not_simple() {
        for len in 0..70 {
            for place in 0..len {
                for byte in 0..=255 {
                    let mut bytes = vec![b'~'; len];
                    bytes[place] = byte;
                    let simple = matches!(byte, b' '..=b'[' | b']'..=b'~');
                    assert_eq!(Spelling::of(&bytes) == Spelling::Simple, simple, "{len} {place} {byte}");
                }
            }
        }
    }
}
