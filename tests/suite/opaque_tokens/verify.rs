//! From token to identity: what is admitted, what is refused, and with which cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_core::api_key::{KeyDigest, Peppers};
use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate};
use auth_core::issue::{OpaqueTokens, TokenError};
use auth_core::opaque::{HeldToken, TokenFormat, TokenRecord};
use auth_core::policy::{Policy, authenticated};
use auth_core::store::{Answer, MemoryTokenStore, TokenScope, TokenStore, TokenUse, conformance};
use auth_core::verify::Verifier;
use auth_core::{CredentialFault, Identity, Method, Now, Outcome, Rejection, RequestHead, StoreError, Timestamp};
use proptest::prelude::*;

use super::{ISSUER, at, at_millis, minted, pepper, refused, text, tokens_in, verify, wait, wanted};

fn memory() -> Arc<MemoryTokenStore> {
    Arc::new(MemoryTokenStore::new())
}

#[test]
fn a_token_becomes_the_identity_it_was_minted_for() {
    let tokens = tokens_in(memory());
    let mut wanted = wanted();
    wanted.tenant = Some("acme".into());
    wanted.plan = Some("pro".into());
    wanted.permissions = ["models:read"].into_iter().collect();
    wanted.roles = ["robot"].into_iter().collect();
    wanted.scopes = ["openid"].into_iter().collect();
    let token = wait(tokens.mint(wanted, at(0))).unwrap();
    let identity = verify(&tokens.verifier(), &token, at(10)).unwrap();
    assert_eq!(identity.method, Method::OpaqueToken);
    assert_eq!((&*identity.issuer, &*identity.subject), (ISSUER, "ada"));
    assert_eq!((identity.tenant.as_deref(), identity.plan.as_deref()), (Some("acme"), Some("pro")));
    assert_eq!(identity.permissions.iter().collect::<Vec<_>>(), ["models:read"]);
    assert!(identity.roles.contains("robot") && identity.scopes.contains("openid"));
    assert_eq!(identity.session.as_deref(), Some("ses_1"));
    assert_eq!(identity.credential_id, Some(token.record.id.clone().into()));
    assert_eq!((identity.issued, identity.expires), (Some(at(0).wall), Some(at(110).wall)));
    assert_eq!(verify(&tokens.verifier(), &token, at(100)).unwrap().expires, Some(at(200).wall));
}

/// Answers nothing but that it is out of reach, and counts how often it was asked.
#[derive(Default)]
struct OutOfReach(AtomicUsize);

impl OutOfReach {
    fn refuse<T>(&self) -> Answer<T> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Outcome::Done(Err(StoreError::Unavailable("for this test".into())))
    }
}

impl TokenStore for OutOfReach {
    fn find(&self, _: &KeyDigest, _: Now) -> Answer<Option<Arc<HeldToken>>> {
        self.refuse()
    }

    fn insert(&self, _: TokenRecord) -> Answer<()> {
        self.refuse()
    }

    fn list(&self, _: &TokenScope) -> Answer<Vec<TokenRecord>> {
        self.refuse()
    }

    fn revoke(&self, _: &TokenScope) -> Answer<u64> {
        self.refuse()
    }

    fn record_used(&self, _: Vec<TokenUse>) -> Answer<()> {
        self.refuse()
    }

    fn delete_ended(&self, _: Timestamp) -> Answer<u64> {
        self.refuse()
    }
}

#[test]
fn what_is_no_token_never_reaches_the_store_and_an_outage_is_no_refusal() {
    let token = minted(&tokens_in(memory()));
    let store = Arc::new(OutOfReach::default());
    let verifier = tokens_in(store.clone()).verifier();
    let text = text(&token);
    for at in 3..text.len() {
        let mut typo = text.as_bytes().to_vec();
        typo[at] = if typo[at] == b'a' { b'b' } else { b'a' };
        let typo = String::from_utf8(typo).unwrap();
        assert!(verifier.recognises(&typo));
        assert_eq!(
            wait(verifier.verify(&typo, self::at(0)).resolve()).unwrap_err(),
            refused(CredentialFault::Malformed)
        );
    }
    for other in ["", "at_", &text[..text.len() - 1], &format!("{text}0"), &text.replace("at_", "rt_"), "a.b.c"] {
        assert!(!verifier.recognises(other), "{other}");
        assert_eq!(wait(verifier.verify(other, at(0)).resolve()).unwrap_err(), refused(CredentialFault::Malformed));
    }
    assert_eq!(store.0.load(Ordering::Relaxed), 0);
    assert!(matches!(verify(&verifier, &token, at(0)), Err(Rejection::Unavailable(_))));
    assert!(matches!(wait(verifier.ask_store(at(0)).resolve()), Err(StoreError::Unavailable(_))));
}

#[test]
fn a_token_is_taken_back_by_id_session_and_subject() {
    let (session, subject) = (
        TokenScope::Session { issuer: ISSUER.into(), id: "ses_1".into() },
        TokenScope::Subject { issuer: ISSUER.into(), subject: "ada".into() },
    );
    for scope in [None, Some(session), Some(subject)] {
        let tokens = tokens_in(memory());
        let (token, verifier) = (minted(&tokens), tokens.verifier());
        assert!(verify(&verifier, &token, at(0)).is_ok());
        let scope = scope.unwrap_or_else(|| TokenScope::Id(token.record.id.clone()));
        assert_eq!(wait(tokens.revoke(&scope)), Ok(1));
        assert_eq!(verify(&verifier, &token, at(0)).unwrap_err(), refused(CredentialFault::Revoked));
    }
}

#[test]
fn wishes_that_cannot_be_granted_are_named() {
    let tokens = tokens_in(memory());
    let wishes: [fn(&mut auth_core::issue::NewToken); 5] = [
        |wish| wish.subject = "".into(),
        |wish| wish.subject = "a\nb".into(),
        |wish| wish.session = Some("".into()),
        |wish| wish.ends = at(0).wall,
        |wish| wish.idle_limit = Some(Duration::from_millis(59_999)),
    ];
    for spoil in wishes {
        let mut wanted = wanted();
        spoil(&mut wanted);
        assert!(matches!(wait(tokens.mint(wanted, at(0))), Err(TokenError::Invalid(_))));
    }
}

#[test]
fn tokens_of_an_older_pepper_work_as_long_as_it_is_named() {
    let store = memory();
    let token = minted(&tokens_in(store.clone()));
    let format = || TokenFormat::new("at").unwrap();
    let both = Peppers::new(pepper("b")).with_previous(pepper("a")).unwrap();
    let verifier = OpaqueTokens::new(format(), both, store.clone(), ISSUER).verifier();
    assert!(verify(&verifier, &token, at(0)).is_ok());
    let verifier = OpaqueTokens::new(format(), Peppers::new(pepper("b")), store, ISSUER).verifier();
    assert_eq!(verify(&verifier, &token, at(0)).unwrap_err(), refused(CredentialFault::Unknown));
}

#[test]
fn ended_tokens_are_deleted_an_hour_later() {
    let tokens = tokens_in(memory());
    let token = minted(&tokens);
    assert_eq!(wait(tokens.delete_ended(at(3_700))), Ok(0));
    assert_eq!(wait(tokens.delete_ended(at(3_701))), Ok(1));
    assert_eq!(verify(&tokens.verifier(), &token, at(1)).unwrap_err(), refused(CredentialFault::Unknown));
}

/// A store that counts what is written, and may lose revocations.
struct Watched {
    tokens: MemoryTokenStore,
    batches: AtomicUsize,
    forgets_revocations: bool,
}

impl Watched {
    fn new(forgets_revocations: bool) -> Self {
        Self { tokens: MemoryTokenStore::new(), batches: AtomicUsize::new(0), forgets_revocations }
    }
}

impl TokenStore for Watched {
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldToken>>> {
        self.tokens.find(digest, now)
    }

    fn insert(&self, record: TokenRecord) -> Answer<()> {
        self.tokens.insert(record)
    }

    fn list(&self, scope: &TokenScope) -> Answer<Vec<TokenRecord>> {
        self.tokens.list(scope)
    }

    fn revoke(&self, scope: &TokenScope) -> Answer<u64> {
        if self.forgets_revocations { Outcome::Done(Ok(1)) } else { self.tokens.revoke(scope) }
    }

    fn record_used(&self, uses: Vec<TokenUse>) -> Answer<()> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.tokens.record_used(uses)
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.tokens.delete_ended(before)
    }
}

#[test]
fn a_request_writes_nothing_and_a_batch_writes_the_latest_use() {
    let store = Arc::new(Watched::new(false));
    let tokens = tokens_in(store.clone());
    let (token, verifier) = (minted(&tokens), tokens.verifier());
    for second in 0..90 {
        assert!(verify(&verifier, &token, at(second)).is_ok());
    }
    let last_seen = || wait(tokens.list(&TokenScope::Id(token.record.id.clone()))).unwrap()[0].last_seen;
    assert_eq!((store.batches.load(Ordering::Relaxed), last_seen()), (0, at(0).wall));
    wait(verifier.flush_used().resolve()).unwrap();
    assert_eq!((store.batches.load(Ordering::Relaxed), last_seen()), (1, at(89).wall));
    assert!(verify(&verifier, &token, at(95)).is_ok());
    drop(verifier);
    assert_eq!(last_seen(), at(95).wall, "the rest is written when the last verifier goes");
}

#[test]
fn the_conformance_suite_notices_a_store_that_forgets_revocations() {
    assert!(conformance::check_tokens(|| Arc::new(Watched::new(false))).is_ok());
    let broken = conformance::check_tokens(|| Arc::new(Watched::new(true)));
    assert!(broken.unwrap_err().promise.contains("revocation"));
}

#[test]
fn a_gate_admits_the_token_and_refuses_it_from_the_instant_of_its_end() {
    let tokens = tokens_in(memory());
    let token = minted(&tokens);
    let gate = Gate::builder()
        .accept(Source::bearer(), tokens.verifier())
        .policy(Policy::new().get("/", authenticated()))
        .build()
        .unwrap();
    let authorization = format!("Bearer {}", text(&token));
    let status = |now| {
        let fields = [("host", "example"), ("authorization", authorization.as_str())];
        match wait(gate.decide(&RequestHead::new("GET", "/", &fields), now).resolve()) {
            Decision::Admit(_) => 200,
            Decision::Refuse(refusal) => refusal.reply.status,
        }
    };
    assert_eq!(status(at(99)), 200);
    assert_eq!(status(at_millis(198_999)), 200);
    assert_eq!(status(at_millis(298_999)), 401);
}

proptest! {
    /// However a token is used, written down, revoked elsewhere or not: it is admitted exactly until the earlier of its
    /// absolute end and a limit after its last admission.
    #[test]
    fn a_token_lives_as_long_as_its_uses_say(
        steps in prop::collection::vec((1_u64..130_000, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let tokens = tokens_in(memory());
        let (token, verifier) = (minted(&tokens), tokens.verifier());
        let (mut now, mut last) = (0, 0);
        for (step, used, flushed) in steps {
            now += step;
            if used {
                let lives = now < 1_000_000 && now < last + 100_000;
                let verdict = verify(&verifier, &token, at_millis(now));
                prop_assert_eq!(verdict.is_ok(), lives, "at {}, last admitted at {}", now, last);
                if let Ok(identity) = verdict {
                    last = now;
                    let end = at_millis((now + 100_000).min(1_000_000)).wall;
                    let told = identity.expires.unwrap();
                    prop_assert!(told <= end && end < told.saturating_add(Duration::from_secs(1)));
                }
            }
            if flushed {
                wait(verifier.flush_used().resolve()).unwrap();
            }
        }
    }
}

#[test]
fn l23_what_is_recalled_is_what_verifying_says_and_strangers_are_not_recalled() {
    let tokens = tokens_in(memory());
    let (good, revoked, stranger) = (minted(&tokens), minted(&tokens), minted(&tokens_in(memory())));
    wait(tokens.revoke(&TokenScope::Id(revoked.record.id.clone()))).unwrap();
    let verifier = tokens.verifier();
    let id = |verdict: Result<Arc<Identity>, Rejection>| verdict.map(|identity| identity.credential_id.clone());
    let recalled = |text: &str, now| verifier.recall(text, now).map(|outcome| id(wait(outcome.resolve())));
    for (token, now) in [(&good, at(1)), (&revoked, at(1)), (&good, at(500))] {
        assert_eq!(recalled(text(token), now), Some(id(verify(&verifier, token, now))));
    }
    assert_eq!(recalled("at_garbled", at(1)), Some(Err(refused(CredentialFault::Malformed))));
    assert!(verifier.recall(text(&stranger), at(1)).is_none());
}
