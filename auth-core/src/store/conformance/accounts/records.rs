//! Accounts, tenants and their names.

use std::sync::Arc;

use crate::NetworkSet;
use crate::account::{
    AccountChange, AccountRecord, AccountStatus, SecondFactor, TenantChange, TenantRecord, TenantStatus,
};
use crate::error::StoreError;
use crate::store::{AccountScope, AccountStore};

use super::{
    Check, Kept, Violation, account, answer, at, changed, digest, good, hash, name, same, secret, stored, with_account,
};

pub(super) const ALL: &[Check] = &[
    an_account_comes_back_as_it_went_in,
    an_id_or_name_that_is_there_is_a_conflict,
    s5_a_name_is_found_in_every_spelling,
    lists_are_paged_the_oldest_first,
    a_tenant_comes_back_as_it_went_in,
    tenants_change_and_are_listed,
    a_rename_frees_the_old_name_and_respects_others,
];

fn networks(text: &str) -> Result<Option<Arc<NetworkSet>>, Violation> {
    let set = NetworkSet::parse([text, "2001:db8::/32"]);
    set.map(|set| Some(Arc::new(set))).map_err(|error| Violation { promise: "networks", instead: error.to_string() })
}

fn full() -> Result<AccountRecord, Violation> {
    let mut full = account(1);
    full.email = Some(name("Ada@Exämple.com")?);
    full.user_name = Some(name("ADA L.")?);
    full.name = Some("Ada 'L' Lovelace".into());
    full.tenant = Some("ten_1".into());
    full.plan = Some("pro".into());
    full.kind = Some("END_USER".into());
    full.roles = ["admin"].into_iter().collect();
    full.permissions = ["read", "a\"b,c"].into_iter().collect();
    full.networks = networks("10.0.0.0/8")?;
    full.status = AccountStatus::Disabled;
    full.email_verified = Some(at(2));
    full.password = Some(hash("one")?);
    full.recent_passwords = vec![hash("three")?, hash("two")?];
    full.generation = 7;
    full.second_factor =
        SecondFactor::Confirmed { secret: secret(3), last_step: 56_666_666, recovery: vec![digest(8), digest(9)] };
    full.password_changed = Some(at(3));
    full.last_login = Some(at(4));
    Ok(full)
}

fn an_account_comes_back_as_it_went_in(store: &dyn AccountStore) -> Kept {
    let promise = "an account comes back as it went in";
    let mut enrolling = account(3);
    enrolling.second_factor = SecondFactor::Enrolling { secret: secret(1), since: at(9) };
    let no_codes = SecondFactor::Confirmed { secret: secret(1), last_step: 0, recovery: vec![] };
    let spent = AccountRecord { second_factor: no_codes, networks: Some(Arc::default()), ..account(4) };
    for record in [full()?, account(2), enrolling, spent] {
        good(promise, store.insert(record.clone(), None))?;
        let back = stored(promise, store, &record.id)?;
        same(promise, &back, &record)?;
        let written = |record: &AccountRecord| record.email.as_ref().map(|email| Arc::clone(email.written()));
        same(promise, &written(&back), &written(&record))?;
    }
    let promise = "what is not there is not found";
    same(promise, &good(promise, store.by_id("acc_9"))?, &None)?;
    same(promise, &good(promise, store.by_login(&name("bob")?))?, &None)?;
    let change = store.change("acc_9", AccountChange::Disable, at(0));
    same(promise, &good(promise, change)?, &None)
}

fn an_id_or_name_that_is_there_is_a_conflict(store: &dyn AccountStore) -> Kept {
    let promise = "an id or a login name that is there is a conflict, and nothing of the other account is left";
    good(promise, store.insert(full()?, Some(TenantRecord::new("ten_1", "One", at(0)))))?;
    let named = |number, email: Option<&str>, user_name: Option<&str>| {
        let mut other = account(number);
        other.email = email.map(name).transpose()?;
        other.user_name = user_name.map(name).transpose()?;
        Ok::<_, Violation>(other)
    };
    for other in [
        named(1, Some("bob@example.com"), None)?,
        named(2, Some("ADA@EXÄMPLE.COM"), Some("bob"))?,
        named(2, Some("bob@example.com"), Some("ada l."))?,
        // one's address is no other's user name
        named(2, None, Some("ada@exämple.com"))?,
    ] {
        let tenant = TenantRecord::new("ten_2", "Two", at(0));
        same(promise, &answer(store.insert(other, Some(tenant))), &Err(StoreError::Conflict))?;
        for free in ["bob", "bob@example.com"] {
            same(promise, &good(promise, store.by_login(&name(free)?))?, &None)?;
        }
        same(promise, &good(promise, store.tenant("ten_2"))?, &None)?;
        same(promise, &good(promise, store.by_id("acc_2"))?, &None)?;
    }
    let taken = TenantRecord::new("ten_1", "Taken", at(0));
    same(promise, &answer(store.insert(account(2), Some(taken))), &Err(StoreError::Conflict))?;
    same(promise, &good(promise, store.by_id("acc_2"))?, &None)?;
    same(promise, &stored(promise, store, "acc_1")?, &full()?)?;
    let twice = "an account may have one name as address and as user name";
    good(twice, store.insert(named(3, Some("eve"), Some("EVE"))?, None))
}

fn s5_a_name_is_found_in_every_spelling(store: &dyn AccountStore) -> Kept {
    let promise = "an account is found by its address and its user name in every spelling";
    good(promise, store.insert(full()?, None))?;
    for spelling in ["ada@exämple.com", "ADA@EXA\u{308}MPLE.COM ", "Ada L.", "ａｄａ l."] {
        let found = good(promise, store.by_login(&name(spelling)?))?;
        same(promise, &found.map(|account| Arc::clone(&account.id)), &Some("acc_1".into()))?;
    }
    Ok(())
}

fn lists_are_paged_the_oldest_first(store: &dyn AccountStore) -> Kept {
    let promise = "a list is the accounts in scope, the oldest first and by id within a moment, page by page";
    for (number, created, tenant) in [(5, 30, "a"), (2, 20, "b"), (1, 20, "a"), (4, 10, "a"), (3, 20, "a")] {
        let mut record = AccountRecord::new(format!("acc_{number}"), at(created));
        record.tenant = Some(tenant.into());
        good(promise, store.insert(record, None))?;
    }
    let in_a = AccountScope::Tenant("a".into());
    for (scope, after, limit, expected) in [
        (&AccountScope::All, None, 9, &["acc_4", "acc_1", "acc_2", "acc_3", "acc_5"][..]),
        (&AccountScope::All, None, 2, &["acc_4", "acc_1"]),
        (&AccountScope::All, Some("acc_1"), 2, &["acc_2", "acc_3"]),
        (&AccountScope::All, Some("acc_5"), 2, &[]),
        (&AccountScope::All, Some("acc_9"), 2, &[]),
        (&in_a, None, 9, &["acc_4", "acc_1", "acc_3", "acc_5"]),
        (&in_a, Some("acc_1"), 1, &["acc_3"]),
        (&AccountScope::Tenant("c".into()), None, 9, &[]),
    ] {
        let listed = good(promise, store.list(scope, after, limit))?;
        same(promise, &listed.iter().map(|account| &*account.id).collect(), &expected.to_vec())?;
    }
    Ok(())
}

fn a_tenant_comes_back_as_it_went_in(store: &dyn AccountStore) -> Kept {
    let promise = "a tenant comes back as it went in, and its id is there once";
    let mut tenant = TenantRecord::new("ten_1", "O'Hara & Søn", at(5));
    tenant.plan = Some("growth".into());
    tenant.networks = networks("10.0.0.0/8")?;
    tenant.status = TenantStatus::Disabled;
    good(promise, store.insert_tenant(tenant.clone()))?;
    let other = TenantRecord::new("ten_1", "Other", at(6));
    same(promise, &answer(store.insert_tenant(other)), &Err(StoreError::Conflict))?;
    same(promise, &good(promise, store.tenant("ten_1"))?, &Some(tenant))?;
    same(promise, &good(promise, store.tenant("ten_2"))?, &None)?;
    let with_account = TenantRecord::new("ten_2", "Two", at(6));
    good(promise, store.insert(account(1), Some(with_account.clone())))?;
    same(promise, &good(promise, store.tenant("ten_2"))?, &Some(with_account))
}

fn tenants_change_and_are_listed(store: &dyn AccountStore) -> Kept {
    let promise = "a tenant is what it was changed to, and lists are paged the oldest first";
    for (id, created) in [("c", 1), ("a", 2), ("b", 2)] {
        good(promise, store.insert_tenant(TenantRecord::new(id, id, at(created))))?;
    }
    let mut expected = TenantRecord::new("b", "Better", at(2));
    expected.plan = Some("pro".into());
    expected.networks = networks("10.0.0.0/8")?;
    expected.status = TenantStatus::Disabled;
    for change in [
        TenantChange::Name("Better".into()),
        TenantChange::Plan(Some("pro".into())),
        TenantChange::Networks(networks("10.0.0.0/8")?),
        TenantChange::Disable,
    ] {
        good(promise, store.change_tenant("b", change))?;
    }
    same(promise, &good(promise, store.tenant("b"))?, &Some(expected.clone()))?;
    expected.status = TenantStatus::Active;
    same(promise, &good(promise, store.change_tenant("b", TenantChange::Enable))?, &Some(expected))?;
    same(promise, &good(promise, store.change_tenant("x", TenantChange::Disable))?, &None)?;
    for (after, limit, expected) in [
        (None, 9, &["c", "a", "b"][..]),
        (None, 1, &["c"]),
        (Some("c"), 1, &["a"]),
        (Some("b"), 9, &[]),
        (Some("x"), 9, &[]),
    ] {
        let listed = good(promise, store.tenants(after, limit))?;
        same(promise, &listed.iter().map(|tenant| &*tenant.id).collect(), &expected.to_vec())?;
    }
    Ok(())
}

fn a_rename_frees_the_old_name_and_respects_others(store: &dyn AccountStore) -> Kept {
    let promise = "a new name is found, the old one is free, and another's is a conflict that changes nothing";
    with_account(store)?;
    let bob = AccountRecord { user_name: Some(name("bob")?), ..account(2) };
    good(promise, store.insert(bob, None))?;
    changed(promise, store, AccountChange::Email(Some(name("ada@a.example")?)), 1)?;
    changed(promise, store, AccountChange::EmailVerified(name("ada@a.example")?), 2)?;
    let before = changed(promise, store, AccountChange::UserName(Some(name("ada")?)), 3)?.account;
    same(promise, &before.email_verified, &Some(at(2)))?;
    let taken = store.change("acc_1", AccountChange::Email(Some(name("BOB")?)), at(4));
    same(promise, &answer(taken), &Err(StoreError::Conflict))?;
    same(promise, &stored(promise, store, "acc_1")?, &before)?;
    let promise = "a new address is not verified, in whatever spelling, and an old one cannot be any more";
    let after = changed(promise, store, AccountChange::Email(Some(name("ADA@a.example")?)), 5)?.account;
    same(promise, &after.email_verified, &None)?;
    let late = store.change("acc_1", AccountChange::EmailVerified(name("ada@a.example")?), at(6));
    same(promise, &answer(late), &Err(StoreError::Conflict))?;
    changed(promise, store, AccountChange::Email(None), 7)?;
    for (spelling, owner) in [("ada@a.example", None), ("ADA", Some("acc_1")), ("bob", Some("acc_2"))] {
        let found = good(promise, store.by_login(&name(spelling)?))?;
        same(promise, &found.as_ref().map(|account| &*account.id), &owner)?;
    }
    let heir = AccountRecord { email: Some(name("ada@a.example")?), ..account(3) };
    good("a name that was given up can be taken", store.insert(heir, None))
}
