//! The verifier against `jsonwebtoken`: the same verdict on the same token, or a row of the standards that says why not.
//!
//! Tokens of every algorithm are made good and then changed: header, claims, text and signature. Both verifiers get the
//! same token, the same keys and the same instant. Where the reference accepts and we refuse, the fault that we report
//! must be one that a row of [`differences::STRICTER`] allows for this very token; where we accept and the reference
//! refuses, likewise one of [`differences::WIDER`]. Each row is proved necessary by a token of its own.

mod differences;
mod mutations;
mod signers;

use std::sync::Arc;

use std::time::Duration;

use auth_core::verify::Verifier;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::{CredentialFault, Identity, Monotonic, Now, Outcome, Rejection, Timestamp};
use jsonwebtoken::{Validation, decode, get_current_timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use differences::{STRICTER, Seen, WIDER};
use mutations::{Draft, Mutation, mutation};
use signers::{SIGNERS, Signer};

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "api";
const LEEWAY: u64 = 60;

fn ours(token: &str, signer: &Signer, now: u64) -> Result<Arc<Identity>, CredentialFault> {
    let issuer = Issuer::new(ISSUER, [AUDIENCE], signer.verification.clone())
        .algorithms([signer.name.parse().unwrap()])
        .leeway(Duration::from_secs(LEEWAY));
    let verifier = JwtVerifier::new([issuer]).unwrap();
    let wall = Timestamp::from_unix_seconds(i64::try_from(now).unwrap());
    match verifier.verify(token, Now { wall, monotonic: Monotonic::from_nanos(0) }) {
        Outcome::Done(Ok(identity)) => Ok(identity),
        Outcome::Done(Err(Rejection::InvalidCredential(fault))) => Err(fault),
        other => panic!("a verdict at once and of the token was expected, not {other:?}"),
    }
}

fn reference(token: &str, signer: &Signer) -> Option<Value> {
    let mut validation = Validation::new(signer.algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    decode::<Value>(token, &signer.decoding, &validation).ok().map(|data| data.claims)
}

/// How the two verdicts differ, by the row that explains it; nothing where they agree.
fn difference(token: &str, signer: &Signer) -> Option<&'static str> {
    difference_at(|_| token.to_owned(), signer)
}

/// The same for a token that depends on the instant.
fn difference_at(token: impl Fn(u64) -> String, signer: &Signer) -> Option<&'static str> {
    // the reference reads the clock itself, so the second must not turn in between
    let (token, theirs, ours, now) = loop {
        let now = get_current_timestamp();
        let token = token(now);
        let (theirs, ours) = (reference(&token, signer), ours(&token, signer, now));
        if get_current_timestamp() == now {
            break (token, theirs, ours, now);
        }
    };
    let seen = Seen::new(&token, signer, now);
    match (theirs, ours) {
        (Some(claims), Ok(identity)) => {
            assert_eq!(identity.claims.deserialize::<Value>().ok().as_ref(), Some(&claims));
            assert_eq!(identity.issuer.as_ref(), ISSUER);
            let subject = identity.subject.strip_prefix("client:").unwrap_or(&identity.subject);
            assert_eq!(Some(subject), claims["sub"].as_str());
            None
        }
        (None, Err(_)) => None,
        (Some(_), Err(fault)) => {
            let row = STRICTER.iter().find(|row| row.fault == fault && (row.explains)(&seen));
            Some(row.unwrap_or_else(|| panic!("we alone refuse, for {fault:?}: {seen:?}")).id)
        }
        (None, Ok(_)) => {
            let row = WIDER.iter().find(|row| (row.explains)(&seen));
            Some(row.unwrap_or_else(|| panic!("we alone accept: {seen:?}")).id)
        }
    }
}

fn good(signer: &Signer) -> String {
    Draft::good(signer, get_current_timestamp()).token()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_differ_only_where_the_standards_say_so(
        signer in prop::sample::select((0..SIGNERS.len()).collect::<Vec<_>>()),
        mutations in prop::collection::vec(mutation(), 0..4),
    ) {
        let signer = &SIGNERS[signer];
        let token = |now| {
            let mut draft = Draft::good(signer, now);
            for mutation in &mutations {
                draft.apply(mutation);
            }
            draft.token()
        };
        difference_at(token, signer);
    }
}

#[test]
fn tokens_that_the_reference_issues_are_accepted() {
    for signer in SIGNERS.iter() {
        let claims = json!({
            "iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": "ada", "exp": get_current_timestamp() + 60,
            "nbf": get_current_timestamp() - 60, "name": "Ada \"é😀\" \\ /", "nested": { "list": [1, 2.5, null, true] },
        });
        let token =
            jsonwebtoken::encode(&jsonwebtoken::Header::new(signer.algorithm), &claims, &signer.encoding).unwrap();
        assert_eq!(difference(&token, signer), None, "{}", signer.name);
        let identity = ours(&token, signer, get_current_timestamp()).unwrap();
        assert_eq!(identity.claims.deserialize::<Value>().unwrap(), claims);
    }
}

#[test]
fn j1_j3_a_token_is_good_under_its_own_algorithm_alone() {
    for signer in SIGNERS.iter() {
        let token = good(signer);
        for other in SIGNERS.iter() {
            assert_eq!(ours(&token, other, get_current_timestamp()).is_ok(), signer.name == other.name);
            assert_eq!(difference(&token, other), None, "{} {}", signer.name, other.name);
        }
    }
}

#[test]
fn j9_every_flipped_bit_is_noticed_by_both() {
    for signer in SIGNERS.iter() {
        let token = good(signer);
        for at in (0..token.len()).step_by(7) {
            for bit in [0, 1, 2, 5] {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(ours(&changed, signer, get_current_timestamp()).is_err(), "{at} {bit}");
                assert_eq!(difference(&changed, signer), None);
            }
        }
    }
}

#[test]
fn every_row_is_needed() {
    let claim = |name: &str, json: &str| Mutation::Claim(name.to_owned(), json.to_owned());
    let header = |name: &str, json: &str| Mutation::Header(name.to_owned(), json.to_owned());
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let wide = format!("{{{}}}", (0..300).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
    let long = format!("\"{}\"", "x".repeat(8192));
    let array = format!("[{},0,\"ada\",\"{ISSUER}\",\"{AUDIENCE}\"]", get_current_timestamp() + 3600);
    let leeway = i64::try_from(LEEWAY).unwrap();
    for (id, mutation) in [
        ("J2", header("alg", r#"{"HS256":null}"#)),
        ("J7", header("enc", "\"A256GCM\"")),
        ("J10", header("crit", r#"["exp"]"#)),
        ("J10", header("b64", "false")),
        ("J10", header("zip", "\"DEF\"")),
        ("J11", Mutation::SecondHeader("x".into(), "1".into())),
        ("J11", Mutation::SecondClaim("x".into(), "1".into())),
        ("J12", header("jwk", "1")),
        ("J13", header("kid", "\"../../etc/passwd\"")),
        ("J13", header("kid", "null")),
        ("J21", Mutation::Time("exp", -leeway, "")),
        ("J22", Mutation::Time("iat", 3600, "")),
        ("J22", Mutation::Time("nbf", leeway, ".4")),
        ("J23", claim("iat", "\"1\"")),
        ("J23", claim("exp", "1e15")),
        ("J25", claim("iss", &format!("[\"{ISSUER}\"]"))),
        ("J26", claim("sub", "\"\"")),
        ("J28", claim("nonce", "\"n\"")),
        ("J28", claim("token_use", "\"id\"")),
        ("J28", header("typ", "\"logout+jwt\"")),
        ("J28", header("typ", "null")),
        ("J32", claim("sub", "\"client:ada\"")),
        ("J32", claim("client_id", "1")),
        ("J37", claim("x", &deep)),
        ("J37", claim("x", &wide)),
        ("J37", Mutation::Payload(array)),
        ("J40", claim("x", &long)),
        ("S9", claim("tenant", "1")),
        ("S16", claim("jti", "\"a\\nb\"")),
        ("D8", claim("cnf", r#"{"jkt":"x"}"#)),
    ] {
        assert_eq!(difference_at(|now| spoilt(&SIGNERS[0], now, &mutation), &SIGNERS[0]), Some(id), "{mutation:?}");
    }
    let eddsa = SIGNERS.iter().find(|signer| signer.name == "EdDSA").unwrap();
    let other_name = header("alg", "\"Ed25519\"");
    assert_eq!(difference_at(|now| spoilt(eddsa, now, &other_name), eddsa), Some("J6"));
}

fn spoilt(signer: &Signer, now: u64, mutation: &Mutation) -> String {
    let mut draft = Draft::good(signer, now);
    draft.apply(mutation);
    draft.token()
}
