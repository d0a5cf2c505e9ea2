//! `exp`, `nbf`, `iat` and how long a token may live.

use std::time::Duration;

use super::*;

#[test]
fn j21_at_or_after_expiry_plus_leeway_is_refused() {
    let verifier = verifier(issuer().leeway(Duration::from_secs(30)));
    let token = token(&with(&[("exp", json!(NOW))]));
    for (seconds, fault) in [
        (NOW - 1, None),
        (NOW, None),
        (NOW + 29, None),
        (NOW + 30, Some(CredentialFault::Expired)),
        (NOW + 31, Some(CredentialFault::Expired)),
        (i64::MAX, Some(CredentialFault::Expired)),
    ] {
        assert_eq!(verify_at(&verifier, &token, seconds).err(), fault, "{}", seconds.saturating_sub(NOW));
    }
}

#[test]
fn j21_without_leeway_the_instant_itself_is_too_late() {
    let verifier = verifier(issuer().leeway(Duration::ZERO));
    let token = token(&with(&[("exp", json!(NOW))]));
    assert_eq!(verify_at(&verifier, &token, NOW - 1).err(), None);
    assert_eq!(verify_at(&verifier, &token, NOW).err(), Some(CredentialFault::Expired));
    let fraction = super::token(&with(&[("exp", json!(1_700_000_000.5))]));
    assert_eq!(verify_at(&verifier, &fraction, NOW).err(), None);
    assert_eq!(verify_at(&verifier, &fraction, NOW + 1).err(), Some(CredentialFault::Expired));
}

#[test]
fn j22_not_before_and_issued_at_may_lead_by_the_leeway_only() {
    let verifier = verifier(issuer().leeway(Duration::from_secs(30)));
    for name in ["nbf", "iat"] {
        for (ahead, fault) in [(-60, None), (0, None), (30, None), (31, Some(CredentialFault::NotYetValid))] {
            let token = token(&with(&[(name, json!(NOW + ahead))]));
            assert_eq!(verify(&verifier, &token).err(), fault, "{name} {ahead}");
        }
    }
}

#[test]
fn j23_times_that_are_not_numbers_in_range_are_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in ["\"1800000000\"", "null", "true", "[]", "{}", "-1", "1e300", "18446744073709551616", "\"NaN\""] {
            let claims = with(&[(name, json!("HERE"))]).replace("\"HERE\"", value);
            assert_eq!(fault_of(issuer(), &claims), Some(CredentialFault::Claims), "{name} {value}");
        }
    }
}

#[test]
fn j24_a_missing_expiry_is_refused_unless_asked_for() {
    let claims = with(&[("exp", Value::Null)]);
    assert_eq!(fault_of(issuer(), &claims), Some(CredentialFault::Claims));
    let identity = verify(&verifier(issuer().danger_accept_missing_expiry()), &token(&claims)).expect("accepted");
    assert_eq!(identity.expires, None);
    let past = with(&[("exp", json!(NOW - 3600))]);
    assert_eq!(fault_of(issuer().danger_accept_missing_expiry(), &past), Some(CredentialFault::Expired));
}

#[test]
fn j24_a_longest_lifetime_is_enforced() {
    let issuer = issuer().leeway(Duration::ZERO).max_lifetime(Duration::from_hours(1));
    for (lives, fault) in [(3600, None), (3601, Some(CredentialFault::Claims))] {
        assert_eq!(fault_of(issuer.clone(), &with(&[("exp", json!(NOW + lives))])), fault, "{lives}");
    }
}

#[test]
fn a_token_ends_with_its_age_whatever_it_says() {
    let issuer = issuer().leeway(Duration::ZERO).max_age(Duration::from_hours(1));
    let token = |age: i64, left: i64| with(&[("iat", json!(NOW - age)), ("exp", json!(NOW + left))]);
    for (age, left, fault) in [
        (3599, 7200, None),
        (3600, 7200, Some(CredentialFault::Expired)),
        (0, 1, None),
        (1, 0, Some(CredentialFault::Expired)),
    ] {
        assert_eq!(fault_of(issuer.clone(), &token(age, left)), fault, "{age} {left}");
    }
    let identity = verify(&verifier(issuer.clone()), &super::token(&token(600, 7200))).unwrap();
    assert_eq!(identity.expires, Some(Timestamp::from_unix_seconds(NOW + 3000)));
    assert_eq!(fault_of(issuer, &with(&[("iat", json!(null))])), Some(CredentialFault::Claims));
}

#[test]
fn expiry_is_reported_only_where_a_fresh_token_would_help() {
    let late = ("exp", json!(NOW - 3600));
    assert_eq!(fault_of(issuer(), &with(&[("exp", json!(NOW - 3600))])), Some(CredentialFault::Expired));
    let elsewhere = with(&[late.clone(), ("aud", json!("other"))]);
    assert_eq!(fault_of(issuer(), &elsewhere), Some(CredentialFault::Audience));
    let kind = with(&[late.clone(), ("token_use", json!("id"))]);
    assert_eq!(fault_of(issuer(), &kind), Some(CredentialFault::Kind));
    let mut forged = token(&with(&[late]));
    forged.truncate(forged.len() - 43);
    forged.push_str(&"A".repeat(43));
    assert_eq!(verify(&verifier(issuer()), &forged).err(), Some(CredentialFault::Signature));
}
