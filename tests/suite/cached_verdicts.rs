//! A gate that remembers tokens against one that does not: the same verdict on every request, whatever happens in
//! between.
//!
//! Random schedules mix requests with clocks that move and are stepped, revocations, keys that are replaced and policies
//! that change. The cache is so small that it has to part with tokens all the time. The model is the gate without it.

use std::sync::Arc;
use std::time::Duration;

use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate, GateBuilder};
use auth_core::keys::{KeySet, VerificationKey};
use auth_core::policy::{Policy, authenticated, permission};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::verify::CacheSize;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::{Clock, Outcome, RequestHead, Secret, SimulatedClock, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::json;

const ISSUER: &str = "https://login.example";
const START: i64 = 1_900_000_000;

/// The keys that come and go, by their ids.
const KEYS: [&str; 3] = ["2031-a", "2031-b", "2031-c"];

fn secret(key: &str) -> String {
    format!("an example of a secret for the key {key}, 32 bytes or more")
}

/// Tokens that differ in everything a verdict may depend on.
fn tokens() -> Vec<String> {
    let token = |number: usize| {
        let key = KEYS[number % KEYS.len()];
        let header = Header { kid: Some(key.to_owned()), ..Header::new(Algorithm::HS256) };
        let mut claims = json!({
            "iss": ISSUER, "aud": "api", "sub": format!("user-{}", number % 4), "jti": format!("t-{number}"),
            "sid": format!("s-{}", number % 3), "tenant": format!("org-{}", number % 2),
            "exp": START + [20, 60, 300, 4_000][number % 4],
            "permissions": if number.is_multiple_of(5) { json!([]) } else { json!(["read"]) },
        });
        if !number.is_multiple_of(3) {
            claims["iat"] = json!(START - [0, 10, 100, 1_000][number % 4]);
        }
        if number.is_multiple_of(7) {
            claims["nbf"] = json!(START + 30);
        }
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret(key).as_bytes())).unwrap()
    };
    (0..16).map(token).collect()
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A request with one of the tokens.
    Ask(usize),
    /// Time passes.
    Pass(u64),
    /// The wall clock is set.
    Set(i64),
    /// Something is revoked for so many seconds, what was issued before some second alone or all of it.
    Revoke(Target, i64, Option<i64>),
    /// The issuer has these keys from now on.
    Keys(u8),
    /// Another permission is needed from now on.
    Policy(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let target = prop_oneof![
        (0..16).prop_map(|id| Target::credential(ISSUER, format!("t-{id}"))),
        (0..3).prop_map(|id| Target::session(ISSUER, format!("s-{id}"))),
        (0..4).prop_map(|id| Target::subject(ISSUER, format!("user-{id}"))),
        (0..2).prop_map(|id| Target::Tenant(format!("org-{id}").into())),
    ];
    let revoke = (target, 1_i64..500, prop::option::of(-200_i64..10))
        .prop_map(|(target, seconds, before)| Step::Revoke(target, seconds, before));
    let step = prop_oneof![
        30 => (0_usize..16).prop_map(Step::Ask),
        3 => (0_u64..40).prop_map(Step::Pass),
        2 => (-400_i64..400).prop_map(Step::Set),
        1 => revoke,
        1 => (1_u8..8).prop_map(Step::Keys),
        1 => any::<bool>().prop_map(Step::Policy),
    ];
    prop::collection::vec(step, 1..120)
}

/// A gate that takes up other keys and policies while it serves; its verifier stays where only the policy changes.
struct Subject {
    size: Option<CacheSize>,
    verifier: Arc<JwtVerifier>,
    revocations: Revocations,
    gate: Gate,
}

impl Subject {
    fn new(size: Option<CacheSize>, revocations: &Revocations) -> Self {
        let verifier = verifier(0b111, size);
        let gate = builder(&verifier, revocations, true).build().unwrap();
        Self { size, verifier, revocations: revocations.clone(), gate }
    }

    fn keys(&mut self, which: u8, reading: bool) {
        self.verifier = verifier(which, self.size);
        self.policy(reading);
    }

    fn policy(&mut self, reading: bool) {
        self.gate.replace(builder(&self.verifier, &self.revocations, reading)).unwrap();
    }

    fn verdict(&self, token: &str, clock: &SimulatedClock) -> String {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        match self.gate.decide(&RequestHead::new("GET", "/", &headers), clock.now()) {
            Outcome::Done(Decision::Admit(admission)) => {
                let principal = admission.caller.principal().unwrap();
                format!("{} {:?} {:?}", principal.subject, principal.permissions, principal.expires)
            }
            Outcome::Done(Decision::Refuse(refusal)) => refusal.rejection.cause().to_owned(),
            Outcome::Wait(_) => panic!("nothing waits here"),
        }
    }
}

fn verifier(which: u8, size: Option<CacheSize>) -> Arc<JwtVerifier> {
    let keys = KEYS.iter().enumerate().filter(|(number, _)| which & 1 << number != 0).map(|(_, key)| {
        VerificationKey::shared_secret("HS256".parse().unwrap(), &Secret::from(secret(key))).unwrap().named(*key)
    });
    let issuer = Issuer::new(ISSUER, ["api"], KeySet::new(keys).unwrap())
        .leeway(Duration::from_secs(5))
        .max_lifetime(Duration::from_mins(65));
    let verifier = JwtVerifier::new([issuer]).unwrap();
    Arc::new(match size {
        Some(size) => verifier.remembering(size),
        None => verifier,
    })
}

fn builder(verifier: &Arc<JwtVerifier>, revocations: &Revocations, reading: bool) -> GateBuilder {
    let rule = if reading { permission("read") } else { authenticated() };
    let builder =
        Gate::builder().accept_shared(Source::bearer(), verifier.clone()).policy(Policy::new().get("/", rule));
    builder.revocations(revocations.clone())
}

/// Plays a schedule on both gates; answers how often the cache helped.
fn play(steps: &[Step], size: CacheSize) -> u64 {
    let tokens = tokens();
    let clock = SimulatedClock::at_unix_seconds(START);
    let revocations = Revocations::new();
    let mut subjects = [Subject::new(Some(size), &revocations), Subject::new(None, &revocations)];
    let mut reading = true;
    let mut hits = 0;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Ask(token) => {
                let [cached, plain] = subjects.each_ref().map(|subject| subject.verdict(&tokens[*token], &clock));
                assert_eq!(cached, plain, "step {number} of {steps:?}");
            }
            Step::Pass(seconds) => clock.advance(Duration::from_secs(*seconds)),
            Step::Set(seconds) => clock.step_wall(*seconds),
            Step::Revoke(target, seconds, before) => {
                let now = clock.now();
                let until = now.wall.saturating_add(Duration::from_secs(seconds.unsigned_abs()));
                let mut revocation = Revocation::new(target.clone(), until);
                revocation.issued_before = before.map(|before| Timestamp::from_unix_seconds(START + before));
                assert!(matches!(revocations.revoke(&revocation, now), Outcome::Done(Ok(()))));
            }
            Step::Keys(which) => {
                hits += subjects[0].verifier.cache_counts().hits;
                for subject in &mut subjects {
                    subject.keys(*which, reading);
                }
            }
            Step::Policy(next) => {
                reading = *next;
                for subject in &mut subjects {
                    subject.policy(reading);
                }
            }
        }
    }
    hits + subjects[0].verifier.cache_counts().hits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn j38_j39_the_cache_changes_no_verdict(steps in steps(), entries in prop::sample::select(vec![1, 4, 64])) {
        play(&steps, CacheSize::entries(entries));
    }
}

#[test]
fn a_known_token_is_not_verified_again_and_a_refused_one_is() {
    let ask = |token| vec![Step::Ask(token); 10];
    assert_eq!(play(&ask(2), CacheSize::default()), 9, "the first is verified, the others are known");
    assert_eq!(play(&ask(7), CacheSize::default()), 0, "not yet valid, so never kept");
    let expiring: Vec<Step> = [ask(4), vec![Step::Pass(25)], ask(4)].concat();
    assert_eq!(play(&expiring, CacheSize::default()), 9, "known until it ends");
}
