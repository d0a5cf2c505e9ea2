//! What is remembered of an answer, for how long, and what is asked all the same.

use std::sync::Arc;
use std::time::Duration;

use auth_core::credential::Source;
use auth_core::fetch::FetchError;
use auth_core::gate::{Clients, FailedAttempts, Gate};
use auth_core::keys::{Algorithm, KeySet};
use auth_core::policy::{Policy, permission};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::MemoryLimitStore;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::{Clock, Secret, SimulatedClock, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::{ISSUER, START, active, builder, decide, inactive, settings, verifier};
use crate::stand_in::AuthorizationServer;

fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::at_unix_seconds(START))
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn t36_nothing_is_remembered_past_the_end_of_the_token() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({ "exp": START + 5 }))));
    let gate = builder(verifier(settings(), &server), &clock).build().unwrap();
    assert_eq!(decide(&gate, "/read", "opaque").0, 200);
    clock.advance(millis(4_999));
    assert_eq!((decide(&gate, "/read", "opaque").0, server.asked()), (200, 1));
    clock.advance(millis(1));
    server.says(&inactive());
    assert_eq!((decide(&gate, "/read", "opaque"), server.asked()), ((401, "unknown_token"), 2));
    // within the leeway the server is believed, and asked every time
    server.says(&active(&json!({ "exp": START + 5 })));
    for asked in 3..6 {
        assert_eq!((decide(&gate, "/read", "opaque").0, server.asked()), (200, asked));
    }
    clock.advance(Duration::from_secs(30));
    assert_eq!((decide(&gate, "/read", "opaque"), server.asked()), ((401, "token_expired"), 6));
}

#[test]
fn t36_audience_and_scope_are_asked_on_each_use() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
    let gate = builder(verifier(settings(), &server), &clock).build().unwrap();
    for _ in 0..2 {
        assert_eq!(decide(&gate, "/read", "opaque").0, 200);
        assert_eq!(decide(&gate, "/write", "opaque"), (403, "insufficient_permissions"));
    }
    // the policy changes, and the same answer is not enough any more
    let same = verifier(settings(), &server);
    let stricter = Policy::new().get("/read", permission("read-all"));
    gate.replace(builder(same, &clock).policy(stricter)).unwrap();
    assert_eq!(decide(&gate, "/read", "opaque").0, 403);
    let elsewhere = auth_core::verify::introspection::IntrospectionServer::new(
        ISSUER,
        ["another"],
        "https://as.example/introspect",
        "rs",
        Secret::from("a secret"),
    );
    gate.replace(builder(verifier(elsewhere, &server), &clock)).unwrap();
    assert_eq!(decide(&gate, "/read", "opaque"), (401, "wrong_audience"));
}

#[test]
fn t37_a_token_that_was_taken_back_goes_on_for_the_bound_and_no_longer() {
    for (bound, asked_before) in [(10_000, 1), (1, 1), (300_000, 1)] {
        let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
        let settings = settings().believed_for(millis(bound));
        let gate = builder(verifier(settings, &server), &clock).build().unwrap();
        assert_eq!(decide(&gate, "/read", "opaque").0, 200);
        server.says(&inactive());
        clock.advance(millis(bound).saturating_sub(Duration::from_nanos(1)));
        assert_eq!((decide(&gate, "/read", "opaque").0, server.asked()), (200, asked_before), "{bound}");
        clock.advance(Duration::from_nanos(1));
        assert_eq!(decide(&gate, "/read", "opaque"), (401, "unknown_token"), "{bound}");
        // and it stays refused, though it is asked for: a token may become good
        assert_eq!((decide(&gate, "/read", "opaque").0, server.asked()), (401, asked_before + 2), "{bound}");
        server.says(&active(&json!({})));
        assert_eq!(decide(&gate, "/read", "opaque").0, 200, "{bound}");
    }
}

#[test]
fn t37_with_a_bound_of_nothing_every_request_asks() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
    let gate = builder(verifier(settings().believed_for(Duration::ZERO), &server), &clock).build().unwrap();
    for asked in 1..4 {
        assert_eq!((decide(&gate, "/read", "opaque").0, server.asked()), (200, asked));
    }
    server.says(&inactive());
    assert_eq!(decide(&gate, "/read", "opaque").0, 401);
}

#[test]
fn t37_a_clock_that_is_set_back_makes_no_answer_younger() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({ "exp": START + 1_000 }))));
    let gate = builder(verifier(settings(), &server), &clock).build().unwrap();
    assert_eq!(decide(&gate, "/read", "opaque").0, 200);
    server.says(&inactive());
    clock.advance(Duration::from_secs(9));
    clock.step_wall(-9);
    assert_eq!(decide(&gate, "/read", "opaque").0, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(decide(&gate, "/read", "opaque").0, 401);
}

#[test]
fn t37_the_gate_s_own_list_acts_at_once() {
    for (target, issued_before, refused) in [
        (Target::subject(ISSUER, "ada"), None, true),
        (Target::credential(ISSUER, "t-1"), None, true),
        (Target::session(ISSUER, "s-1"), None, true),
        (Target::subject("https://other.example", "ada"), None, false),
        (Target::subject(ISSUER, "ada"), Some(START - 4), true),
        (Target::subject(ISSUER, "ada"), Some(START - 5), false),
    ] {
        let said = active(&json!({ "jti": "t-1", "sid": "s-1", "iat": START - 5 }));
        let (clock, server, list) = (clock(), AuthorizationServer::new(&said), Revocations::new());
        let gate = builder(verifier(settings(), &server), &clock).revocations(list.clone()).build().unwrap();
        assert_eq!(decide(&gate, "/read", "opaque").0, 200);
        let mut revocation = Revocation::new(target, Timestamp::MAX);
        if let Some(before) = issued_before {
            revocation = revocation.issued_before(Timestamp::from_unix_seconds(before));
        }
        assert!(matches!(list.revoke(&revocation, clock.now()), auth_core::Outcome::Done(Ok(()))));
        let expected = if refused { (401, "token_revoked") } else { (200, "") };
        assert_eq!((decide(&gate, "/read", "opaque"), server.asked()), (expected, 1), "{revocation:?}");
    }
}

#[test]
fn t38_during_an_outage_what_is_believed_passes_and_everything_else_is_503() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
    let gate = builder(verifier(settings(), &server), &clock).build().unwrap();
    assert_eq!(decide(&gate, "/read", "opaque").0, 200);
    for error in [FetchError::TooSlow, FetchError::TooLong, FetchError::Unsafe, FetchError::Unreachable("x".into())] {
        server.fails(error);
        assert_eq!(decide(&gate, "/read", "opaque").0, 200);
        assert_eq!(decide(&gate, "/read", "another"), (503, "temporarily_unavailable"));
    }
    // an outage makes no answer last longer
    clock.advance(Duration::from_secs(10));
    assert_eq!(decide(&gate, "/read", "opaque"), (503, "temporarily_unavailable"));
    server.says(&active(&json!({})));
    assert_eq!((decide(&gate, "/read", "opaque").0, decide(&gate, "/read", "another").0), (200, 200));
}

#[test]
fn l23_a_token_that_was_good_the_last_time_passes_from_an_address_that_has_no_failures_left() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
    let guard = FailedAttempts::new("3/hour".parse().unwrap(), Clients::Direct, Arc::new(MemoryLimitStore::new()))
        .trickle("1/hour".parse().unwrap());
    let gate = builder(verifier(settings(), &server), &clock).failed_attempts(guard).build().unwrap();
    assert_eq!(decide(&gate, "/read", "good").0, 200);
    server.says(&inactive());
    for guess in 0..4 {
        assert_eq!(decide(&gate, "/read", &format!("guess-{guess}")).0, 401);
    }
    assert_eq!((decide(&gate, "/read", "guess").0, server.asked()), (429, 5));
    assert_eq!((decide(&gate, "/read", "good").0, server.asked()), (200, 5), "it is remembered");
    server.says(&active(&json!({})));
    clock.advance(Duration::from_mins(1));
    assert_eq!((decide(&gate, "/read", "good").0, server.asked()), (200, 6), "it is asked about again");
    assert_eq!(decide(&gate, "/read", "good?").1, "malformed_token", "for free");
    server.says(&inactive());
    clock.advance(Duration::from_mins(1));
    assert_eq!(decide(&gate, "/read", "good").0, 401);
    assert_eq!((decide(&gate, "/read", "good").0, server.asked()), (429, 7), "a stranger like others");
}

#[test]
fn what_is_no_token_or_another_verifier_s_is_never_asked_about() {
    let (clock, server) = (clock(), AuthorizationServer::new(&active(&json!({}))));
    let keys =
        KeySet::shared_secret(Algorithm::Hs256, &Secret::from("an example of a secret, 32 bytes or more")).unwrap();
    let signed = JwtVerifier::new([Issuer::new("https://login.example", ["api"], keys)]).unwrap();
    let gate = Gate::builder()
        .accept(Source::bearer(), signed)
        .accept(Source::bearer(), verifier(settings().prefix("as_"), &server));
    let gate = gate.policy(Policy::new().get("/read", permission("read"))).build().unwrap();
    let long = format!("as_{}", "a".repeat(8 * 1024 - 3));
    for token in ["eyJhbGciOiJIUzI1NiJ9.e30.", "as_a.b.c", "opaque", "as", "as_a*b", &format!("{long}a")] {
        assert_eq!((decide(&gate, "/read", token).0, server.asked()), (401, 0), "{token}");
    }
    assert_eq!((decide(&gate, "/read", "as_+/~-._="), server.asked()), ((200, ""), 1));
    assert_eq!(server.seen(), ["token=as_%2B%2F%7E-._%3D&token_type_hint=access_token"]);
    drop(clock);
}

/// What happens next at the server, and here.
#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    Pass(u64),
    /// The wall clock is set by so many seconds.
    Set(i64),
    Revoke(usize),
    Issue(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_usize).prop_map(Step::Ask),
        4 => (1..8_000_u64).prop_map(Step::Pass),
        1 => (-20..20_i64).prop_map(Step::Set),
        1 => (0..3_usize).prop_map(Step::Revoke),
        2 => (0..3_usize, 1..40_u64).prop_map(|(token, seconds)| Step::Issue(token, seconds)),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Against a model of the server: whoever passes was good at the server within the bound before, and within `exp`.
    #[test]
    fn t37_nobody_passes_who_was_taken_back_longer_ago_than_the_bound(steps in steps(), bound in 0..12_u64) {
        let clock = clock();
        let names = ["one", "two", "three"];
        let servers = names.map(|_| AuthorizationServer::new(&inactive()));
        // one server for each token, so that each can be told something else
        let mut all = Gate::builder().policy(Policy::new().get("/read", permission("read")));
        for (name, server) in names.iter().zip(&servers) {
            let settings = settings().prefix(*name).believed_for(Duration::from_secs(bound)).leeway(Duration::ZERO);
            all = all.accept(Source::bearer(), verifier(settings, server));
        }
        let gate = all.clock(super::Simulated(Arc::clone(&clock))).build().unwrap();
        // when it ends, and since when it is not good any more
        let mut ends = [None; 3];
        // what the server said of that when it was asked last
        let mut told = [None; 3];
        let mut bad_since = [Some(0_u64); 3];
        let mut elapsed = 0;
        for step in steps {
            match step {
                Step::Pass(by) => {
                    clock.advance(millis(by));
                    elapsed += by;
                }
                Step::Set(seconds) => clock.step_wall(seconds),
                Step::Revoke(token) => {
                    servers[token].says(&inactive());
                    bad_since[token] = bad_since[token].or(Some(elapsed));
                }
                Step::Issue(token, seconds) => {
                    let end = clock.now().wall.unix_seconds() + i64::try_from(seconds).unwrap();
                    servers[token].says(&active(&json!({ "exp": end })));
                    (ends[token], bad_since[token]) = (Some(end), None);
                }
                Step::Ask(token) => {
                    let asked = servers[token].asked();
                    let (status, _) = decide(&gate, "/read", names[token]);
                    let was_asked = servers[token].asked() > asked;
                    if was_asked {
                        told[token] = ends[token];
                    }
                    let is_ended = told[token].is_none_or(|end| clock.now().wall >= Timestamp::from_unix_seconds(end));
                    match bad_since[token] {
                        None => prop_assert_eq!(status, if is_ended { 401 } else { 200 }),
                        Some(since) => {
                            let is_late = elapsed >= since + bound * 1_000;
                            prop_assert!(status == 401 || !is_late && !was_asked && !is_ended, "{} {}", since, elapsed);
                        }
                    }
                    prop_assert!(bound > 0 || was_asked);
                }
            }
        }
    }
}
