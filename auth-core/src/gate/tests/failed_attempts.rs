//! Failed attempts by address: who is refused before anything costly is done, and who never is.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::limits::{Remote, Way};
use super::*;
use crate::NetworkSet;
use crate::clock::Clock;
use crate::gate::{AttemptsUnderWay, Clients, FailedAttempts};
use crate::limit::Quota;
use crate::policy::optional;
use crate::store::{LimitStore, MemoryLimitStore};

/// Verifies `good…`, and knows `known…` and `typo…` without being asked to. Texts that begin with `slow-` are decided
/// once the test opens.
#[derive(Clone, Default)]
struct Costly(Arc<Counts>);

#[derive(Default)]
struct Counts {
    verified: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    is_open: AtomicBool,
}

impl Costly {
    fn verified(&self) -> usize {
        self.0.verified.load(Ordering::SeqCst)
    }

    fn open(&self) {
        self.0.is_open.store(true, Ordering::SeqCst);
    }
}

fn judged(text: &str) -> Verified {
    let fault = |fault| Err(Rejection::InvalidCredential(fault));
    match text.split_once('-') {
        Some(("good" | "known", subject)) => Ok(Arc::new(Identity::new(Method::Custom("costly"), "issuer", subject))),
        Some(("typo" | "garbled", _)) => fault(CredentialFault::Malformed),
        Some(("out", _)) => Err(Rejection::Unavailable(Outage::new("store"))),
        _ => fault(CredentialFault::Signature),
    }
}

impl Verifier for Costly {
    fn recognises(&self, text: &str) -> bool {
        !text.starts_with("foreign")
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        let counts = Arc::clone(&self.0);
        counts.verified.fetch_add(1, Ordering::SeqCst);
        let now = counts.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most_under_way.fetch_max(now, Ordering::SeqCst);
        let Some(slow) = text.strip_prefix("slow-") else {
            std::thread::yield_now();
            counts.under_way.fetch_sub(1, Ordering::SeqCst);
            return Outcome::Done(judged(text));
        };
        let verdict = judged(slow);
        Outcome::Wait(Box::pin(poll_fn(move |_| {
            if !counts.is_open.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
            counts.under_way.fetch_sub(1, Ordering::SeqCst);
            Poll::Ready(verdict.clone())
        })))
    }

    fn recall(&self, text: &str, _: Now) -> Option<Outcome<Verified>> {
        match text.split_once('-')?.0 {
            "known" | "typo" => Some(Outcome::Done(judged(text))),
            "panic" => panic!("as the test wants"),
            _ => None,
        }
    }
}

fn quota(text: &str) -> Quota {
    text.parse().unwrap()
}

struct Guarded {
    gate: Gate,
    costly: Costly,
    clock: Arc<SimulatedClock>,
}

struct Shared(Arc<SimulatedClock>);

impl Clock for Shared {
    fn now(&self) -> Now {
        self.0.now()
    }
}

fn guarded_over(
    store: impl LimitStore,
    failures: &str,
    more: impl FnOnce(FailedAttempts) -> FailedAttempts,
) -> Guarded {
    let (costly, clock) = (Costly::default(), Arc::new(SimulatedClock::at_unix_seconds(1_000)));
    let guard = more(FailedAttempts::new(quota(failures), Clients::Direct, Arc::new(store)));
    let gate = builder(&costly, guard).clock(Shared(Arc::clone(&clock))).build().unwrap();
    Guarded { gate, costly, clock }
}

fn builder(costly: &Costly, guard: FailedAttempts) -> GateBuilder {
    Gate::builder()
        .accept(Source::bearer(), costly.clone())
        .accept(Source::header("x-api-key"), costly.clone())
        .accept(Source::cookie("session"), costly.clone())
        .failed_attempts(guard)
        .policy(
            Policy::new()
                .any("/", authenticated())
                .any("/public", public())
                .any("/optional", optional())
                .any("/both", Rule::from(authenticated()).several_credentials()),
        )
}

fn guarded(failures: &str) -> Guarded {
    guarded_over(MemoryLimitStore::new(), failures, |guard| guard)
}

impl Guarded {
    fn begin(&self, from: Option<&str>, token: &str) -> Outcome<Decision> {
        let value = format!("Bearer {token}");
        let headers = [("authorization", value.as_str())];
        let peer = from.map(|address| address.parse().unwrap());
        let head = RequestHead { peer, ..RequestHead::new("GET", "/", &headers) };
        self.gate.decide(&head, self.gate.now())
    }

    fn status_from(&self, from: Option<&str>, token: &str) -> u16 {
        status(&finish(self.begin(from, token)))
    }

    fn status(&self, token: &str) -> u16 {
        self.status_from(Some("192.0.2.1"), token)
    }

    /// Spends the budget and the trickle.
    fn exhaust(&self) {
        while self.status("bad-guess") == 401 {}
    }
}

/// Requests under way at the same time, polled in turns.
struct Crowd(Vec<Option<Outcome<Decision>>>, Vec<u16>);

impl Crowd {
    fn of(guarded: &Guarded, count: usize, token: &str) -> Self {
        let mut crowd = Self((0..count).map(|_| Some(guarded.begin(Some("192.0.2.1"), token))).collect(), Vec::new());
        crowd.poll();
        crowd
    }

    /// Polls every one that was not answered yet, once.
    fn poll(&mut self) {
        let mut context = TaskContext::from_waker(Waker::noop());
        for slot in &mut self.0 {
            let decision = match slot.take() {
                Some(Outcome::Wait(mut pending)) => match pending.as_mut().poll(&mut context) {
                    Poll::Ready(decision) => decision,
                    Poll::Pending => {
                        *slot = Some(Outcome::Wait(pending));
                        continue;
                    }
                },
                Some(Outcome::Done(decision)) => decision,
                None => continue,
            };
            self.1.push(status(&decision));
        }
    }

    fn finish(mut self) -> BTreeMap<u16, usize> {
        for _ in 0..self.0.len() + 4 {
            self.poll();
        }
        assert!(self.0.iter().all(Option::is_none), "somebody waits for nobody");
        let mut counts = BTreeMap::new();
        self.1.into_iter().for_each(|status| *counts.entry(status).or_default() += 1);
        counts
    }
}

#[test]
fn l23_guesses_are_stopped_before_they_are_verified() {
    let guarded = guarded("5/minute");
    let statuses: Vec<u16> = (0..20).map(|_| guarded.status("bad-guess")).collect();
    assert_eq!(statuses, [vec![401; 6], vec![429; 14]].concat(), "five failures, and one of the trickle");
    assert_eq!(guarded.costly.verified(), 6);
    let Decision::Refuse(refusal) = finish(guarded.begin(Some("192.0.2.1"), "bad-guess")) else { panic!("admitted") };
    assert_eq!((refusal.rejection.cause(), refusal.rejection.code()), ("too_many_failures", "rate_limit_exceeded"));
    let field = |name| refusal.reply.field(name);
    assert_eq!((field("retry-after"), field("www-authenticate"), field("ratelimit")), (Some("1"), None, None));
    assert!(String::from_utf8_lossy(&refusal.reply.body).contains(r#""violated-policies":["failed-attempts"]"#));

    assert_eq!(guarded.status_from(Some("192.0.2.2"), "bad-guess"), 401, "another address");
    guarded.clock.advance(Duration::from_secs(1));
    assert_eq!([guarded.status("bad-guess"), guarded.status("bad-guess")], [401, 429], "one a second");
    guarded.clock.advance(Duration::from_secs(11));
    assert_eq!([(); 3].map(|()| guarded.status("bad-guess")), [401, 401, 429], "one more in twelve seconds");
}

#[test]
fn l23_whoever_is_known_passes_from_an_exhausted_address() {
    let guarded = guarded("2/hour");
    guarded.exhaust();
    let verified = guarded.costly.verified();
    for _ in 0..50 {
        assert_eq!(
            [guarded.status("known-bob"), guarded.status("typo-bob"), guarded.status("foreign")],
            [200, 401, 401]
        );
        assert_eq!(guarded.status("good-eve"), 429);
    }
    assert_eq!(guarded.costly.verified(), verified);
    guarded.clock.advance(Duration::from_secs(1));
    assert_eq!(guarded.status("good-eve"), 200, "a stranger gets in by the trickle");
}

#[test]
fn only_failures_are_counted() {
    let guarded = guarded("3/hour");
    for _ in 0..50 {
        assert_eq!([guarded.status("good-bob"), guarded.status("out-of-order")], [200, 503]);
        assert_eq!([guarded.status("typo-bob"), guarded.status("garbled-bob"), guarded.status("foreign")], [401; 3]);
    }
    assert_eq!([(); 5].map(|()| guarded.status("bad-guess")), [401, 401, 401, 401, 429]);
    let request = |path| status(&decide(&guarded.gate, path, &[("host", "example")]));
    assert_eq!([request("/"), request("/public"), request("/optional")], [401, 200, 200], "no credential, no attempt");
}

#[test]
fn addresses_of_one_ipv6_network_count_as_one_and_so_do_those_that_are_not_known() {
    let guarded = guarded("1/hour");
    let from = |address| guarded.status_from(address, "bad-guess");
    assert_eq!([from(Some("2001:db8::1")), from(Some("2001:db8::2")), from(Some("2001:db8::3"))], [401, 401, 429]);
    assert_eq!(from(Some("2001:db8:0:1::1")), 401);
    assert_eq!([from(None), from(None), from(None)], [401, 401, 429]);
}

#[test]
fn l16_of_a_thousand_guesses_at_once_no_more_than_the_budget_and_the_trickle_are_verified() {
    let guarded = guarded("5/hour");
    let crowd = Crowd::of(&guarded, 1_000, "slow-bad-guess");
    assert_eq!(guarded.costly.verified(), 5, "the others wait");
    guarded.costly.open();
    assert_eq!(crowd.finish(), BTreeMap::from([(401, 6), (429, 994)]));
    assert_eq!(guarded.costly.verified(), 6);
}

#[test]
fn l16_threads_that_guess_at_once_get_no_more() {
    let guarded = guarded("7/hour");
    let statuses = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    // a thread may find the room taken by the attempt of another, and then has to wait for it
                    let outcome = guarded.begin(Some("192.0.2.1"), "bad-guess");
                    let decision = wait_for(outcome);
                    *statuses.lock().unwrap().entry(status(&decision)).or_insert(0) += 1;
                }
            });
        }
    });
    assert_eq!(statuses.into_inner().unwrap(), BTreeMap::from([(401, 8), (429, 992)]));
    assert_eq!(guarded.costly.verified(), 8);
}

/// Waits as an executor would: parked until woken, so that a wake-up that gets lost is a test that hangs.
fn wait_for(outcome: Outcome<Decision>) -> Decision {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut resolved = pin!(outcome.resolve());
    loop {
        match resolved.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(decision) => return decision,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn good_callers_that_come_all_at_once_wait_for_each_other_and_pass() {
    let slow = guarded("5/hour");
    let crowd = Crowd::of(&slow, 1_000, "slow-good-bob");
    slow.costly.open();
    assert_eq!(crowd.finish(), BTreeMap::from([(200, 1_000)]));
    assert_eq!(slow.costly.0.most_under_way.load(Ordering::SeqCst), 5);

    let quick = guarded("1/hour");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert_eq!(status(&wait_for(quick.begin(Some("192.0.2.1"), "good-bob"))), 200);
                }
            });
        }
    });
}

#[test]
fn an_attempt_that_is_given_up_counts_and_lets_the_next_one_in() {
    let guarded = guarded("3/hour");
    let mut crowd = Crowd::of(&guarded, 6, "slow-good-bob");
    assert_eq!(guarded.costly.verified(), 3);
    drop(crowd.0.remove(4)); // waits
    drop(crowd.0.remove(0)); // is verified
    drop(crowd.0.remove(2)); // was called, and does not hear it
    guarded.costly.open();
    assert_eq!(crowd.finish(), BTreeMap::from([(200, 3)]));
    assert_eq!([(); 4].map(|()| guarded.status("bad-guess")), [401, 401, 401, 429], "two, and one of the trickle");
}

#[test]
fn attempts_under_way_count_on_when_the_gate_is_replaced() {
    let store: Arc<dyn LimitStore> = Arc::new(MemoryLimitStore::new());
    let guard = || FailedAttempts::new(quota("5/hour"), Clients::Direct, Arc::clone(&store));
    let (costly, clock) = (Costly::default(), Arc::new(SimulatedClock::at_unix_seconds(1_000)));
    let gate = builder(&costly, guard()).build().unwrap();
    let guarded = Guarded { gate, costly, clock };
    let before = Crowd::of(&guarded, 4, "slow-bad-guess");
    guarded.gate.replace(builder(&guarded.costly, guard())).unwrap();
    let after = Crowd::of(&guarded, 4, "slow-bad-guess");
    assert_eq!(guarded.costly.verified(), 5);
    guarded.costly.open();
    assert_eq!(before.finish(), BTreeMap::from([(401, 4)]));
    assert_eq!(after.finish(), BTreeMap::from([(401, 2), (429, 2)]));
}

#[test]
fn attempts_under_way_count_on_in_a_gate_that_is_built_anew() {
    let store: Arc<dyn LimitStore> = Arc::new(MemoryLimitStore::new());
    let (costly, clock) = (Costly::default(), Arc::new(SimulatedClock::at_unix_seconds(1_000)));
    let attempts = AttemptsUnderWay::default();
    let built = |quota_text| {
        let guard = FailedAttempts::new(quota(quota_text), Clients::Direct, Arc::clone(&store)).counted_in(&attempts);
        let gate = builder(&costly, guard).clock(Shared(Arc::clone(&clock))).build().unwrap();
        Guarded { gate, costly: costly.clone(), clock: Arc::clone(&clock) }
    };
    let before = Crowd::of(&built("5/hour"), 4, "slow-bad-guess");
    let after = Crowd::of(&built("5/hour burst 6"), 4, "slow-bad-guess");
    assert_eq!(costly.verified(), 6);
    costly.open();
    assert_eq!(before.finish(), BTreeMap::from([(401, 4)]));
    assert_eq!(after.finish(), BTreeMap::from([(401, 3), (429, 1)]), "one of the trickle");
}

#[test]
fn credentials_of_one_request_do_not_wait_for_each_other_for_ever() {
    let guarded = guarded("1/hour");
    let other = guarded.begin(Some("192.0.2.1"), "slow-good-eve");
    let headers = [("authorization", "Bearer slow-good-bob"), ("x-api-key", "slow-good-bob")];
    let peer = Some("192.0.2.1".parse().unwrap());
    let head = RequestHead { peer, ..RequestHead::new("GET", "/both", &headers) };
    let both = guarded.gate.decide(&head, guarded.gate.now());
    guarded.costly.open();
    let crowd = Crowd(vec![Some(both), Some(other)], Vec::new());
    assert_eq!(crowd.finish(), BTreeMap::from([(200, 2)]));
}

#[test]
fn a_verifier_that_panics_when_it_is_asked_whom_it_knows_refuses() {
    assert_eq!(guarded("5/hour").status("panic-now"), 503);
}

#[test]
fn l19_a_store_that_has_to_be_waited_for_counts_alike() {
    let slow = Remote { memory: MemoryLimitStore::new(), way: Way::Slow };
    let (near, far) = (guarded("3/hour"), guarded_over(slow, "3/hour", |guard| guard));
    for token in ["good-bob", "bad-guess", "bad-guess", "known-bob", "typo-bob", "bad-guess", "bad-guess", "good-bob"] {
        assert_eq!(near.status(token), far.status(token), "{token}");
    }
    assert_eq!(far.status("good-bob"), 429);
}

#[test]
fn l22_without_the_store_strangers_are_refused_unless_the_gate_was_told_to_go_on() {
    for way in [Way::Down, Way::DownLater, Way::Panic, Way::PanicLater] {
        let down = || Remote { memory: MemoryLimitStore::new(), way };
        let strict = guarded_over(down(), "3/hour", |guard| guard);
        let statuses = ["good-bob", "bad-guess", "known-bob", "typo-bob"].map(|token| strict.status(token));
        assert_eq!(statuses, [503, 503, 200, 401], "{way:?}");
        assert_eq!(strict.costly.verified(), 0);
        let lax = guarded_over(down(), "3/hour", |guard| guard.during_outage(DuringOutage::Admit));
        let statuses = ["good-bob", "bad-guess", "known-bob", "typo-bob"].map(|token| lax.status(token));
        assert_eq!(statuses, [200, 401, 200, 401], "{way:?}");
    }
}

#[test]
fn the_trickle_can_be_another() {
    let guarded = guarded_over(MemoryLimitStore::new(), "1/hour", |guard| guard.trickle(quota("2/minute")));
    assert_eq!([(); 4].map(|()| guarded.status("bad-guess")), [401, 401, 401, 429]);
    let Decision::Refuse(refusal) = finish(guarded.begin(Some("192.0.2.1"), "bad-guess")) else { panic!("admitted") };
    assert_eq!(refusal.reply.field("retry-after"), Some("30"));
}

#[test]
fn behind_proxies_that_nobody_named_it_cannot_be_switched_on() {
    let build = |proxies: &[&str]| {
        let budgets = Arc::new(MemoryLimitStore::new());
        let guard = FailedAttempts::new(quota("5/hour"), Clients::BehindTrustedProxies, budgets);
        let proxies = NetworkSet::parse(proxies.iter().copied()).unwrap();
        Gate::builder().trusted_proxies(proxies).failed_attempts(guard).build()
    };
    assert!(build(&["10.0.0.0/8"]).is_ok());
    let mistake = build(&[]).unwrap_err().to_string();
    assert!(mistake.contains("name the proxies"), "{mistake}");
}

#[test]
fn l23_what_a_client_writes_about_its_address_changes_no_budget() {
    let guarded = guarded("1/hour");
    let statuses = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|claimed| {
        let headers = [("authorization", "Bearer bad-guess"), ("x-forwarded-for", claimed)];
        let peer = Some("192.0.2.1".parse().unwrap());
        let head = RequestHead { peer, ..RequestHead::new("GET", "/", &headers) };
        status(&finish(guarded.gate.decide(&head, guarded.gate.now())))
    });
    assert_eq!(statuses, [401, 401, 429]);
}

/// Any page can have a browser send a good cookie along.
#[test]
fn l23_what_another_site_made_a_browser_send_is_not_verified_and_costs_its_victim_nothing() {
    let guarded = guarded("1/hour");
    let post = |site: &str, credential: &str| {
        let cookie = format!("session={credential}");
        let headers = [("sec-fetch-site", site), ("cookie", cookie.as_str())];
        let peer = "192.0.2.1".parse().ok();
        let head = RequestHead { peer, ..RequestHead::new("POST", "/", &headers) };
        status(&finish(guarded.gate.decide(&head, guarded.gate.now())))
    };
    for credential in ["good-bob", "slow-good-bob", "bad-guess", "slow-bad-guess"] {
        assert_eq!(post("cross-site", credential), 403, "{credential}");
    }
    assert_eq!(guarded.costly.verified(), 0);
    assert_eq!(post("same-origin", "good-bob"), 200);
    assert_eq!(["bad-guess"; 3].map(|token| guarded.status(token)), [401, 401, 429], "one failure, and the trickle");
}
