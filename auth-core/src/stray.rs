//! Whether a text consists of allowed bytes, many at a time.

/// How many bytes are looked at together: two registers of the vector unit that every `x86_64` and `aarch64` has.
const BLOCK: usize = 32;

/// Whether `stray`, which says how far a byte is from what is allowed, says zero of every byte.
///
/// Texts are long and nearly all are well-formed. So this never stops early, and `stray` calculates instead of
/// branching, which lets the compiler take a block at a time. The last block overlaps the one before it.
pub(crate) fn no_byte_strays(bytes: &[u8], stray: impl Fn(u8) -> u8) -> bool {
    let Some(last) = bytes.last_chunk::<BLOCK>() else {
        return bytes.iter().fold(0, |strays, byte| strays | stray(*byte)) == 0;
    };
    let mut strays = [0; BLOCK];
    let mut look_at = |block: &[u8; BLOCK]| {
        for (strays, byte) in strays.iter_mut().zip(block) {
            *strays |= stray(*byte);
        }
    };
    bytes.as_chunks().0.iter().for_each(&mut look_at);
    look_at(last);
    strays == [0; BLOCK]
}

/// How far a byte is beyond the end of a range, if one counts from its beginning upwards and round.
pub(crate) const fn outside(byte: u8, first: u8, last: u8) -> u8 {
    byte.wrapping_sub(first).saturating_sub(last - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond_letters(byte: u8) -> u8 {
        outside(byte, b'a', b'z')
    }

    #[test]
    fn a_byte_is_outside_of_a_range_where_it_is_not_in_it() {
        for byte in 0..=u8::MAX {
            assert_eq!(beyond_letters(byte) == 0, byte.is_ascii_lowercase(), "{byte:#x}");
        }
    }

    #[test]
    fn one_stray_byte_is_noticed_wherever_it_is() {
        for length in 1..=3 * BLOCK + 1 {
            let good = vec![b'a'; length];
            assert!(no_byte_strays(&good, beyond_letters), "{length}");
            for at in 0..length {
                let mut bad = good.clone();
                bad[at] = b' ';
                assert!(!no_byte_strays(&bad, beyond_letters), "{at} of {length}");
            }
        }
    }
}
