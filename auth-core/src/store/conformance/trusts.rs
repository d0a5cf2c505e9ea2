//! What a store of partners promises.

use std::sync::Arc;

use crate::error::StoreError;
use crate::store::{Removal, TrustStore};
use crate::trust::{PublicKeys, Reach, TrustChange, TrustRecord, TrustStatus};

use super::races::{at_once, one_won};
use super::{Kept, Violation, answer, at, good, same};

/// Runs every check of a store of partners, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryTrustStore, conformance};
///
/// conformance::check_trusts(|| Arc::new(MemoryTrustStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_trusts(mut empty_store: impl FnMut() -> Arc<dyn TrustStore>) -> Result<(), Violation> {
    a_partner_comes_back_as_it_went_in(&*empty_store())?;
    what_is_there_is_a_conflict(&*empty_store())?;
    a_change_is_in_force_when_answered(&*empty_store())?;
    one_of_many_inserts_succeeds(&empty_store())
}

const KEY: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn keys() -> Result<PublicKeys, Violation> {
    PublicKeys::parse(KEY).map_err(|error| Violation { promise: "keys can be read", instead: error.to_string() })
}

fn partner(number: u8) -> Result<TrustRecord, Violation> {
    let (id, issuer) = (format!("trust_{number}"), format!("https://partner-{number}.example"));
    Ok(TrustRecord::new(id, issuer, keys()?, Reach::Everybody, at(i64::from(number))))
}

fn a_partner_comes_back_as_it_went_in(store: &dyn TrustStore) -> Kept {
    let promise = "a partner comes back as it went in";
    let mut full = partner(2)?;
    full.name = Some("Part'ner".into());
    full.reach = Reach::Tenant("ten\"ant".into());
    full.status = TrustStatus::Disabled;
    for record in [full, partner(1)?] {
        good(promise, store.insert(record.clone()))?;
        same(promise, &good(promise, store.by_issuer(&record.issuer))?, &Some(record))?;
    }
    let promise = "partners are listed, the oldest first";
    let listed: Vec<_> = good(promise, store.list())?.into_iter().map(|record| record.id).collect();
    same(promise, &listed, &vec!["trust_1".into(), "trust_2".into()])?;
    let promise = "an issuer is compared as it is";
    same(promise, &good(promise, store.by_issuer("https://PARTNER-1.example"))?, &None)
}

fn what_is_there_is_a_conflict(store: &dyn TrustStore) -> Kept {
    let promise = "an id or an issuer that is there already is a conflict";
    good(promise, store.insert(partner(1)?))?;
    let (mut same_id, mut same_issuer) = (partner(2)?, partner(2)?);
    same_id.id = "trust_1".into();
    same_issuer.issuer = partner(1)?.issuer;
    for record in [same_id, same_issuer] {
        same(promise, &answer(store.insert(record)), &Err(StoreError::Conflict))?;
    }
    same(promise, &good(promise, store.list())?.len(), &1)
}

fn a_change_is_in_force_when_answered(store: &dyn TrustStore) -> Kept {
    let promise = "a change is in force when it is answered";
    let record = partner(1)?;
    good(promise, store.insert(record.clone()))?;
    for (change, status) in [(TrustChange::Disable, TrustStatus::Disabled), (TrustChange::Enable, TrustStatus::Active)]
    {
        let changed = good(promise, store.change(&record.id, change))?;
        same(promise, &changed.map(|changed| changed.status), &Some(status))?;
        same(promise, &good(promise, store.by_issuer(&record.issuer))?.map(|found| found.status), &Some(status))?;
    }
    same(promise, &good(promise, store.change("trust_9", TrustChange::Disable))?, &None)?;
    let promise = "what is removed is gone";
    same(promise, &good(promise, store.delete(&record.id))?, &Removal::Removed)?;
    same(promise, &good(promise, store.delete(&record.id))?, &Removal::Absent)?;
    same(promise, &good(promise, store.by_issuer(&record.issuer))?, &None)
}

fn one_of_many_inserts_succeeds(store: &Arc<dyn TrustStore>) -> Kept {
    let promise = "of many that register one issuer at once, one succeeds";
    let outcomes = at_once(|number| {
        let mut record = partner(1).map_err(|violation| StoreError::Corrupt(violation.to_string()))?;
        record.id = format!("trust_{number}").into();
        answer(store.insert(record))
    });
    one_won(promise, &outcomes)
}
