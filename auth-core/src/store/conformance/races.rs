//! What holds when several do the same at once.

use std::sync::{Arc, Barrier};
use std::thread;

use crate::api_key::{ApiKeyRecord, KeyStatus};
use crate::error::StoreError;
use crate::store::{ApiKeyStore, KeyChange, KeyScope};

use super::{Kept, Violation, answer, at, digest, good, key, now, same};

/// How many try at once.
pub(super) const MANY: u8 = 16;

/// A check of one store without keys, shared by many threads.
type Race = fn(&Arc<dyn ApiKeyStore>) -> Kept;

pub(super) const ALL: &[Race] = &[
    one_of_many_inserts_succeeds,
    one_of_many_rotations_succeeds,
    revocation_wins_over_every_other_change,
    many_who_make_keys_at_once_find_no_more_room_than_there_is,
];

/// Lets many threads do the same thing at the same time.
pub(super) fn at_once<T: Send>(act: impl Fn(u8) -> T + Sync) -> Vec<T> {
    so_many_at_once(MANY, act)
}

/// Lets so many threads do the same thing at the same time.
pub(super) fn so_many_at_once<T: Send>(count: u8, act: impl Fn(u8) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(usize::from(count));
    thread::scope(|scope| {
        let run = |number| {
            let (start, act) = (&start, &act);
            scope.spawn(move || {
                start.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// One succeeded, and everybody else was told of a conflict.
pub(super) fn one_won<T>(promise: &'static str, results: &[Result<T, StoreError>]) -> Kept {
    let won = results.iter().filter(|result| result.is_ok()).count();
    let lost = results.iter().filter(|result| matches!(result, Err(StoreError::Conflict))).count();
    same(promise, &(won, lost), &(1, usize::from(MANY) - 1))
}

fn many_who_make_keys_at_once_find_no_more_room_than_there_is(store: &Arc<dyn ApiKeyStore>) -> Kept {
    let promise = "of many who make keys for one owner at once, as many succeed as there is room for";
    let inserted = at_once(|number| answer(store.insert_within(ApiKeyRecord { created: at(1), ..key(number + 1) }, 5)));
    let made = inserted.iter().filter(|result| result.is_ok()).count();
    let full = inserted.iter().filter(|result| matches!(result, Err(StoreError::Full))).count();
    same(promise, &(made, full), &(5, usize::from(MANY) - 5))?;
    same(promise, &good(promise, store.list(&KeyScope::All))?.len(), &5)
}

fn one_of_many_inserts_succeeds(store: &Arc<dyn ApiKeyStore>) -> Kept {
    let promise = "of many inserts with one id, one succeeds";
    let inserted = at_once(|number| answer(store.insert(ApiKeyRecord { digest: digest(number), ..key(1) })));
    one_won(promise, &inserted)?;
    same(promise, &good(promise, store.list(&KeyScope::All))?.len(), &1)?;
    let found: Result<Vec<_>, Violation> =
        (0..MANY).map(|number| good(promise, store.find(&digest(number), now()))).collect();
    same(promise, &found?.iter().flatten().count(), &1)
}

fn one_of_many_rotations_succeeds(store: &Arc<dyn ApiKeyStore>) -> Kept {
    let promise = "of many rotations of one key, one succeeds and one successor is there";
    good(promise, store.insert(key(100)))?;
    let rotated = at_once(|number| answer(store.rotate("key_100", key(number), at(i64::from(number)))));
    one_won(promise, &rotated)?;
    let keys = good(promise, store.list(&KeyScope::All))?;
    same(promise, &keys.len(), &2)?;
    let replaced = good(promise, store.by_id("key_100"))?.and_then(|key| key.succession).map(|next| next.successor);
    let successor = keys.into_iter().map(|key| key.id).find(|id| **id != *"key_100");
    same(promise, &replaced, &successor)
}

fn revocation_wins_over_every_other_change(store: &Arc<dyn ApiKeyStore>) -> Kept {
    let promise = "a key that is revoked stays revoked, whatever else happens at the same moment";
    good(promise, store.insert(key(1)))?;
    let changed = at_once(|number| {
        let change = if number == MANY / 2 { KeyChange::Revoke } else { KeyChange::Enable };
        answer(store.change("key_1", change))
    });
    let unexpected = changed.iter().filter(|result| !matches!(result, Ok(Some(_)) | Err(StoreError::Conflict))).count();
    same(promise, &(changed.len(), unexpected), &(usize::from(MANY), 0))?;
    let status = good(promise, store.find(&digest(1), now()))?.map(|key| key.status);
    same(promise, &status, &Some(KeyStatus::Revoked))
}
