//! `NumericDate` (RFC 7519 section 2).

use crate::clock::Timestamp;
use crate::json::Value;
use crate::rejection::CredentialFault;

/// The end of the year 9999. What lies beyond is a mistake, such as milliseconds where seconds belong.
const LATEST: f64 = 253_402_300_799.0;

/// The instant of a claim. What is there but is not a number in range is a fault; it must not count as absent, or a
/// quoted `exp` would make a token last for ever.
pub(super) fn numeric_date(claim: Option<Value<'_>>) -> Result<Option<Timestamp>, CredentialFault> {
    let Some(value) = claim else { return Ok(None) };
    value.as_number().and_then(instant).map(Some).ok_or(CredentialFault::Claims)
}

/// To the next microsecond: an instant that was written down to the microsecond is read as that one.
#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn instant(number: &str) -> Option<Timestamp> {
    if let Some(seconds) = ten_digits(number.as_bytes()) {
        return Some(Timestamp::from_unix_seconds(seconds));
    }
    let seconds: f64 = number.parse().ok()?;
    let in_range = (0.0..=LATEST).contains(&seconds) && !number.starts_with('-');
    in_range.then(|| Timestamp::from_unix_micros((seconds * 1e6).round() as i64))
}

/// Whole seconds from the year 2001 to 2286, which is the usual case.
fn ten_digits(number: &[u8]) -> Option<i64> {
    let digits = <&[u8; 10]>::try_from(number).ok()?.map(|byte| byte.wrapping_sub(b'0'));
    let seconds = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(*digit));
    digits.iter().all(|digit| *digit < 10).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Repeats, check};

    fn read(json: &str) -> Result<Option<Timestamp>, CredentialFault> {
        numeric_date(Some(check(json, Repeats::Refuse).expect("a JSON value")))
    }

    #[test]
    fn j23_whole_numbers_fractions_and_exponents_are_instants() {
        for (json, micros) in [
            ("0", 0),
            ("1", 1_000_000),
            ("1700000000", 1_700_000_000_000_000),
            ("1700000000.5", 1_700_000_000_500_000),
            ("1700000000.000001", 1_700_000_000_000_001),
            ("1.7e9", 1_700_000_000_000_000),
            ("253402300799", 253_402_300_799_000_000),
        ] {
            assert_eq!(read(json), Ok(Some(Timestamp::from_unix_micros(micros))), "{json}");
        }
    }

    #[test]
    fn j23_everything_else_is_refused_and_never_absent() {
        for json in [
            "-1",
            "-0",
            "-0.0",
            "-1700000000",
            "253402300800",
            "1700000000000",
            "99999999999999999999",
            "1e300",
            "\"1700000000\"",
            "\"\"",
            "null",
            "true",
            "[1700000000]",
            "{}",
            "\"NaN\"",
        ] {
            assert_eq!(read(json), Err(CredentialFault::Claims), "{json}");
        }
        assert_eq!(numeric_date(None), Ok(None));
    }
}
