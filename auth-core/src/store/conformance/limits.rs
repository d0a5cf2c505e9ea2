//! What a store of limits promises, by itself and under concurrency.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use crate::clock::Now;
use crate::error::ConfigError;
use crate::limit::{Charge, Charges, Facts, Limit, Network, Period, Rate, Scope, Spending, Verdict};
use crate::store::{Answer, LimitStore};

use super::{Kept, Violation, good, same};

/// How time passes for the store under test.
pub trait Time {
    /// What the store is told.
    fn now(&self) -> Now;

    /// Lets so much time pass, or a few milliseconds more: on the simulated clock, or by sleeping where the store
    /// keeps its own time.
    fn pass(&self, time: Duration);
}

/// Runs every check of a store of limits, each against a new and empty one.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use auth_core::store::{MemoryLimitStore, conformance};
/// use auth_core::{Clock, Now, SimulatedClock};
///
/// struct Simulated(SimulatedClock);
///
/// impl conformance::Time for Simulated {
///     fn now(&self) -> Now {
///         self.0.now()
///     }
///
///     fn pass(&self, time: Duration) {
///         self.0.advance(time);
///     }
/// }
///
/// let time = Simulated(SimulatedClock::at_unix_seconds(1_700_000_000));
/// conformance::check_limits(|| Arc::new(MemoryLimitStore::new()), &time)?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_limits(mut empty_store: impl FnMut() -> Arc<dyn LimitStore>, time: &dyn Time) -> Result<(), Violation> {
    for one in ALL {
        one(&Tried { store: &*empty_store(), time })?;
    }
    Ok(())
}

const ALL: &[fn(&Tried<'_>) -> Kept] = &[
    the_burst_passes_and_no_more,
    what_is_spent_comes_back,
    a_refused_request_takes_from_no_budget,
    looking_takes_nothing,
    what_was_used_is_owed,
    more_than_the_burst_never_fits,
    one_budget_charged_twice_is_charged_twice,
    budgets_of_different_owners_are_different,
    bursts_share_a_budget,
    l16_parallel_requests_admit_exactly_the_quota,
    an_allowance_is_there_at_once_and_then_not_before_its_period_ends,
    allowances_of_one_period_share_a_budget,
    rates_and_allowances_are_spent_together,
];

/// The store under test.
struct Tried<'a> {
    store: &'a dyn LimitStore,
    time: &'a dyn Time,
}

type Operation = fn(&dyn LimitStore, &Charges<'_>, Now) -> Answer<Spending>;

const SPEND: Operation = |store, charges, now| store.spend(charges, now);
const LOOK: Operation = |store, charges, now| store.look(charges, now);
const DEBIT: Operation = |store, charges, now| store.debit(charges, now);

impl Tried<'_> {
    fn ask(&self, promise: &'static str, operation: Operation, charges: &[Charge<'_>]) -> Result<Spending, Violation> {
        self.ask_for(promise, operation, &alice(), charges)
    }

    fn ask_for(
        &self,
        promise: &'static str,
        operation: Operation,
        facts: &Facts<'_>,
        charges: &[Charge<'_>],
    ) -> Result<Spending, Violation> {
        let charges = Charges::new(facts, charges).map_err(|error| slip(promise, &error))?;
        let told = good(promise, operation(self.store, &charges, self.time.now()))?;
        same("there is a balance for each charge", &told.len(), &charges.len())?;
        Ok(told)
    }
}

fn slip(promise: &'static str, error: &ConfigError) -> Violation {
    Violation { promise, instead: error.to_string() }
}

fn alice() -> Facts<'static> {
    Facts { principal: Some(("issuer", "alice")), tenant: Some("acme"), ..Facts::default() }
}

fn limit(promise: &'static str, name: &'static str, quota: &str) -> Result<Limit, Violation> {
    let quota = quota.parse().map_err(|error| slip(promise, &error))?;
    Ok(Limit::new(name, quota, Scope::PRINCIPAL))
}

fn fits(told: &Spending) -> bool {
    told.verdict() == Verdict::Fits
}

fn left(told: &Spending) -> Vec<u32> {
    told.iter().map(crate::limit::Balance::remaining).collect()
}

fn the_burst_passes_and_no_more(tried: &Tried<'_>) -> Kept {
    let promise = "the burst of a new budget passes at once, and then nothing until an interval is over";
    let rate = Rate::new(2, Duration::from_hours(1)).and_then(|rate| rate.with_burst("3".parse()?));
    let rate = rate.map_err(|error| slip(promise, &error))?;
    let hourly = limit(promise, "hourly", &rate.to_string())?;
    let hourly = hourly.charge(1);
    for remaining in [2, 1, 0] {
        let told = tried.ask(promise, SPEND, &[hourly])?;
        same(promise, &(fits(&told), left(&told)), &(true, vec![remaining]))?;
    }
    for _ in 0..3 {
        let told = tried.ask(promise, SPEND, &[hourly])?;
        same(promise, &(fits(&told), left(&told)), &(false, vec![0]))?;
        let (Verdict::Wait(wait), Some(balance)) = (told.verdict(), told.first()) else {
            return same(promise, &told.verdict(), &Verdict::Wait(rate.interval()));
        };
        let about = |time: Duration, expected: Duration| time <= expected && time + Duration::from_mins(1) > expected;
        same(promise, &about(wait, rate.interval()), &true)?;
        same(promise, &about(balance.until_full(), rate.refill()), &true)?;
    }
    Ok(())
}

fn what_is_spent_comes_back(tried: &Tried<'_>) -> Kept {
    let promise = "after one interval one unit is back, and after a refill all of them but no more";
    let quick = limit(promise, "quick", "2/2s")?;
    let quick = quick.charge(1);
    tried.ask(promise, SPEND, &[Charge { units: 2, ..quick }])?;
    tried.time.pass(Duration::from_secs(1));
    for expected in [true, false] {
        same(promise, &fits(&tried.ask(promise, SPEND, &[quick])?), &expected)?;
    }
    tried.time.pass(Duration::from_secs(4));
    for expected in [true, true, false] {
        same(promise, &fits(&tried.ask(promise, SPEND, &[quick])?), &expected)?;
    }
    Ok(())
}

fn a_refused_request_takes_from_no_budget(tried: &Tried<'_>) -> Kept {
    let promise = "a request that one budget refuses takes from none, wherever that budget stands";
    let (scarce, plenty) = (limit(promise, "scarce", "1/hour")?, limit(promise, "plenty", "9/hour")?);
    let (scarce, plenty) = (scarce.charge(1), plenty.charge(1));
    let told = tried.ask(promise, SPEND, &[plenty, scarce])?;
    same(promise, &(fits(&told), left(&told)), &(true, vec![8, 0]))?;
    for charges in [[plenty, scarce], [scarce, plenty]] {
        let told = tried.ask(promise, SPEND, &charges)?;
        let place = charges.iter().position(|charge| charge.limit.name() == "scarce");
        same(promise, &told.exceeded().collect::<Vec<_>>(), &place.into_iter().collect())?;
    }
    let new = limit(promise, "new", "5/hour")?;
    let new = new.charge(1);
    same(promise, &fits(&tried.ask(promise, SPEND, &[new, scarce])?), &false)?;
    same(promise, &left(&tried.ask(promise, LOOK, &[plenty, scarce, new])?), &vec![8, 0, 5])
}

fn looking_takes_nothing(tried: &Tried<'_>) -> Kept {
    let promise = "looking says what spending would say, and takes nothing";
    let hourly = limit(promise, "hourly", "2/hour")?;
    let hourly = hourly.charge(1);
    for spent in 0..3 {
        for _ in 0..3 {
            let told = tried.ask(promise, LOOK, &[hourly])?;
            same(promise, &(fits(&told), left(&told)), &(spent < 2, vec![2 - spent.min(2)]))?;
        }
        let nothing = Charge { units: 0, ..hourly };
        same(promise, &fits(&tried.ask(promise, SPEND, &[nothing])?), &true)?;
        tried.ask(promise, SPEND, &[hourly])?;
    }
    Ok(())
}

fn what_was_used_is_owed(tried: &Tried<'_>) -> Kept {
    let promise = "what was used is owed, up to two refills";
    let quick = limit(promise, "quick", "1/s")?;
    let quick = quick.charge(1);
    for expected in [true, false, false, false] {
        same(promise, &fits(&tried.ask(promise, DEBIT, &[quick])?), &expected)?;
    }
    same(promise, &fits(&tried.ask(promise, LOOK, &[quick])?), &false)?;
    tried.time.pass(Duration::from_secs(1));
    same(promise, &left(&tried.ask(promise, LOOK, &[quick])?), &vec![0])?;
    tried.time.pass(Duration::from_secs(1));
    same(promise, &left(&tried.ask(promise, LOOK, &[quick])?), &vec![1])
}

fn more_than_the_burst_never_fits(tried: &Tried<'_>) -> Kept {
    let promise = "more than the burst never fits, and takes nothing";
    let (small, other) = (limit(promise, "small", "3/hour")?, limit(promise, "other", "5/hour")?);
    let (small, other) = (small.charge(1), other.charge(1));
    let told = tried.ask(promise, SPEND, &[other, Charge { units: 4, ..small }])?;
    same(promise, &told.verdict(), &Verdict::Never)?;
    same(promise, &left(&tried.ask(promise, LOOK, &[other, small])?), &vec![5, 3])
}

fn one_budget_charged_twice_is_charged_twice(tried: &Tried<'_>) -> Kept {
    let promise = "one budget that is charged twice by one request is charged for both or not at all";
    let hourly = limit(promise, "hourly", "3/hour")?;
    let hourly = hourly.charge(1);
    let told = tried.ask(promise, SPEND, &[hourly, hourly])?;
    same(promise, &(fits(&told), left(&told)), &(true, vec![2, 1]))?;
    let told = tried.ask(promise, SPEND, &[hourly, hourly])?;
    same(promise, &(told.exceeded().collect(), left(&told)), &(vec![1], vec![1, 1]))?;
    same(promise, &left(&tried.ask(promise, LOOK, &[hourly])?), &vec![1])
}

fn budgets_of_different_owners_are_different(tried: &Tried<'_>) -> Kept {
    let promise = "budgets are told apart by limit, rate and owner";
    let hourly = limit(promise, "hourly", "1/hour")?;
    let (other, daily) = (limit(promise, "other", "1/hour")?, limit(promise, "hourly", "1/day")?);
    let by = |scope| Limit::new("hourly", *hourly.quota(), scope);
    let [tenant, both] = [Scope::TENANT, Scope::TENANT | Scope::PRINCIPAL].map(by);
    let [network, everybody] = [Scope::NETWORK, Scope::EVERYBODY].map(by);
    let bob = Facts { principal: Some(("issuer", "bob")), ..alice() };
    let namesake = Facts { principal: Some(("other issuer", "alice")), ..alice() };
    let elsewhere = Facts { network: Some(Network::of([192, 0, 2, 7].into())), ..alice() };
    for (facts, one) in [
        (alice(), &hourly),
        (alice(), &other),
        (alice(), &daily),
        (alice(), &tenant),
        (alice(), &both),
        (alice(), &network),
        (alice(), &everybody),
        (bob, &hourly),
        (namesake, &hourly),
        (elsewhere, &network),
    ] {
        for expected in [true, false] {
            same(promise, &fits(&tried.ask_for(promise, SPEND, &facts, &[one.charge(1)])?), &expected)?;
        }
    }
    for (facts, one) in [(bob, &tenant), (elsewhere, &hourly), (bob, &everybody)] {
        same(promise, &fits(&tried.ask_for(promise, SPEND, &facts, &[one.charge(1)])?), &false)?;
    }
    Ok(())
}

fn bursts_share_a_budget(tried: &Tried<'_>) -> Kept {
    let promise = "quotas of one rate share a budget whatever their bursts, and the smaller gives nothing back";
    let (small, large) = (limit(promise, "hourly", "2/hour")?, limit(promise, "hourly", "2/hour burst 4")?);
    let (small, large) = (small.charge(1), large.charge(1));
    tried.ask(promise, SPEND, &[Charge { units: 4, ..large }])?;
    same(promise, &left(&tried.ask(promise, SPEND, &[small])?), &vec![0])?;
    same(promise, &left(&tried.ask(promise, LOOK, &[large])?), &vec![0])
}

fn an_allowance_is_there_at_once_and_then_not_before_its_period_ends(tried: &Tried<'_>) -> Kept {
    let promise = "an allowance may be used at once, and then nothing passes until its period ends";
    let monthly = limit(promise, "monthly", "3/calendar month")?;
    let monthly = monthly.charge(1);
    for remaining in [2, 1, 0] {
        let told = tried.ask(promise, SPEND, &[monthly])?;
        same(promise, &(fits(&told), left(&told)), &(true, vec![remaining]))?;
    }
    let told = tried.ask(promise, SPEND, &[monthly])?;
    let now = tried.time.now().wall;
    let ends = told.first().map(|balance| balance.resets(now));
    same(promise, &(told.retry_after().is_some(), ends), &(true, Some(Period::Month.end_after(now))))?;
    let more = tried.ask(promise, SPEND, &[Charge { units: 4, ..monthly }])?;
    same("more than an allowance never fits", &more.verdict(), &Verdict::Never)
}

fn allowances_of_one_period_share_a_budget(tried: &Tried<'_>) -> Kept {
    let promise = "what was spent of an allowance counts against every count of the same period, and of no other";
    let of = |quota: &str| limit(promise, "generations", quota);
    let (two, three, five) = (of("2/calendar month")?, of("3/calendar month")?, of("5/calendar month")?);
    let (nine, daily, evenly) = (of("9/calendar month")?, of("3/calendar day")?, of("3/day")?);
    tried.ask(promise, SPEND, &[three.charge(3)])?;
    let others = [&five, &two, &daily, &evenly].map(|limit| limit.charge(1));
    same(promise, &left(&tried.ask(promise, LOOK, &others)?), &vec![2, 0, 3, 3])?;
    same(promise, &left(&tried.ask(promise, DEBIT, &[five.charge(1)])?), &vec![1])?;
    same(promise, &fits(&tried.ask(promise, DEBIT, &[two.charge(1)])?), &false)?;
    same(promise, &left(&tried.ask(promise, LOOK, &[nine.charge(1)])?), &vec![5])
}

fn rates_and_allowances_are_spent_together(tried: &Tried<'_>) -> Kept {
    let promise = "a request that an allowance refuses takes from no rate, and the other way round";
    let (rate, allowance) = (limit(promise, "rate", "2/hour")?, limit(promise, "allowance", "3/calendar month")?);
    let (rate, allowance) = (rate.charge(1), allowance.charge(1));
    let scarce = limit(promise, "scarce", "1/calendar month")?;
    let scarce = scarce.charge(1);
    for expected in [true, false] {
        same(promise, &fits(&tried.ask(promise, SPEND, &[rate, allowance, scarce])?), &expected)?;
    }
    same(promise, &left(&tried.ask(promise, SPEND, &[allowance, rate])?), &vec![1, 0])?;
    same(promise, &fits(&tried.ask(promise, SPEND, &[allowance, rate])?), &false)?;
    same(promise, &left(&tried.ask(promise, LOOK, &[allowance])?), &vec![1])
}

/// How many threads ask at once, and how often each.
const THREADS: u32 = 8;
const EACH: u32 = 125;

fn l16_parallel_requests_admit_exactly_the_quota(tried: &Tried<'_>) -> Kept {
    let promise = "a thousand parallel requests against a quota of q admit exactly q, in each budget that they share";
    let (wide, narrow) = (limit(promise, "wide", "300/hour")?, limit(promise, "narrow", "200/hour")?);
    let (wide, narrow) = (wide.charge(1), narrow.charge(1));
    let (lonely, month) = (limit(promise, "lonely", "100/hour")?, limit(promise, "month", "300/calendar month")?);
    let (lonely, month) = (lonely.charge(1), month.charge(1));
    for (charges, quota) in [
        (vec![lonely], 100),
        (vec![wide, narrow], 200),
        (vec![narrow, wide], 0),
        (vec![wide, month], 100),
        (vec![month], 200),
    ] {
        let admitted = at_once(tried, promise, &charges)?;
        same(promise, &admitted, &quota)?;
    }
    same(promise, &left(&tried.ask(promise, LOOK, &[wide, narrow, lonely, month])?), &vec![0, 0, 0, 0])
}

fn at_once(tried: &Tried<'_>, promise: &'static str, charges: &[Charge<'_>]) -> Result<u32, Violation> {
    let alice = alice();
    let charges = Charges::new(&alice, charges).map_err(|error| slip(promise, &error))?;
    let (start, now, store) = (Barrier::new(THREADS as usize), tried.time.now(), tried.store);
    let ask = || {
        start.wait();
        let admitted = (0..EACH).map(|_| good(promise, store.spend(&charges, now)).map(|told| u32::from(fits(&told))));
        admitted.sum::<Result<u32, Violation>>()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    })
}
