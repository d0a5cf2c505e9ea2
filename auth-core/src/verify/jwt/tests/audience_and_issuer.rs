//! Who issued the token, and for whom.

use super::*;
use crate::keys::VerificationKey;

#[test]
fn j25_the_issuer_is_an_exact_string() {
    for iss in [
        json!("https://login.example/"),
        json!("https://login.exampl"),
        json!("https://LOGIN.example"),
        json!("https://login.example.evil"),
        json!("login.example"),
        json!(""),
        json!([ISSUER]),
        json!([ISSUER, "https://evil.example"]),
        json!({ "iss": ISSUER }),
        json!(1),
        Value::Null,
    ] {
        let claims = with(&[("iss", iss.clone())]);
        assert_eq!(fault_of(issuer(), &claims), Some(CredentialFault::Issuer), "{iss}");
    }
    let null = with(&[("iss", json!("HERE"))]).replace("\"HERE\"", "null");
    assert_eq!(fault_of(issuer(), &null), Some(CredentialFault::Issuer));
}

#[test]
fn j25_a_key_belongs_to_its_issuer() {
    let other_secret = Secret::from("another secret of our tests, which has 64 bytes like the first!!");
    let other = KeySet::shared_secret(Algorithm::Hs256, &other_secret).expect("a good secret");
    let two = JwtVerifier::new([issuer(), Issuer::new("https://other.example", ["api"], other)]).expect("good");
    assert!(verify(&two, &token(&with(&[]))).is_ok());
    let posing = token(&with(&[("iss", json!("https://other.example"))]));
    assert_eq!(verify(&two, &posing).err(), Some(CredentialFault::Signature));
}

#[test]
fn j25_the_same_kid_at_two_issuers_is_two_keys() {
    let key = |secret: &str| {
        let key = VerificationKey::shared_secret(Algorithm::Hs256, &Secret::from(secret)).expect("a good secret");
        key.named("same")
    };
    let other = Issuer::new(
        "https://other.example",
        ["api"],
        key("another secret of our tests, which has 64 bytes like the first!!"),
    );
    let two = JwtVerifier::new([other, Issuer::new(ISSUER, ["api"], key(SECRET))]).expect("good");
    let header = r#"{"alg":"HS256","kid":"same"}"#;
    assert!(verify(&two, &sign(header, &with(&[]))).is_ok());
    let posing = sign(header, &with(&[("iss", json!("https://other.example"))]));
    assert_eq!(verify(&two, &posing).err(), Some(CredentialFault::Signature));
}

#[test]
fn j26_the_same_subject_of_two_issuers_is_two_identities() {
    let two = JwtVerifier::new([issuer(), Issuer::new("https://other.example", ["api"], keys())]).expect("good");
    let one = verify(&two, &token(&with(&[]))).expect("good");
    let other = verify(&two, &token(&with(&[("iss", json!("https://other.example"))]))).expect("good");
    assert_eq!(one.subject, other.subject);
    assert_ne!(one.issuer, other.issuer);
}

#[test]
fn j27_one_audience_must_be_ours() {
    let issuer = Issuer::new(ISSUER, ["api", "api-2"], keys());
    for (aud, fault) in [
        (json!("api"), None),
        (json!("api-2"), None),
        (json!(["api"]), None),
        (json!(["other", "api-2"]), None),
        (json!("other"), Some(CredentialFault::Audience)),
        (json!("API"), Some(CredentialFault::Audience)),
        (json!("ap"), Some(CredentialFault::Audience)),
        (json!("api "), Some(CredentialFault::Audience)),
        (json!(""), Some(CredentialFault::Audience)),
        (json!([]), Some(CredentialFault::Audience)),
        (json!(["other"]), Some(CredentialFault::Audience)),
        (Value::Null, Some(CredentialFault::Audience)),
        (json!(1), Some(CredentialFault::Claims)),
        (json!({ "api": "api" }), Some(CredentialFault::Claims)),
        (json!(["api", 1]), Some(CredentialFault::Claims)),
        (json!([["api"]]), Some(CredentialFault::Claims)),
    ] {
        assert_eq!(fault_of(issuer.clone(), &with(&[("aud", aud.clone())])), fault, "{aud}");
    }
}
