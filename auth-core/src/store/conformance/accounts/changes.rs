//! What changes do to an account and its sessions.

use std::sync::Arc;

use crate::account::{AccountChange, AccountRecord, AccountStatus, SecondFactor, SessionStatus};
use crate::error::StoreError;
use crate::store::AccountStore;

use super::{
    Check, Kept, account, answer, at, changed, digest, good, hash, id, same, secret, session, stored, with_account,
};

pub(super) const ALL: &[Check] = &[
    a_change_does_what_it_says_and_ends_nothing,
    s7_what_moves_the_generation_ends_every_open_session,
    passwords_are_remembered_newest_first,
    a_condition_that_does_not_hold_changes_nothing,
    a_second_factor_is_begun_confirmed_and_removed,
];

fn a_change_does_what_it_says_and_ends_nothing(store: &dyn AccountStore) -> Kept {
    let promise = "a change does what it says, nothing else, and is in force when it is answered";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    let mut expected = AccountRecord { last_login: Some(at(1)), ..account(1) };
    expected.name = Some("Ada".into());
    expected.plan = Some("pro".into());
    expected.kind = Some("admin".into());
    expected.roles = ["r"].into_iter().collect();
    expected.permissions = ["p", "q"].into_iter().collect();
    expected.networks = Some(Arc::default());
    for change in [
        AccountChange::Name(expected.name.clone()),
        AccountChange::Plan(expected.plan.clone()),
        AccountChange::Kind(expected.kind.clone()),
        AccountChange::Roles(expected.roles.clone()),
        AccountChange::Permissions(expected.permissions.clone()),
        AccountChange::Networks(expected.networks.clone()),
        AccountChange::Enable,
    ] {
        same(promise, &changed(promise, store, change, 2)?.ended, &vec![])?;
    }
    same(promise, &stored(promise, store, "acc_1")?, &expected)?;
    let open = good(promise, store.session(&id(1)))?.map(|session| session.status);
    same(promise, &open, &Some(SessionStatus::Open))
}

fn s7_what_moves_the_generation_ends_every_open_session(store: &dyn AccountStore) -> Kept {
    let promise = "a password, disabling and ending sessions move the generation and end every open session";
    with_account(store)?;
    good(promise, store.insert(account(2), None))?;
    let mut others = session(100);
    others.account = "acc_2".into();
    good(promise, store.open_session(others.clone()))?;
    let password = AccountChange::Password { hash: hash("new")?, keep_recent: 0, if_generation: None };
    for (round, change) in [(0, password), (1, AccountChange::EndSessions), (2, AccountChange::Disable)] {
        let of = |number| {
            let mut session = session(number);
            session.generation = u64::from(round);
            session
        };
        let (first, second) = (of(10 * round + 1), of(10 * round + 2));
        for session in [&first, &second] {
            good(promise, store.open_session(session.clone()))?;
        }
        good(promise, store.end_session(&id(10 * round + 2), at(40)))?;
        let moved = changed(promise, store, change, 50)?;
        same(promise, &(moved.account.generation, moved.ended), &(u64::from(round) + 1, vec![Arc::clone(&first.id)]))?;
        for (number, ended) in [(1, 50), (2, 40)] {
            let status = good(promise, store.session(&id(10 * round + number)))?.map(|session| session.status);
            same(promise, &status, &Some(SessionStatus::Ended(at(ended))))?;
        }
        let late = answer(store.open_session(of(10 * round + 3)));
        same("no session opens in a generation that is over", &late, &Err(StoreError::Conflict))?;
    }
    same("other accounts' sessions go on", &good(promise, store.session(&id(100)))?, &Some(others))?;
    let promise = "a disabled account opens no session; enabled again it does, and what was ended stays ended";
    let mut fresh = session(50);
    fresh.generation = 3;
    same(promise, &answer(store.open_session(fresh.clone())), &Err(StoreError::Conflict))?;
    let enabled = changed(promise, store, AccountChange::Enable, 60)?.account;
    same(promise, &(enabled.status, enabled.generation), &(AccountStatus::Active, 3))?;
    good(promise, store.open_session(fresh))?;
    let status = good(promise, store.session(&id(21)))?.map(|session| session.status);
    same(promise, &status, &Some(SessionStatus::Ended(at(50))))
}

fn passwords_are_remembered_newest_first(store: &dyn AccountStore) -> Kept {
    let promise = "the passwords before are remembered, the newest first and no more than were asked for";
    with_account(store)?;
    for (new, keep_recent, recent) in [
        ("a", 2, &[][..]),
        ("b", 2, &["a"]),
        ("c", 2, &["b", "a"]),
        ("d", 2, &["c", "b"]),
        ("e", 1, &["d"]),
        ("f", 0, &[]),
    ] {
        let change = AccountChange::Password { hash: hash(new)?, keep_recent, if_generation: None };
        let account = changed(promise, store, change, 7)?.account;
        let recent: Result<Vec<_>, _> = recent.iter().map(|text| hash(text)).collect();
        same(promise, &(account.password, account.recent_passwords), &(Some(hash(new)?), recent?))?;
        same(promise, &account.password_changed, &Some(at(7)))?;
    }
    Ok(())
}

fn a_condition_that_does_not_hold_changes_nothing(store: &dyn AccountStore) -> Kept {
    let promise = "a change whose condition does not hold is a conflict and changes nothing";
    with_account(store)?;
    let password =
        |text, seen| Ok(AccountChange::Password { hash: hash(text)?, keep_recent: 1, if_generation: Some(seen) });
    changed(promise, store, password("a", 0)?, 1)?;
    let rehashed = |from, to| Ok(AccountChange::Rehashed { from: hash(from)?, to: hash(to)? });
    let after = changed(promise, store, rehashed("a", "better")?, 2)?;
    same("a better hash of the same password ends nothing", &after.account.generation, &1)?;
    same("a better hash is no other password", &after.account.recent_passwords, &vec![])?;
    for change in [password("b", 0)?, rehashed("a", "b")?, AccountChange::RecoveryCodes(vec![digest(1)])] {
        same(promise, &answer(store.change("acc_1", change, at(3))), &Err(StoreError::Conflict))?;
        same(promise, &stored(promise, store, "acc_1")?, &after.account)?;
    }
    Ok(())
}

fn a_second_factor_is_begun_confirmed_and_removed(store: &dyn AccountStore) -> Kept {
    let promise = "a second factor is confirmed by its own secret alone, and replaced only once it was removed";
    with_account(store)?;
    let confirm =
        |number| AccountChange::ConfirmSecondFactor { secret: secret(number), step: 5, recovery: vec![digest(1)] };
    let refused = |change| {
        let before = stored(promise, store, "acc_1")?;
        same(promise, &answer(store.change("acc_1", change, at(9))), &Err(StoreError::Conflict))?;
        same(promise, &stored(promise, store, "acc_1")?, &before)
    };
    refused(confirm(1))?;
    changed(promise, store, AccountChange::EnrolSecondFactor(secret(1)), 1)?;
    let begun = changed(promise, store, AccountChange::EnrolSecondFactor(secret(2)), 2)?.account;
    same(promise, &begun.second_factor, &SecondFactor::Enrolling { secret: secret(2), since: at(2) })?;
    refused(confirm(1))?;
    changed(promise, store, confirm(2), 3)?;
    refused(confirm(2))?;
    refused(AccountChange::EnrolSecondFactor(secret(3)))?;
    let codes = vec![digest(4), digest(5)];
    let confirmed = changed(promise, store, AccountChange::RecoveryCodes(codes.clone()), 4)?.account;
    let expected = SecondFactor::Confirmed { secret: secret(2), last_step: 5, recovery: codes };
    same(promise, &confirmed.second_factor, &expected)?;
    let removed = changed(promise, store, AccountChange::RemoveSecondFactor, 5)?.account;
    same(promise, &(removed.second_factor, removed.generation), &(SecondFactor::None, 0))
}
