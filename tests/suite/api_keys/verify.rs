//! From key to identity: what is admitted, what is refused, and with which cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_core::api_key::{ApiKeyRecord, HeldKey, KeyDigest, Peppers};
use auth_core::issue::{ApiKeys, KeyError};
use auth_core::store::{Answer, ApiKeyStore, KeyChange, KeyScope, KeyUse, MemoryKeyStore, Removal, conformance};
use auth_core::verify::Verifier;
use auth_core::{CredentialFault, Method, NetworkSet, Now, Outcome, Rejection, StoreError, Timestamp};

use super::{at, format, keys_in, now_or_never, pepper, refused, text, verify, wanted};

fn memory() -> Arc<MemoryKeyStore> {
    Arc::new(MemoryKeyStore::new())
}

#[test]
fn u1_a_key_becomes_the_identity_it_was_minted_for() {
    let keys = keys_in(memory());
    let mut wanted = wanted();
    wanted.tenant = Some("acme".into());
    wanted.plan = Some("pro".into());
    wanted.permissions = ["generate", "models:read"].into_iter().collect();
    wanted.roles = ["robot"].into_iter().collect();
    wanted.networks = Some(Arc::new(NetworkSet::parse(["10.0.0.0/8"]).unwrap()));
    wanted.expires = Some(at(3_600).wall);
    let minted = now_or_never(keys.mint(wanted, at(0))).unwrap();
    assert_eq!(&*minted.record.shown, &text(&minted)[..12]);

    let identity = verify(&keys.verifier(), text(&minted), at(1)).unwrap();
    assert_eq!(identity.method, Method::ApiKey);
    assert_eq!((&*identity.issuer, &*identity.subject), ("gateway", "alice"));
    assert_eq!((identity.tenant.as_deref(), identity.plan.as_deref()), (Some("acme"), Some("pro")));
    assert_eq!(identity.permissions.iter().collect::<Vec<_>>(), ["generate", "models:read"]);
    assert!(identity.roles.contains("robot"));
    assert!(identity.networks.as_ref().unwrap().contains("10.1.2.3".parse().unwrap()));
    assert_eq!(identity.credential_id, Some(minted.record.id.into()));
    assert_eq!(identity.expires, Some(at(3_600).wall));
}

#[test]
fn u1_environments_are_kept_apart() {
    let keys = keys_in(memory());
    let live = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let mut other = wanted();
    other.environment = Some("test".into());
    let test = now_or_never(keys.mint(other, at(0))).unwrap();
    let verifier = keys.verifier().for_environment("live").unwrap();
    assert!(verify(&verifier, text(&live), at(0)).is_ok());
    assert_eq!(verify(&verifier, text(&test), at(0)).unwrap_err(), refused(CredentialFault::Environment));
    assert!(keys.verifier().for_environment("prod").is_err());
}

#[test]
fn b7_unknown_malformed_disabled_revoked_and_expired_keys_are_told_apart_by_cause() {
    let keys = keys_in(memory());
    let verifier = keys.verifier();
    let foreign = now_or_never(keys_in(memory()).mint(wanted(), at(0))).unwrap();
    assert_eq!(verify(&verifier, text(&foreign), at(0)).unwrap_err(), refused(CredentialFault::Unknown));
    assert_eq!(verify(&verifier, "sk_live_", at(0)).unwrap_err(), refused(CredentialFault::Malformed));

    let mut ending = wanted();
    ending.expires = Some(at(10).wall);
    let minted = now_or_never(keys.mint(ending, at(0))).unwrap();
    let check = |change: Option<KeyChange>, now, fault| {
        if let Some(change) = change {
            now_or_never(keys.change(&minted.record.id, change)).unwrap();
        }
        assert_eq!(verify(&verifier, text(&minted), now).map(|_| ()), fault);
    };
    check(None, at(9), Ok(()));
    check(None, at(10), Err(refused(CredentialFault::Expired)));
    check(Some(KeyChange::Disable), at(9), Err(refused(CredentialFault::Disabled)));
    check(Some(KeyChange::Enable), at(9), Ok(()));
    check(Some(KeyChange::Revoke), at(9), Err(refused(CredentialFault::Revoked)));
    assert_eq!(now_or_never(keys.change(&minted.record.id, KeyChange::Enable)), Err(KeyError::Ended));
}

#[test]
fn m4_both_keys_work_while_they_overlap_and_rotation_prolongs_nothing() {
    let keys = keys_in(memory());
    let verifier = keys.verifier();
    let mut ending = wanted();
    ending.expires = Some(at(1_000).wall);
    ending.permissions = ["read"].into_iter().collect();
    let old = now_or_never(keys.mint(ending, at(0))).unwrap();
    let new = now_or_never(keys.rotate(&old.record.id, Duration::from_mins(1), at(10))).unwrap();
    assert_ne!(text(&old), text(&new));
    assert_eq!(new.record.rotated_from, Some(Arc::clone(&old.record.id)));
    assert_eq!(new.record.expires, Some(at(1_000).wall));
    let renewed = verify(&verifier, text(&new), at(69)).unwrap();
    assert!(renewed.permissions.contains("read"));
    assert_eq!(verify(&verifier, text(&old), at(69)).unwrap().expires, Some(at(70).wall));
    assert_eq!(verify(&verifier, text(&old), at(70)).unwrap_err(), refused(CredentialFault::Expired));
    assert!(verify(&verifier, text(&new), at(999)).is_ok());
    let again = now_or_never(keys.rotate(&old.record.id, Duration::from_mins(1), at(11)));
    assert_eq!(again.unwrap_err(), KeyError::Ended);
}

#[test]
fn wishes_that_cannot_be_granted_are_refused() {
    let keys = keys_in(memory());
    let refused = |change: &dyn Fn(&mut auth_core::issue::NewKey)| {
        let mut wish = wanted();
        change(&mut wish);
        now_or_never(keys.mint(wish, at(0))).unwrap_err()
    };
    assert!(matches!(refused(&|wish| wish.name = "".into()), KeyError::Invalid(_)));
    assert!(matches!(refused(&|wish| wish.name = "a\nb".into()), KeyError::Invalid(_)));
    assert!(matches!(refused(&|wish| wish.owner = "".into()), KeyError::Invalid(_)));
    assert!(matches!(refused(&|wish| wish.expires = Some(at(0).wall)), KeyError::Invalid(_)));
    assert_eq!(refused(&|wish| wish.environment = Some("prod".into())), KeyError::Environment("prod".into()));
    assert!(now_or_never(keys.list(&KeyScope::All)).unwrap().is_empty());
}

#[test]
fn keys_move_to_the_new_pepper_as_they_are_used() {
    let store = memory();
    let old = keys_in(store.clone());
    let minted = now_or_never(old.mint(wanted(), at(0))).unwrap();
    let both = Peppers::new(pepper("b")).with_previous(pepper("a")).unwrap();
    let keys = ApiKeys::new(format(), both, store.clone(), "gateway");
    let verifier = keys.verifier();
    assert!(verify(&verifier, text(&minted), at(1)).is_ok());
    assert!(verify(&keys_in(store.clone()).verifier(), text(&minted), at(1)).is_ok());
    now_or_never(verifier.flush_used().resolve()).unwrap();

    let record = now_or_never(keys.find(&minted.record.id)).unwrap();
    assert_eq!((&*record.pepper, record.last_used), ("b", Some(at(1).wall)));
    let only_new = ApiKeys::new(format(), Peppers::new(pepper("b")), store.clone(), "gateway");
    assert!(verify(&only_new.verifier(), text(&minted), at(2)).is_ok());
    assert_eq!(
        verify(&keys_in(store).verifier(), text(&minted), at(2)).unwrap_err(),
        refused(CredentialFault::Unknown)
    );
}

#[test]
fn s14_neither_key_nor_pepper_nor_digest_is_in_any_debug_text() {
    let keys = keys_in(memory());
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let verifier = keys.verifier();
    let identity = verify(&verifier, text(&minted), at(1)).unwrap();
    let shown = format!("{keys:?} {verifier:?} {minted:?} {identity:?}");
    assert!(!shown.contains(&text(&minted)[12..]), "{shown}");
    assert!(shown.contains("Secret(…)") && shown.contains("KeyDigest(…)"), "{shown}");
}

/// Counts what is asked of it and answers as it is told to.
struct Scripted {
    inner: MemoryKeyStore,
    out: bool,
    waits: bool,
    forgets_revocations: bool,
    finds: AtomicUsize,
    writes: AtomicUsize,
}

impl Scripted {
    fn new() -> Self {
        Self {
            inner: MemoryKeyStore::new(),
            out: false,
            waits: false,
            forgets_revocations: false,
            finds: 0.into(),
            writes: 0.into(),
        }
    }
}

impl ApiKeyStore for Scripted {
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldKey>>> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        if self.out {
            return Outcome::Done(Err(StoreError::Unavailable("the disk is gone".into())));
        }
        match self.inner.find(digest, now) {
            Outcome::Done(answer) if self.waits => Outcome::Wait(Box::pin(async move { answer })),
            answer => answer,
        }
    }

    fn insert_within(&self, record: ApiKeyRecord, most: usize) -> Answer<()> {
        self.inner.insert_within(record, most)
    }

    fn by_id(&self, id: &str) -> Answer<Option<ApiKeyRecord>> {
        self.inner.by_id(id)
    }

    fn list(&self, scope: &KeyScope) -> Answer<Vec<ApiKeyRecord>> {
        self.inner.list(scope)
    }

    fn page(&self, scope: &KeyScope, after: Option<&str>, limit: usize) -> Answer<Vec<ApiKeyRecord>> {
        self.inner.page(scope, after, limit)
    }

    fn change(&self, id: &str, change: KeyChange) -> Answer<Option<ApiKeyRecord>> {
        let forgotten = self.forgets_revocations && change == KeyChange::Revoke;
        if forgotten { self.inner.by_id(id) } else { self.inner.change(id, change) }
    }

    fn change_all(&self, scope: &KeyScope, change: KeyChange) -> Answer<Vec<ApiKeyRecord>> {
        self.inner.change_all(scope, change)
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        self.inner.delete(id)
    }

    fn delete_revoked(&self, now: Timestamp, kept_for: Duration) -> Answer<u64> {
        self.inner.delete_revoked(now, kept_for)
    }

    fn rotate_within(
        &self,
        id: &str,
        successor: ApiKeyRecord,
        overlap_end: Timestamp,
        most: usize,
    ) -> Answer<Option<ApiKeyRecord>> {
        self.inner.rotate_within(id, successor, overlap_end, most)
    }

    fn record_used(&self, uses: Vec<KeyUse>) -> Answer<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.record_used(uses)
    }
}

#[test]
fn a_store_that_breaks_a_promise_is_found_out() {
    conformance::check(|| Arc::new(Scripted { waits: true, ..Scripted::new() })).unwrap();
    let broken = conformance::check(|| Arc::new(Scripted { forgets_revocations: true, ..Scripted::new() }));
    assert_eq!(broken.unwrap_err().promise, "revocation is for good");
}

#[test]
fn what_the_form_refuses_never_reaches_the_store() {
    let store = Arc::new(Scripted::new());
    let keys = keys_in(store.clone());
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let verifier = keys.verifier().for_environment("test").unwrap();
    let mut typo = text(&minted).to_owned();
    typo.replace_range(20..21, if &typo[20..21] == "x" { "y" } else { "x" });
    for wrong in [typo.as_str(), text(&minted), "sk_", ""] {
        assert!(verify(&verifier, wrong, at(1)).is_err());
    }
    assert_eq!(store.finds.load(Ordering::Relaxed), 0);
}

#[test]
fn a_store_that_is_out_is_503_and_its_cause_stays_inside() {
    let keys = keys_in(memory());
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let out = keys_in(Arc::new(Scripted { out: true, ..Scripted::new() }));
    let rejection = verify(&out.verifier(), text(&minted), at(0)).unwrap_err();
    assert_eq!(rejection.status(), 503);
    assert!(!rejection.message().contains("disk"));
    assert!(matches!(rejection, Rejection::Unavailable(outage) if outage.cause.contains("the disk is gone")));
}

#[test]
fn a_store_that_has_to_be_waited_for_answers_the_same() {
    let store = Arc::new(Scripted { waits: true, ..Scripted::new() });
    let minted = now_or_never(keys_in(store.clone()).mint(wanted(), at(0))).unwrap();
    let peppers = Peppers::new(pepper("c")).with_previous(pepper("b")).unwrap().with_previous(pepper("a")).unwrap();
    let verifier = ApiKeys::new(format(), peppers, store.clone(), "gateway").verifier();
    assert!(matches!(verifier.verify(text(&minted), at(1)), Outcome::Wait(_)));
    assert!(verify(&verifier, text(&minted), at(1)).is_ok());
    let foreign = now_or_never(keys_in(memory()).mint(wanted(), at(0))).unwrap();
    let finds = store.finds.load(Ordering::Relaxed);
    assert_eq!(verify(&verifier, text(&foreign), at(1)).unwrap_err(), refused(CredentialFault::Unknown));
    assert_eq!(store.finds.load(Ordering::Relaxed) - finds, 4, "the current pepper is asked first and last");
}

#[test]
fn m5_uses_are_written_in_batches_and_never_while_verifying() {
    let store = Arc::new(Scripted::new());
    let keys = keys_in(store.clone());
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    let verifier = keys.verifier();
    for second in 0..100 {
        verify(&verifier, text(&minted), at(second)).unwrap();
    }
    assert_eq!(store.writes.load(Ordering::Relaxed), 0);
    let last_used = || now_or_never(keys.find(&minted.record.id)).unwrap().last_used;
    now_or_never(verifier.flush_used().resolve()).unwrap();
    assert_eq!((store.writes.load(Ordering::Relaxed), last_used()), (1, Some(at(99).wall)));
    now_or_never(verifier.flush_used().resolve()).unwrap();
    assert_eq!(store.writes.load(Ordering::Relaxed), 1, "there was nothing to write");

    verify(&verifier, text(&minted), at(200)).unwrap();
    let clone = verifier.clone();
    drop(verifier);
    assert_eq!(last_used(), Some(at(99).wall), "a clone still owns the timer");
    drop(clone);
    assert_eq!(last_used(), Some(at(200).wall));
}

#[test]
fn refused_keys_do_not_count_as_used() {
    let keys = keys_in(memory());
    let minted = now_or_never(keys.mint(wanted(), at(0))).unwrap();
    now_or_never(keys.revoke(&minted.record.id)).unwrap();
    let verifier = keys.verifier();
    verify(&verifier, text(&minted), at(5)).unwrap_err();
    now_or_never(verifier.flush_used().resolve()).unwrap();
    assert_eq!(now_or_never(keys.find(&minted.record.id)).unwrap().last_used, None);
}

#[test]
fn l23_what_is_recalled_is_what_verifying_says_and_strangers_are_not_recalled() {
    let store = memory();
    let keys = keys_in(store.clone());
    let mut test = wanted();
    test.environment = Some("test".into());
    let [good, disabled, revoked] = [(); 3].map(|()| now_or_never(keys.mint(wanted(), at(0))).unwrap());
    let test = now_or_never(keys.mint(test, at(0))).unwrap();
    now_or_never(keys.change(&disabled.record.id, KeyChange::Disable)).unwrap();
    now_or_never(keys.revoke(&revoked.record.id)).unwrap();
    let typo = format!("{}x", &text(&good)[..text(&good).len() - 1]);
    let verifier = keys.verifier().for_environment("live").unwrap();
    for known in [text(&good), text(&disabled), text(&revoked), text(&test), &typo, "sk_live_", "nothing"] {
        let recalled = verifier.recall(known, at(1)).expect("needs no look at a store");
        let verdicts = [now_or_never(recalled.resolve()), verify(&verifier, known, at(1))];
        let [told, expected] = verdicts.map(|verdict| verdict.map(|identity| identity.credential_id.clone()));
        assert_eq!(told, expected, "{known}");
    }
    let stranger = now_or_never(keys_in(memory()).mint(wanted(), at(0))).unwrap();
    assert!(verifier.recall(text(&stranger), at(1)).is_none());
    now_or_never(verifier.flush_used().resolve()).unwrap();
    assert_eq!(now_or_never(keys.find(&good.record.id)).unwrap().last_used, Some(at(1).wall), "recalling is a use");

    let both = Peppers::new(pepper("b")).with_previous(pepper("a")).unwrap();
    let rotated = ApiKeys::new(format(), both, store, "gateway").verifier();
    assert!(now_or_never(rotated.recall(text(&good), at(2)).unwrap().resolve()).is_ok());
    assert!(rotated.recall(text(&stranger), at(2)).is_none());
}
