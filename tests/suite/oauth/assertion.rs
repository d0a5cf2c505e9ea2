//! Clients that sign instead of sending a secret (RFC 7523, T25 to T29).

use auth_core::client::ClientChange;
use auth_core::issue::{ClientError, NewClient};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{Answer, FORM, ISSUER, Service, service, wait};
use crate::corpus::folder;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const NOW: i64 = 1_700_000_000;

/// A JWK set with the public half of `tests/keys/ed25519.pem`.
pub(super) fn jwks() -> String {
    let jwk = std::fs::read_to_string(folder("keys/ed25519.jwk.json")).unwrap();
    let jwk: Value = serde_json::from_str(&jwk).unwrap();
    let public: Value = ["kty", "crv", "x"]
        .into_iter()
        .map(|name| (name.to_owned(), jwk[name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({ "keys": [public] }).to_string()
}

fn signer() -> Service {
    let service = service();
    let mut wanted = NewClient::new("signer");
    wanted.id = Some("signer".into());
    wanted.permissions = ["read"].into_iter().collect();
    service.client(wanted);
    wait(service.clients.change("signer", ClientChange::PublicKeys(Some(jwks().into())))).unwrap();
    service
}

fn good() -> Value {
    json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1" })
}

fn signed_by(key: &str, header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_ed_pem(&std::fs::read(folder(&format!("keys/{key}"))).unwrap()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

pub(super) fn signed(claims: &Value) -> String {
    signed_by("ed25519.pem", &json!({ "alg": "EdDSA" }), claims)
}

fn send(service: &Service, assertion: &str, more: &str) -> Answer {
    service.ask(|request| {
        request.media_type = Some(FORM.to_owned());
        request.content =
            format!("grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}{more}")
                .into_bytes();
    })
}

#[test]
fn t25_a_client_that_signs_gets_its_token() {
    let service = signer();
    let given = send(&service, &signed(&good()), "");
    assert_eq!(&*service.present(given.token(), "/read").unwrap().subject, "client:signer");
}

#[test]
fn t25_and_t29_what_is_missing_or_wrong_is_invalid_client() {
    let service = signer();
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("other")),
        ("sub", Value::Null),
        ("sub", json!("other")),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(NOW - 60)),
        ("exp", json!(NOW + 86_400)),
        ("jti", Value::Null),
    ] {
        let mut claims = good();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        assert_eq!(send(&service, &signed(&claims), "").error(), (401, "invalid_client"), "{name}: {value}");
    }
    let forged = signed_by("ed25519-other.pem", &json!({ "alg": "EdDSA" }), &good());
    assert_eq!(send(&service, &forged, "").error(), (401, "invalid_client"));
    assert_eq!(send(&service, "a.b.c", "").error(), (401, "invalid_client"));
    // none of these used it up
    assert_eq!(send(&service, &signed(&good()), "").status, 200);
}

#[test]
fn t26_the_audience_is_the_issuer_alone() {
    let service = signer();
    for aud in [json!(format!("{ISSUER}/token")), json!([ISSUER, "https://other.example"]), json!("api"), json!([])] {
        let mut claims = good();
        claims["aud"] = aud.clone();
        assert_eq!(send(&service, &signed(&claims), "").error(), (401, "invalid_client"), "{aud}");
    }
}

#[test]
fn t27_the_type_is_the_one_of_client_assertions_or_none() {
    let service = signer();
    for (number, (typ, status)) in
        [("client-authentication+jwt", 200), ("JWT", 200), ("at+jwt", 401), ("authorization-grant+jwt", 401)]
            .into_iter()
            .enumerate()
    {
        let mut claims = good();
        claims["jti"] = json!(number.to_string());
        let assertion = signed_by("ed25519.pem", &json!({ "alg": "EdDSA", "typ": typ }), &claims);
        assert_eq!(send(&service, &assertion, "").status, status, "{typ}");
    }
}

#[test]
fn t28_of_fifty_that_show_one_assertion_at_once_one_gets_a_token() {
    let service = signer();
    let assertion = signed(&good());
    let statuses = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(|| send(&service, &assertion, "").status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert!(statuses.iter().all(|status| [200, 401].contains(status)));
}

#[test]
fn t7_a_signature_beside_a_secret_is_refused() {
    let service = signer();
    let both = send(&service, &signed(&good()), "&client_id=signer&client_secret=x");
    assert_eq!(both.error(), (400, "invalid_request"));
    let other = service.form(&format!("grant_type=client_credentials&client_assertion={}", signed(&good())));
    assert_eq!(other.error(), (400, "invalid_request"), "without its type");
}

#[test]
fn keys_that_are_registered_are_public() {
    let service = signer();
    let private = std::fs::read_to_string(folder("keys/ed25519.jwk.json")).unwrap();
    let mut jwk: Value = serde_json::from_str(&private).unwrap();
    jwk["d"] = json!("AAAA");
    for bad in [
        json!({ "keys": [jwk] }).to_string(),
        json!({ "keys": [] }).to_string(),
        json!({ "keys": [{ "kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }] }).to_string(),
        "no JSON".to_owned(),
    ] {
        let change = ClientChange::PublicKeys(Some(bad.as_str().into()));
        assert!(matches!(wait(service.clients.change("signer", change)), Err(ClientError::Invalid(_))), "{bad}");
    }
}
