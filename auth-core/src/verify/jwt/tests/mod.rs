//! The verifier as a whole: one token in, one verdict out.

mod audience_and_issuer;
mod form;
mod kinds;
mod principal;
mod recall;
mod times;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::clock::{Monotonic, Timestamp};
use crate::keys::{Algorithm, KeySet};
use crate::secret::Secret;

pub(super) const SECRET: &str = "a secret of our tests that has 64 bytes, enough for all of them!";
pub(super) const ISSUER: &str = "https://login.example";
pub(super) const NOW: i64 = 1_700_000_000;

pub(super) fn keys() -> KeySet {
    KeySet::shared_secret(Algorithm::Hs256, &Secret::from(SECRET)).expect("a good secret")
}

pub(super) fn issuer() -> Issuer {
    Issuer::new(ISSUER, ["api"], keys())
}

pub(super) fn verifier(issuer: Issuer) -> JwtVerifier {
    JwtVerifier::new([issuer]).expect("a good configuration")
}

pub(super) fn at(seconds: i64) -> Now {
    Now { wall: Timestamp::from_unix_seconds(seconds), monotonic: Monotonic::from_nanos(0) }
}

/// Claims that the verifier accepts.
pub(super) fn good() -> Value {
    json!({ "iss": ISSUER, "aud": "api", "sub": "ada", "exp": NOW + 60 })
}

/// Good claims with some changed, or left out where the change is null.
pub(super) fn with(changes: &[(&str, Value)]) -> String {
    let mut claims = good();
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    let map = claims.as_object_mut().expect("an object");
    map.retain(|name, value| !(value.is_null() && changes.iter().any(|(changed, _)| changed == name)));
    claims.to_string()
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs what is given, whatever it is.
pub(super) fn sign(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", base64(header), base64(payload));
    sign_text(&signed)
}

pub(super) fn sign_text(signed: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", base64(tag))
}

pub(super) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub(super) fn token(payload: &str) -> String {
    sign(HEADER, payload)
}

pub(super) fn verify(verifier: &JwtVerifier, token: &str) -> Result<Arc<Identity>, CredentialFault> {
    verify_at(verifier, token, NOW)
}

pub(super) fn verify_at(verifier: &JwtVerifier, token: &str, seconds: i64) -> Result<Arc<Identity>, CredentialFault> {
    let verdict = Verifier::verify(verifier, token, at(seconds));
    if verifier.known.is_none() {
        check_bytes(verifier, token, seconds, &verdict);
    }
    match verdict {
        Outcome::Done(Ok(identity)) => Ok(identity),
        Outcome::Done(Err(Rejection::InvalidCredential(fault))) => Err(fault),
        other => panic!("a verdict at once and of the token was expected, not {other:?}"),
    }
}

/// Bytes as they came have the same verdict as the text, or none where the gate has to look at their form.
fn check_bytes(verifier: &JwtVerifier, token: &str, seconds: i64, verdict: &Outcome<Verified>) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match (verifier.verify_bytes(token.as_bytes(), at(seconds)), verdict) {
        (None, Outcome::Done(Err(Rejection::InvalidCredential(fault)))) => assert!(is_of_form(*fault), "{token}"),
        (Some(Outcome::Done(of_bytes)), Outcome::Done(verdict)) => {
            assert_eq!(format!("{of_bytes:?}"), format!("{verdict:?}"), "{token}");
            assert!(token.bytes().all(plain), "{token}");
        }
        (of_bytes, verdict) => panic!("the bytes of {token} come to {of_bytes:?}, the text to {verdict:?}"),
    }
}

/// The verdict on a payload with a good signature.
pub(super) fn fault_of(issuer: Issuer, payload: &str) -> Option<CredentialFault> {
    verify(&verifier(issuer), &token(payload)).err()
}

#[test]
fn a_good_token_is_an_identity() {
    let claims = with(&[("jti", json!("t-1")), ("scope", json!("read write")), ("tenant", json!("acme"))]);
    let identity = verify(&verifier(issuer()), &token(&claims)).expect("a good token");
    assert_eq!((&*identity.issuer, &*identity.subject), (ISSUER, "ada"));
    assert_eq!(identity.credential_id.as_deref(), Some("t-1"));
    assert_eq!(identity.tenant.as_deref(), Some("acme"));
    assert_eq!(identity.expires, Some(Timestamp::from_unix_seconds(NOW + 60)));
    assert_eq!(identity.permissions.iter().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!(identity.claims.as_json(), claims);
}

#[test]
fn a_verifier_recognises_tokens_and_what_is_meant_to_be_one() {
    let verifier = verifier(issuer());
    let good = token(&good().to_string());
    for text in [&*good, "a.b.c", "..", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30"] {
        assert!(verifier.recognises(text), "{text}");
    }
    for text in ["", "opaque", "sk_live_123", "a.b", "a.b.c.d", "a.b.c.d.e.f", "eyJhbGciOiJub25lIn0"] {
        assert!(!verifier.recognises(text), "{text}");
    }
}

#[test]
fn mistakes_in_the_configuration_are_found_before_the_first_request() {
    let message = |issuers: Vec<Issuer>| JwtVerifier::new(issuers).expect_err("a mistake").to_string();
    assert!(message(vec![]).contains("no issuer"));
    assert!(message(vec![issuer(), issuer()]).contains("twice"));
    assert!(message(vec![Issuer::new(ISSUER, [] as [&str; 0], keys())]).contains("audience"));
    assert!(message(vec![Issuer::new(ISSUER, [""], keys())]).contains("audience"));
    assert!(message(vec![Issuer::new("", ["api"], keys())]).contains("empty name"));
    assert!(message(vec![issuer().leeway(std::time::Duration::from_secs(301))]).contains("leeway"));
    assert!(message(vec![issuer().max_lifetime(std::time::Duration::ZERO)]).contains("lifetime"));
    assert!(message(vec![issuer().algorithms([])]).contains("algorithms"));
    assert!(message(vec![issuer().algorithms([Algorithm::Rs256])]).contains("algorithms"));
    let both = issuer().max_lifetime(std::time::Duration::from_secs(1)).danger_accept_missing_expiry();
    assert!(message(vec![both]).contains("decide"));
}

#[test]
fn s14_nothing_secret_or_personal_is_printed() {
    let verifier = verifier(issuer());
    let identity = verify(&verifier, &token(&with(&[("email", json!("ada@example.org"))]))).expect("a good token");
    let printed = format!("{verifier:?} {:?} {:?}", keys(), identity.claims);
    assert!(!printed.contains("a secret of our tests") && !printed.contains("ada@example.org"), "{printed}");
}
