use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::Outcome;
use crate::Rejection;
use crate::clock::{Clock as _, SimulatedClock};
use crate::issue::{AccessTokenIssuer, NewAccessToken, SigningAlgorithm};
use crate::principal::Method;
use crate::rejection::CredentialFault;
use crate::verify::Verifier as _;
use crate::verify::jwt::JwtVerifier;

const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Now {
    SimulatedClock::at_unix_seconds(START + seconds).now()
}

fn ada() -> Identity {
    let mut identity = Identity::new(Method::ApiKey, "https://idp.example", "ada");
    identity.tenant = Some("acme".into());
    identity.permissions = ["read", "write"].into_iter().collect();
    identity.roles = ["admin"].into_iter().collect();
    identity
}

fn to(audience: &str, keys: &SigningKeys) -> UpstreamAssertions {
    UpstreamAssertions::new("https://gate.example", audience, Duration::from_mins(1), keys.clone())
}

fn keys() -> SigningKeys {
    SigningKeys::generate(SigningAlgorithm::Es256).unwrap()
}

fn verdict(issuer: Issuer, token: &Secret, now: Now) -> Result<Identity, Rejection> {
    let verifier = JwtVerifier::new([issuer]).unwrap();
    let Outcome::Done(verdict) = verifier.verify(token.expose_text().unwrap(), now) else {
        unreachable!("the keys are at hand")
    };
    verdict.map(|identity| (*identity).clone())
}

fn payload(token: &Secret) -> Value {
    use base64::Engine as _;
    let payload = token.expose_text().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn an_upstream_reads_who_the_caller_is() {
    let orders = to("orders", &keys());
    let assertion = orders.sign(&ada(), at(0)).unwrap();
    let caller = verdict(orders.trusted().unwrap(), &assertion, at(1)).unwrap();
    assert_eq!((&*caller.subject, caller.tenant.as_deref()), ("ada", Some("acme")));
    assert_eq!(caller.permissions.iter().collect::<Vec<_>>(), ["read", "write"]);
    assert!(caller.roles.contains("admin"));
    let said = payload(&assertion);
    assert_eq!(said["sub_id"]["iss"], "https://idp.example");
    assert_eq!((&said["method"], &said["aud"]), (&"api_key".into(), &"orders".into()));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 60);
    assert!(said.get("plan").is_none(), "{said}");
}

#[test]
fn j27_another_upstreams_assertion_is_refused() {
    let keys = keys();
    let assertion = to("orders", &keys).sign(&ada(), at(0)).unwrap();
    let refused = verdict(to("invoices", &keys).trusted().unwrap(), &assertion, at(1));
    assert_eq!(refused.err(), Some(Rejection::InvalidCredential(CredentialFault::Audience)));
}

#[test]
fn j28_an_assertion_is_no_access_token_and_an_access_token_no_assertion() {
    // the same keys, issuer and audience: the type alone tells them apart
    let keys = keys();
    let tokens = AccessTokenIssuer::new("https://gate.example", "orders", Duration::from_mins(1), keys.clone());
    let orders = to("orders", &keys);
    let assertion = orders.sign(&ada(), at(0)).unwrap();
    let kind = Some(Rejection::InvalidCredential(CredentialFault::Kind));
    assert_eq!(verdict(tokens.trusted().unwrap(), &assertion, at(1)).err(), kind);
    let token = tokens.mint(&NewAccessToken::new("ada", "web"), at(0)).unwrap().token;
    assert_eq!(verdict(orders.trusted().unwrap(), &token, at(1)).err(), kind);
    assert!(verdict(tokens.trusted().unwrap(), &token, at(1)).is_ok());
}

#[test]
fn requests_of_one_caller_share_an_assertion_for_some_seconds() {
    let orders = to("orders", &keys());
    let first = orders.sign(&ada(), at(0)).unwrap();
    assert_eq!(orders.sign(&ada(), at(4)).unwrap(), first);
    assert_ne!(orders.sign(&ada(), at(5)).unwrap(), first);
}

#[test]
fn whatever_changes_about_a_caller_is_said_at_once() {
    let orders = to("orders", &keys());
    let first = orders.sign(&ada(), at(0)).unwrap();
    let changes: [fn(&mut Identity); 8] = [
        |caller| caller.subject = "bob".into(),
        |caller| caller.issuer = "https://other.example".into(),
        |caller| caller.tenant = None,
        |caller| caller.plan = Some("pro".into()),
        |caller| caller.permissions = ["read"].into_iter().collect(),
        |caller| caller.roles = Names::EMPTY,
        |caller| caller.credential_id = Some("key_1".into()),
        |caller| caller.expires = Some(at(30).wall),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut caller = ada();
        change(&mut caller);
        assert_ne!(orders.sign(&caller, at(1)).unwrap(), first, "change {index}");
    }
}

#[test]
fn an_assertion_ends_with_the_credential_but_can_still_be_read() {
    let orders = to("orders", &keys());
    for (ends, lives) in [(30, 30), (3, 10), (-20, 10), (600, 60)] {
        let mut caller = ada();
        caller.expires = Some(at(ends).wall);
        let said = payload(&orders.sign(&caller, at(0)).unwrap());
        assert_eq!(said["exp"].as_i64().unwrap() - START, lives, "a credential that ends at {ends}");
    }
}

#[test]
fn lifetimes_are_cut_to_what_is_sensible() {
    for (asked, lives) in [(1, 10), (60, 60), (86_400, 300)] {
        let assertions = UpstreamAssertions::new("gate", "orders", Duration::from_secs(asked), keys());
        let said = payload(&assertions.sign(&ada(), at(0)).unwrap());
        assert_eq!(said["exp"].as_i64().unwrap() - START, lives);
    }
}
