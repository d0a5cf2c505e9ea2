//! Clients in a file.

use std::sync::Arc;

use auth_core::client::{ClientChange, ClientRecord};
use auth_core::store::{ClientStore, MemoryClientStore, SqliteClientStore, conformance};
use auth_core::{StoreError, Timestamp};

use super::wait;

#[test]
fn promises_are_kept() {
    conformance::check_clients(|| Arc::new(MemoryClientStore::new())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    conformance::check_clients(|| {
        number += 1;
        Arc::new(SqliteClientStore::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
}

#[test]
fn another_process_sees_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SqliteClientStore::open(folder.path().join("auth.db")).unwrap();
    let (one, other) = (open(), open());
    let client = ClientRecord::new("a", Timestamp::from_unix_seconds(1));
    wait(one.insert(client.clone()).resolve()).unwrap();
    assert_eq!(wait(other.insert(client.clone()).resolve()), Err(StoreError::Conflict));
    wait(other.change("a", ClientChange::Disable).resolve()).unwrap();
    let found = wait(one.by_id("a").resolve()).unwrap().unwrap();
    assert!(!found.is_usable(Timestamp::from_unix_seconds(2)));
    drop((one, other));
    assert_eq!(wait(open().by_id("a").resolve()).unwrap(), Some(found));
}
