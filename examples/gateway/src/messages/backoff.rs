//! Pauses between attempts: each twice the one before, and none like another gateway's; or what the receiver asks for.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::Timestamp;

/// No pause is longer: a receiver that is back is found out about soon.
const LONGEST: Duration = Duration::from_mins(1);

/// No receiver is waited for longer, whatever it asks for: messages that wait take places from others.
const LONGEST_ASKED: Duration = Duration::from_mins(10);

/// The pause behind an attempt whose answer asked for one: at least that, where it is not beyond all measure. It spreads
/// upwards by a part of the pause that there would be anyway, since a receiver asks everybody for the same.
pub(super) fn asked_pause(asked: Option<Duration>, own: Duration) -> Duration {
    asked.map_or(own, |asked| asked.min(LONGEST_ASKED).saturating_add(own))
}

/// For how long a receiver asks to be left alone (RFC 9110 section 10.2.3): a number of seconds, or a date in any of its
/// forms. What is neither asks for nothing, and so does a date that is over.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // more digits than fit are a long time
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let now = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.unix_micros()).ok()?);
    httpdate::parse_http_date(value).ok()?.duration_since(now).ok()
}

/// The pause behind an attempt, the first being number 1: between half of it and all of it, by chance, so that messages
/// which failed together do not come back together.
pub(super) fn pause(first: Duration, attempt: usize, chance: u16) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let whole = first.saturating_mul(1 << doublings).min(LONGEST);
    let half = whole / 2;
    half + half.mul_f64(f64::from(chance) / f64::from(u16::MAX))
}

/// A number by chance; the middle where the system gives none.
pub(super) fn chance() -> u16 {
    let mut bytes = [0; 2];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u16::from_be_bytes(bytes),
        Err(_) => u16::MAX / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_asks_for_seconds_or_a_date() {
        let now = Timestamp::from_unix_seconds(1_893_456_000);
        let seconds = |value: &str| retry_after(value, now).map(|wait| wait.as_secs());
        for (value, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Tue, 01 Jan 2030 00:00:30 GMT", Some(30)),
            ("Tuesday, 01-Jan-30 00:01:00 GMT", Some(60)),
            ("Tue Jan  1 00:02:00 2030", Some(120)),
            ("Mon, 31 Dec 2029 23:59:59 GMT", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("2030-01-01T00:00:30Z", None),
        ] {
            assert_eq!(seconds(value), expected, "{value:?}");
        }
        // what is left of a second counts too
        let later = now.saturating_add(Duration::from_millis(29_500));
        assert_eq!(retry_after("Tue, 01 Jan 2030 00:00:30 GMT", later), Some(Duration::from_millis(500)));
    }

    #[test]
    fn what_is_asked_for_is_waited_within_bounds() {
        let (own, second) = (Duration::from_secs(3), Duration::from_secs(1));
        assert_eq!(asked_pause(None, own), own);
        for (asked, waited) in [(0, 3), (1, 4), (120, 123), (600, 603), (601, 603), (u64::MAX, 603)] {
            assert_eq!(asked_pause(Some(Duration::from_secs(asked)), own), second * waited, "{asked}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_never_fall_below_half() {
        let first = Duration::from_secs(1);
        for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (usize::MAX, 60)] {
            let whole = Duration::from_secs(seconds);
            assert_eq!(pause(first, attempt, u16::MAX), whole);
            assert_eq!(pause(first, attempt, 0), whole / 2);
            let some = pause(first, attempt, 12_345);
            assert!(some > whole / 2 && some < whole);
        }
    }
}
