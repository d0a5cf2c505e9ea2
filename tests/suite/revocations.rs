//! Revocations in a file: restarts, other processes, a file that goes away, and many of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate};
use auth_core::keys::{KeySet, VerificationKey};
use auth_core::policy::{Policy, authenticated, public};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::{SqliteKeyStore, SqliteRevocations, conformance};
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::verify::{CacheSize, Verified, Verifier};
use auth_core::{
    Clock, Identity, Method, Monotonic, Now, Outcome, RequestHead, Secret, SimulatedClock, StoreError, Timestamp,
};
use jsonwebtoken::{EncodingKey, Header};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

const ISSUER: &str = "https://login.example";
const BELIEVED_FOR: Duration = Duration::from_secs(5);

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("auth.db")
}

/// So many seconds after the start of the test, on both clocks.
fn at(seconds: u64) -> Now {
    let wall = Timestamp::from_unix_seconds(1_700_000_000).saturating_add(Duration::from_secs(seconds));
    Now { wall, monotonic: Monotonic::from_nanos(seconds * 1_000_000_000) }
}

/// A process of its own, as far as the file can tell.
fn process(folder: &TempDir, now: Now) -> Revocations {
    let store = Arc::new(SqliteRevocations::open(file(folder)).unwrap());
    wait(Revocations::kept_in(store, BELIEVED_FOR, now)).unwrap()
}

fn revoke(list: &Revocations, target: Target, now: Now) -> Result<(), StoreError> {
    let until = now.wall.saturating_add(Duration::from_hours(1));
    wait(list.revoke(&Revocation::new(target, until), now).resolve())
}

fn identity(id: &str) -> Identity {
    let mut identity = Identity::new(Method::OpaqueToken, ISSUER, "ada");
    identity.credential_id = Some(id.into());
    identity
}

#[test]
fn promises_are_kept() {
    let folder = folder();
    let mut number = 0;
    conformance::check_revocations(|| {
        number += 1;
        Arc::new(SqliteRevocations::open(folder.path().join(format!("{number}.db"))).unwrap())
    })
    .unwrap();
}

#[test]
fn a_restart_keeps_what_was_answered() {
    let folder = folder();
    {
        let list = process(&folder, at(0));
        assert!(!list.cover(&identity("t-1"), at(0)));
        revoke(&list, Target::credential(ISSUER, "t-1"), at(0)).unwrap();
    }
    let list = process(&folder, at(1));
    assert!(list.cover(&identity("t-1"), at(1)));
    assert!(!list.cover(&identity("t-2"), at(1)));
}

#[test]
fn another_process_takes_it_up_with_its_next_look() {
    let folder = folder();
    let (gateway, command_line) = (process(&folder, at(0)), process(&folder, at(0)));
    let known = identity("t-1");
    assert!(!gateway.cover(&known, at(0)));
    revoke(&command_line, Target::subject(ISSUER, "ada"), at(0)).unwrap();
    assert!(!gateway.cover(&known, at(1)));
    wait(gateway.refresh(at(1))).unwrap();
    assert!(gateway.cover(&known, at(1)));
}

/// Takes any text for the id of a token.
struct Trusting;

impl Verifier for Trusting {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        Outcome::Done(Ok(Arc::new(identity(text))))
    }
}

/// Two pairs of threads at once. In each, one asks a gate that remembers tokens for the one whose turn it is, without a pause;
/// once it is remembered and cleared, the other revokes it, by id, session or subject. When that has returned, the first asks
/// once more.
#[test]
fn once_revoke_has_returned_no_request_that_begins_later_passes() {
    const TURNS: usize = 600;
    let (secret, start) = ("an example of a secret, 32 bytes or more", at(0));
    let token = |number: usize| {
        let claims = json!({
            "iss": ISSUER, "aud": "api", "exp": start.wall.unix_seconds() + 600, "sub": format!("user-{number}"),
            "sid": format!("s-{number}"), "jti": format!("t-{number}"),
        });
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let key = VerificationKey::shared_secret("HS256".parse().unwrap(), &Secret::from(secret.to_owned())).unwrap();
    let issuer = Issuer::new(ISSUER, ["api"], KeySet::new([key]).unwrap());
    let verifier = Arc::new(JwtVerifier::new([issuer]).unwrap().remembering(CacheSize::default()));
    let list = Revocations::new();
    let gate = Gate::builder()
        .accept_shared(Source::bearer(), verifier.clone())
        .revocations(list.clone())
        .policy(Policy::new().get("/", authenticated()))
        .build()
        .unwrap();
    let passes = |token: &str| {
        let authorization = format!("Bearer {token}");
        let fields = [("authorization", authorization.as_str())];
        matches!(gate.decide(&RequestHead::new("GET", "/", &fields), start), Outcome::Done(Decision::Admit(_)))
    };
    let tokens: Vec<String> = (0..2 * TURNS).map(token).collect();
    let late: usize = std::thread::scope(|scope| {
        let pair = |first: usize| {
            let (returned, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (told, tells, list, tokens) = (Arc::clone(&returned), Arc::clone(&ready), &list, &tokens);
            scope.spawn(move || {
                for turn in 0..TURNS {
                    while ready.load(Ordering::SeqCst) <= turn {
                        std::thread::yield_now();
                    }
                    let number = first + turn;
                    let target = match turn % 3 {
                        0 => Target::credential(ISSUER, format!("t-{number}")),
                        1 => Target::session(ISSUER, format!("s-{number}")),
                        _ => Target::subject(ISSUER, format!("user-{number}")),
                    };
                    revoke(list, target, start).unwrap();
                    returned.store(turn + 1, Ordering::SeqCst);
                }
            });
            scope.spawn(move || {
                let mut late = 0;
                for (turn, token) in tokens.iter().skip(first).take(TURNS).enumerate() {
                    assert!(passes(token) && passes(token));
                    tells.store(turn + 1, Ordering::SeqCst);
                    while told.load(Ordering::SeqCst) == turn {
                        passes(token);
                    }
                    late += usize::from(passes(token));
                }
                late
            })
        };
        let readers = [0, TURNS].map(pair);
        readers.map(|reader| reader.join().unwrap()).iter().sum()
    });
    assert_eq!(late, 0, "late passes");
    assert!(verifier.cache_counts().hits >= 2 * TURNS as u64);
}

#[test]
fn a_file_that_goes_away_is_503_after_the_bound_and_never_a_pass() {
    let folder = folder();
    let list = process(&folder, at(0));
    revoke(&list, Target::credential(ISSUER, "t-1"), at(0)).unwrap();
    let gate = Gate::builder()
        .accept(Source::bearer(), Trusting)
        .revocations(list.clone())
        .policy(Policy::new().get("/", authenticated()).get("/health", public()))
        .build()
        .unwrap();
    let status = |path, token: &str, now| {
        let authorization = format!("Bearer {token}");
        let fields = [("host", "example"), ("authorization", authorization.as_str())];
        match wait(gate.decide(&RequestHead::new("GET", path, &fields), now).resolve()) {
            Decision::Admit(_) => 200,
            Decision::Refuse(refusal) => refusal.reply.status,
        }
    };
    std::fs::rename(file(&folder), folder.path().join("elsewhere.db")).unwrap();
    assert!(wait(list.refresh(at(5))).is_err());
    assert!(revoke(&list, Target::All, at(5)).is_err());
    assert_eq!((status("/", "t-1", at(5)), status("/", "t-2", at(5))), (401, 200));
    assert_eq!((status("/", "t-1", at(6)), status("/", "t-2", at(6))), (401, 503));
    assert_eq!(status("/health", "t-2", at(6)), 200);
    std::fs::rename(folder.path().join("elsewhere.db"), file(&folder)).unwrap();
    wait(list.refresh(at(7))).unwrap();
    assert_eq!((status("/", "t-1", at(7)), status("/", "t-2", at(7))), (401, 200));
}

#[test]
fn a_file_set_back_to_an_older_state_is_noticed_and_unreadable_rows_are_no_silence() {
    let folder = folder();
    let list = process(&folder, at(0));
    revoke(&list, Target::credential(ISSUER, "t-1"), at(0)).unwrap();
    wait(list.refresh(at(0))).unwrap();
    let by_hand = |sql: &str| Connection::open(file(&folder)).unwrap().execute_batch(sql).unwrap();
    by_hand("INSERT INTO revocations (kind, issuer, name, until) VALUES ('tenant', NULL, CAST(x'ff' AS TEXT), 0)");
    assert!(matches!(wait(list.refresh(at(1))), Err(StoreError::Corrupt(_))));
    by_hand("DELETE FROM revocations; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'revocations'");
    assert!(matches!(wait(list.refresh(at(1))), Err(StoreError::Corrupt(_))));
    assert!(list.cover(&identity("t-2"), at(6)));
}

#[test]
fn keys_and_revocations_share_a_file() {
    let folder = folder();
    let _keys = SqliteKeyStore::open(file(&folder)).unwrap();
    let list = process(&folder, at(0));
    revoke(&list, Target::All, at(0)).unwrap();
    assert!(list.cover(&identity("t-1"), at(0)));
}

/// One identity after the other is revoked and written down, while a reader asks without a pause for the one whose turn it
/// is. Once the answer is there, the reader asks again before the next turn; at the end a restart knows them all.
#[test]
fn once_revoke_has_answered_nobody_passes_any_more() {
    const COUNT: usize = 200;
    let folder = folder();
    let now = SimulatedClock::at_unix_seconds(200).now();
    let list = process(&folder, now);
    let identities: Vec<Identity> = (0..COUNT).map(|number| identity(&number.to_string())).collect();
    let (answered, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let late: usize = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut late = 0;
            for (turn, identity) in identities.iter().enumerate() {
                while answered.load(Ordering::SeqCst) == turn {
                    list.cover(identity, now);
                }
                late += usize::from(!list.cover(identity, now));
                asked.store(turn + 1, Ordering::SeqCst);
            }
            late
        });
        for turn in 0..COUNT {
            revoke(&list, Target::credential(ISSUER, turn.to_string()), now).unwrap();
            answered.store(turn + 1, Ordering::SeqCst);
            while asked.load(Ordering::SeqCst) <= turn {
                std::thread::yield_now();
            }
        }
        reader.join().unwrap()
    });
    assert_eq!(late, 0, "late passes");
    let restarted = process(&folder, now);
    assert!(identities.iter().all(|identity| restarted.cover(identity, now)));
}

#[test]
fn more_than_one_step_carries_is_taken_up() {
    let folder = folder();
    fill(&folder, 25_000);
    let list = process(&folder, at(0));
    assert_eq!(list.len(), 25_000);
    assert!(list.cover(&identity("t-24999"), at(0)) && !list.cover(&identity("t-25000"), at(0)));
}

fn fill(folder: &TempDir, count: u32) {
    drop(SqliteRevocations::open(file(folder)).unwrap());
    let until = at(3_600).wall.unix_micros();
    let sql = format!(
        "INSERT INTO revocations (kind, issuer, name, until)
         WITH RECURSIVE numbers(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count} - 1)
         SELECT 'credential', '{ISSUER}', 't-' || number, {until} FROM numbers"
    );
    Connection::open(file(folder)).unwrap().execute_batch(&sql).unwrap();
}
