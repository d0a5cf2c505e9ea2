//! The gate with verifiers made for the test: the order of its stages, waiting, panics, several credentials.

mod ahead;
mod failed_attempts;
mod limits;
mod replace;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};

use super::*;
use crate::clock::SimulatedClock;
use crate::credential::Source;
use crate::names::Names;
use crate::outcome::Outcome;
use crate::policy::{Policy, authenticated, optional, permission, public};
use crate::principal::{Identity, Method};
use crate::rejection::{CredentialFault, Outage, Rejection, RequestFault};
use crate::request::RequestHead;
use crate::verify::{Verified, Verifier};

/// Verifies texts that say what shall happen; `user` in `good-user` is the subject.
struct Scripted(Arc<AtomicUsize>);

impl Verifier for Scripted {
    fn recognises(&self, text: &str) -> bool {
        !text.starts_with("foreign")
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let identity = |subject: &str| {
            let mut identity = Identity::new(Method::Custom("scripted"), "issuer", subject);
            identity.permissions = Names::from_scope("read");
            identity
        };
        match text.split_once('-') {
            Some(("good", subject)) => Outcome::Done(Ok(Arc::new(identity(subject)))),
            Some(("slow", subject)) => {
                let mut waited = false;
                let identity = Arc::new(identity(subject));
                Outcome::Wait(Box::pin(poll_fn(move |_| {
                    if std::mem::replace(&mut waited, true) { Poll::Ready(Ok(identity.clone())) } else { Poll::Pending }
                })))
            }
            Some(("panic", "now")) => panic!("as the test wants"),
            Some(("panic", _)) => Outcome::Wait(Box::pin(poll_fn(|_| panic!("as the test wants")))),
            Some(("down", _)) => Outcome::Done(Err(Rejection::Unavailable(Outage::new("store")))),
            _ => Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Unknown))),
        }
    }
}

struct Bench {
    gate: Gate,
    verified: Arc<AtomicUsize>,
}

fn bench() -> Bench {
    let verified = Arc::new(AtomicUsize::new(0));
    let scripted = Arc::new(Scripted(Arc::clone(&verified)));
    let gate = Gate::builder()
        .accept_shared(Source::bearer(), scripted.clone())
        .accept_shared(Source::header("x-api-key"), scripted)
        .clock(SimulatedClock::at_unix_seconds(1_000))
        .policy(
            Policy::new()
                .get("/public", public())
                .get("/optional", optional())
                .get("/read", permission("read"))
                .get("/write", permission("write"))
                .get("/both", Rule::from(authenticated()).several_credentials()),
        )
        .build()
        .unwrap();
    Bench { gate, verified }
}

fn decide(gate: &Gate, path: &str, headers: &dyn crate::request::Headers) -> Decision {
    finish(gate.decide(&RequestHead::new("GET", path, headers), gate.now()))
}

/// Polls without a runtime: the scripted futures are ready at their second poll.
fn finish(outcome: Outcome<Decision>) -> Decision {
    let mut resolved = pin!(outcome.resolve());
    let mut context = TaskContext::from_waker(Waker::noop());
    for _ in 0..4 {
        if let Poll::Ready(decision) = resolved.as_mut().poll(&mut context) {
            return decision;
        }
    }
    panic!("the decision does not come");
}

fn status(decision: &Decision) -> u16 {
    match decision {
        Decision::Admit(_) => 200,
        Decision::Refuse(refusal) => refusal.reply.status,
    }
}

fn cause(decision: &Decision) -> &'static str {
    match decision {
        Decision::Admit(_) => "admitted",
        Decision::Refuse(refusal) => refusal.rejection.cause(),
    }
}

#[test]
fn a_public_route_does_not_look_at_credentials() {
    let Bench { gate, verified } = bench();
    assert_eq!(status(&decide(&gate, "/public", &[("authorization", "Bearer panic-now")])), 200);
    assert_eq!(verified.load(Ordering::SeqCst), 0);
}

#[test]
fn an_optional_route_takes_nobody_and_no_bad_credential() {
    let Bench { gate, .. } = bench();
    let anonymous = decide(&gate, "/optional", &[("host", "example")]);
    assert!(matches!(anonymous, Decision::Admit(Admission { caller: Caller::Anonymous(_), .. })));
    assert_eq!(status(&decide(&gate, "/optional", &[("authorization", "Bearer bad")])), 401);
}

#[test]
fn a_decision_that_waits_ends_like_one_that_does_not() {
    let Bench { gate, .. } = bench();
    for (path, expected) in [("/read", 200), ("/write", 403)] {
        for token in ["Bearer good-bob", "Bearer slow-bob"] {
            assert_eq!(status(&decide(&gate, path, &[("authorization", token)])), expected, "{path} {token}");
        }
    }
}

#[test]
fn j37_a_verifier_that_panics_refuses() {
    let Bench { gate, .. } = bench();
    for token in ["Bearer panic-now", "Bearer panic-later"] {
        let decision = decide(&gate, "/read", &[("authorization", token)]);
        assert_eq!((status(&decision), cause(&decision)), (503, "temporarily_unavailable"));
    }
}

#[test]
fn a_store_that_is_down_is_not_the_callers_fault() {
    let Bench { gate, .. } = bench();
    let Decision::Refuse(refusal) = decide(&gate, "/optional", &[("x-api-key", "down-bob")]) else {
        panic!("passed while the store was down");
    };
    assert_eq!((refusal.reply.status, refusal.reply.field("retry-after")), (503, Some("5")));
}

#[test]
fn what_no_verifier_recognises_is_refused_unverified() {
    let Bench { gate, verified } = bench();
    assert_eq!(cause(&decide(&gate, "/read", &[("authorization", "Bearer foreign")])), "malformed_token");
    assert_eq!(verified.load(Ordering::SeqCst), 0);
}

#[test]
fn b22_several_credentials_must_all_be_good_and_agree() {
    let Bench { gate, .. } = bench();
    for (bearer, key, expected) in [
        ("Bearer good-bob", "good-bob", "admitted"),
        ("Bearer good-bob", "slow-bob", "admitted"),
        ("Bearer good-bob", "good-eve", "disagreeing_credentials"),
        ("Bearer good-bob", "bad", "unknown_token"),
        ("Bearer bad", "good-bob", "unknown_token"),
    ] {
        let headers = [("authorization", bearer), ("x-api-key", key)];
        assert_eq!(cause(&decide(&gate, "/both", &headers)), expected, "{bearer} {key}");
        assert_eq!(cause(&decide(&gate, "/read", &headers)), RequestFault::SeveralCredentials.cause());
    }
}

#[test]
fn l24_a_principal_of_the_same_gate_is_not_verified_twice() {
    let Bench { gate, verified } = bench();
    let headers = [("authorization", "Bearer good-bob")];
    let Decision::Admit(Admission { caller: Caller::Principal(principal), .. }) = decide(&gate, "/read", &headers)
    else {
        panic!("refused");
    };
    let inner = gate.requiring(permission("write")).unwrap();
    let head = RequestHead { known: Some(&principal), ..RequestHead::new("GET", "/read", &headers) };
    assert_eq!(status(&finish(inner.decide(&head, inner.now()))), 403);
    assert_eq!(verified.load(Ordering::SeqCst), 1);

    let stranger = bench();
    assert_eq!(status(&finish(stranger.gate.decide(&head, stranger.gate.now()))), 200);
    assert_eq!(stranger.verified.load(Ordering::SeqCst), 1, "another gate's principal was taken over");
}

#[test]
fn unknown_routes_are_not_told_from_forbidden_ones() {
    let Bench { gate, .. } = bench();
    assert_eq!(status(&decide(&gate, "/nowhere", &[("host", "example")])), 401);
    assert_eq!(cause(&decide(&gate, "/nowhere", &[("authorization", "Bearer good-bob")])), "no_rule");
}

#[test]
fn a_principal_is_not_taken_over_from_a_source_that_the_inner_rule_does_not_take() {
    let Bench { gate, .. } = bench();
    let headers = [("x-api-key", "good-bob")];
    let Decision::Admit(Admission { caller: Caller::Principal(principal), .. }) = decide(&gate, "/read", &headers)
    else {
        panic!("refused");
    };
    let inner = gate.requiring(Rule::from(authenticated()).accepting([Source::bearer()])).unwrap();
    let head = RequestHead { known: Some(&principal), ..RequestHead::new("GET", "/read", &headers) };
    assert_eq!(cause(&finish(inner.decide(&head, inner.now()))), "missing_token");
}

/// Remembers everything, whatever its form; nothing else gets through it.
struct Remembering;

impl Verifier for Remembering {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, _: &str, _: Now) -> Outcome<Verified> {
        Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Signature)))
    }

    fn remembered(&self, credential: &[u8], _: Now) -> Option<Arc<Identity>> {
        assert!(!credential.starts_with(b"panic"), "as the test wants");
        Some(Arc::new(Identity::new(Method::Custom("memory"), "issuer", "somebody")))
    }
}

#[test]
fn only_the_verifier_that_decides_first_may_remember() {
    let gate = |first: Arc<dyn Verifier>, second: Arc<dyn Verifier>| {
        Gate::builder()
            .accept_shared(Source::bearer(), first)
            .accept_shared(Source::bearer(), second)
            .policy(Policy::new().get("/read", authenticated()))
            .build()
            .unwrap()
    };
    let scripted = || Arc::new(Scripted(Arc::default()));
    let bad = &[("authorization", "Bearer bad-one")];
    assert_eq!(status(&decide(&gate(Arc::new(Remembering), scripted()), "/read", bad)), 200);
    assert_eq!(status(&decide(&gate(scripted(), Arc::new(Remembering)), "/read", bad)), 401, "the first decides alone");
    let panics = &[("authorization", "Bearer panic-now")];
    assert_eq!(status(&decide(&gate(Arc::new(Remembering), scripted()), "/read", panics)), 401);
}

/// Finds everything good that it sees as bytes, and nothing as text.
struct OfBytes;

impl Verifier for OfBytes {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, _: &str, _: Now) -> Outcome<Verified> {
        Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Signature)))
    }

    fn verify_bytes(&self, credential: &[u8], now: Now) -> Option<Outcome<Verified>> {
        let known = Remembering.remembered(credential, now)?;
        credential.starts_with(b"good").then_some(Outcome::Done(Ok(known)))
    }
}

#[test]
fn bytes_are_verified_before_their_form_is_looked_at_unless_failures_are_counted() {
    let builder = || {
        let policy = Policy::new().get("/read", authenticated());
        Gate::builder().accept(Source::bearer(), OfBytes).policy(policy)
    };
    let store = Arc::new(crate::store::MemoryLimitStore::new());
    let guard = FailedAttempts::new("30/minute".parse().unwrap(), Clients::Direct, store);
    let (free, guarded) = (builder().build().unwrap(), builder().failed_attempts(guard).build().unwrap());
    let too_long = format!("good{}", "x".repeat(8 * 1024));
    for (credential, expected) in [
        ("good", "admitted"),
        ("bad", "signature_invalid"),
        ("panic", "signature_invalid"),
        ("bad!", "malformed_token"),
        ("", "empty_credential"),
        (&too_long, "token_too_long"),
    ] {
        let value = format!("Bearer {credential}");
        let headers = [("authorization", value.as_str())];
        assert_eq!(cause(&decide(&free, "/read", &headers)), expected, "{credential}");
        assert_ne!(cause(&decide(&guarded, "/read", &headers)), "admitted", "{credential}");
    }
}
