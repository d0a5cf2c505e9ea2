//! Reading times in RFC 3339 form.

use crate::clock::Timestamp;

impl Timestamp {
    /// The instant that a text in RFC 3339 form means, with any offset and with fractions of a second; `None` for every
    /// other text. A leap second counts as the second after it.
    ///
    /// ```
    /// use auth_core::Timestamp;
    ///
    /// let at = Timestamp::from_rfc3339("2023-11-14T23:13:20+01:00");
    /// assert_eq!(at, Some(Timestamp::from_unix_seconds(1_700_000_000)));
    /// assert_eq!(Timestamp::from_rfc3339("2023-02-29T00:00:00Z"), None);
    /// ```
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        let month = skip(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
        let day = skip(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
        skip(&mut rest, b"Tt ")?;
        let hour = number(&mut rest, 2)?;
        let minute = skip(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
        let second = skip(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
        let micros = fraction(&mut rest)?;
        let offset = offset(&mut rest)?;
        if !rest.is_empty() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let days = days_from_civil(year, month, day)?;
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Some(Self::from_unix_micros(seconds.checked_mul(1_000_000)? + micros))
    }
}

fn skip(rest: &mut &[u8], any_of: &[u8]) -> Option<()> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    any_of.contains(first).then_some(())
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (head, after) = rest.split_at_checked(digits)?;
    *rest = after;
    head.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// The fraction of a second in microseconds; what is finer is cut off.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let Some(after) = rest.strip_prefix(b".") else { return Some(0) };
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, after) = after.split_at_checked(digits).filter(|_| digits > 0)?;
    *rest = after;
    let place = |index: usize| fraction.get(index).map_or(0, |digit| i64::from(digit - b'0'));
    Some((0..6).fold(0, |sum, index| sum * 10 + place(index)))
}

/// How many seconds the local time is ahead of UTC.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let (sign, after) = rest.split_first()?;
    *rest = after;
    let sign = match sign {
        b'Z' | b'z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, 2)?;
    let minutes = skip(rest, b":").and_then(|()| number(rest, 2))?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// How many days a date lies after 1970-01-01; `None` where there is no such date.
///
/// Years are counted from March, so that the leap day is the last day of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in [0, 1_700_000_000, -1, 951_782_400, 4_107_542_399, -62_167_219_200, 253_402_300_799] {
            let at = Timestamp::from_unix_seconds(seconds);
            assert_eq!(Timestamp::from_rfc3339(&at.to_rfc3339()), Some(at));
        }
    }

    #[test]
    fn offsets_and_fractions_count() {
        let at = |micros| Some(Timestamp::from_unix_micros(micros));
        assert_eq!(Timestamp::from_rfc3339("1970-01-01T00:00:00.5Z"), at(500_000));
        assert_eq!(Timestamp::from_rfc3339("1970-01-01t00:00:00.1234567z"), at(123_456));
        assert_eq!(Timestamp::from_rfc3339("1970-01-01 01:00:00-00:30"), at(5_400_000_000));
        assert_eq!(Timestamp::from_rfc3339("1969-12-31T23:59:60Z"), at(0));
    }

    #[test]
    fn everything_else_is_no_time() {
        for text in [
            "",
            "2023",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T00:60:00Z",
            "2023-11-14T00:00:61Z",
            "2023-11-14T00:00:00.Z",
            "2023-11-14T00:00:00+24:00",
            "2023-11-14T00:00:00Zx",
            "+023-11-14T00:00:00Z",
            "2023-11-14T00:00:00+1:00",
            "20231114T000000Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }
}
