//! The store of limits in memory against the promises of every such store, and against a plain model.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use auth_core::limit::{Balance, Charge, Charges, Facts, MAX_CHARGES, Network, Scope, Spending, Verdict};
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

/// Levels of token buckets by the names of the budgets, in nanoseconds of refill that are still missing.
#[derive(Default)]
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
    fn missing(&self, name: &str, now: u64) -> u128 {
        let (missing, since) = self.missing.get(name).copied().unwrap_or_default();
        missing.saturating_sub(u128::from(now - since))
    }

    fn handle(&mut self, operation: Operation, charges: &Charges<'_>, now: u64) -> Vec<(bool, Duration)> {
        let before = self.missing.clone();
        let mut told = Vec::new();
        for charge in charges.iter() {
            let name = charge.budget(charges.facts()).to_string();
            let missing = self.missing(&name, now);
            let price = u128::from(charge.units) * charge.quota.interval().as_nanos();
            let refill = charge.quota.refill().as_nanos();
            let fits = charge.units <= charge.quota.burst() && missing + price <= refill;
            let after = match operation {
                Operation::Spend if fits => missing + price,
                Operation::Debit => (missing + price).min(refill * 2).max(missing),
                Operation::Spend | Operation::Look => missing,
            };
            told.push((fits, Duration::from_nanos(u64::try_from(after).unwrap())));
            self.missing.insert(name, (after, now));
        }
        if matches!(operation, Operation::Spend) && told.iter().any(|(fits, _)| !fits) {
            self.missing = before;
            for (told, charge) in told.iter_mut().zip(charges.iter()) {
                let missing = self.missing(&charge.budget(charges.facts()).to_string(), now);
                told.1 = Duration::from_nanos(u64::try_from(missing).unwrap());
            }
        }
        told
    }
}

const NAMES: [&str; 3] = ["a", "b", "a:b"];
const QUOTAS: [&str; 6] = ["3/s", "3/s burst 5", "2/10ms", "7/m", "2/h burst 4", "1/d burst 3"];

/// A limit, a scope, a quota and units.
type Asked = (usize, u8, usize, u32);

fn any_charges() -> impl Strategy<Value = Vec<Asked>> {
    prop::collection::vec((0..NAMES.len(), 0..5_u8, 0..QUOTAS.len(), 0..4_u32), 1..=MAX_CHARGES)
}

fn charge((policy, scope, quota, units): Asked) -> Charge<'static> {
    let scope = [
        Scope::PRINCIPAL,
        Scope::TENANT,
        Scope::TENANT | Scope::ROUTE,
        Scope::NETWORK | Scope::PRINCIPAL,
        Scope::EVERYBODY,
    ][usize::from(scope)];
    Charge { policy: NAMES[policy], scope, quota: QUOTAS[quota].parse().unwrap(), units }
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
            let asked: Vec<_> = asked.into_iter().map(charge).collect();
            let charges = Charges::new(facts(of), &asked).unwrap();
            let now = Now { wall: Timestamp::from_unix_seconds(0), monotonic: Monotonic::from_nanos(nanos) };
            let outcome = |told: &Spending| {
                let one = |balance: &Balance| (balance.verdict() == Verdict::Fits, balance.until_full());
                told.iter().map(one).collect::<Vec<_>>()
            };
            for asked in &asked {
                let one = [*asked];
                let alone = Charges::new(facts(of), &one).unwrap();
                let looked = done(store.look(&alone, now));
                prop_assert_eq!(outcome(&looked), model.handle(Operation::Look, &alone, nanos));
            }
            let told = done(match operation {
                Operation::Spend | Operation::Look => store.spend(&charges, now),
                Operation::Debit => store.debit(&charges, now),
            });
            prop_assert_eq!(outcome(&told), model.handle(operation, &charges, nanos));
        }
    }
}
