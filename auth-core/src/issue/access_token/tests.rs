use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::clock::{Clock as _, SimulatedClock, Timestamp};
use crate::rejection::CredentialFault;
use crate::verify::Verifier as _;
use crate::verify::jwt::{Issuer, JwtVerifier, TokenKind};
use crate::{Now, Outcome, Rejection, Secret};

const ISSUER: &str = "https://us.example";

fn now() -> Now {
    SimulatedClock::at_unix_seconds(1_800_000_000).now()
}

fn minted(keys: &SigningKeys) -> String {
    let issuer = AccessTokenIssuer::new(ISSUER, "api", Duration::from_mins(1), keys.clone());
    let mut wanted = NewAccessToken::new("ada", "web");
    wanted.tenant = Some("one".into());
    wanted.session = Some("s1".into());
    wanted.permissions = ["read"].into_iter().collect();
    issuer.mint(&wanted, now()).unwrap().token.expose_text().unwrap().to_owned()
}

fn verdict(keys: &SigningKeys, token: &str) -> Result<(), Rejection> {
    let issuer = Issuer::new(ISSUER, ["api"], keys.verification().unwrap()).token_kind(TokenKind::Profile);
    let Outcome::Done(verdict) = JwtVerifier::new([issuer]).unwrap().verify(token, now()) else {
        unreachable!("the keys are at hand")
    };
    verdict.map(|identity| {
        assert_eq!((&*identity.subject, identity.tenant.as_deref()), ("ada", Some("one")));
        assert_eq!(identity.session.as_deref(), Some("s1"));
        assert!(identity.permissions.contains("read"));
    })
}

#[test]
fn every_algorithm_signs_what_its_keys_verify() {
    for algorithm in SigningAlgorithm::ALL {
        let keys = SigningKeys::generate(algorithm).unwrap();
        assert_eq!(verdict(&keys, &minted(&keys)), Ok(()), "{algorithm}");
    }
}

#[test]
fn k11_tokens_of_a_replaced_key_are_good_until_it_is_forgotten() {
    for algorithm in SigningAlgorithm::ALL {
        let mut keys = SigningKeys::generate(algorithm).unwrap();
        let token = minted(&keys);
        let replaced = Timestamp::from_unix_seconds(1_800_000_000);
        keys.rotate(SigningKey::generate(algorithm).unwrap(), replaced);
        keys.forget_replaced_before(replaced);
        assert_eq!(verdict(&keys, &token), Ok(()), "{algorithm}");
        assert_eq!(verdict(&keys, &minted(&keys)), Ok(()));
        keys.forget_replaced_before(replaced.saturating_add(Duration::from_secs(1)));
        assert_eq!(verdict(&keys, &token), Err(Rejection::InvalidCredential(CredentialFault::UnknownKey)));
    }
}

#[test]
fn a_change_to_public_keys_forgets_the_shared_secret() {
    let mut keys = SigningKeys::generate(SigningAlgorithm::Hs256).unwrap();
    let token = minted(&keys);
    keys.rotate(SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(), now().wall);
    assert_eq!(keys.iter().count(), 1);
    assert!(verdict(&keys, &token).is_err());
}

#[test]
fn k10_the_published_set_has_no_private_member_and_no_secret() {
    for algorithm in SigningAlgorithm::ALL {
        let set: Value = serde_json::from_str(&SigningKeys::generate(algorithm).unwrap().jwks()).unwrap();
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.is_empty(), algorithm.is_symmetric());
        for key in keys {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(!members.contains(&private), "{algorithm}: {members:?}");
            }
            assert_eq!((key["use"].as_str(), key["alg"].as_str()), (Some("sig"), Some(algorithm.as_str())));
        }
    }
}

#[test]
fn what_is_kept_is_read_again_with_every_key() {
    let mut keys = SigningKeys::generate(SigningAlgorithm::Es256).unwrap();
    keys.rotate(SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(), now().wall);
    let read = SigningKeys::from_text(&keys.to_text().unwrap()).unwrap();
    assert!(read.iter().map(SigningKey::id).eq(keys.iter().map(SigningKey::id)));
    assert!(matches!(SigningKeys::from_text(&Secret::from("[]")), Err(SigningError::Unreadable)));
}

#[test]
fn what_is_no_key_is_refused_without_quoting_it() {
    let text = Secret::from("short");
    for algorithm in SigningAlgorithm::ALL {
        let error = SigningKey::from_material(algorithm, text.clone()).unwrap_err();
        assert_eq!(error, SigningError::NoKey(algorithm));
        assert!(!error.to_string().contains("short"));
    }
}

#[test]
fn tokens_of_a_time_when_they_lived_longer_end_as_early_as_the_ones_of_today() {
    let keys = SigningKeys::generate(SigningAlgorithm::EdDsa).unwrap();
    let token = minted(&keys);
    let today = AccessTokenIssuer::new(ISSUER, "api", Duration::from_secs(20), keys);
    let verifier = JwtVerifier::new([today.trusted().unwrap().leeway(Duration::ZERO)]).unwrap();
    let clock = SimulatedClock::at_unix_seconds(1_800_000_000);
    let fault = |seconds| {
        clock.advance(Duration::from_secs(seconds));
        let Outcome::Done(verdict) = verifier.verify(&token, clock.now()) else { unreachable!("the keys are at hand") };
        verdict.err()
    };
    assert_eq!(fault(19), None);
    assert_eq!(fault(1), Some(Rejection::InvalidCredential(CredentialFault::Expired)));
}
