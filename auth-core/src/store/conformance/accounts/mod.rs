//! What a store of accounts promises, by itself and when several do the same at once.
//!
//! - `records`: accounts, tenants and their names
//! - `changes`: what changes do to an account and its sessions
//! - `sessions`: opening, ending and removing sessions
//! - `refresh`: what presenting a refresh token comes to
//! - `factors`: what can be spent once, and known networks
//! - `races`: what holds when several do the same at once

mod changes;
mod factors;
mod races;
mod records;
mod refresh;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use crate::account::{
    AccountChange, AccountRecord, Changed, LoginName, PasswordHash, RefreshToken, Refreshed, SealedSecret,
    SessionRecord, Turn,
};
use crate::api_key::KeyDigest;
use crate::store::{AccountStore, SessionKey};

use super::{Kept, Violation, answer, at, digest, good, same};

/// A check of one store without accounts.
type Check = fn(&dyn AccountStore) -> Kept;

/// Runs every check of a store of accounts, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryAccountStore, conformance};
///
/// conformance::check_accounts(|| Arc::new(MemoryAccountStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_accounts(mut empty_store: impl FnMut() -> Arc<dyn AccountStore>) -> Result<(), Violation> {
    let parts = [records::ALL, changes::ALL, sessions::ALL, refresh::ALL, factors::ALL, races::ALL];
    parts.into_iter().flatten().try_for_each(|one| one(&*empty_store()))
}

const GRACE: Duration = Duration::from_secs(10);

fn name(text: &str) -> Result<LoginName, Violation> {
    LoginName::fold(text).map_err(|error| Violation { promise: "a name is a name", instead: error.to_string() })
}

fn hash(text: &str) -> Result<PasswordHash, Violation> {
    let hash = PasswordHash::parse(&format!("$test${text}"));
    hash.map_err(|error| Violation { promise: "a hash is a hash", instead: error.to_string() })
}

fn secret(number: u8) -> SealedSecret {
    SealedSecret::from_bytes([number; 48])
}

/// An account whose id follows from a number.
fn account(number: u8) -> AccountRecord {
    AccountRecord::new(format!("acc_{number}"), at(i64::from(number)))
}

/// An open session of the first account in its first generation, whose id and token follow from a number.
fn session(number: u8) -> SessionRecord {
    let mut session = SessionRecord::new(format!("ses_{number}"), "acc_1", 0, at(i64::from(number)), at(1_000));
    session.client = number.is_multiple_of(2).then(|| "client".into());
    session.refresh = Some(token(number));
    session
}

fn token(number: u8) -> RefreshToken {
    RefreshToken::new(digest(number), "pepper")
}

fn id(number: u8) -> SessionKey {
    SessionKey::Id(format!("ses_{number}").into())
}

/// Presents a token that was hashed with two peppers, of which the second is the one in use.
fn presented(number: u8) -> SessionKey {
    SessionKey::Token(vec![KeyDigest::from_bytes([255; 32]), digest(number)])
}

/// A turn at that second to the token of this number.
fn turn(seconds: i64, successor: u8) -> Turn {
    Turn { at: at(seconds), successor: Some(token(successor)), grace: GRACE }
}

/// A store with the first account in it.
fn with_account(store: &dyn AccountStore) -> Kept {
    good("an account can be added", store.insert(account(1), None))
}

fn changed(
    promise: &'static str,
    store: &dyn AccountStore,
    change: AccountChange,
    seconds: i64,
) -> Result<Changed, Violation> {
    let changed = good(promise, store.change("acc_1", change, at(seconds)))?;
    changed.ok_or_else(|| Violation { promise, instead: "there is no such account".into() })
}

fn stored(promise: &'static str, store: &dyn AccountStore, id: &str) -> Result<AccountRecord, Violation> {
    let found = good(promise, store.by_id(id))?;
    found.map(Arc::unwrap_or_clone).ok_or_else(|| Violation { promise, instead: format!("there is no {id}") })
}

/// The session of a good answer.
fn refreshed(
    promise: &'static str,
    store: &dyn AccountStore,
    key: &SessionKey,
    turn: Turn,
) -> Result<SessionRecord, Violation> {
    match good(promise, store.refresh(key, turn))? {
        Refreshed::Good { session, .. } => Ok(Arc::unwrap_or_clone(session)),
        other => Err(Violation { promise, instead: format!("{other:?}") }),
    }
}

/// The answer in a word.
fn word(refreshed: &Refreshed) -> &'static str {
    match refreshed {
        Refreshed::Good { .. } => "good",
        Refreshed::Reused(_) => "reused",
        Refreshed::Expired(_) => "expired",
        Refreshed::Ended(_) => "ended",
        Refreshed::Unknown => "unknown",
    }
}

fn refreshes_to(
    promise: &'static str,
    store: &dyn AccountStore,
    key: &SessionKey,
    turn: Turn,
    expected: &'static str,
) -> Kept {
    same(promise, &word(&good(promise, store.refresh(key, turn))?), &expected)
}
