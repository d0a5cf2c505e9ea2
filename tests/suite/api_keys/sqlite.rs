//! Keys in a file: what is promised about disks, other processes and memory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use auth_core::api_key::{ApiKeyRecord, KeyStatus};
use auth_core::issue::{ApiKeys, KeyError, MintedKey};
use auth_core::store::{ApiKeyStore, KeyChange, KeyScope, SqliteKeyStore, conformance};
use auth_core::verify::{ApiKeyVerifier, Verifier};
use auth_core::{CredentialFault, Identity, Monotonic, Now, Outcome, Rejection, StoreError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{at, keys_in, refused, text, wanted};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("keys.db")
}

fn open(folder: &TempDir) -> Arc<SqliteKeyStore> {
    Arc::new(SqliteKeyStore::open(file(folder)).unwrap())
}

/// Somebody with the `sqlite3` program.
fn by_hand(folder: &TempDir, sql: &str) {
    Connection::open(file(folder)).unwrap().execute_batch(sql).unwrap();
}

fn minted(keys: &ApiKeys) -> MintedKey {
    wait(keys.mint(wanted(), at(0))).unwrap()
}

fn verify(verifier: &ApiKeyVerifier, key: &MintedKey, now: Now) -> Result<Arc<Identity>, Rejection> {
    wait(verifier.verify(text(key), now).resolve())
}

/// Verifies without waiting; `None` where it would have to be waited for.
fn at_once(verifier: &ApiKeyVerifier, key: &MintedKey, now: Now) -> Option<Result<Arc<Identity>, Rejection>> {
    match verifier.verify(text(key), now) {
        Outcome::Done(result) => Some(result),
        Outcome::Wait(_) => None,
    }
}

fn millis(millis: u64) -> Now {
    Now { monotonic: Monotonic::from_nanos(millis * 1_000_000), ..at(0) }
}

#[test]
fn promises_are_kept() {
    let folder = folder();
    let mut number = 0;
    conformance::check(|| {
        number += 1;
        Arc::new(SqliteKeyStore::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
}

#[test]
fn promises_are_kept_with_hardly_any_room_in_memory() {
    let folder = folder();
    let mut number = 0;
    conformance::check(|| {
        number += 1;
        Arc::new(SqliteKeyStore::open_holding(folder.path().join(format!("{number}.db")), 1).unwrap())
    })
    .unwrap();
}

#[test]
fn known_keys_are_answered_from_memory() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    assert!(at_once(&verifier, &key, millis(0)).is_none(), "the file was never asked");
    assert!(verify(&verifier, &key, millis(0)).is_ok());
    assert!(at_once(&verifier, &key, millis(900)).unwrap().is_ok());
}

#[test]
fn l23_keys_in_memory_are_recalled_however_long_ago_the_file_was_asked() {
    let folder = folder();
    let (keys, elsewhere) = (keys_in(open(&folder)), keys_in(open(&folder)));
    let (key, verifier) = (minted(&keys), keys.verifier());
    let recalled = |now| verifier.recall(text(&key), now).map(|outcome| wait(outcome.resolve()));
    assert!(verify(&verifier, &key, at(0)).is_ok());
    assert!(recalled(at(1)).unwrap().is_ok());
    assert!(recalled(at(4_000)).unwrap().is_ok(), "the file is asked, but nobody is a stranger for that");
    wait(elsewhere.revoke(&key.record.id)).unwrap();
    assert_eq!(recalled(at(5_000)).unwrap().unwrap_err(), refused(CredentialFault::Revoked));
    let restarted = keys_in(open(&folder)).verifier();
    assert!(restarted.recall(text(&key), at(5_000)).is_some(), "keys are read into memory at the start");
    let stranger = minted(&keys_in(Arc::new(auth_core::store::MemoryKeyStore::new())));
    assert!(restarted.recall(text(&stranger), at(5_000)).is_none());
}

#[test]
fn a_key_that_another_process_made_works_at_once() {
    let folder = folder();
    let (gateway, command_line) = (keys_in(open(&folder)), keys_in(open(&folder)));
    let (key, verifier) = (minted(&gateway), gateway.verifier());
    assert!(verify(&verifier, &key, millis(0)).is_ok());
    let foreign = minted(&keys_in(Arc::new(auth_core::store::MemoryKeyStore::new())));
    assert_eq!(verify(&verifier, &foreign, millis(0)).unwrap_err(), refused(CredentialFault::Unknown));
    let new = minted(&command_line);
    assert!(verify(&verifier, &new, millis(0)).is_ok());
    assert!(at_once(&verifier, &new, millis(0)).unwrap().is_ok());
}

#[test]
fn a_flood_of_made_up_keys_leaves_room_for_everything_else() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let (key, foreign) = (minted(&keys), minted(&keys_in(Arc::new(auth_core::store::MemoryKeyStore::new()))));
    let verifier = keys.verifier();
    assert!(verify(&verifier, &key, millis(0)).is_ok());
    let refusals: Vec<_> = (0..5_000).map(|_| verifier.verify(text(&foreign), millis(0))).collect();
    wait(keys.revoke(&key.record.id)).unwrap();
    assert_eq!(verify(&verifier, &key, millis(0)).unwrap_err(), refused(CredentialFault::Revoked));
    for refusal in refusals {
        let rejection = wait(refusal.resolve()).unwrap_err();
        assert!(matches!(rejection.status(), 401 | 503), "{rejection:?}");
    }
    assert_eq!(verify(&verifier, &foreign, millis(0)).unwrap_err(), refused(CredentialFault::Unknown));
}

#[test]
fn m4_a_revocation_by_another_process_is_in_force_after_one_second() {
    let folder = folder();
    let (gateway, command_line) = (keys_in(open(&folder)), keys_in(open(&folder)));
    let key = minted(&gateway);
    let verifier = gateway.verifier();
    assert!(verify(&verifier, &key, millis(0)).is_ok());
    assert!(at_once(&verifier, &key, millis(1)).unwrap().is_ok());
    wait(command_line.revoke(&key.record.id)).unwrap();
    assert_eq!(verify(&verifier, &key, millis(1_001)).unwrap_err(), refused(CredentialFault::Revoked));
    assert_eq!(at_once(&verifier, &key, millis(1_002)).unwrap().unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn m4_under_load_it_is_noticed_in_passing_and_no_request_waits() {
    let folder = folder();
    let (gateway, command_line) = (keys_in(open(&folder)), keys_in(open(&folder)));
    let key = minted(&gateway);
    let verifier = gateway.verifier();
    assert!(verify(&verifier, &key, millis(0)).is_ok());
    wait(command_line.revoke(&key.record.id)).unwrap();
    assert!(at_once(&verifier, &key, millis(300)).unwrap().is_ok(), "this request has the file asked");
    // whatever is asked of the file's thread next comes after the question
    wait(gateway.list(&KeyScope::All)).unwrap();
    assert_eq!(at_once(&verifier, &key, millis(301)).unwrap().unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn m4_changes_made_by_hand_are_in_force_after_one_second() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let (first, second, third) = (minted(&keys), minted(&keys), minted(&keys));
    let verifier = keys.verifier();
    assert!([&first, &second, &third].iter().all(|key| verify(&verifier, key, at(0)).is_ok()));

    by_hand(&folder, &format!("UPDATE api_keys SET status = 'disabled' WHERE id = '{}'", first.record.id));
    assert_eq!(verify(&verifier, &first, at(2)).unwrap_err(), refused(CredentialFault::Disabled));
    by_hand(&folder, &format!("DELETE FROM api_keys WHERE id = '{}'", second.record.id));
    assert_eq!(verify(&verifier, &second, at(4)).unwrap_err(), refused(CredentialFault::Unknown));
    by_hand(&folder, &format!("UPDATE api_keys SET id = 'key_renamed' WHERE id = '{}'", third.record.id));
    assert_eq!(verify(&verifier, &third, at(6)).unwrap().credential_id.as_deref(), Some("key_renamed"));
    by_hand(&folder, "UPDATE api_keys SET status = 'revoked'; DELETE FROM api_key_changes");
    assert_eq!(verify(&verifier, &third, at(8)).unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn changes_are_noticed_however_far_behind_one_is() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    assert!(verify(&verifier, &key, at(0)).is_ok());
    by_hand(
        &folder,
        "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 12000)
         INSERT INTO api_key_changes (key_id) SELECT 'x' FROM n",
    );
    let left: i64 = Connection::open(file(&folder))
        .unwrap()
        .query_row("SELECT count(*) FROM api_key_changes", [], |row| row.get(0))
        .unwrap();
    assert!(left <= 11_000, "{left} rows are kept");
    by_hand(&folder, "UPDATE api_keys SET status = 'revoked'");
    assert_eq!(verify(&verifier, &key, at(2)).unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn more_keys_than_memory_holds_are_read_from_the_file() {
    let folder = folder();
    let store = Arc::new(SqliteKeyStore::open_holding(file(&folder), 8).unwrap());
    let keys = keys_in(store.clone());
    let all: Vec<MintedKey> = (0..40).map(|_| minted(&keys)).collect();
    for keys in [keys, keys_in(Arc::new(SqliteKeyStore::open_holding(file(&folder), 8).unwrap()))] {
        let verifier = keys.verifier();
        assert!(all.iter().all(|key| verify(&verifier, key, at(0)).is_ok()));
        assert!(all.iter().rev().all(|key| verify(&verifier, key, at(0)).is_ok()));
        let held = all.iter().filter(|key| at_once(&verifier, key, at(0)).is_some()).count();
        assert!((1..=8).contains(&held), "{held} are held");
    }
    let keys = keys_in(store);
    for key in &all {
        wait(keys.revoke(&key.record.id)).unwrap();
        assert_eq!(verify(&keys.verifier(), key, at(0)).unwrap_err(), refused(CredentialFault::Revoked));
    }
}

#[test]
fn a_request_that_only_reads_writes_nothing() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    let onlooker = Connection::open(file(&folder)).unwrap();
    let version = || onlooker.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = version();
    for second in 0..100 {
        verify(&verifier, &key, at(second)).unwrap();
    }
    assert_eq!(version(), before);
    wait(verifier.flush_used().resolve()).unwrap();
    assert_ne!(version(), before);
    assert_eq!(wait(keys.find(&key.record.id)).unwrap().last_used, Some(at(99).wall));
}

#[test]
fn uses_that_nobody_flushed_are_written_when_everything_is_dropped() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    verify(&verifier, &key, at(7)).unwrap();
    drop((keys, verifier));
    assert_eq!(wait(keys_in(open(&folder)).find(&key.record.id)).unwrap().last_used, Some(at(7).wall));
}

/// What a killed process leaves behind is what lies in the files at that moment.
#[test]
fn what_was_answered_is_there_after_a_kill() {
    let (alive, killed) = (folder(), folder());
    let keys = keys_in(open(&alive));
    let first = minted(&keys);
    let second = minted(&keys);
    wait(keys.revoke(&first.record.id)).unwrap();
    for name in ["keys.db", "keys.db-wal"] {
        std::fs::copy(alive.path().join(name), killed.path().join(name)).unwrap();
    }
    let survivor = keys_in(open(&killed));
    assert_eq!(verify(&survivor.verifier(), &first, at(0)).unwrap_err(), refused(CredentialFault::Revoked));
    assert!(verify(&survivor.verifier(), &second, at(0)).is_ok());
}

fn refusal(path: &Path) -> StoreError {
    SqliteKeyStore::open(path).unwrap_err()
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_as_they_are() {
    let folder = folder();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    let newer = folder.path().join("newer.db");
    drop(SqliteKeyStore::open(&newer).unwrap());
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 1000").unwrap();
    let mut cases = vec![(foreign, "another program"), (newer, "newer program")];
    for (name, content) in [("short", b"hello".to_vec()), ("long", b"garbage ".repeat(2_000)), ("zero", vec![0; 8_192])]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        cases.push((path, "no SQLite database"));
    }
    for (path, part) in cases {
        let before = std::fs::read(&path).unwrap();
        let error = refusal(&path);
        assert!(matches!(&error, StoreError::Corrupt(why) if why.contains(part)), "{}: {error}", path.display());
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    assert!(matches!(refusal(&folder.path().join("absent/keys.db")), StoreError::Unavailable(_)));
    assert!(matches!(refusal(folder.path()), StoreError::Unavailable(_)));
}

#[test]
fn several_processes_may_create_the_file_at_the_same_moment() {
    // the moment in which they meet is short, so that one round would seldom hit it
    for _ in 0..20 {
        let folder = folder();
        let start = Barrier::new(8);
        let open_at_once = || {
            start.wait();
            SqliteKeyStore::open(file(&folder)).unwrap()
        };
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open_at_once)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for store in opened {
            minted(&keys_in(Arc::new(store)));
        }
        assert_eq!(wait(keys_in(open(&folder)).list(&KeyScope::All)).unwrap().len(), 8);
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    minted(&keys_in(open(&folder)));
    let store = open(&folder);
    for name in ["keys.db", "keys.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn reads_do_not_wait_for_a_write_that_waits_for_another_process() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    let other = Connection::open(file(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut revoked: BoxFuture<'_, _> = keys.revoke(&key.record.id).boxed();
    assert!((&mut revoked).now_or_never().is_none());
    for second in 0..50 {
        assert!(verify(&verifier, &key, at(second * 2)).is_ok());
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(wait(revoked).unwrap().status, KeyStatus::Revoked);
    assert_eq!(verify(&verifier, &key, at(100)).unwrap_err(), refused(CredentialFault::Revoked));
}

#[test]
fn a_write_that_never_gets_its_turn_is_given_up_and_changes_nothing() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let other = Connection::open(file(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = wait(keys.revoke(&key.record.id)).unwrap_err();
    assert!(error.to_string().contains("unavailable"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    assert!(verify(&keys.verifier(), &key, at(0)).is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_is_an_outage_and_not_a_pass() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let key = minted(&keys);
    let verifier = keys.verifier();
    assert!(verify(&verifier, &key, at(0)).is_ok());
    std::fs::rename(file(&folder), folder.path().join("away.db")).unwrap();
    assert_eq!(verify(&verifier, &key, at(2)).unwrap_err().status(), 503);
    assert!(matches!(wait(keys.revoke(&key.record.id)), Err(KeyError::Store(StoreError::Unavailable(_)))));
    std::fs::rename(folder.path().join("away.db"), file(&folder)).unwrap();
    assert!(verify(&verifier, &key, at(4)).is_ok());
}

#[test]
fn one_row_that_cannot_be_read_is_an_outage_for_its_key_alone() {
    let folder = folder();
    let keys = keys_in(open(&folder));
    let (good, bad) = (minted(&keys), minted(&keys));
    let damage = format!("UPDATE api_keys SET networks = '[\"nonsense\"]' WHERE id = '{}'", bad.record.id);
    let check = |verifier: &ApiKeyVerifier| {
        let rejection = verify(verifier, &bad, at(2)).unwrap_err();
        assert!(
            matches!(&rejection, Rejection::Unavailable(outage) if outage.cause.contains("networks")),
            "{rejection:?}"
        );
        assert!(verify(verifier, &good, at(2)).is_ok());
    };
    let verifier = keys.verifier();
    assert!(verify(&verifier, &bad, at(0)).is_ok());
    by_hand(&folder, &damage);
    check(&verifier);
    check(&keys_in(open(&folder)).verifier());
}

#[test]
fn permissions_that_were_taken_away_are_gone_at_once() {
    let folder = folder();
    let store = open(&folder);
    let keys = keys_in(store.clone());
    let mut wish = wanted();
    wish.permissions = ["read", "write"].into_iter().collect();
    let key = wait(keys.mint(wish, at(0))).unwrap();
    let verifier = keys.verifier();
    assert!(verify(&verifier, &key, at(0)).unwrap().permissions.contains("write"));
    let changed: Option<ApiKeyRecord> =
        wait(store.change(&key.record.id, KeyChange::Permissions(["read"].into_iter().collect())).resolve()).unwrap();
    assert!(!changed.unwrap().permissions.contains("write"));
    assert!(!at_once(&verifier, &key, at(0)).unwrap().unwrap().permissions.contains("write"));
}
