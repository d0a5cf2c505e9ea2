//! What each operation does by itself.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::{ApiKeyRecord, KeyStatus, Succession};
use crate::error::StoreError;
use crate::network::NetworkSet;
use crate::store::{ApiKeyStore, KeyChange, KeyScope, KeyUse, Rehash, Removal};

use super::{Kept, Violation, answer, at, digest, good, key, now, same};

/// A check of one store without keys.
type Step = fn(&dyn ApiKeyStore) -> Kept;

/// What a change does to a record.
type Effect = fn(&mut ApiKeyRecord);

pub(super) const ALL: &[Step] = &[
    a_key_comes_back_as_it_went_in,
    an_id_or_digest_that_is_there_is_a_conflict,
    a_change_is_in_force_when_it_is_answered,
    revocation_is_for_good,
    what_is_switched_off_with_its_owner_comes_back_with_it,
    a_removed_key_is_gone,
    what_was_revoked_is_removed_some_time_later,
    a_rotation_is_all_or_nothing,
    an_owner_has_no_more_keys_than_there_is_room_for,
    lists_hold_what_is_in_scope_the_oldest_first,
    uses_never_move_back,
    a_new_digest_takes_the_place_of_the_old_one,
];

/// The record found by id, which has to be the same as the one found by digest but for its last use.
fn stored(store: &dyn ApiKeyStore, id: &str) -> Result<Option<ApiKeyRecord>, Violation> {
    let promise = "a key is found by its id and by its digest alike";
    let Some(by_id) = good(promise, store.by_id(id))? else { return Ok(None) };
    let by_digest = good(promise, store.find(&by_id.digest, now()))?;
    let found = by_digest.map(|key| ApiKeyRecord { last_used: by_id.last_used, ..(**key).clone() });
    same(promise, &found.as_ref(), &Some(&by_id))?;
    Ok(Some(by_id))
}

fn a_key_comes_back_as_it_went_in(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a key comes back as it went in";
    let mut full = key(1);
    full.shown = "sk_live_1234".into();
    full.name = "a \"name\" with 'quotes' and ünïcode".into();
    full.description = Some("line\nbreak".into());
    full.tenant = Some("tenant".into());
    full.plan = Some("plan".into());
    full.environment = Some("live".into());
    full.permissions = ["read", "models:*", "a\"b,c"].into_iter().collect();
    full.roles = ["admin"].into_iter().collect();
    full.networks = NetworkSet::parse(["10.0.0.0/8", "2001:db8::/32"]).ok().map(Arc::new);
    full.expires = Some(at(1_000));
    full.status = KeyStatus::Disabled;
    full.last_used = Some(at(5));
    full.rotated_from = Some("key_0".into());
    full.succession = Some(Succession { successor: "key_2".into(), overlap_end: at(10) });
    let mut nowhere = key(3);
    nowhere.networks = Some(Arc::default());
    nowhere.owner_networks.clone_from(&full.networks);
    for record in [full, nowhere, key(4)] {
        good(promise, store.insert(record.clone()))?;
        same(promise, &stored(store, &record.id)?, &Some(record))?;
    }
    let promise = "what is not there is not found";
    same(promise, &good(promise, store.find(&digest(9), now()))?.is_none(), &true)?;
    same(promise, &good(promise, store.by_id("key_9"))?, &None)
}

fn an_id_or_digest_that_is_there_is_a_conflict(store: &dyn ApiKeyStore) -> Kept {
    let promise = "an id or a digest that is there is a conflict, and nothing of the other key is left";
    good(promise, store.insert(key(1)))?;
    let same_id = ApiKeyRecord { digest: digest(2), ..key(1) };
    let same_digest = ApiKeyRecord { digest: digest(1), ..key(2) };
    same(promise, &answer(store.insert(same_id)), &Err(StoreError::Conflict))?;
    same(promise, &answer(store.insert(same_digest)), &Err(StoreError::Conflict))?;
    same(promise, &good(promise, store.find(&digest(2), now()))?.is_none(), &true)?;
    same(promise, &good(promise, store.list(&KeyScope::All))?, &vec![key(1)])
}

fn a_change_is_in_force_when_it_is_answered(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a change is in force when it is answered";
    good(promise, store.insert(key(1)))?;
    let networks = NetworkSet::parse(["192.0.2.0/24"]).ok().map(Arc::new);
    let changes: [(KeyChange, Effect); 8] = [
        (KeyChange::Disable, |key| key.status = KeyStatus::Disabled),
        (KeyChange::Enable, |key| key.status = KeyStatus::Active),
        (KeyChange::Name("other".into()), |key| key.name = "other".into()),
        (KeyChange::Description(Some("text".into())), |key| key.description = Some("text".into())),
        (KeyChange::Permissions(["write"].into_iter().collect()), |key| {
            key.permissions = ["write"].into_iter().collect();
        }),
        (KeyChange::Roles(["admin"].into_iter().collect()), |key| key.roles = ["admin"].into_iter().collect()),
        (KeyChange::Plan(Some("pro".into())), |key| key.plan = Some("pro".into())),
        (KeyChange::Expiry(Some(at(7))), |key| key.expires = Some(at(7))),
    ];
    let mut expected = key(1);
    for (change, effect) in changes {
        effect(&mut expected);
        same(promise, &good(promise, store.change("key_1", change))?, &Some(expected.clone()))?;
        same(promise, &stored(store, "key_1")?, &Some(expected.clone()))?;
    }
    expected.networks.clone_from(&networks);
    good(promise, store.change("key_1", KeyChange::Networks(networks.clone())))?;
    expected.owner_networks.clone_from(&networks);
    good(promise, store.change("key_1", KeyChange::OwnerNetworks(networks)))?;
    same(promise, &stored(store, "key_1")?, &Some(expected))?;
    same("an absent key cannot be changed", &answer(store.change("key_2", KeyChange::Revoke)), &Ok(None))
}

fn what_is_switched_off_with_its_owner_comes_back_with_it(store: &dyn ApiKeyStore) -> Kept {
    let promise = "keys are suspended and resumed in one step, and what was off by itself stays off";
    let scope = KeyScope::Tenant("t".into());
    for number in [1, 2, 3] {
        good(promise, store.insert(ApiKeyRecord { tenant: Some("t".into()), ..key(number) }))?;
    }
    good(promise, store.insert(key(4)))?;
    good(promise, store.change("key_2", KeyChange::Disable))?;
    good(promise, store.change("key_3", KeyChange::Revoke))?;
    let statuses = || -> Result<Vec<KeyStatus>, Violation> {
        Ok(good(promise, store.list(&KeyScope::All))?.iter().map(|key| key.status).collect())
    };
    let suspended = good(promise, store.change_all(&scope, KeyChange::Suspend))?;
    same(promise, &suspended.iter().map(|key| &*key.id).collect::<Vec<_>>(), &vec!["key_1"])?;
    let off = [KeyStatus::Suspended, KeyStatus::Disabled, KeyStatus::Revoked, KeyStatus::Active];
    same(promise, &statuses()?, &off.to_vec())?;
    let found = good(promise, store.find(&digest(1), now()))?;
    same(promise, &found.map(|key| key.status), &Some(KeyStatus::Suspended))?;
    good(promise, store.change("key_1", KeyChange::Enable))?;
    same(promise, &statuses()?, &off.to_vec())?;
    good(promise, store.change_all(&scope, KeyChange::Resume))?;
    let on = [KeyStatus::Active, KeyStatus::Disabled, KeyStatus::Revoked, KeyStatus::Active];
    same(promise, &statuses()?, &on.to_vec())?;
    same(promise, &good(promise, store.change_all(&scope, KeyChange::Resume))?.len(), &0)
}

fn revocation_is_for_good(store: &dyn ApiKeyStore) -> Kept {
    let promise = "revocation is for good";
    good(promise, store.insert(key(1)))?;
    good(promise, store.change("key_1", KeyChange::Revoke))?;
    for change in [KeyChange::Enable, KeyChange::Disable, KeyChange::Expiry(None)] {
        same(promise, &answer(store.change("key_1", change)), &Err(StoreError::Conflict))?;
    }
    let revoked = ApiKeyRecord { status: KeyStatus::Revoked, ..key(1) };
    same(promise, &good(promise, store.change("key_1", KeyChange::Revoke))?, &Some(revoked.clone()))?;
    same(promise, &answer(store.rotate("key_1", key(2), at(10))), &Err(StoreError::Conflict))?;
    same(promise, &stored(store, "key_1")?, &Some(revoked))
}

fn a_removed_key_is_gone(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a removed key is gone";
    good(promise, store.insert(key(1)))?;
    same(promise, &answer(store.delete("key_1")), &Ok(Removal::Removed))?;
    same(promise, &answer(store.delete("key_1")), &Ok(Removal::Absent))?;
    same(promise, &good(promise, store.find(&digest(1), now()))?.is_none(), &true)?;
    same(promise, &stored(store, "key_1")?, &None)?;
    good("a removed key makes room for another", store.insert(key(1)))
}

fn what_was_revoked_is_removed_some_time_later(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a revoked key is removed as long after it was noted as it is kept, and nothing else is";
    let kept_for = Duration::from_secs(100);
    let tidy = |seconds: i64| -> Result<u64, Violation> {
        let mut all = 0;
        loop {
            match good(promise, store.delete_revoked(at(seconds), kept_for))? {
                0 => return Ok(all),
                some => all += some,
            }
        }
    };
    let mut ended = key(4);
    ended.expires = Some(at(1));
    for record in [key(1), key(2), key(3), ended] {
        good(promise, store.insert(record))?;
    }
    same(promise, &tidy(0)?, &0)?;
    good(promise, store.change("key_1", KeyChange::Revoke))?;
    good(promise, store.change("key_3", KeyChange::Disable))?;
    same(promise, &tidy(10)?, &1)?;
    good(promise, store.change("key_2", KeyChange::Revoke))?;
    same(promise, &tidy(50)?, &1)?;
    // revoking it again does not keep it longer
    good(promise, store.change("key_1", KeyChange::Revoke))?;
    same(promise, &tidy(109)?, &0)?;
    let revoked = good(promise, store.by_id("key_1"))?.map(|record| record.status);
    same(promise, &revoked, &Some(KeyStatus::Revoked))?;
    same(promise, &tidy(110)?, &1)?;
    same(promise, &stored(store, "key_1")?.is_none(), &true)?;
    let found = good(promise, store.find(&key(1).digest, now()))?;
    same(promise, &found.is_none(), &true)?;
    let left = |all: Vec<ApiKeyRecord>| all.iter().map(|record| record.id.to_string()).collect::<Vec<_>>();
    let listed = left(good(promise, store.list(&KeyScope::All))?);
    same(promise, &listed, &["key_2", "key_3", "key_4"].map(str::to_owned).to_vec())?;
    same(promise, &tidy(1_000)?, &1)?;
    same(promise, &tidy(1_000_000)?, &0)?;
    let listed = left(good(promise, store.list(&KeyScope::All))?);
    same(promise, &listed, &["key_3", "key_4"].map(str::to_owned).to_vec())?;
    // a key of that name and digest may come again, and begins anew
    good(promise, store.insert(key(1)))?;
    good(promise, store.change("key_1", KeyChange::Revoke))?;
    same(promise, &tidy(2_000_000)?, &1)?;
    same(promise, &stored(store, "key_1")?.is_some(), &true)
}

fn a_rotation_is_all_or_nothing(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a rotation adds the successor and ends the replaced key, or does neither";
    for number in [1, 3] {
        good(promise, store.insert(key(number)))?;
    }
    same(promise, &answer(store.rotate("key_1", key(3), at(10))), &Err(StoreError::Conflict))?;
    same(promise, &stored(store, "key_1")?, &Some(key(1)))?;
    same(promise, &answer(store.rotate("key_9", key(2), at(10))), &Ok(None))?;
    same(promise, &stored(store, "key_2")?, &None)?;

    let succession = Some(Succession { successor: "key_2".into(), overlap_end: at(10) });
    let replaced = ApiKeyRecord { succession, ..key(1) };
    same(promise, &good(promise, store.rotate("key_1", key(2), at(10)))?, &Some(replaced.clone()))?;
    same(promise, &stored(store, "key_1")?, &Some(replaced.clone()))?;
    same(promise, &stored(store, "key_2")?, &Some(key(2)))?;

    let promise = "a successor has the rights of the key that it replaces, as they are by then";
    let other = ApiKeyRecord { permissions: ["write"].into_iter().collect(), ..key(4) };
    same(promise, &answer(store.rotate("key_3", other, at(20))), &Err(StoreError::Conflict))?;
    same(promise, &stored(store, "key_3")?, &Some(key(3)))?;

    let promise = "a key is rotated once, and only while it is active";
    same(promise, &answer(store.rotate("key_1", key(4), at(20))), &Err(StoreError::Conflict))?;
    good(promise, store.change("key_3", KeyChange::Disable))?;
    same(promise, &answer(store.rotate("key_3", key(4), at(20))), &Err(StoreError::Conflict))?;
    same(promise, &stored(store, "key_1")?, &Some(replaced))?;
    same(promise, &stored(store, "key_4")?, &None)
}

fn an_owner_has_no_more_keys_than_there_is_room_for(store: &dyn ApiKeyStore) -> Kept {
    let promise = "keys that are neither revoked nor ended take room of their owner, and no others do";
    let full = Err(StoreError::Full);
    good(promise, store.insert_within(key(1), 2))?;
    good(promise, store.insert_within(ApiKeyRecord { owner: "other".into(), ..key(2) }, 1))?;
    good(promise, store.insert_within(ApiKeyRecord { issuer: "other".into(), ..key(3) }, 1))?;
    good(promise, store.insert_within(ApiKeyRecord { expires: Some(at(20)), ..key(4) }, 2))?;
    let late = |number, seconds| ApiKeyRecord { created: at(seconds), ..key(number) };
    same(promise, &answer(store.insert_within(late(5, 19), 2)), &full)?;
    same(promise, &stored(store, "key_5")?, &None)?;
    good(promise, store.change("key_1", KeyChange::Disable))?;
    same(promise, &answer(store.insert_within(late(5, 19), 2)), &full)?;
    good(promise, store.insert_within(late(5, 20), 2))?;
    good(promise, store.change("key_1", KeyChange::Revoke))?;
    good(promise, store.insert_within(late(6, 20), 2))?;

    let promise = "a rotation takes room until the overlap is over";
    same(promise, &answer(store.rotate_within("key_5", late(7, 20), at(30), 2)), &Err(StoreError::Full))?;
    same(promise, &stored(store, "key_5")?, &Some(late(5, 20)))?;
    good(promise, store.rotate_within("key_5", late(7, 20), at(30), 3))?;
    same(promise, &answer(store.insert_within(late(8, 29), 3)), &full)?;
    good(promise, store.insert_within(late(8, 30), 3))
}

fn lists_hold_what_is_in_scope_the_oldest_first(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a list holds what is in scope, the oldest first";
    let of = |number, issuer: &str, owner: &str, tenant: Option<&str>| {
        let mut record = key(number);
        (record.issuer, record.owner) = (issuer.into(), owner.into());
        record.tenant = tenant.map(Into::into);
        record
    };
    let records =
        [of(5, "a", "bob", Some("t")), of(3, "a", "bob", None), of(4, "b", "bob", Some("t")), of(1, "a", "eve", None)];
    for record in records {
        good(promise, store.insert(record))?;
    }
    let owner = |issuer: &str| KeyScope::Owner { issuer: issuer.into(), subject: "bob".into() };
    let scopes = [
        (KeyScope::All, &["key_1", "key_3", "key_4", "key_5"][..]),
        (owner("a"), &["key_3", "key_5"]),
        (owner("b"), &["key_4"]),
        (owner("c"), &[]),
        (KeyScope::Tenant("t".into()), &["key_4", "key_5"]),
    ];
    for (scope, expected) in scopes {
        let found = good(promise, store.list(&scope))?;
        same(promise, &found.iter().map(|key| &*key.id).collect::<Vec<_>>(), &expected.to_vec())?;
        let promise = "page by page, a list is the same, and nothing follows what is not in scope";
        let mut seen: Vec<ApiKeyRecord> = Vec::new();
        loop {
            let after = seen.last().map(|key| key.id.to_string());
            let page = good(promise, store.page(&scope, after.as_deref(), 2))?;
            same(promise, &(page.len() <= 2), &true)?;
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        same(promise, &seen, &found)?;
        for absent in ["key_1", "key_3", "key_4", "key_9"] {
            if !expected.contains(&absent) {
                same(promise, &good(promise, store.page(&scope, Some(absent), 9))?, &vec![])?;
            }
        }
    }
    Ok(())
}

fn uses_never_move_back(store: &dyn ApiKeyStore) -> Kept {
    let promise = "the time of the last use never moves back, and keys that are gone are passed over";
    good(promise, store.insert(key(1)))?;
    let used = |id: &str, seconds| KeyUse { id: id.into(), at: at(seconds), rehash: None };
    good(promise, store.record_used(vec![used("key_9", 1), used("key_1", 7), used("key_1", 3)]))?;
    good(promise, store.record_used(vec![used("key_1", 5)]))?;
    same(promise, &stored(store, "key_1")?, &Some(ApiKeyRecord { last_used: Some(at(7)), ..key(1) }))
}

fn a_new_digest_takes_the_place_of_the_old_one(store: &dyn ApiKeyStore) -> Kept {
    let promise = "a new digest takes the place of the old one, unless another key has it";
    for number in [1, 2] {
        good(promise, store.insert(key(number)))?;
    }
    let rehash = |id: &str, number| {
        let rehash = Rehash { digest: digest(number), pepper: "newer".into() };
        KeyUse { id: id.into(), at: at(1), rehash: Some(rehash) }
    };
    good(promise, store.record_used(vec![rehash("key_1", 8), rehash("key_2", 8)]))?;
    let moved = ApiKeyRecord { digest: digest(8), pepper: "newer".into(), last_used: Some(at(1)), ..key(1) };
    same(promise, &stored(store, "key_1")?, &Some(moved))?;
    same(promise, &stored(store, "key_2")?, &Some(ApiKeyRecord { last_used: Some(at(1)), ..key(2) }))?;
    same(promise, &good(promise, store.find(&digest(1), now()))?.is_none(), &true)
}
