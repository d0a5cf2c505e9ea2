//! A gate whose configuration is replaced while it serves.

use super::*;
use crate::clock::Clock;
use crate::limit::{Plan, Plans, Scope};
use crate::policy::{PermissionModel, denied};
use crate::principal::{Anonymous, Principal};
use crate::reply::{ErrorStyle, Shape};
use crate::store::MemoryLimitStore;

const HOST: &[(&str, &str); 1] = &[("host", "example")];
const BOB: &[(&str, &str); 1] = &[("authorization", "Bearer good-bob")];
const EVE: &[(&str, &str); 1] = &[("authorization", "Bearer good-eve")];
const SLOW_BOB: &[(&str, &str); 1] = &[("authorization", "Bearer slow-bob")];

/// Budgets and a count of verifications that outlive a configuration.
#[derive(Default)]
struct Kept {
    budgets: Arc<MemoryLimitStore>,
    verified: Arc<AtomicUsize>,
}

impl Kept {
    fn builder(&self) -> GateBuilder {
        let plan = |name: &str, scope| Plan::new(name).limit("all", "3/hour".parse().unwrap(), scope);
        let plans = Plans::builder()
            .plan(plan("free", Scope::PRINCIPAL))
            .default_plan("free")
            .anonymous(plan("anonymous", Scope::NETWORK));
        Gate::builder()
            .accept(Source::bearer(), Scripted(Arc::clone(&self.verified)))
            .limits(Limits::shared(plans.build().unwrap(), Arc::clone(&self.budgets) as _))
            .clock(SimulatedClock::at_unix_seconds(1_000))
    }

    /// Whoever reads may write.
    fn lenient(&self) -> GateBuilder {
        let policy = Policy::new().get("/", permission("write")).get("/open", optional());
        self.builder().policy(policy).permissions(PermissionModel::default().implies("read", ["write"]))
    }

    /// Whoever reads may not write, and is told so in another form.
    fn strict(&self) -> GateBuilder {
        let policy = Policy::new().get("/", permission("write")).get("/open", denied());
        self.builder().policy(policy).errors(ErrorStyle::new(Shape::Flat))
    }

    fn verifications(&self) -> usize {
        self.verified.load(Ordering::SeqCst)
    }
}

fn admitted(decision: Decision) -> Caller {
    match decision {
        Decision::Admit(admission) => admission.caller,
        Decision::Refuse(refusal) => panic!("refused: {:?}", refusal.rejection),
    }
}

fn principal(gate: &Gate) -> Principal {
    let Caller::Principal(principal) = admitted(decide(gate, "/", BOB)) else { panic!("nobody in particular") };
    principal
}

fn known(gate: &Gate, principal: &Principal) -> Decision {
    let head = RequestHead { known: Some(principal), ..RequestHead::new("GET", "/", BOB) };
    finish(gate.decide(&head, gate.now()))
}

/// Which form a refusal has.
fn form(decision: &Decision) -> &str {
    let Decision::Refuse(refusal) = decision else { panic!("admitted") };
    refusal.reply.field("content-type").unwrap()
}

#[test]
fn s11_clones_and_layers_follow_with_the_next_request() {
    let kept = Kept::default();
    let gate = kept.lenient().build().unwrap();
    let (clone, layer) = (gate.clone(), gate.requiring(permission("write")).unwrap());
    for gate in [&gate, &clone, &layer] {
        assert_eq!(status(&decide(gate, "/", BOB)), 200);
    }
    gate.replace(kept.strict()).unwrap();
    assert_eq!([&gate, &clone, &layer].map(|gate| status(&decide(gate, "/", EVE))), [403; 3]);
    let anew = gate.requiring(permission("write")).unwrap();
    for gate in [&gate, &clone, &layer, &anew] {
        assert_eq!(status(&decide(gate, "/", BOB)), 429, "the budget goes on");
    }
    layer.replace(kept.lenient()).unwrap();
    let dan = &[("authorization", "Bearer good-dan")];
    assert_eq!([&gate, &clone, &anew].map(|gate| status(&decide(gate, "/", dan))), [200; 3], "any handle replaces");
}

#[test]
fn what_a_request_began_with_holds_to_its_end() {
    for (is_lenient, expected) in [(true, 200), (false, 403)] {
        let kept = Kept::default();
        let (first, second) =
            if is_lenient { (kept.lenient(), kept.strict()) } else { (kept.strict(), kept.lenient()) };
        let gate = first.build().unwrap();
        let waiting = gate.decide(&RequestHead::new("GET", "/", SLOW_BOB), gate.now());
        assert!(matches!(waiting, Outcome::Wait(_)));
        gate.replace(second).unwrap();
        let decision = finish(waiting);
        assert_eq!(status(&decision), expected);
        if !is_lenient {
            assert_eq!(form(&decision), "application/json");
        }
        assert_ne!(status(&decide(&gate, "/", BOB)), expected);
    }
}

#[test]
fn a_layer_decides_by_what_admitted_the_request() {
    let kept = Kept::default();
    let gate = kept.lenient().build().unwrap();
    let layer = gate.requiring(permission("write")).unwrap();
    let (bob, nobody) = (principal(&gate), admitted(decide(&gate, "/open", HOST)));
    gate.replace(kept.strict()).unwrap();
    for _ in 0..5 {
        assert_eq!(status(&known(&layer, &bob)), 200, "by the new configuration, or charged again");
    }
    assert_eq!(kept.verifications(), 1);
    let Caller::Anonymous(nobody) = nobody else { panic!("somebody") };
    let of_nobody = |gate: &Gate, anonymous: Option<&Anonymous>| {
        let head = RequestHead { anonymous, ..RequestHead::new("GET", "/open", HOST) };
        finish(gate.decide(&head, gate.now()))
    };
    let open = gate.requiring(optional()).unwrap();
    for _ in 0..5 {
        assert_eq!(status(&of_nobody(&open, Some(&nobody))), 200, "charged again");
        assert_eq!(form(&of_nobody(&layer, Some(&nobody))), "application/problem+json");
    }
    assert_eq!(form(&of_nobody(&layer, None)), "application/json");
    assert_eq!(status(&decide(&layer, "/", BOB)), 403, "a request of its own");
}

#[test]
fn a_layer_that_is_younger_than_the_request_decides_by_what_admitted_it_too() {
    let kept = Kept::default();
    let gate = kept.lenient().build().unwrap();
    let bob = principal(&gate);
    let keys = Source::header("x-api-key");
    gate.replace(kept.strict().accept(keys.clone(), Scripted(Arc::default()))).unwrap();
    let layer = gate.requiring(permission("write")).unwrap();
    assert_eq!(status(&known(&layer, &bob)), 200);
    // what does not fit the older configuration lets nobody pass
    let of_keys = gate.requiring(Rule::from(authenticated()).accepting([keys, Source::bearer()])).unwrap();
    assert_eq!(cause(&known(&of_keys, &bob)), "no_rule");
    assert_eq!(kept.verifications(), 1);
}

#[test]
fn a_mistake_changes_nothing_and_is_named() {
    let kept = Kept::default();
    let keys = Source::header("x-api-key");
    let gate = kept.lenient().accept(keys.clone(), Scripted(Arc::default())).build().unwrap();
    let by_key = gate.requiring(Rule::from(authenticated()).accepting([keys]).named("by-key")).unwrap();
    let dear = gate.requiring(Rule::from(authenticated()).cost(3)).unwrap();
    let before = gate.context();

    let cheaper = Plans::builder().plan(Plan::new("free").limit("all", "2/hour".parse().unwrap(), Scope::PRINCIPAL));
    let cheaper = Limits::new(cheaper.default_plan("free").build().unwrap(), MemoryLimitStore::new());
    let mistakes = gate.replace(kept.strict().limits(cheaper)).unwrap_err();
    let named = |which: &str| mistakes.iter().filter(|mistake| mistake.to_string().contains(which)).count();
    assert_eq!(
        (mistakes.len(), named("layer with the rule `by-key`"), named("layer with the rule `authenticated`")),
        (2, 1, 1),
        "{mistakes}"
    );
    gate.replace(kept.builder().policy(Policy::new().get("no-slash", public()))).unwrap_err();

    assert!(Arc::ptr_eq(&before, &gate.context()));
    assert_eq!(status(&decide(&gate, "/", BOB)), 200);
    assert_eq!(status(&decide(&by_key, "/", &[("x-api-key", "good-eve")])), 200);

    // layers that are gone ask for nothing
    drop((by_key, dear));
    gate.replace(kept.strict()).unwrap();
    assert_eq!(status(&decide(&gate, "/", BOB)), 403);
}

#[test]
fn l25_the_clock_goes_on() {
    let kept = Kept::default();
    let gate = kept.lenient().build().unwrap();
    gate.replace(kept.strict().clock(SimulatedClock::at_unix_seconds(2_000))).unwrap();
    assert_eq!(gate.now().wall.unix_seconds(), 1_000);
}

#[test]
fn a_principal_of_no_gate_is_taken_over_by_none() {
    let kept = Kept::default();
    let gate = kept.lenient().build().unwrap();
    let mallory = Principal::detached(Identity::new(Method::Custom("scripted"), "issuer", "mallory"));
    let Caller::Principal(principal) = admitted(known(&gate, &mallory)) else { panic!("nobody in particular") };
    assert_eq!((&*principal.subject, kept.verifications()), ("bob", 1));
}

/// A clock whose last tick is long ago.
struct Ticking;

impl Clock for Ticking {
    fn now(&self) -> Now {
        SimulatedClock::at_unix_seconds(1_000).now()
    }

    fn recent(&self) -> Now {
        SimulatedClock::at_unix_seconds(900).now()
    }
}

#[test]
fn a_gate_that_keeps_budgets_needs_the_time_as_it_is() {
    let kept = Kept::default();
    let gate = Gate::builder().clock(Ticking).build().unwrap();
    let seconds = || gate.now().wall.unix_seconds();
    assert_eq!(seconds(), 900);
    gate.replace(kept.lenient()).unwrap();
    assert_eq!(seconds(), 1_000);
    gate.replace(Gate::builder()).unwrap();
    assert_eq!(seconds(), 900);
}
