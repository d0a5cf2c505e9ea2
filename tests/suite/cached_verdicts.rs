//! A gate that remembers tokens and API keys against one that does not: the same verdict on every request, whatever happens
//! in between.
//!
//! Random schedules mix requests with clocks that move and are stepped, revocations, signing keys that are replaced, API keys
//! that are switched off and on or taken back, and policies that change. The cache is so small that it has to part with
//! credentials all the time. The model is the gate without it.

use std::sync::Arc;
use std::time::Duration;

use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate, GateBuilder};
use auth_core::issue::{ApiKeys, NewKey};
use auth_core::keys::{KeySet, VerificationKey};
use auth_core::policy::{Policy, authenticated, permission};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::{KeyChange, MemoryKeyStore};
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::verify::{ApiKeyVerifier, CacheSize};
use auth_core::{Clock, Identity, Names, Outcome, RequestHead, Secret, SimulatedClock, Timestamp};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::json;

const ISSUER: &str = "https://login.example";
/// Who vouches for the owners of API keys.
const KEY_ISSUER: &str = "gateway";
const START: i64 = 1_900_000_000;

/// The keys that come and go, by their ids.
const KEYS: [&str; 3] = ["2031-a", "2031-b", "2031-c"];

fn secret(key: &str) -> String {
    format!("an example of a secret for the key {key}, 32 bytes or more")
}

const TOKENS: usize = 16;

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
    (0..TOKENS).map(token).collect()
}

/// How many API keys there are; the texts of requests are the tokens' and then theirs.
const API_KEYS: usize = 4;

/// The API keys: one without permission, one that ends, and two of one owner.
struct MintedKeys {
    keys: ApiKeys,
    texts: Vec<String>,
    ids: Vec<Arc<str>>,
}

impl MintedKeys {
    fn new(clock: &SimulatedClock) -> Self {
        let format = KeyFormat::new("sk", ["live"]).unwrap();
        let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
        let keys = ApiKeys::new(format, peppers, Arc::new(MemoryKeyStore::new()), KEY_ISSUER);
        let mint = |number: usize| {
            let mut wanted = NewKey::new("build server", format!("user-{}", number % 3));
            wanted.environment = Some("live".into());
            wanted.tenant = Some(format!("org-{}", number % 2).into());
            wanted.permissions = if number == 1 { Names::EMPTY } else { Names::from_scope("read") };
            wanted.expires = (number == 2).then(|| Timestamp::from_unix_seconds(START + 60));
            keys.mint(wanted, clock.now()).now_or_never().unwrap().unwrap()
        };
        let minted: Vec<_> = (0..API_KEYS).map(mint).collect();
        let texts = minted.iter().map(|minted| minted.key.expose_text().unwrap().to_owned()).collect();
        Self { texts, ids: minted.into_iter().map(|minted| minted.record.id).collect(), keys }
    }

    /// What names the same target in each run, though the ids of keys are random.
    fn target(&self, target: &Target) -> Target {
        match target {
            Target::Credential { issuer, id } if **issuer == *KEY_ISSUER => {
                Target::credential(KEY_ISSUER, Arc::clone(&self.ids[id.parse::<usize>().unwrap()]))
            }
            other => other.clone(),
        }
    }
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A request with one of the tokens or API keys.
    Ask(usize),
    /// Time passes.
    Pass(u64),
    /// The wall clock is set.
    Set(i64),
    /// Something is revoked for so many seconds, what was issued before some second alone or all of it.
    Revoke(Target, i64, Option<i64>),
    /// The issuer has these keys from now on.
    Keys(u8),
    /// Something happens to an API key.
    Key(usize, KeyChange),
    /// Another permission is needed from now on.
    Policy(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let target = prop_oneof![
        (0..TOKENS).prop_map(|id| Target::credential(ISSUER, format!("t-{id}"))),
        (0..3).prop_map(|id| Target::session(ISSUER, format!("s-{id}"))),
        (0..4).prop_map(|id| Target::subject(ISSUER, format!("user-{id}"))),
        (0..2).prop_map(|id| Target::Tenant(format!("org-{id}").into())),
        (0..API_KEYS).prop_map(|number| Target::credential(KEY_ISSUER, number.to_string())),
        (0..3).prop_map(|id| Target::subject(KEY_ISSUER, format!("user-{id}"))),
        prop::sample::select(vec![ISSUER, KEY_ISSUER]).prop_map(|issuer| Target::Issuer(issuer.into())),
        Just(Target::All),
    ];
    let revoke = (target, 1_i64..500, prop::option::of(-200_i64..10))
        .prop_map(|(target, seconds, before)| Step::Revoke(target, seconds, before));
    let change = prop::sample::select(vec![
        KeyChange::Disable,
        KeyChange::Enable,
        KeyChange::Suspend,
        KeyChange::Resume,
        KeyChange::Revoke,
    ]);
    let step = prop_oneof![
        30 => (0..TOKENS + API_KEYS).prop_map(Step::Ask),
        3 => (0_u64..40).prop_map(Step::Pass),
        2 => (-400_i64..400).prop_map(Step::Set),
        1 => revoke,
        1 => (1_u8..8).prop_map(Step::Keys),
        1 => ((0..API_KEYS), change).prop_map(|(key, change)| Step::Key(key, change)),
        1 => any::<bool>().prop_map(Step::Policy),
    ];
    prop::collection::vec(step, 1..120)
}

/// A gate that takes up other keys and policies while it serves; its verifier stays where only the policy changes.
struct Subject {
    size: Option<CacheSize>,
    verifier: Arc<JwtVerifier>,
    keys: Arc<ApiKeyVerifier>,
    revocations: Revocations,
    gate: Gate,
}

impl Subject {
    fn new(size: Option<CacheSize>, keys: &ApiKeys, revocations: &Revocations) -> Self {
        let (verifier, keys) = (verifier(0b111, size), keys.verifier());
        let keys = Arc::new(match size {
            Some(size) => keys.remembering(size),
            None => keys,
        });
        let gate = builder(&verifier, &keys, revocations, true).build().unwrap();
        Self { size, verifier, keys, revocations: revocations.clone(), gate }
    }

    fn keys(&mut self, which: u8, reading: bool) {
        self.verifier = verifier(which, self.size);
        self.policy(reading);
    }

    fn policy(&mut self, reading: bool) {
        self.gate.replace(builder(&self.verifier, &self.keys, &self.revocations, reading)).unwrap();
    }

    fn verdict(&self, token: &str, clock: &SimulatedClock) -> String {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        match self.gate.decide(&RequestHead::new("GET", "/", &headers), clock.now()) {
            Outcome::Done(Decision::Admit(admission)) => {
                let principal = admission.caller.principal().unwrap();
                let Identity { method, subject, tenant, credential_id, permissions, expires, .. } = &**principal;
                format!("{method:?} {subject} {tenant:?} {credential_id:?} {permissions:?} {expires:?}")
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

fn builder(
    verifier: &Arc<JwtVerifier>,
    keys: &Arc<ApiKeyVerifier>,
    revocations: &Revocations,
    reading: bool,
) -> GateBuilder {
    let rule = if reading { permission("read") } else { authenticated() };
    Gate::builder()
        .accept_shared(Source::bearer(), verifier.clone())
        .accept_shared(Source::bearer(), keys.clone())
        .policy(Policy::new().get("/", rule))
        .revocations(revocations.clone())
}

/// Plays a schedule on both gates; answers how often the cache helped.
fn play(steps: &[Step], size: CacheSize) -> u64 {
    let clock = SimulatedClock::at_unix_seconds(START);
    let minted = MintedKeys::new(&clock);
    let texts = [tokens(), minted.texts.clone()].concat();
    let revocations = Revocations::new();
    let mut subjects = [Some(size), None].map(|size| Subject::new(size, &minted.keys, &revocations));
    let mut reading = true;
    let mut hits = 0;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Ask(which) => {
                let [cached, plain] = subjects.each_ref().map(|subject| subject.verdict(&texts[*which], &clock));
                assert_eq!(cached, plain, "step {number} of {steps:?}");
            }
            Step::Pass(seconds) => clock.advance(Duration::from_secs(*seconds)),
            Step::Set(seconds) => clock.step_wall(*seconds),
            Step::Revoke(target, seconds, before) => {
                let now = clock.now();
                let until = now.wall.saturating_add(Duration::from_secs(seconds.unsigned_abs()));
                let mut revocation = Revocation::new(minted.target(target), until);
                revocation.issued_before = before.map(|before| Timestamp::from_unix_seconds(START + before));
                assert!(matches!(revocations.revoke(&revocation, now), Outcome::Done(Ok(()))));
            }
            Step::Keys(which) => {
                hits += subjects[0].verifier.cache_counts().hits;
                for subject in &mut subjects {
                    subject.keys(*which, reading);
                }
            }
            // one that is not possible any more changes nothing for both
            Step::Key(key, change) => {
                drop(minted.keys.change(&minted.ids[*key], change.clone()).now_or_never().unwrap());
            }
            Step::Policy(next) => {
                reading = *next;
                for subject in &mut subjects {
                    subject.policy(reading);
                }
            }
        }
    }
    hits + subjects[0].verifier.cache_counts().hits + subjects[0].keys.cache_counts().hits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn j38_j39_the_cache_changes_no_verdict(steps in steps(), entries in prop::sample::select(vec![1, 4, 64])) {
        play(&steps, CacheSize::entries(entries));
    }
}

#[test]
fn a_known_credential_is_not_verified_again_and_a_refused_one_is() {
    let ask = |token| vec![Step::Ask(token); 10];
    assert_eq!(play(&ask(2), CacheSize::default()), 9, "the first is verified, the others are known");
    assert_eq!(play(&ask(7), CacheSize::default()), 0, "not yet valid, so never kept");
    assert_eq!(play(&ask(TOKENS), CacheSize::default()), 9, "an API key");
    let switched_off = Step::Key(0, KeyChange::Disable);
    let switched: Vec<Step> = [ask(TOKENS), vec![switched_off], ask(TOKENS)].concat();
    assert_eq!(play(&switched, CacheSize::default()), 9, "until it is switched off");
    let expiring: Vec<Step> = [ask(4), vec![Step::Pass(25)], ask(4)].concat();
    assert_eq!(play(&expiring, CacheSize::default()), 9, "known until it ends");
}
