//! Budgets at the gate: who is charged, when, and once.

use std::time::Duration;

use super::*;
use crate::error::StoreError;
use crate::limit::{Charges, LimitHeaders, Plan, Plans, Scope, Spending};
use crate::policy::denied;
use crate::principal::{Anonymous, Principal};
use crate::rejection::{LimitExceeded, RetryAfter};
use crate::store::{Answer, LimitStore, MemoryLimitStore};

const HOST: &[(&str, &str); 1] = &[("host", "example")];
const BOB: &[(&str, &str); 1] = &[("authorization", "Bearer good-bob")];
const SLOW_BOB: &[(&str, &str); 1] = &[("authorization", "Bearer slow-bob")];

fn plans() -> Plans {
    Plans::builder()
        .plan(Plan::new("free").limit("free", "3/hour".parse().unwrap(), Scope::PRINCIPAL))
        .default_plan("free")
        .anonymous(Plan::new("anonymous").limit("address", "2/hour".parse().unwrap(), Scope::NETWORK))
        .build()
        .unwrap()
}

fn builder(limits: Limits) -> GateBuilder {
    Gate::builder()
        .accept(Source::bearer(), Scripted(Arc::default()))
        .clock(SimulatedClock::at_unix_seconds(1_000))
        .limits(limits)
        .policy(
            Policy::new()
                .any("/public", Rule::new(public()).preflight())
                .get("/optional", optional())
                .get("/read", permission("read"))
                .get("/dear", Rule::new(authenticated()).cost(2))
                .get("/free", Rule::new(authenticated()).cost(0))
                .get("/nobody", denied()),
        )
}

fn gate_over(store: impl LimitStore) -> Gate {
    builder(Limits::new(plans(), store)).build().unwrap()
}

fn gate() -> Gate {
    gate_over(MemoryLimitStore::new())
}

/// What `x-ratelimit-remaining` says, in an answer of either kind.
fn remaining(decision: &Decision) -> Option<u32> {
    let field = match decision {
        Decision::Admit(admission) => admission
            .response_fields
            .iter()
            .find(|(name, ..)| *name == "x-ratelimit-remaining")
            .map(|(_, value, _)| value),
        Decision::Refuse(refusal) => refusal.reply.field("x-ratelimit-remaining"),
    };
    field.map(|text| text.parse().unwrap())
}

fn told(gate: &Gate, path: &str, headers: &dyn crate::request::Headers) -> (u16, Option<u32>) {
    let decision = decide(gate, path, headers);
    (status(&decision), remaining(&decision))
}

#[test]
fn l1_a_spent_budget_refuses_with_the_wait_and_the_names() {
    let gate = gate();
    for left in [2, 1, 0] {
        assert_eq!(told(&gate, "/read", BOB), (200, Some(left)));
    }
    let Decision::Refuse(refusal) = decide(&gate, "/read", BOB) else { panic!("admitted") };
    let wait = Some(RetryAfter(Duration::from_mins(20)));
    let policies = vec!["free".to_owned()];
    assert_eq!(refusal.rejection, Rejection::RateLimited(LimitExceeded { retry_after: wait, policies }));
    let field = |name| refusal.reply.field(name);
    assert_eq!((refusal.reply.status, field("retry-after")), (429, Some("1200")));
    assert_eq!(
        (field("ratelimit"), field("ratelimit-policy")),
        (Some("\"free\";r=0;t=1200"), Some("\"free\";q=3;w=3600"))
    );
    let eve: &[(&str, &str); 1] = &[("authorization", "Bearer good-eve")];
    assert_eq!(told(&gate, "/read", eve), (200, Some(2)), "somebody else's budget");
}

#[test]
fn l13_waits_are_spread_upwards_in_every_field_alike() {
    let spread = Limits::new(plans(), MemoryLimitStore::new()).spread(Duration::from_mins(2));
    let gate = builder(spread).build().unwrap();
    for left in [2, 1, 0] {
        assert_eq!(told(&gate, "/read", BOB), (200, Some(left)));
    }
    let waits: Vec<u64> = (0..50)
        .map(|_| {
            let Decision::Refuse(refusal) = decide(&gate, "/read", BOB) else { panic!("admitted") };
            let field = |name| refusal.reply.field(name).unwrap();
            let wait: u64 = field("retry-after").parse().unwrap();
            assert_eq!(field("ratelimit"), format!("\"free\";r=0;t={wait}"));
            assert!(field("x-ratelimit-reset").parse::<u64>().unwrap() >= 1_000 + wait);
            wait
        })
        .collect();
    assert!(waits.iter().all(|wait| (1_200..=1_320).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

#[test]
fn whoever_is_known_pays_whatever_the_rule_says() {
    for path in ["/nobody", "/nowhere", "/read"] {
        let gate = gate();
        let refused = if path == "/read" { 200 } else { 403 };
        for left in [2, 1, 0] {
            assert_eq!(told(&gate, path, BOB), (refused, Some(left)), "{path}");
        }
        assert_eq!(told(&gate, path, BOB), (429, Some(0)), "{path}");
    }
}

#[test]
fn l10_a_bad_credential_is_charged_to_nobody() {
    let gate = gate();
    for _ in 0..5 {
        assert_eq!(told(&gate, "/read", &[("authorization", "Bearer bad")]), (401, None));
        assert_eq!(told(&gate, "//read", BOB), (400, None));
    }
    assert_eq!(told(&gate, "/read", BOB), (200, Some(2)));
    assert_eq!(told(&gate, "/public", HOST), (200, Some(1)));
}

#[test]
fn callers_without_a_credential_pay_from_their_address() {
    let gate = gate();
    assert_eq!(told(&gate, "/public", BOB), (200, Some(1)), "credentials are not looked at");
    assert_eq!(told(&gate, "/read", HOST), (401, Some(0)));
    assert_eq!(told(&gate, "/optional", HOST), (429, Some(0)));
    assert_eq!(told(&gate, "/read", HOST), (429, Some(0)));
    assert_eq!(told(&gate, "/optional", BOB), (200, Some(2)));
}

#[test]
fn a_preflight_is_free() {
    let gate = gate();
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    for _ in 0..5 {
        let head = RequestHead::new("OPTIONS", "/public", &headers);
        let decision = finish(gate.decide(&head, gate.now()));
        assert_eq!((status(&decision), remaining(&decision)), (200, None));
    }
}

#[test]
fn routes_have_prices_and_one_that_nobody_can_pay_is_a_mistake() {
    let gate = gate();
    assert_eq!(told(&gate, "/free", BOB), (200, Some(3)));
    assert_eq!(told(&gate, "/dear", BOB), (200, Some(1)));
    assert_eq!(told(&gate, "/dear", BOB), (429, Some(1)));
    assert_eq!(told(&gate, "/dear", HOST), (401, Some(1)), "a stranger pays for the refusal alone");
    let too_dear = |rule: Rule| {
        let policy = Policy::new().get("/x", rule);
        let gate = builder(Limits::new(plans(), MemoryLimitStore::new())).policy(policy).build();
        gate.map_or_else(|mistakes| mistakes.to_string(), |_| "built".to_owned())
    };
    assert_eq!(too_dear(Rule::new(authenticated()).cost(3)), "built");
    assert!(too_dear(Rule::new(authenticated()).cost(4)).starts_with("route `/x`: a request of 4 units never fits"));
    assert!(too_dear(Rule::new(optional()).cost(3)).contains("limit `address`"));
    assert!(gate.requiring(Rule::new(authenticated()).cost(4)).is_err());
}

#[test]
fn l24_layers_of_one_gate_charge_once() {
    let gate = gate();
    let Decision::Admit(Admission { caller: Caller::Principal(bob), .. }) = decide(&gate, "/read", BOB) else {
        panic!("refused");
    };
    let inner = gate.requiring(permission("write")).unwrap();
    for _ in 0..5 {
        let head = RequestHead { known: Some(&bob), ..RequestHead::new("GET", "/read", BOB) };
        let decision = finish(inner.decide(&head, inner.now()));
        assert_eq!((status(&decision), remaining(&decision)), (403, None));
    }
    assert_eq!(told(&gate, "/read", BOB), (200, Some(1)));

    let Decision::Admit(Admission { caller: Caller::Anonymous(nobody), .. }) = decide(&gate, "/public", HOST) else {
        panic!("refused");
    };
    let judged = |gate: &Gate, known: Option<&Principal>, anonymous: Option<&Anonymous>| {
        let head = RequestHead { known, anonymous, ..RequestHead::new("GET", "/read", HOST) };
        let decision = finish(gate.decide(&head, gate.now()));
        (status(&decision), remaining(&decision))
    };
    assert_eq!(judged(&inner, None, Some(&nobody)), (401, None));
    assert_eq!(judged(&inner, None, None), (401, Some(0)));
    assert_eq!(judged(&inner, None, Some(&nobody)), (401, None), "its receipt is good though the budget is spent");
    let stranger = self::gate();
    assert_eq!(
        judged(&stranger, Some(&bob), Some(&nobody)),
        (401, Some(1)),
        "another gate's receipt counts for nothing"
    );
}

/// A store that has to ask somebody, or breaks.
pub(super) struct Remote {
    pub(super) memory: MemoryLimitStore,
    pub(super) way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Slow,
    Down,
    DownLater,
    Panic,
    PanicLater,
}

impl Remote {
    fn answer(&self, ask: impl FnOnce(&MemoryLimitStore) -> Answer<Spending>) -> Answer<Spending> {
        let down = || Err(StoreError::Unavailable("nobody answers at 10.0.0.9".to_owned()));
        let answer = match self.way {
            Way::Down => return Outcome::Done(down()),
            Way::Panic => panic!("as the test wants"),
            Way::PanicLater => return Outcome::Wait(Box::pin(poll_fn(|_| panic!("as the test wants")))),
            Way::DownLater => down(),
            Way::Slow => match ask(&self.memory) {
                Outcome::Done(answer) => answer,
                Outcome::Wait(_) => unreachable!("memory answers at once"),
            },
        };
        let mut waited = false;
        Outcome::Wait(Box::pin(poll_fn(move |_| {
            if std::mem::replace(&mut waited, true) { Poll::Ready(answer.clone()) } else { Poll::Pending }
        })))
    }
}

impl LimitStore for Remote {
    fn spend(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        self.answer(|memory| memory.spend(charges, now))
    }

    fn look(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        self.answer(|memory| memory.look(charges, now))
    }

    fn debit(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        self.answer(|memory| memory.debit(charges, now))
    }
}

fn remote(way: Way) -> Gate {
    gate_over(Remote { memory: MemoryLimitStore::new(), way })
}

#[test]
fn l19_a_store_that_has_to_be_waited_for_comes_to_the_same() {
    let (near, far) = (gate(), remote(Way::Slow));
    for (path, headers) in [
        ("/read", BOB),
        ("/nobody", SLOW_BOB),
        ("/public", HOST),
        ("/read", HOST),
        ("/read", SLOW_BOB),
        ("/read", BOB),
        ("/optional", HOST),
    ] {
        assert_eq!(told(&far, path, headers), told(&near, path, headers), "{path}");
    }
}

#[test]
fn l22_nobody_passes_and_nobody_is_blamed_while_the_store_is_out() {
    for way in [Way::Down, Way::DownLater, Way::Panic, Way::PanicLater] {
        let gate = remote(way);
        for (path, headers) in [("/read", BOB), ("/read", SLOW_BOB), ("/public", HOST), ("/read", HOST)] {
            let Decision::Refuse(refusal) = decide(&gate, path, headers) else { panic!("{way:?} passes {path}") };
            assert_eq!((refusal.reply.status, refusal.reply.field("retry-after")), (503, Some("5")), "{way:?} {path}");
            assert!(!String::from_utf8_lossy(&refusal.reply.body).contains("10.0.0.9"));
        }
    }
}

#[test]
fn l22_while_the_store_is_out_everybody_passes_who_may_where_that_is_wanted() {
    for way in [Way::Down, Way::DownLater, Way::Panic, Way::PanicLater] {
        let limits = Limits::new(plans(), Remote { memory: MemoryLimitStore::new(), way });
        let gate = builder(limits.during_outage(DuringOutage::Admit)).build().unwrap();
        for (path, headers, expected) in [
            ("/read", BOB, 200),
            ("/read", SLOW_BOB, 200),
            ("/nobody", BOB, 403),
            ("/nowhere", BOB, 403),
            ("/public", HOST, 200),
            ("/optional", HOST, 200),
            ("/read", HOST, 401),
        ] {
            for _ in 0..5 {
                assert_eq!(told(&gate, path, headers), (expected, None), "{way:?} {path}");
            }
        }
        assert_eq!(told(&gate, "/read", &[("authorization", "Bearer bad")]), (401, None));
    }
}

#[test]
fn callers_without_limits_are_told_of_none() {
    let gate = builder(Limits::new(Plans::default(), remote_down())).build().unwrap();
    assert_eq!(told(&gate, "/read", BOB), (200, None));
    let silent = Limits::new(plans(), MemoryLimitStore::new()).headers(LimitHeaders::NONE);
    let gate = builder(silent).build().unwrap();
    for expected in [200, 200, 200, 429] {
        assert_eq!(told(&gate, "/read", BOB), (expected, None));
    }
}

fn remote_down() -> Remote {
    Remote { memory: MemoryLimitStore::new(), way: Way::Down }
}
