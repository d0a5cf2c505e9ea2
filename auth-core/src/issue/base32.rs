//! Base32 without padding (RFC 4648 section 6), as authenticator apps read secrets.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Appends the text of the bytes; what is left of the last five bits is zero.
pub(super) fn encode(bytes: &[u8], into: &mut String) {
    for chunk in bytes.chunks(5) {
        let mut bits = [0; 8];
        bits.iter_mut().skip(3).zip(chunk).for_each(|(place, byte)| *place = *byte);
        let bits = u64::from_be_bytes(bits);
        let digits = (chunk.len() * 8).div_ceil(5);
        for digit in 0..digits {
            let value = bits >> (35 - 5 * digit) & 31;
            into.extend(
                usize::try_from(value).ok().and_then(|value| ALPHABET.get(value)).map(|byte| char::from(*byte)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        // RFC 4648 section 10, the padding left out
        for (text, encoded) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            let mut told = String::new();
            encode(text.as_bytes(), &mut told);
            assert_eq!(told, encoded);
        }
    }
}
