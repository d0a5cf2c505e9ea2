//! Accounts in a file: restarts, other processes, older files, a file that goes away.

use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use auth_core::StoreError;
use auth_core::account::{AccountChange, AccountRecord, LoginName, Refreshed, SealedSecret};
use auth_core::store::{
    AccountScope, AccountStore, OnceKey, OnceStore as _, SessionKey, Spending, SqliteAccountStore, SqliteKeyStore,
    SqliteOnceStore, SqliteTrustStore, conformance,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{account, at, digest, presented, session, token, turn, wait, word};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("auth.db")
}

/// A process of its own, as far as the file can tell.
fn open(folder: &TempDir) -> SqliteAccountStore {
    SqliteAccountStore::open(file(folder)).unwrap()
}

/// Somebody with the `sqlite3` program.
fn by_hand(folder: &TempDir, sql: &str) {
    Connection::open(file(folder)).unwrap().execute_batch(sql).unwrap();
}

/// A file with Ada and a session of hers.
fn with_session(folder: &TempDir) -> SqliteAccountStore {
    let store = open(folder);
    wait(store.insert(account(), None)).unwrap();
    wait(store.open_session(session("ses_1", 1))).unwrap();
    store
}

/// Lets that many threads use two processes at the same time.
fn in_two_processes<T: Send>(
    stores: &[SqliteAccountStore; 2],
    count: usize,
    act: impl Fn(&SqliteAccountStore, usize) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let run = |number: usize| {
            let (start, act) = (&start, &act);
            scope.spawn(move || {
                start.wait();
                act(&stores[number % 2], number)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn promises_are_kept() {
    let folder = folder();
    let mut number = 0;
    conformance::check_accounts(|| {
        number += 1;
        Arc::new(SqliteAccountStore::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
}

#[test]
fn the_promises_of_partners_are_kept() {
    let folder = folder();
    let mut number = 0;
    conformance::check_trusts(|| {
        number += 1;
        Arc::new(SqliteTrustStore::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
}

#[test]
fn t28_what_was_used_once_stays_used_over_a_restart() {
    let folder = folder();
    let mut number = 0;
    conformance::check_once(|| {
        number += 1;
        Arc::new(SqliteOnceStore::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
    let key = OnceKey::new("assertion", "https://partner.example", "1");
    for outcome in [Spending::Spent, Spending::Refused] {
        let store = SqliteOnceStore::open(file(&folder)).unwrap();
        assert_eq!(wait(store.use_once(&key, at(10))).unwrap(), outcome);
    }
}

#[test]
fn a_restart_keeps_what_was_answered() {
    let folder = folder();
    {
        let store = with_session(&folder);
        let begin = AccountChange::EnrolSecondFactor(SealedSecret::from_bytes([1; 48]));
        wait(store.change("acc_1", begin, at(1))).unwrap();
        let secret = SealedSecret::from_bytes([1; 48]);
        let confirm = AccountChange::ConfirmSecondFactor { secret, step: 100, recovery: vec![digest(70)] };
        wait(store.change("acc_1", confirm, at(1))).unwrap();
        assert_eq!(wait(store.spend_totp_step("acc_1", 101)), Ok(Spending::Spent));
        assert_eq!(wait(store.spend_recovery_code("acc_1", &[digest(70)])), Ok(Spending::Spent));
        assert_eq!(word(&wait(store.refresh(&presented(1), turn(50, 2))).unwrap()), "good");
        assert_eq!(word(&wait(store.refresh(&presented(2), turn(60, 3))).unwrap()), "good");
    }
    let store = open(&folder);
    assert!(wait(store.by_login(&LoginName::fold("ADA").unwrap())).unwrap().is_some());
    assert_eq!(wait(store.spend_totp_step("acc_1", 101)), Ok(Spending::Refused));
    assert_eq!(wait(store.spend_recovery_code("acc_1", &[digest(70)])), Ok(Spending::Refused));
    let Refreshed::Good { session, .. } = wait(store.refresh(&presented(2), turn(61, 3))).unwrap() else {
        panic!("a lost answer is given again after a restart too")
    };
    assert_eq!(session.refresh, Some(token(3)));
    assert_eq!(word(&wait(store.refresh(&presented(1), turn(61, 9))).unwrap()), "reused");
    drop(store);
    assert_eq!(wait(open(&folder).ended_since(at(61))).unwrap().len(), 1);
}

#[test]
fn t16_refreshes_in_two_processes_give_one_successor() {
    let folder = folder();
    let stores = [with_session(&folder), open(&folder)];
    let answers = in_two_processes(&stores, 100, |store, _| wait(store.refresh(&presented(1), turn(50, 2))));
    for given in &answers {
        let Ok(Refreshed::Good { session, .. }) = given else { panic!("{given:?}") };
        assert_eq!(session.refresh, Some(token(2)));
    }
    assert_eq!(wait(stores[1].sessions("acc_1")).unwrap().len(), 1);
    let tokens: i64 = Connection::open(file(&folder))
        .unwrap()
        .query_row("SELECT count(*) FROM refresh_tokens", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tokens, 2);
}

#[test]
fn s5_a_name_and_a_time_step_are_taken_once_in_two_processes() {
    let folder = folder();
    let stores = [open(&folder), open(&folder)];
    let inserted = in_two_processes(&stores, 50, |store, number| {
        let mut record = AccountRecord::new(format!("acc_{number}"), at(0));
        record.email = Some(LoginName::fold(if number % 3 == 0 { "ADA" } else { "ａda" }).unwrap());
        wait(store.insert(record, None))
    });
    assert_eq!(inserted.iter().filter(|inserted| inserted.is_ok()).count(), 1);
    assert_eq!(inserted.iter().filter(|inserted| **inserted == Err(StoreError::Conflict)).count(), 49);
    let id = Arc::clone(&wait(stores[0].list(&AccountScope::All, None, 9)).unwrap()[0].id);
    let secret = || SealedSecret::from_bytes([1; 48]);
    wait(stores[0].change(&id, AccountChange::EnrolSecondFactor(secret()), at(0))).unwrap();
    let confirm = AccountChange::ConfirmSecondFactor { secret: secret(), step: 1, recovery: vec![] };
    wait(stores[0].change(&id, confirm, at(0))).unwrap();
    let spent = in_two_processes(&stores, 50, |store, _| wait(store.spend_totp_step(&id, 2)).unwrap());
    assert_eq!(spent.iter().filter(|spent| **spent == Spending::Spent).count(), 1);
}

#[test]
fn s7_what_one_process_ends_is_ended_in_the_other() {
    let folder = folder();
    let (gateway, command_line) = (with_session(&folder), open(&folder));
    wait(command_line.change("acc_1", AccountChange::Disable, at(5))).unwrap();
    assert_eq!(word(&wait(gateway.refresh(&presented(1), turn(6, 2))).unwrap()), "ended");
    assert_eq!(wait(gateway.open_session(session("ses_2", 5))), Err(StoreError::Conflict));
}

#[test]
fn a_file_that_goes_away_is_an_outage_and_an_unreadable_row_no_silence() {
    let folder = folder();
    let store = with_session(&folder);
    by_hand(&folder, "UPDATE accounts SET password = 'hunter2'");
    let unreadable = wait(store.by_id("acc_1")).unwrap_err();
    assert!(matches!(&unreadable, StoreError::Corrupt(why) if !why.contains("hunter2")), "{unreadable}");
    assert!(matches!(wait(store.refresh(&presented(1), turn(1, 2))), Err(StoreError::Corrupt(_))));
    by_hand(&folder, "UPDATE accounts SET password = NULL");
    std::fs::rename(file(&folder), folder.path().join("elsewhere.db")).unwrap();
    assert!(matches!(wait(store.by_id("acc_1")), Err(StoreError::Unavailable(_))));
    assert!(matches!(wait(store.refresh(&presented(1), turn(1, 2))), Err(StoreError::Unavailable(_))));
}

#[test]
fn an_older_file_gains_the_tables_and_keeps_its_keys() {
    let folder = folder();
    for step in [
        include_str!("../../../auth-core/src/store/sqlite/0001_api_keys.sql"),
        include_str!("../../../auth-core/src/store/sqlite/0002_opaque_tokens.sql"),
        include_str!("../../../auth-core/src/store/sqlite/0003_revocations.sql"),
        "PRAGMA application_id = 0x61757468; PRAGMA user_version = 3",
        "INSERT INTO revocations (kind, until) VALUES ('all', 7)",
    ] {
        by_hand(&folder, step);
    }
    let store = with_session(&folder);
    assert!(wait(store.session(&SessionKey::Id("ses_1".into()))).unwrap().is_some());
    let _keys = SqliteKeyStore::open(file(&folder)).unwrap();
    let kept: i64 = Connection::open(file(&folder))
        .unwrap()
        .query_row("SELECT count(*) FROM revocations", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn a_session_with_many_spent_tokens_is_removed_in_several_steps() {
    let folder = folder();
    let store = with_session(&folder);
    by_hand(
        &folder,
        "INSERT INTO refresh_tokens (digest, pepper, session, spent, successor)
         WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 12000)
         SELECT randomblob(32), 'a', 'ses_1', 0, zeroblob(32) FROM numbers",
    );
    let mut steps = Vec::new();
    while steps.last() != Some(&0) {
        steps.push(wait(store.delete_ended(at(1_001))).unwrap());
    }
    assert_eq!(steps, [5_000, 5_000, 2_002, 0]);
}

/// As the store asks them.
#[test]
fn no_question_looks_at_every_row() {
    let folder = folder();
    let _store = with_session(&folder);
    let file = Connection::open(file(&folder)).unwrap();
    for question in [
        "SELECT * FROM accounts WHERE id = (SELECT account FROM login_names WHERE folded = ?1)",
        "SELECT * FROM accounts WHERE ?1 IS NULL AND (created, id) > (SELECT created, id FROM accounts WHERE id = ?2)
         ORDER BY created, id LIMIT ?3",
        "SELECT * FROM accounts WHERE tenant = ?1 AND ?2 IS NULL ORDER BY created, id LIMIT ?3",
        "SELECT s.*, t.digest, t.pepper FROM account_sessions s LEFT JOIN refresh_tokens t ON t.session = s.id
         AND t.spent IS NULL WHERE s.id = (SELECT session FROM refresh_tokens WHERE digest = ?1)",
        "SELECT s.*, t.digest, t.pepper FROM account_sessions s LEFT JOIN refresh_tokens t ON t.session = s.id
         AND t.spent IS NULL WHERE s.account = ?1 ORDER BY s.created, s.id",
        "SELECT s.*, t.digest, t.pepper FROM account_sessions s LEFT JOIN refresh_tokens t ON t.session = s.id
         AND t.spent IS NULL WHERE s.ended >= ?1 ORDER BY s.ended, s.id",
        "DELETE FROM refresh_tokens WHERE digest IN (SELECT t.digest FROM account_sessions s
         JOIN refresh_tokens t ON t.session = s.id WHERE s.ends < ?1 LIMIT ?2)",
    ] {
        let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
        let empty = rusqlite::params_from_iter(vec![None::<i64>; plan.parameter_count()]);
        let lines: Vec<String> = plan.query_map(empty, |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(lines.iter().all(|line| !line.starts_with("SCAN")), "{question}: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains("TEMP B-TREE")), "{question}: {lines:?}");
    }
}
