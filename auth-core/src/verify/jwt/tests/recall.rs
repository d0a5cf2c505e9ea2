//! What is known of a token without a look at its signature.

use super::*;

/// The subject of a token that is recalled.
fn recall(verifier: &JwtVerifier, token: &str, seconds: i64) -> Option<Result<String, Rejection>> {
    match verifier.recall(token, at(seconds))? {
        Outcome::Done(verdict) => Some(verdict.map(|identity| identity.subject.to_string())),
        Outcome::Wait(_) => unreachable!("nothing has to be waited for"),
    }
}

#[test]
fn l23_a_token_is_recalled_once_it_was_good_and_then_also_to_have_ended() {
    let verifier = verifier(issuer().leeway(std::time::Duration::ZERO)).remembering(CacheSize::default());
    let (good, forged) = (token(&with(&[])), token(&with(&[("sub", json!("eve"))])));
    let forged = format!("{}{}", &forged[..forged.len() - 8], &good[good.len() - 8..]);
    assert_eq!(recall(&verifier, &good, NOW), None);
    assert!(verify(&verifier, &good).is_ok() && verify(&verifier, &forged).is_err());
    assert_eq!(recall(&verifier, &good, NOW), Some(Ok("ada".to_owned())));
    assert_eq!(recall(&verifier, &forged, NOW), None);
    let ended = Some(Err(Rejection::InvalidCredential(CredentialFault::Expired)));
    assert_eq!(recall(&verifier, &good, NOW + 60), ended);
    assert_eq!(verify_at(&verifier, &good, NOW + 60).err(), Some(CredentialFault::Expired));
    let counts = verifier.cache_counts();
    assert_eq!((counts.hits, counts.misses), (1, 3), "recalling counts hits, verifying counts misses");
}

#[test]
fn a_large_memory_is_told_ahead_and_finds_what_it_keeps() {
    assert!(!verifier(issuer()).fetches_ahead());
    assert!(!verifier(issuer()).remembering(CacheSize::default()).fetches_ahead());
    let verifier = verifier(issuer()).remembering(CacheSize::entries(100_000));
    assert!(verifier.fetches_ahead());
    let tokens: Vec<String> = (0..100).map(|number| token(&with(&[("jti", json!(number.to_string()))]))).collect();
    for token in &tokens {
        // neither before nor after it is kept does this change a verdict
        verifier.fetch_ahead(format!("Bearer {token}").as_bytes());
        assert!(verify(&verifier, token).is_ok());
    }
    for token in &tokens {
        verifier.fetch_ahead(format!("Bearer {token}").as_bytes());
        assert_eq!(recall(&verifier, token, NOW), Some(Ok("ada".to_owned())));
    }
    verifier.fetch_ahead(b"");
    assert_eq!(verifier.cache_counts().hits, 100);
}

#[test]
fn l23_what_is_too_long_needs_no_memory_to_be_refused() {
    let verifier = verifier(issuer()).max_length(20);
    let too_long = Some(Err(Rejection::InvalidCredential(CredentialFault::TooLong)));
    assert_eq!(recall(&verifier, &token(&with(&[])), NOW), too_long);
    assert_eq!(recall(&verifier, "eyJ.e30.AAAA", NOW), None);
}
