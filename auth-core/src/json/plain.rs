//! The search that reading JSON mostly consists of: where the plain part of a string ends.

/// Where the first quote, backslash or control character at or behind `at` is, looking at eight bytes at a time; the
/// end of the bytes where there is none.
#[inline]
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let stops = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

/// The lowest bit that is set belongs to the first byte that ends the plain part.
#[inline]
fn marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // subtracting borrows into the high bit of a byte that is too small; bytes of 0x80 and more never count
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
                        assert_eq!(plain(&bytes, start), expected, "{len} {start} {place} {byte}");
                    }
                }
            }
        }
    }
}
