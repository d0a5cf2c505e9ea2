//! Pauses between attempts: each twice the one before, and none like another gateway's.

use std::time::Duration;

/// No pause is longer: a receiver that is back is found out about soon.
const LONGEST: Duration = Duration::from_mins(1);

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
