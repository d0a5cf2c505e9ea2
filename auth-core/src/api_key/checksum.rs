//! CRC-32 as in Ethernet and zlib: it catches every changed character and every swap of neighbours.

/// The remainder that each value of a byte leaves, for the polynomial 0x04C11DB7 with its bits reversed.
const REMAINDERS: [u32; 256] = remainders();

const fn remainders() -> [u32; 256] {
    let mut table = [0; 256];
    let mut remainder = 0_u32;
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            remainder = if remainder & 1 == 1 { remainder >> 1 ^ 0xEDB8_8320 } else { remainder >> 1 };
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
        #[allow(clippy::cast_possible_truncation, reason = "at 256 the loop ends before the value is used")]
        {
            remainder = byte as u32;
        }
    }
    table
}

/// The checksum of some bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |remainder, byte| {
        let [low, ..] = remainder.to_le_bytes();
        remainder >> 8 ^ REMAINDERS[usize::from(low ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
