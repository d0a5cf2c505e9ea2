//! What is remembered of keys changes no verdict, whatever happens to the keys meanwhile.

use std::sync::Arc;
use std::time::Duration;

use auth_core::store::{KeyChange, MemoryKeyStore};
use auth_core::verify::{ApiKeyVerifier, CacheSize, Verifier as _};
use auth_core::{CredentialFault, Outcome};
use proptest::prelude::*;

use super::{at, keys_in, now_or_never, refused, text, verify, wanted};

#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    /// A text that is nearly that key.
    Mistype(usize),
    Disable(usize),
    Enable(usize),
    Revoke(usize),
    /// With an overlap of so many seconds.
    Rotate(usize, u64),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => (0_usize..4).prop_map(Step::Ask),
        2 => (0_usize..4).prop_map(Step::Mistype),
        2 => (0_usize..4).prop_map(Step::Disable),
        2 => (0_usize..4).prop_map(Step::Enable),
        1 => (0_usize..4).prop_map(Step::Revoke),
        1 => ((0_usize..4), (1_u64..60)).prop_map(|(key, overlap)| Step::Rotate(key, overlap)),
        3 => (1_u64..40).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..80)
}

/// As the gate asks.
fn verdict(verifier: &ApiKeyVerifier, text: &str, second: u64) -> String {
    let identity = match verifier.remembered(text.as_bytes(), at(second)) {
        Some(identity) => Ok(identity),
        None => verify(verifier, text, at(second)),
    };
    match identity {
        Ok(identity) => format!("{:?} {:?}", identity.credential_id, identity.expires),
        Err(rejection) => rejection.cause().to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_remembered_changes_no_verdict(steps in steps()) {
        let keys = keys_in(Arc::new(MemoryKeyStore::new()));
        let (plain, remembering) = (keys.verifier(), keys.verifier().remembering(CacheSize::entries(3)));
        let mut ending = wanted();
        ending.expires = Some(at(200).wall);
        let minted = [wanted(), wanted(), wanted(), ending].map(|wanted| now_or_never(keys.mint(wanted, at(0))).unwrap());
        let mut texts = minted.each_ref().map(|minted| text(minted).to_owned());
        let mut ids = minted.map(|minted| minted.record.id);
        let (mut now, mut asked) = (0, 0);
        for step in steps {
            // a change that is not possible any more changes nothing for both
            match step {
                Step::Ask(key) => {
                    let verdicts = [&plain, &remembering].map(|verifier| verdict(verifier, &texts[key], now));
                    prop_assert_eq!(&verdicts[0], &verdicts[1], "{} at {}", key, now);
                    asked += 1;
                }
                Step::Mistype(key) => {
                    let mistyped = format!("{}!", &texts[key][..texts[key].len() - 1]);
                    prop_assert_eq!(verdict(&remembering, &mistyped, now), "malformed_token");
                }
                Step::Disable(key) => drop(now_or_never(keys.change(&ids[key], KeyChange::Disable))),
                Step::Enable(key) => drop(now_or_never(keys.change(&ids[key], KeyChange::Enable))),
                Step::Revoke(key) => drop(now_or_never(keys.revoke(&ids[key]))),
                Step::Rotate(key, overlap) => {
                    if let Ok(successor) = now_or_never(keys.rotate(&ids[key], Duration::from_secs(overlap), at(now))) {
                        // the old one is asked about on; its successor takes the next place
                        let next = (key + 1) % 4;
                        texts[next] = text(&successor).to_owned();
                        ids[next] = successor.record.id;
                    }
                }
                Step::Pass(seconds) => now += seconds,
            }
        }
        let counts = remembering.cache_counts();
        prop_assert!(counts.entries <= 3 && counts.hits <= asked);
    }
}

#[test]
fn a_key_is_remembered_once_it_was_good() {
    let keys = keys_in(Arc::new(MemoryKeyStore::new()));
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let verifier = keys.verifier().remembering(CacheSize::default());
    let remembered = |verifier: &ApiKeyVerifier| verifier.remembered(text(&minted).as_bytes(), at(1)).is_some();
    assert!(!remembered(&verifier));
    assert!(verify(&verifier, text(&minted), at(1)).is_ok());
    assert!(remembered(&verifier) && !remembered(&keys.verifier()));
    now_or_never(keys.change(&minted.record.id, KeyChange::Disable)).unwrap();
    assert!(!remembered(&verifier));
}

/// A gate that counts failed attempts asks by `recall`.
#[test]
fn a_key_is_remembered_also_where_failed_attempts_are_counted() {
    let keys = keys_in(Arc::new(MemoryKeyStore::new()));
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let verifier = keys.verifier().remembering(CacheSize::default());
    let recalled = || matches!(verifier.recall(text(&minted), at(1)), Some(Outcome::Done(Ok(_))));
    assert!(recalled() && recalled());
    assert!(verifier.remembered(text(&minted).as_bytes(), at(1)).is_some());
    let counts = verifier.cache_counts();
    assert_eq!((counts.hits, counts.misses), (2, 1));
}

/// Clones share what they remember.
#[test]
fn a_key_of_another_environment_is_refused_though_a_clone_remembers_it() {
    let keys = keys_in(Arc::new(MemoryKeyStore::new()));
    let mut testing = wanted();
    testing.environment = Some("test".into());
    let minted = now_or_never(keys.mint(testing, at(0))).unwrap();
    let any = keys.verifier().remembering(CacheSize::default());
    let live = any.clone().for_environment("live").unwrap();
    let testing = any.clone().for_environment("test").unwrap();
    assert!(verify(&any, text(&minted), at(1)).is_ok());
    assert_eq!(verify(&live, text(&minted), at(1)).unwrap_err(), refused(CredentialFault::Environment));
    assert!(live.remembered(text(&minted).as_bytes(), at(1)).is_none());
    assert!(testing.remembered(text(&minted).as_bytes(), at(1)).is_some());
}
