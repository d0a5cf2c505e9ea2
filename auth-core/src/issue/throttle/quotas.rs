//! How many logins may fail.

use std::num::{NonZeroU32, NonZeroU64};

use crate::limit::{Quota, Rate};

/// How many logins may fail before a further one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleQuotas {
    /// Of one source at one account: 10 in 15 minutes by default.
    pub pair: Quota,
    /// Of one source that is a stranger, at all accounts together: 60 in 15 minutes by default, since an office or a
    /// mobile network is one source.
    pub source: Quota,
    /// Of all strangers at one account together: 30 an hour by default.
    pub strangers: Quota,
    /// How many attempts the strangers of an account have when that is used up, whether they fail or not: 6 an hour by
    /// default, so 144 a day, which is little against a password that no list begins with.
    pub trickle: Quota,
}

const MINUTE: u64 = 60;

const fn rate(count: u32, seconds: u64) -> Quota {
    let (count, seconds) = (NonZeroU32::new(count), NonZeroU64::new(seconds));
    match (count, seconds) {
        (Some(count), Some(seconds)) => Quota::Rate(Rate::in_seconds(count, seconds)),
        _ => Quota::ONE_A_SECOND,
    }
}

impl Default for ThrottleQuotas {
    fn default() -> Self {
        Self {
            pair: rate(10, 15 * MINUTE),
            source: rate(60, 15 * MINUTE),
            strangers: rate(30, 60 * MINUTE),
            trickle: rate(6, 60 * MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_what_they_are_said_to_be() {
        let quotas = ThrottleQuotas::default();
        let texts = [quotas.pair, quotas.source, quotas.strangers, quotas.trickle];
        let expected = ["10/15m", "60/15m", "30/hour", "6/hour"].map(|text| text.parse::<Quota>().unwrap());
        assert_eq!(texts, expected);
    }
}
