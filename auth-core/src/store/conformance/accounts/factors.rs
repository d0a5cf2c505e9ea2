//! What can be spent once, and known networks.

use crate::account::{AccountRecord, SecondFactor};
use crate::api_key::KeyDigest;
use crate::store::{AccountStore, Spending};

use super::{Check, Kept, account, at, digest, good, same, secret, stored, with_account};

pub(super) const ALL: &[Check] = &[
    a_time_step_is_spent_once_and_never_an_earlier_one,
    a_recovery_code_is_spent_once,
    nothing_is_spent_without_a_confirmed_factor,
    the_newest_networks_are_known,
];

/// A store whose first account asks for a code, and has these recovery codes.
pub(super) fn with_factor(store: &dyn AccountStore, recovery: &[u8]) -> Kept {
    let recovery = recovery.iter().map(|number| digest(*number)).collect();
    let second_factor = SecondFactor::Confirmed { secret: secret(1), last_step: 100, recovery };
    good("an account can be added", store.insert(AccountRecord { second_factor, ..account(1) }, None))
}

fn a_time_step_is_spent_once_and_never_an_earlier_one(store: &dyn AccountStore) -> Kept {
    let promise = "a time step is spent once, and no earlier one afterwards";
    with_factor(store, &[4])?;
    for (step, expected) in [
        (99, Spending::Refused),
        (100, Spending::Refused),
        (101, Spending::Spent),
        (101, Spending::Refused),
        (105, Spending::Spent),
        (104, Spending::Refused),
    ] {
        same(promise, &good(promise, store.spend_totp_step("acc_1", step))?, &expected)?;
    }
    let expected = SecondFactor::Confirmed { secret: secret(1), last_step: 105, recovery: vec![digest(4)] };
    same(promise, &stored(promise, store, "acc_1")?.second_factor, &expected)
}

fn a_recovery_code_is_spent_once(store: &dyn AccountStore) -> Kept {
    let promise = "a recovery code is spent once, under whichever pepper it was kept, and the others stay";
    with_factor(store, &[4, 5, 6])?;
    let unknown = KeyDigest::from_bytes([255; 32]);
    for (code, expected) in [
        (&[unknown][..], Spending::Refused),
        (&[], Spending::Refused),
        (&[unknown, digest(5)], Spending::Spent),
        (&[digest(5)], Spending::Refused),
        (&[digest(4), unknown], Spending::Spent),
    ] {
        same(promise, &good(promise, store.spend_recovery_code("acc_1", code))?, &expected)?;
    }
    let expected = SecondFactor::Confirmed { secret: secret(1), last_step: 100, recovery: vec![digest(6)] };
    same(promise, &stored(promise, store, "acc_1")?.second_factor, &expected)
}

fn nothing_is_spent_without_a_confirmed_factor(store: &dyn AccountStore) -> Kept {
    let promise = "without a confirmed factor nothing can be spent";
    with_account(store)?;
    let second_factor = SecondFactor::Enrolling { secret: secret(1), since: at(0) };
    good(promise, store.insert(AccountRecord { second_factor, ..account(2) }, None))?;
    for id in ["acc_1", "acc_2", "acc_9"] {
        same(promise, &good(promise, store.spend_totp_step(id, 7))?, &Spending::Refused)?;
        same(promise, &good(promise, store.spend_recovery_code(id, &[digest(1)]))?, &Spending::Refused)?;
    }
    Ok(())
}

fn the_newest_networks_are_known(store: &dyn AccountStore) -> Kept {
    let promise = "the newest networks of an account are known since their latest login, and no others";
    with_account(store)?;
    good(promise, store.insert(account(2), None))?;
    let note = |id, source, seconds| good(promise, store.note_source(id, source, at(seconds), 2));
    let knows = |id, source, since| good(promise, store.knows_source(id, source, at(since)));
    note("acc_1", "192.0.2.0/24", 10)?;
    note("acc_1", "192.0.2.0/24", 5)?;
    note("acc_2", "198.51.100.0/24", 10)?;
    note("acc_9", "192.0.2.0/24", 10)?;
    for (id, source, since, known) in [
        ("acc_1", "192.0.2.0/24", 10, true),
        ("acc_1", "192.0.2.0/24", 11, false),
        ("acc_1", "198.51.100.0/24", 0, false),
        ("acc_2", "192.0.2.0/24", 0, false),
        ("acc_9", "192.0.2.0/24", 0, false),
    ] {
        same(promise, &knows(id, source, since)?, &known)?;
    }
    note("acc_1", "b", 30)?;
    note("acc_1", "c", 20)?;
    let left = [knows("acc_1", "192.0.2.0/24", 0)?, knows("acc_1", "b", 0)?, knows("acc_1", "c", 0)?];
    same(promise, &left, &[false, true, true])?;
    note("acc_1", "d", 20)?;
    let left = [knows("acc_1", "b", 0)?, knows("acc_1", "c", 0)?, knows("acc_1", "d", 0)?];
    same("of two of one moment one is forgotten, and the newest never", &left[0], &true)?;
    same(promise, &left.iter().filter(|known| **known).count(), &2)?;
    same(promise, &knows("acc_2", "198.51.100.0/24", 10)?, &true)
}
