//! What a check of a limit costs, beside `governor` in the same run: `cargo bench -p auth-core --bench limiter`.
//!
//! Both are asked for the same string keys in the same random order, with quotas that always fit, and both read the
//! clock once per check. Of many budgets hardly one is in a cache of the processor; the key that a check is asked for is,
//! as after reading it from a request: each lot of checks has its keys laid out before the clock runs. Both take turns;
//! printed are the medians of the rounds' times, which depend on the machine, and of the rounds' ratios.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

use std::fmt;
use std::hint::{self, black_box};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use auth_core::limit::{Charges, Facts, Limit, Quota, Scope, Spending, Verdict};
use auth_core::store::{LimitStore, MemoryLimitStore};
use auth_core::{Clock, Now, Outcome, SystemClock};
use governor::{DefaultKeyedRateLimiter, RateLimiter};

const ROUNDS: usize = 21;
const CHECKS: u32 = 100_000;
const LOT: usize = 64;

fn main() {
    println!("ns per check, median of {ROUNDS} rounds of {CHECKS} checks");
    let clock = || SystemClock.now().monotonic.nanos() > 0;
    let nobody = names(1);
    let rounds = (0..ROUNDS).map(|_| nanos(&nobody, &random_order(1), |_| clock())).collect();
    println!("the clock read, as each of our checks does: {:>6.1}", median(rounds));
    for count in [1, 1_000, 100_000, 1_000_000] {
        many_keys(count);
    }
    several_budgets(100_000);
    refused(100_000);
    hot_budget();
}

/// One budget for each of so many owners, asked for in a random order.
fn many_keys(count: usize) {
    let names = names(count);
    let (ours, theirs) = (Ours::new(count, plenty()), governor());
    let order = random_order(count);
    let spend = |name: &String| ours.check(name, 1);
    let check = |name: &String| theirs.check_key(name).is_ok();
    for name in &names {
        assert!(spend(name) && check(name));
    }
    let mut rounds = Rounds::default();
    let mut alone = Vec::new();
    for _ in 0..ROUNDS {
        // ours comes after a check of `governor`, and that after one of ours: neither finds what it left in the caches
        let (now, again) = (SystemClock.now(), || nanos(&names, &order, check));
        again();
        alone.push(nanos(&names, &order, |name| ours.check_at(name, 1, now)));
        let peer = again();
        rounds.add(nanos(&names, &order, spend), peer);
    }
    println!("{count:>9} string keys: {rounds}; at a time that was read before {:>6.1}", median(alone));
}

/// Three budgets of one owner in one step; `governor` has no such step.
fn several_budgets(count: usize) {
    let (names, ours, order) = (names(count), Ours::new(3 * count, plenty()), random_order(count));
    let spend = |name: &String| ours.check(name, 3);
    for name in &names {
        assert!(spend(name));
    }
    let rounds = (0..ROUNDS).map(|_| nanos(&names, &order, spend)).collect();
    println!("{count:>9} owners with three budgets in one step: {:>6.1}", median(rounds));
}

/// Budgets with nothing left.
fn refused(count: usize) {
    let (names, order) = (names(count), random_order(count));
    let ours = Ours::new(count, rarely());
    let theirs: DefaultKeyedRateLimiter<String> = RateLimiter::keyed(governor::Quota::per_hour(NonZeroU32::MIN));
    let spend = |name: &String| ours.check(name, 1);
    let check = |name: &String| theirs.check_key(name).is_ok();
    for name in &names {
        assert!(spend(name) && check(name));
    }
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        rounds.add(nanos(&names, &order, |name| !spend(name)), nanos(&names, &order, |name| !check(name)));
    }
    println!("{count:>9} exhausted keys: {rounds}");
}

/// One budget that two threads spend from at once: time per operation and thread.
fn hot_budget() {
    let name = names(1).remove(0);
    let (ours, theirs) = (Ours::new(1, plenty()), governor());
    let own = |threads| at_once(threads, || ours.check(&name, 1));
    let peer = |threads| at_once(threads, || theirs.check_key(&name).is_ok());
    let (mut alone, mut together) = (Rounds::default(), Rounds::default());
    let (mut own_growth, mut peer_growth) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let [own, peer] = [[own(1), own(2)], [peer(1), peer(2)]];
        alone.add(own[0], peer[0]);
        together.add(own[1], peer[1]);
        own_growth.push(own[1] / own[0]);
        peer_growth.push(peer[1] / peer[0]);
    }
    println!("hot budget,  1 thread: {alone}");
    let [own, peer] = [own_growth, peer_growth].map(median);
    println!("hot budget, 2 threads: {together}; {own:.1} times as long as with one, governor {peer:.1}");
}

/// What both took in each round.
#[derive(Default)]
struct Rounds {
    own: Vec<f64>,
    peer: Vec<f64>,
    ratio: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, own: f64, peer: f64) {
        self.own.push(own);
        self.peer.push(peer);
        self.ratio.push(own / peer);
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [own, peer, ratio] = [&self.own, &self.peer, &self.ratio].map(|values| median(values.clone()));
        write!(f, "{own:>6.1}  governor {peer:>6.1}  ratio {ratio:.2}")
    }
}

/// The limiter under test, with the clock that a gate has.
struct Ours {
    store: MemoryLimitStore,
    /// What a plan holds: its limits are made once.
    limits: [Limit; 3],
}

impl Ours {
    /// Of the default capacity, or of a larger one where that many budgets need it.
    fn new(budgets: usize, quota: Quota) -> Self {
        let wanted = u32::try_from(budgets).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let capacity = wanted.max(MemoryLimitStore::DEFAULT_CAPACITY);
        let limit = |name| Limit::new(name, quota, Scope::TENANT);
        Self { store: MemoryLimitStore::with_capacity(capacity), limits: ["second", "hour", "day"].map(limit) }
    }

    /// With the clock read, as `governor` does; a gate reads it once for everything it decides.
    fn check(&self, name: &str, budgets: usize) -> bool {
        self.check_at(name, budgets, SystemClock.now())
    }

    fn check_at(&self, name: &str, budgets: usize, now: Now) -> bool {
        let (facts, charges) = (facts(name), self.limits.each_ref().map(|limit| limit.charge(1)));
        let Ok(charges) = Charges::new(&facts, charges.get(..budgets).unwrap_or_default()) else { return false };
        match &self.store.spend(&charges, now) {
            Outcome::Done(Ok(spending)) => Spending::verdict(black_box(spending)) == Verdict::Fits,
            _ => false,
        }
    }
}

/// One string names the owner of a budget, as with `governor`.
fn facts(name: &str) -> Facts<'_> {
    let mut facts = Facts::default();
    facts.tenant = Some(name);
    facts
}

/// A rate that these loops do not reach, and whose budgets stay in use.
fn plenty() -> Quota {
    "500000000/hour".parse().unwrap_or_else(|_| rarely())
}

fn rarely() -> Quota {
    let Ok(quota) = "1/hour".parse() else { std::process::abort() };
    quota
}

fn governor() -> DefaultKeyedRateLimiter<String> {
    let count = NonZeroU32::new(u32::MAX).unwrap_or(NonZeroU32::MIN);
    RateLimiter::keyed(governor::Quota::per_hour(count))
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("auth0|65f2c9a1b7d04e3f{number:08}")).collect()
}

/// The same for both, from a linear congruential generator.
fn random_order(count: usize) -> Vec<usize> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % count
    };
    (0..CHECKS).map(|_| next()).collect()
}

fn nanos(names: &[String], order: &[usize], check: impl Fn(&String) -> bool) -> f64 {
    let mut seconds = 0.0;
    for lot in order.chunks(LOT) {
        let laid_out: Vec<String> = lot.iter().map(|at| names[*at].clone()).collect();
        let start = Instant::now();
        for name in &laid_out {
            assert!(black_box(check(name)));
        }
        seconds += start.elapsed().as_secs_f64();
    }
    seconds * 1e9 / f64::from(CHECKS)
}

fn per_check(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS)
}

/// All threads are under way before the first clock runs, and until the last one stops: none is ever alone.
fn at_once(threads: usize, check: impl Fn() -> bool + Sync) -> f64 {
    let (under_way, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = || {
        under_way.fetch_add(1, Ordering::SeqCst);
        while under_way.load(Ordering::SeqCst) < threads {
            hint::spin_loop();
        }
        let start = Instant::now();
        let admitted = (0..CHECKS).filter(|_| black_box(check())).count();
        let each = per_check(start);
        done.fetch_add(1, Ordering::SeqCst);
        while done.load(Ordering::Relaxed) < threads {
            black_box(check());
        }
        assert_eq!(admitted, CHECKS as usize);
        each
    };
    let times: Vec<f64> = thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        spawned.into_iter().map(|thread| thread.join().unwrap_or(f64::NAN)).collect()
    });
    times.into_iter().fold(0.0, |most, time| if time > most || time.is_nan() { time } else { most })
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}
