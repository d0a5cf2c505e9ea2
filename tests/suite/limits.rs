//! The store of limits in memory against the promises of every such store, and against a plain model.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use auth_core::limit::{Charge, Charges, Facts, Limit, MAX_CHARGES, Network, Quota, Scope, Spending, Verdict};
use auth_core::store::{Answer, LimitStore, MemoryLimitStore, conformance};
use auth_core::{Clock, Monotonic, Now, Outcome, SimulatedClock, Timestamp};
use proptest::prelude::*;

struct Simulated(SimulatedClock);

impl conformance::Time for Simulated {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn pass(&self, time: Duration) {
        self.0.advance(time);
    }
}

#[test]
fn the_store_in_memory_keeps_the_promises_of_a_store_of_limits() {
    let time = Simulated(SimulatedClock::at_unix_seconds(1_700_000_000));
    conformance::check_limits(|| Arc::new(MemoryLimitStore::new()), &time).unwrap();
}

/// Levels of budgets by their names: of token buckets in nanoseconds of refill that are still missing, of allowances in
/// units; and since when.
#[derive(Clone, Default)]
struct Model {
    missing: HashMap<String, (u128, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Spend,
    Look,
    Debit,
}

impl Model {
    fn missing(&self, charge: &Charge<'_>, facts: &Facts<'_>, now: u64) -> u128 {
        let (missing, since) = self.missing.get(&charge.limit.budget(facts).to_string()).copied().unwrap_or_default();
        match *charge.limit.quota() {
            Quota::Rate(_) => missing.saturating_sub(u128::from(now - since)),
            Quota::Allowance(allowance) if allowance.period().end_after(at(since).wall) > at(now).wall => missing,
            Quota::Allowance(_) => 0,
        }
    }

    fn handle(&mut self, operation: Operation, charges: &Charges<'_>, now: u64) -> Vec<(bool, u128)> {
        let before = self.missing.clone();
        let mut told = Vec::new();
        for charge in charges.iter() {
            let missing = self.missing(&charge, charges.facts(), now);
            let (price, most) = match *charge.limit.quota() {
                Quota::Rate(rate) => (u128::from(charge.units) * rate.interval().as_nanos(), rate.refill().as_nanos()),
                Quota::Allowance(allowance) => (charge.units.into(), allowance.count().into()),
            };
            // what asks for nothing fits even where a larger quota of the same budget was spent further
            let is_allowed = matches!(charge.limit.quota(), Quota::Allowance(_)) && charge.units == 0;
            let fits = charge.units <= charge.limit.quota().burst() && missing + price <= most || is_allowed;
            let after = match operation {
                Operation::Spend if fits => missing + price,
                Operation::Debit => (missing + price).min(most * 2).max(missing),
                Operation::Spend | Operation::Look => missing,
            };
            told.push((fits, after));
            self.missing.insert(charge.limit.budget(charges.facts()).to_string(), (after, now));
        }
        if matches!(operation, Operation::Spend) && told.iter().any(|(fits, _)| !fits) {
            self.missing = before;
            for (told, charge) in told.iter_mut().zip(charges.iter()) {
                told.1 = self.missing(&charge, charges.facts(), now);
            }
        }
        told
    }
}

/// Half an hour before a new year, as the model and the store are told.
fn at(nanos: u64) -> Now {
    let wall = Timestamp::from_unix_seconds(1_704_065_400).saturating_add(Duration::from_nanos(nanos));
    Now { wall, monotonic: Monotonic::from_nanos(nanos) }
}

/// The same of what the store says; an allowance tells what remains instead.
fn outcome(told: &Spending, charges: &Charges<'_>, model: &[(bool, u128)]) -> bool {
    told.len() == model.len()
        && told.iter().zip(charges.iter()).zip(model).all(|((balance, charge), (fits, missing))| {
            let is_level = match *charge.limit.quota() {
                Quota::Rate(_) => balance.until_full().as_nanos() == *missing,
                Quota::Allowance(allowance) => {
                    u128::from(balance.remaining()) == u128::from(allowance.count()).saturating_sub(*missing)
                }
            };
            is_level && *fits == (balance.verdict() == Verdict::Fits)
        })
}

const NAMES: [&str; 3] = ["a", "b", "a:b"];
const QUOTAS: [&str; 10] = [
    "3/s",
    "3/s burst 5",
    "2/10ms",
    "7/m",
    "2/h burst 4",
    "1/d burst 3",
    "3/calendar hour",
    "5/calendar hour",
    "4/calendar day",
    "6/calendar month",
];

/// A limit, a scope, a quota and units.
type Asked = (usize, u8, usize, u32);

fn any_charges() -> impl Strategy<Value = Vec<Asked>> {
    prop::collection::vec((0..NAMES.len(), 0..5_u8, 0..QUOTAS.len(), 0..4_u32), 1..=MAX_CHARGES)
}

fn limit((name, scope, quota, _): Asked) -> Limit {
    let scope = [
        Scope::PRINCIPAL,
        Scope::TENANT,
        Scope::TENANT | Scope::ROUTE,
        Scope::NETWORK | Scope::PRINCIPAL,
        Scope::EVERYBODY,
    ][usize::from(scope)];
    Limit::new(NAMES[name], QUOTAS[quota].parse().unwrap(), scope)
}

fn facts((subject, tenant, network): (usize, Option<usize>, Option<u8>)) -> Facts<'static> {
    let mut facts = Facts::default();
    facts.principal = Some(("issuer", NAMES[subject]));
    facts.tenant = tenant.map(|tenant| NAMES[tenant]);
    facts.network = network.map(|last| Network::of([192, 0, 2, last].into()));
    facts
}

fn done(answer: Answer<Spending>) -> Spending {
    match answer {
        Outcome::Done(spending) => spending.unwrap(),
        Outcome::Wait(_) => panic!("the store in memory answers at once"),
    }
}

proptest! {
    /// L17 and L19: whatever is asked in whatever order, the store and the model say the same.
    #[test]
    fn l19_the_store_in_memory_says_what_a_plain_model_says(
        requests in prop::collection::vec((
            any_charges(),
            (0..3_usize, prop::option::of(0..2_usize), prop::option::of(0..2_u8)),
            prop_oneof![4 => Just(Operation::Spend), 1 => Just(Operation::Debit)],
            prop_oneof![Just(0), 1..1_000_000_u64, 1..10_000_000_000_u64, 1..10_000_000_000_000_u64],
        ), 1..60)
    ) {
        let (store, mut model, mut nanos) = (MemoryLimitStore::new(), Model::default(), 0);
        for (asked, of, operation, step) in requests {
            nanos += step;
            let limits: Vec<_> = asked.iter().copied().map(limit).collect();
            let asked: Vec<_> = limits.iter().zip(asked).map(|(limit, (.., units))| limit.charge(units)).collect();
            let facts = facts(of);
            let charges = Charges::new(&facts, &asked).unwrap();
            let now = at(nanos);
            for asked in &asked {
                let one = [*asked];
                let alone = Charges::new(&facts, &one).unwrap();
                let (looked, model) = (done(store.look(&alone, now)), model.handle(Operation::Look, &alone, nanos));
                prop_assert!(outcome(&looked, &alone, &model), "{:?} instead of {:?}", looked, model);
            }
            let told = done(match operation {
                Operation::Spend | Operation::Look => store.spend(&charges, now),
                Operation::Debit => store.debit(&charges, now),
            });
            let model = model.handle(operation, &charges, nanos);
            prop_assert!(outcome(&told, &charges, &model), "{:?} instead of {:?}", told, model);
        }
    }
}
