//! Tokens in a file: restarts, other processes, and a file that goes away.

use std::path::PathBuf;
use std::sync::Arc;

use auth_core::issue::OpaqueTokens;
use auth_core::store::{ApiKeyStore, KeyScope, SqliteKeyStore, SqliteTokenStore, TokenScope, conformance};
use auth_core::verify::Verifier;
use auth_core::{CredentialFault, Outcome, Rejection};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{at, at_millis, minted, refused, text, tokens_in, verify, wait};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("auth.db")
}

fn open(folder: &TempDir) -> OpaqueTokens {
    tokens_in(Arc::new(SqliteTokenStore::open(file(folder)).unwrap()))
}

#[test]
fn promises_are_kept_with_and_without_room_in_memory() {
    let folder = folder();
    for room in [100, 1, 0] {
        let mut number = 0;
        conformance::check_tokens(|| {
            number += 1;
            let path = folder.path().join(format!("{room}-{number}.db"));
            Arc::new(SqliteTokenStore::open_holding(path, room).unwrap())
        })
        .unwrap();
    }
}

#[test]
fn known_tokens_are_answered_from_memory() {
    let folder = folder();
    let tokens = open(&folder);
    let (token, verifier) = (minted(&tokens), tokens.verifier());
    assert!(verify(&verifier, &token, at_millis(0)).is_ok());
    assert!(matches!(verifier.verify(text(&token), at_millis(900)), Outcome::Done(Ok(_))));
}

#[test]
fn a_restart_keeps_tokens_revocations_and_written_uses() {
    let folder = folder();
    let (used, revoked, id);
    {
        let tokens = open(&folder);
        let verifier = tokens.verifier();
        (used, revoked) = (minted(&tokens), minted(&tokens));
        id = TokenScope::Id(revoked.record.id.clone());
        assert!(verify(&verifier, &used, at(90)).is_ok());
        assert_eq!(wait(tokens.revoke(&id)), Ok(1));
    }
    let tokens = open(&folder);
    let verifier = tokens.verifier();
    assert_eq!(verify(&verifier, &revoked, at(91)).unwrap_err(), refused(CredentialFault::Revoked));
    assert!(verify(&verifier, &used, at(189)).is_ok());
}

#[test]
fn what_another_process_revokes_is_refused_a_second_later() {
    let folder = folder();
    let (gateway, command_line) = (open(&folder), open(&folder));
    let (token, verifier) = (minted(&gateway), gateway.verifier());
    assert!(verify(&verifier, &token, at_millis(0)).is_ok());
    wait(command_line.revoke(&TokenScope::Id(token.record.id.clone()))).unwrap();
    assert_eq!(verify(&verifier, &token, at_millis(1_001)).unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn a_token_used_in_another_process_does_not_end_unused_here() {
    let folder = folder();
    let (here, there) = (open(&folder), open(&folder));
    let (token, verifier, other) = (minted(&here), here.verifier(), there.verifier());
    assert!(verify(&verifier, &token, at(0)).is_ok());
    assert!(verify(&other, &token, at(90)).is_ok());
    wait(other.flush_used().resolve()).unwrap();
    assert!(verify(&verifier, &token, at(189)).is_ok());
    wait(verifier.flush_used().resolve()).unwrap();
    assert_eq!(verify(&other, &token, at(289)).unwrap_err(), refused(CredentialFault::Expired));
}

#[test]
fn a_change_by_hand_does_not_forget_uses_that_are_not_written_yet() {
    let folder = folder();
    let tokens = open(&folder);
    let (token, verifier) = (minted(&tokens), tokens.verifier());
    assert!(verify(&verifier, &token, at(99)).is_ok());
    Connection::open(file(&folder)).unwrap().execute_batch("UPDATE opaque_tokens SET plan = 'pro'").unwrap();
    let identity = verify(&verifier, &token, at(198)).unwrap();
    assert_eq!(identity.plan.as_deref(), Some("pro"));
}

#[test]
fn a_file_that_goes_away_is_an_outage() {
    let folder = folder();
    let tokens = open(&folder);
    let (token, verifier) = (minted(&tokens), tokens.verifier());
    assert!(verify(&verifier, &token, at_millis(0)).is_ok());
    std::fs::rename(file(&folder), folder.path().join("elsewhere.db")).unwrap();
    assert!(matches!(verify(&verifier, &token, at_millis(1_001)), Err(Rejection::Unavailable(_))));
    assert!(wait(tokens.revoke(&TokenScope::Id(token.record.id.clone()))).is_err());
}

#[test]
fn keys_and_tokens_share_a_file_and_older_files_gain_the_table() {
    let folder = folder();
    let before = include_str!("../../../auth-core/src/store/sqlite/0001_api_keys.sql");
    let old = Connection::open(file(&folder)).unwrap();
    old.execute_batch(before).unwrap();
    old.execute_batch("PRAGMA application_id = 0x61757468; PRAGMA user_version = 1").unwrap();
    drop(old);
    let keys = SqliteKeyStore::open(file(&folder)).unwrap();
    let tokens = open(&folder);
    let token = minted(&tokens);
    assert!(verify(&tokens.verifier(), &token, at(0)).is_ok());
    assert!(wait(keys.list(&KeyScope::All).resolve()).unwrap().is_empty());
}
