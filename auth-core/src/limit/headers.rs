//! What clients are told about their budgets: the values of header fields, as text.
//!
//! Two families exist. `X-RateLimit-Limit`, `-Remaining` and `-Reset` are custom and show one budget; every client
//! knows them. `RateLimit-Policy` and `RateLimit` are the IETF's (draft-ietf-httpapi-ratelimit-headers-11) and show
//! all of them. The draft's optional partition key is left out: it would tell one caller's budget from another's, which
//! the caller knows without it.

use std::time::Duration;

use super::{Balance, Spending, Terms, Verdict};
use crate::clock::Now;
use crate::rejection::RetryAfter;

/// Which header fields tell clients about their budgets. The default is both families, with the reset as an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitHeaders {
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, and how the reset is written; `None` leaves them out.
    pub custom: Option<ResetStyle>,
    /// `RateLimit-Policy` and `RateLimit`.
    pub standard: StandardHeaders,
}

/// How `X-RateLimit-Reset` says when the budget is full again. Both forms are in use, and no client can tell them apart
/// but by size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetStyle {
    /// Seconds since the Unix epoch.
    Epoch,
    /// Seconds from now.
    Delta,
}

/// Whether the fields of the IETF draft are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardHeaders {
    /// They are.
    Sent,
    /// They are not.
    Omitted,
}

impl Default for LimitHeaders {
    fn default() -> Self {
        Self { custom: Some(ResetStyle::Epoch), standard: StandardHeaders::Sent }
    }
}

impl LimitHeaders {
    /// No field tells anything.
    pub const NONE: Self = Self { custom: None, standard: StandardHeaders::Omitted };

    /// Appends the value of each field to `text`, and calls `end` with the field's name, in lower case, and the length
    /// that the text has then.
    ///
    /// For every answer that a caller with these terms gets, the refusals among them. They are not sent in trailers
    /// (sections 3.1 and 4.1 of the draft).
    pub fn write(
        self,
        terms: &Terms,
        spending: &Spending,
        now: Now,
        text: &mut String,
        mut end: impl FnMut(&'static str, usize),
    ) {
        let mut number = itoa::Buffer::new();
        if let Some(style) = self.custom
            && let Some((_, scarcest)) = spending.scarcest()
        {
            text.push_str(number.format(scarcest.quota().count()));
            end("x-ratelimit-limit", text.len());
            text.push_str(number.format(told_remaining(scarcest)));
            end("x-ratelimit-remaining", text.len());
            text.push_str(number.format(reset(scarcest, style, now)));
            end("x-ratelimit-reset", text.len());
        }
        // A list without a member has no field (RFC 9651 section 3.1).
        if self.standard == StandardHeaders::Sent && !spending.is_empty() {
            text.push_str(terms.policy_header());
            end("ratelimit-policy", text.len());
            // `"name";r=98;t=72` for each limit
            for (member, balance) in terms.members().zip(spending.iter()) {
                text.push_str(member);
                text.push_str(number.format(told_remaining(balance)));
                text.push_str(";t=");
                text.push_str(number.format(effective_window(balance)));
            }
            end("ratelimit", text.len());
        }
    }
}

impl Spending {
    /// What `Retry-After` says of a refusal; `None` where the request fitted, and where no waiting helps.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self.verdict() {
            Verdict::Wait(wait) => Some(RetryAfter(wait)),
            Verdict::Fits | Verdict::Never => None,
        }
    }
}

/// No more than the count, so that nobody is invited to use up a larger burst (section 8.5 of the draft), and that what
/// remains is never more than the limit beside it.
fn told_remaining(balance: &Balance) -> u32 {
    balance.remaining().min(balance.quota().count())
}

/// When the budget is full again, rounded up to whole seconds; for an allowance, when its period ends.
fn reset(balance: &Balance, style: ResetStyle, now: Now) -> u64 {
    match style {
        ResetStyle::Delta => seconds(balance.until_full()),
        ResetStyle::Epoch => {
            let instant = balance.resets(now.wall).unix_micros();
            u64::try_from(instant).unwrap_or_default().div_ceil(1_000_000)
        }
    }
}

/// The time within which no more than what is left may be used (section 4.1.2 of the draft).
///
/// For a limit that refused it is the wait, which `Retry-After` never undercuts (section 6); for one with nothing left,
/// the time until the next unit; else the time until it is full again, and the whole window where it is full. For an
/// allowance all of these are the time to the end of its period.
fn effective_window(balance: &Balance) -> u64 {
    if let Verdict::Wait(wait) = balance.verdict() {
        return seconds(wait).max(1);
    }
    if balance.remaining() == 0 {
        return seconds(balance.until_one()).max(1);
    }
    match seconds(balance.until_full()) {
        0 => balance.quota().window_seconds(),
        until_full => until_full,
    }
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Monotonic, Timestamp};
    use crate::limit::{Factor, Limit, Quota, Rate, Scope};

    fn quota(text: &str) -> Quota {
        text.parse().unwrap()
    }

    fn rate(text: &str) -> Rate {
        let Quota::Rate(rate) = quota(text) else { panic!("{text} is no rate") };
        rate
    }

    fn terms(limits: &[(&'static str, &str)]) -> Terms {
        let limits: Vec<_> =
            limits.iter().map(|(name, text)| Limit::new(*name, quota(text), Scope::PRINCIPAL)).collect();
        Terms::new(&"plan".into(), &limits, Factor::ONE)
    }

    fn balance(text: &str, until_full: u64, verdict: Verdict) -> Balance {
        Balance::of_rate(rate(text), Duration::from_millis(until_full), verdict)
    }

    fn told(headers: LimitHeaders, terms: &Terms, spending: &Spending) -> Vec<String> {
        let wall = Timestamp::from_unix_micros(1_642_244_400_250_000);
        let (mut text, mut ends) = (String::new(), Vec::new());
        let now = Now { wall, monotonic: Monotonic::from_nanos(0) };
        headers.write(terms, spending, now, &mut text, |name, end| ends.push((name, end)));
        let begins = std::iter::once(0).chain(ends.iter().map(|(_, end)| *end));
        begins.zip(&ends).map(|(begin, (name, end))| format!("{name}: {}", &text[begin..*end])).collect()
    }

    fn wait(millis: u64) -> Verdict {
        Verdict::Wait(Duration::from_millis(millis))
    }

    #[test]
    fn l2_l3_l6_every_limit_is_listed_and_the_scarcest_is_shown() {
        let terms = terms(&[("second", "10/second"), ("hour", "100/hour"), ("odd", "5/250ms")]);
        let spending = Spending::new([
            balance("10/second", 150, Verdict::Fits),
            balance("100/hour", 97 * 36_000 - 500, Verdict::Fits),
            balance("5/250ms", 0, Verdict::Fits),
        ]);
        let policy = "ratelimit-policy: \"second\";q=10;w=1, \"hour\";q=100;w=3600, \"odd\";q=5;w=1";
        assert_eq!(
            told(LimitHeaders::default(), &terms, &spending),
            [
                "x-ratelimit-limit: 100",
                "x-ratelimit-remaining: 3",
                "x-ratelimit-reset: 1642247892", // 3491.5 s later, rounded up
                policy,
                "ratelimit: \"second\";r=8;t=1, \"hour\";r=3;t=3492, \"odd\";r=5;t=1",
            ]
        );
        let later = Spending::new([balance("10/second", 0, Verdict::Fits)]);
        assert_eq!(told(LimitHeaders::default(), &terms, &later)[3], policy);
    }

    #[test]
    fn each_family_can_be_switched_off() {
        let terms = terms(&[("hour", "100/hour")]);
        let spending = Spending::new([balance("100/hour", 36_000, Verdict::Fits)]);
        assert_eq!(told(LimitHeaders::NONE, &terms, &spending), [""; 0]);
        let custom = LimitHeaders { custom: Some(ResetStyle::Delta), ..LimitHeaders::NONE };
        assert_eq!(
            told(custom, &terms, &spending),
            ["x-ratelimit-limit: 100", "x-ratelimit-remaining: 99", "x-ratelimit-reset: 36"]
        );
        let standard = LimitHeaders { custom: None, ..LimitHeaders::default() };
        assert_eq!(told(standard, &terms, &spending).len(), 2);
        assert_eq!(told(LimitHeaders::default(), &terms, &Spending::new([])), [""; 0]);
    }

    #[test]
    fn l1_l4_a_refusal_is_never_told_to_come_back_too_early() {
        let terms = terms(&[("second", "10/second"), ("minute", "60/minute"), ("hour", "100/hour")]);
        let refused = Spending::new([
            balance("10/second", 1_000, wait(100)),
            balance("60/minute", 58_000, wait(2_300)), // two left, but the request needed more
            balance("100/hour", 36_000, Verdict::Fits),
        ]);
        assert_eq!(refused.retry_after().map(RetryAfter::seconds), Some(3));
        assert_eq!(terms.violated(&refused).collect::<Vec<_>>(), ["second", "minute"]);
        let headers = told(LimitHeaders::default(), &terms, &refused);
        assert_eq!(headers[1], "x-ratelimit-remaining: 0");
        assert_eq!(headers[4], "ratelimit: \"second\";r=0;t=1, \"minute\";r=2;t=3, \"hour\";r=99;t=36");
        let soon = Spending::new([balance("10/second", 1_000, wait(1))]);
        assert_eq!(soon.retry_after().map(RetryAfter::seconds), Some(1));
        for verdict in [Verdict::Never, Verdict::Fits] {
            assert_eq!(Spending::new([balance("10/second", 0, verdict)]).retry_after(), None);
        }
    }

    #[test]
    fn l5_a_larger_burst_is_not_advertised() {
        let terms = terms(&[("hour", "10/hour burst 20")]);
        let spending = Spending::new([balance("10/hour burst 20", 360_000, Verdict::Fits)]);
        let headers = told(LimitHeaders::default(), &terms, &spending);
        assert_eq!(headers[..2], ["x-ratelimit-limit: 10", "x-ratelimit-remaining: 10"]);
        assert_eq!(headers[4], "ratelimit: \"hour\";r=10;t=360");
    }

    #[test]
    fn an_empty_budget_tells_when_the_next_unit_comes() {
        let empty = balance("100/hour", 3_600_000 - 500, Verdict::Fits);
        assert_eq!((empty.remaining(), effective_window(&empty)), (0, 36));
    }

    #[test]
    fn an_allowance_tells_the_end_of_its_period_and_nothing_else() {
        let terms = terms(&[("hour", "1000/calendar hour"), ("month", "7/calendar month")]);
        let allowance = |text: &str, spent, until_end, verdict| {
            let Quota::Allowance(allowance) = quota(text) else { panic!("{text} is no allowance") };
            Balance::of_allowance(allowance, spent, Duration::from_millis(until_end), verdict)
        };
        // 2022-01-15T11:00:00.250Z
        let month = allowance("7/calendar month", 3, 1_429_199_750, Verdict::Fits);
        for (spent, verdict, left) in [(0, Verdict::Fits, 1_000), (999, Verdict::Fits, 1), (1_000, wait(3_599_750), 0)]
        {
            let spending = Spending::new([allowance("1000/calendar hour", spent, 3_599_750, verdict), month]);
            let headers = told(LimitHeaders::default(), &terms, &spending);
            assert_eq!(headers[3], "ratelimit-policy: \"hour\";q=1000;w=3600, \"month\";q=7;w=2678400");
            assert_eq!(headers[4], format!("ratelimit: \"hour\";r={left};t=3600, \"month\";r=4;t=1429200"));
            let (count, shown, reset) = if left < 4 { (1_000, left, 1_642_248_000) } else { (7, 4, 1_643_673_600) };
            let custom = [("limit", count), ("remaining", shown), ("reset", reset)];
            assert_eq!(headers[..3], custom.map(|(name, number)| format!("x-ratelimit-{name}: {number}")));
        }
    }

    #[test]
    fn the_end_of_a_period_is_told_to_the_second_whenever_it_is_told() {
        let Quota::Allowance(hourly) = quota("5/calendar hour") else { panic!() };
        let balance = Balance::of_allowance(hourly, 5, Duration::from_secs(1), Verdict::Fits);
        // asked a second before the end, told a little earlier or later
        for millis in [-1_400, -1_000, -999, 0, 700] {
            let now = Timestamp::from_unix_micros(1_642_248_000_000_000 + millis * 1_000);
            assert_eq!(balance.resets(now), Timestamp::from_unix_seconds(1_642_248_000), "{millis}");
        }
        let later = Spending::new([balance.judged(wait(1_000))]).later(Duration::from_secs(9));
        assert_eq!(later.retry_after().map(RetryAfter::seconds), Some(10));
        assert_eq!(later[0].until_full(), Duration::from_secs(1));
    }

    proptest! {
        /// Who uses all of `r` within `t` uses no more than the rate and one burst.
        #[test]
        fn l5_what_is_told_is_within_the_rate_and_one_burst(
            count in 1_u32..1_000, seconds in 1_u64..100_000, burst in 1_u32..2_000, spent in 0_u64..2_000
        ) {
            let quota = Rate::new(count, Duration::from_secs(seconds)).unwrap();
            let quota = quota.with_burst(crate::limit::Burst::Count(burst.try_into().unwrap())).unwrap();
            let until_full = quota.interval() * u32::try_from(spent.min(u64::from(burst))).unwrap();
            let balance = Balance::of_rate(quota, until_full, Verdict::Fits);
            let (r, t) = (u64::from(told_remaining(&balance)), effective_window(&balance));
            prop_assert!(t >= 1);
            prop_assert!(r <= t * u64::from(count) / seconds + u64::from(burst));
        }
    }
}
