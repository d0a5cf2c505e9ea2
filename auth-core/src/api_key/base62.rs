//! Digits and letters: an alphabet that survives double clicks, shells, URLs and every header.

/// Digit of each value, in ASCII order.
#[cfg(any(test, feature = "issue"))]
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of a checksum: 62 to the power of 6 is the first that 32 bits fit below.
pub(super) const CHECKSUM_CHARS: usize = 6;

/// A checksum as digits of fixed width, the most significant first.
#[cfg(any(test, feature = "issue"))]
pub(crate) fn checksum_digits(over: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = super::checksum::crc32(over.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// The number that the digits stand for; `None` where a character is no digit. At most ten digits fit.
pub(super) fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        let place = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        value.checked_mul(62)?.checked_add(u64::from(place))
    })
}

/// 256 is no multiple of 62: bytes from here on would favour the first eight characters.
#[cfg(any(test, feature = "issue"))]
const LARGEST_MULTIPLE: u8 = 248;

/// Appends random characters, each of the 62 equally likely.
///
/// 256 is no multiple of 62, so a remainder alone would favour the first eight characters. Bytes from 248 on are
/// thrown away instead.
#[cfg(any(test, feature = "issue"))]
pub(crate) fn random_text(
    random: &dyn aws_lc_rs::rand::SecureRandom,
    chars: usize,
    into: &mut String,
) -> Result<(), aws_lc_rs::error::Unspecified> {
    let mut missing = chars;
    let mut bytes = zeroize::Zeroizing::new([0_u8; 64]);
    while missing > 0 {
        random.fill(bytes.as_mut_slice())?;
        for byte in bytes.iter().filter(|byte| **byte < LARGEST_MULTIPLE).take(missing) {
            into.push(char::from(ALPHABET[usize::from(byte % 62)]));
            missing -= 1;
        }
    }
    Ok(())
}

/// Appends characters that follow from a key and a text, each of the 62 equally likely, and that nobody can tell without
/// the key.
///
/// The bytes they are made of are HMACs of the text and a running number, with a label that no credential begins with, so
/// that they have nothing in common with any digest that is kept.
#[cfg(feature = "issue")]
pub(crate) fn derived_text(key: &super::KeyHasher, of: &str, chars: usize, into: &mut String) {
    let mut missing = chars;
    for block in 0_u32.. {
        let bytes = key.digest(&format!("\0successor {block} {of}"));
        for byte in bytes.as_bytes().iter().filter(|byte| **byte < LARGEST_MULTIPLE).take(missing) {
            into.push(char::from(ALPHABET[usize::from(byte % 62)]));
            missing -= 1;
        }
        if missing == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_value_are_inverse_and_the_largest_checksum_fits() {
        for text in ["", "a", "sk_live_", "123456789"] {
            assert_eq!(value(&checksum_digits(text)), Some(super::super::checksum::crc32(text.as_bytes()).into()));
        }
        assert_eq!(value(b"zzzzzz"), Some(62_u64.pow(6) - 1));
        assert!(u64::from(u32::MAX) < 62_u64.pow(6));
        assert_eq!(value(b"00-000"), None);
    }

    #[test]
    fn t40_random_characters_are_spread_evenly() {
        let mut text = String::new();
        random_text(&aws_lc_rs::rand::SystemRandom::new(), 62_000, &mut text).unwrap();
        assert_eq!(text.len(), 62_000);
        for letter in ALPHABET {
            let count = text.bytes().filter(|byte| byte == letter).count();
            // 1,000 expected with a deviation of 31; eight deviations happen once in 10^15 runs
            assert!((750..1_250).contains(&count), "{} occurs {count} times", char::from(*letter));
        }
    }
}
