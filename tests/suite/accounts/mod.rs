//! Accounts and their sessions: what their stores promise, and how refresh tokens live and die.

mod broken;
mod endpoints;
mod families;
mod mailbox;
mod networks;
mod second_factor;
mod service;
mod sqlite;
mod sso;
mod unverified;

use std::time::Duration;

use auth_core::account::{AccountRecord, LoginName, RefreshToken, Refreshed, SessionRecord, Turn};
use auth_core::api_key::KeyDigest;
use auth_core::store::{Answer, SessionKey};
use auth_core::{StoreError, Timestamp};

const GRACE: Duration = Duration::from_secs(10);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 + seconds)
}

fn wait<T: Send + 'static>(answer: Answer<T>) -> Result<T, StoreError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer.resolve())
}

fn account() -> AccountRecord {
    let mut ada = AccountRecord::new("acc_1", at(0));
    ada.user_name = Some(LoginName::fold("Ada").unwrap());
    ada
}

fn digest(number: u32) -> KeyDigest {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    KeyDigest::from_bytes(bytes)
}

fn token(number: u32) -> RefreshToken {
    RefreshToken::new(digest(number), "a")
}

fn presented(number: u32) -> SessionKey {
    SessionKey::Token(vec![digest(number)])
}

/// A session of the account's first generation that ends after a thousand seconds.
fn session(id: &str, number: u32) -> SessionRecord {
    let mut session = SessionRecord::new(id, "acc_1", 0, at(0), at(1_000));
    session.refresh = Some(token(number));
    session
}

fn turn(seconds: i64, successor: u32) -> Turn {
    Turn { at: at(seconds), successor: Some(token(successor)), grace: GRACE }
}

fn word(refreshed: &Refreshed) -> &'static str {
    match refreshed {
        Refreshed::Good { .. } => "good",
        Refreshed::Reused(_) => "reused",
        Refreshed::Expired(_) => "expired",
        Refreshed::Ended(_) => "ended",
        Refreshed::Unknown => "unknown",
    }
}
