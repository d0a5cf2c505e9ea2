//! The generic cell rate algorithm: one instant per budget, pure arithmetic in nanoseconds.
//!
//! What is stored for a budget is `full_at`, the instant at which it is full again (ITU-T I.371 calls it the
//! theoretical arrival time). Every unit spent moves it later by the quota's interval; a unit fits while `full_at` is
//! then no more than the whole refill time away. So exactly `burst` units fit at once, and in any stretch of length
//! `w` at most `w / interval + burst`.
//!
//! An instant that is not after `now` means a full budget, whatever it is and whatever the rate: nothing has to be
//! kept for it. `full_at` never moves earlier, so a caller who reads an older clock than others before it frees
//! nothing, and blocks nobody.

use std::time::Duration;

use super::Rate;

/// What a budget says to a number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// They fit; the budget is then full again at this instant.
    Fits(u64),
    /// They fit after this many nanoseconds.
    Wait(u64),
    /// They are more than the quota's burst, so that no waiting helps.
    Never,
}

/// Whether so many units fit into a budget that is full again at `full_at`.
pub fn rule(full_at: u64, now: u64, rate: &Rate, units: u32) -> Ruling {
    if units > rate.burst() {
        return Ruling::Never;
    }
    let spent = after(full_at, now, rate, units);
    let latest = now.saturating_add(rate.refill_nanos());
    if spent <= latest { Ruling::Fits(spent) } else { Ruling::Wait(spent - latest) }
}

/// When the budget is full again after units that were used already and cannot be refused any more.
///
/// They are owed even where they do not fit, but never more than two refills of them: somebody who is that far behind
/// gains nothing by more attempts, and is not shut out for longer either.
pub fn debit(full_at: u64, now: u64, rate: &Rate, units: u32) -> u64 {
    let deepest = now.saturating_add(rate.refill_nanos().saturating_mul(2));
    after(full_at, now, rate, units).min(deepest).max(full_at)
}

fn after(full_at: u64, now: u64, rate: &Rate, units: u32) -> u64 {
    let price = u64::from(units).saturating_mul(rate.interval_nanos().get());
    full_at.max(now).saturating_add(price)
}

/// How many units fit at once, when the budget is full again only after this time.
pub fn available(until_full: Duration, rate: &Rate) -> u32 {
    available_after(u64::try_from(until_full.as_nanos()).unwrap_or(u64::MAX), rate)
}

/// The same in nanoseconds.
pub(super) fn available_after(until_full: u64, rate: &Rate) -> u32 {
    let room = rate.refill_nanos().saturating_sub(until_full);
    u32::try_from(room / rate.interval_nanos()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Burst, Quota};
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn quota(text: &str) -> Rate {
        let Quota::Rate(rate) = text.parse().unwrap() else { panic!("{text} is no rate") };
        rate
    }

    /// A budget that remembers, for tests.
    struct Budget(u64);

    impl Budget {
        fn take(&mut self, now: u64, quota: &Rate, units: u32) -> Ruling {
            let ruling = rule(self.0, now, quota, units);
            if let Ruling::Fits(full_at) = ruling {
                self.0 = full_at;
            }
            ruling
        }

        fn available(&self, now: u64, quota: &Rate) -> u32 {
            available(Duration::from_nanos(self.0.saturating_sub(now)), quota)
        }
    }

    #[test]
    fn exactly_the_burst_passes_at_once_and_then_one_per_interval() {
        for text in ["5/10s", "7/s", "3/day burst 11", "1/hour", "100/hour burst 1.5x", "1000000/s"] {
            let (quota, mut budget, start) = (quota(text), Budget(0), 77 * SECOND);
            for left in (0..quota.burst()).rev() {
                assert!(matches!(budget.take(start, &quota, 1), Ruling::Fits(_)), "{text}");
                assert_eq!(budget.available(start, &quota), left, "{text}");
            }
            let interval = quota.interval_nanos().get();
            assert_eq!(budget.take(start, &quota, 1), Ruling::Wait(interval), "{text}");
            assert_eq!(budget.take(start + interval - 1, &quota, 1), Ruling::Wait(1), "{text}");
            assert!(matches!(budget.take(start + interval, &quota, 1), Ruling::Fits(_)), "{text}");
            assert_eq!(budget.take(start + interval, &quota, 1), Ruling::Wait(interval), "{text}");
        }
    }

    #[test]
    fn l1_what_is_more_than_the_burst_never_fits() {
        let quota = quota("5/s");
        assert_eq!(rule(0, 0, &quota, 6), Ruling::Never);
        assert!(matches!(rule(0, 0, &quota, 5), Ruling::Fits(_)));
    }

    #[test]
    fn a_changed_burst_acts_at_once() {
        let (small, large, mut budget) = (quota("10/s burst 5"), quota("10/s burst 10"), Budget(0));
        budget.take(0, &small, 5);
        assert!(matches!(budget.take(0, &small, 1), Ruling::Wait(_)));
        assert_eq!(budget.available(0, &large), 5);
        budget.take(0, &large, 5);
        // five were spent beyond the small burst: half a second until it counts as empty, one interval for the next
        assert_eq!(budget.take(0, &small, 1), Ruling::Wait(600_000_000));
        assert_eq!(budget.available(0, &small), 0);
    }

    #[test]
    fn l25_a_clock_that_goes_back_frees_nothing_and_blocks_no_longer_than_it_went_back() {
        let (quota, mut budget) = (quota("5/s"), Budget(0));
        budget.take(100 * SECOND, &quota, 5);
        let before = budget.0;
        assert_eq!(budget.take(90 * SECOND, &quota, 1), Ruling::Wait(10 * SECOND + SECOND / 5));
        assert_eq!(budget.0, before);
        assert_eq!(budget.available(101 * SECOND, &quota), 5);
    }

    #[test]
    fn what_was_used_is_owed_but_never_more_than_two_refills() {
        let quota = quota("5/s");
        let mut full_at = 0;
        for _ in 0..6 {
            full_at = debit(full_at, 0, &quota, 1);
        }
        assert_eq!(full_at, 6 * SECOND / 5);
        assert_eq!(debit(full_at, 0, &quota, u32::MAX), 2 * SECOND);
        assert_eq!(debit(9 * SECOND, 0, &quota, 1), 9 * SECOND);
    }

    /// The bucket as it is explained to people, exact: its level in units of `1 / count` nanoseconds.
    struct Bucket {
        level: u128,
        at: u64,
    }

    impl Bucket {
        fn full(quota: &Rate) -> Self {
            Self { level: u128::from(quota.burst()) * quota.per().as_nanos(), at: 0 }
        }

        fn take(&mut self, now: u64, quota: &Rate, units: u32) -> bool {
            let most = u128::from(quota.burst()) * quota.per().as_nanos();
            self.level = most.min(self.level + u128::from(now - self.at) * u128::from(quota.count()));
            self.at = now;
            let price = u128::from(units) * quota.per().as_nanos();
            let fits = price <= self.level;
            self.level -= if fits { price } else { 0 };
            fits
        }
    }

    fn any_quota(whole_intervals: bool) -> impl Strategy<Value = Rate> {
        (1_u32..40, 1_u64..5_000, 1_u32..60).prop_map(move |(count, interval, burst)| {
            let per = if whole_intervals { interval * 1_000 * u64::from(count) } else { interval * 1_000 * 40 + 1 };
            let burst = Burst::Count(burst.try_into().unwrap());
            Rate::new(count, Duration::from_nanos(per)).unwrap().with_burst(burst).unwrap()
        })
    }

    /// Steps of time and units.
    fn any_requests() -> impl Strategy<Value = Vec<(u64, u32)>> {
        let step = prop_oneof![Just(0), 1_u64..10_000, 1_u64..3_000_000, 1_u64..500_000_000];
        prop::collection::vec((step, 1_u32..6), 1..200)
    }

    proptest! {
        #[test]
        fn it_admits_what_an_exact_token_bucket_admits(quota in any_quota(true), requests in any_requests()) {
            let (mut budget, mut bucket, mut now) = (Budget(0), Bucket::full(&quota), 0);
            for (step, units) in requests {
                now += step;
                let fits = matches!(budget.take(now, &quota, units), Ruling::Fits(_));
                prop_assert_eq!(fits, bucket.take(now, &quota, units));
                let level = bucket.level / quota.per().as_nanos();
                prop_assert_eq!(u128::from(budget.available(now, &quota)), level);
            }
        }

        #[test]
        fn l18_no_window_admits_more_than_the_rate_and_one_burst(
            quota in any_quota(false), requests in any_requests()
        ) {
            let (mut budget, mut now, mut admitted) = (Budget(0), 0_u64, Vec::new());
            for (step, units) in requests {
                now += step;
                if let Ruling::Fits(_) = budget.take(now, &quota, units) {
                    admitted.push((now, u64::from(units)));
                }
            }
            for (first, (from, _)) in admitted.iter().enumerate() {
                let mut sum = 0;
                for (to, units) in &admitted[first..] {
                    sum += units;
                    let refilled = u128::from(to - from) * u128::from(quota.count()) / quota.per().as_nanos();
                    prop_assert!(u128::from(sum) <= refilled + u128::from(quota.burst()));
                }
            }
        }

        #[test]
        fn a_wait_is_exactly_long_enough(quota in any_quota(false), requests in any_requests()) {
            let (mut budget, mut now) = (Budget(0), 0);
            for (step, units) in requests {
                now += step;
                if let Ruling::Wait(wait) = budget.take(now, &quota, units) {
                    prop_assert!(matches!(rule(budget.0, now + wait, &quota, units), Ruling::Fits(_)));
                    prop_assert_eq!(rule(budget.0, now + wait - 1, &quota, units), Ruling::Wait(1));
                }
            }
        }
    }
}
