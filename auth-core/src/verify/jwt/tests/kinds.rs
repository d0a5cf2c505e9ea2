//! Kinds of tokens that must not be taken for each other.

use super::*;

fn fault_of_typ(issuer: Issuer, typ: &str, payload: &str) -> Option<CredentialFault> {
    let header = format!(r#"{{"alg":"HS256","typ":{}}}"#, json!(typ));
    verify(&verifier(issuer), &sign(&header, payload)).err()
}

#[test]
fn j28_other_kinds_are_no_access_tokens_by_their_type() {
    for typ in [
        "dpop+jwt",
        "logout+jwt",
        "client-authentication+jwt",
        "secevent+jwt",
        "id_token",
        "refresh+jwt",
        "application/dpop+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "JWE",
        "",
    ] {
        assert_eq!(fault_of_typ(issuer(), typ, &with(&[])), Some(CredentialFault::Kind), "{typ}");
    }
    assert_eq!(verify(&verifier(issuer()), &sign(r#"{"alg":"HS256"}"#, &with(&[]))).err(), None);
    let number = sign(r#"{"alg":"HS256","typ":1}"#, &with(&[]));
    assert_eq!(verify(&verifier(issuer()), &number).err(), Some(CredentialFault::Malformed));
}

#[test]
fn j28_other_kinds_are_no_access_tokens_by_their_claims() {
    for (name, value) in [
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("token_use", json!("id")),
        ("token_use", json!("refresh")),
        ("token_use", json!("something")),
        ("token_use", json!(1)),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("Logout")),
        ("type", json!("refresh")),
        ("token_type", json!("refresh")),
        ("token_type", json!("refresh_token")),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
    ] {
        assert_eq!(fault_of(issuer(), &with(&[(name, value.clone())])), Some(CredentialFault::Kind), "{name} {value}");
    }
    let proof = with(&[("htm", json!("GET")), ("htu", json!("https://api.example"))]);
    assert_eq!(fault_of(issuer(), &proof), Some(CredentialFault::Kind));
    for (name, value) in [
        ("token_use", json!("access")),
        ("typ", json!("Bearer")),
        ("type", json!("user")),
        ("token_type", json!("Bearer")),
    ] {
        assert_eq!(fault_of(issuer(), &with(&[(name, value.clone())])), None, "{name} {value}");
    }
}

#[test]
fn j28_a_stated_access_token_may_have_a_nonce_but_not_contradict_itself() {
    let nonce = ("nonce", json!("n"));
    assert_eq!(fault_of(issuer(), &with(&[nonce.clone(), ("typ", json!("Bearer"))])), None);
    assert_eq!(fault_of(issuer(), &with(&[nonce.clone(), ("token_use", json!("access"))])), None);
    assert_eq!(fault_of_typ(issuer(), "at+jwt", &with(&[("nonce", json!("n"))])), None);
    let contradiction = with(&[nonce, ("token_use", json!("id"))]);
    assert_eq!(fault_of_typ(issuer(), "at+jwt", &contradiction), Some(CredentialFault::Kind));
}

#[test]
fn j29_types_compare_without_case_and_with_an_implied_prefix() {
    let profile = || issuer().token_kind(TokenKind::Profile);
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert_eq!(fault_of_typ(profile(), typ, &of_profile(&[])), None, "{typ}");
        assert_eq!(fault_of_typ(issuer(), typ, &with(&[])), None, "{typ}");
    }
    for typ in ["jwt", "JWT", "application/jwt"] {
        assert_eq!(fault_of_typ(issuer(), typ, &with(&[])), None, "{typ}");
        assert_eq!(fault_of_typ(profile(), typ, &of_profile(&[])), Some(CredentialFault::Kind), "{typ}");
    }
    for typ in ["text/at+jwt", "application/x/at+jwt", "at+jwt ", "at+jw"] {
        assert_eq!(fault_of_typ(profile(), typ, &of_profile(&[])), Some(CredentialFault::Kind), "{typ}");
    }
}

fn of_profile(changes: &[(&str, Value)]) -> String {
    let all = [("client_id", json!("app")), ("iat", json!(NOW)), ("jti", json!("t-1"))];
    with(&[&all[..], changes].concat())
}

#[test]
fn j30_the_profile_needs_its_type_and_all_its_claims() {
    let profile = || issuer().token_kind(TokenKind::Profile);
    assert_eq!(fault_of_typ(profile(), "at+jwt", &of_profile(&[])), None);
    assert_eq!(
        verify(&verifier(profile()), &sign(r#"{"alg":"HS256"}"#, &of_profile(&[]))).err(),
        Some(CredentialFault::Kind)
    );
    for name in ["exp", "aud", "sub", "client_id", "iat", "jti"] {
        let without = of_profile(&[(name, Value::Null)]);
        assert_eq!(fault_of_typ(profile(), "at+jwt", &without), Some(CredentialFault::Claims), "{name}");
    }
}

#[test]
fn j28_a_type_of_ones_own_is_compared_and_nothing_else_tells() {
    let own = || issuer().token_kind(TokenKind::Typ("session+jwt".into()));
    assert_eq!(fault_of_typ(own(), "session+jwt", &with(&[("nonce", json!("n"))])), None);
    assert_eq!(fault_of_typ(own(), "JWT", &with(&[])), Some(CredentialFault::Kind));
    assert_eq!(verify(&verifier(own()), &sign(r#"{"alg":"HS256"}"#, &with(&[]))).err(), Some(CredentialFault::Kind));
}

#[test]
fn d8_a_bound_token_is_no_bearer_token() {
    for cnf in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({}), json!("x")] {
        assert_eq!(fault_of(issuer(), &with(&[("cnf", cnf)])), Some(CredentialFault::Kind));
    }
}
