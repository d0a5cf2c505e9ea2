//! - `bounds`: memory, floods and idle budgets
//! - `periods`: allowances of the calendar
//! - `races`: what holds when many do the same at once

mod bounds;
mod periods;
mod races;

use std::num::NonZeroU32;

use crate::clock::{Monotonic, Now, Timestamp};
use crate::limit::{Charge, Charges, Facts, Limit, Network, Scope, Spending, Verdict};
use crate::outcome::Outcome;
use crate::store::{Answer, LimitStore, MemoryLimitStore};

pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn at(nanos: u64) -> Now {
    Now { wall: Timestamp::from_unix_seconds(0), monotonic: Monotonic::from_nanos(nanos) }
}

pub(super) fn store(capacity: u32) -> MemoryLimitStore {
    MemoryLimitStore::with_capacity(NonZeroU32::new(capacity).unwrap())
}

/// Of a limit that lives as long as the tests, so that charges can be passed around.
pub(super) fn charge(name: &str, quota: &str) -> Charge<'static> {
    Box::leak(Box::new(limit(name, quota))).charge(1)
}

pub(super) fn limit(name: &str, quota: &str) -> Limit {
    Limit::new(name, quota.parse().unwrap(), Scope::PRINCIPAL)
}

pub(super) fn subject(name: &str) -> Facts<'_> {
    Facts { principal: Some(("issuer", name)), ..Facts::default() }
}

fn network(address: [u8; 4]) -> Network {
    Network::of(address.into())
}

fn done(answer: Answer<Spending>) -> Spending {
    match answer {
        Outcome::Done(spending) => spending.unwrap(),
        Outcome::Wait(_) => panic!("the store in memory answers at once"),
    }
}

fn spend(store: &MemoryLimitStore, facts: Facts<'_>, charges: &[Charge<'_>], now: u64) -> Spending {
    done(store.spend(&Charges::new(&facts, charges).unwrap(), at(now)))
}

fn fits(spending: &Spending) -> bool {
    spending.verdict() == Verdict::Fits
}
