//! A process that is killed while many make keys, take them back, log in, refresh and log out.
//!
//! What was answered must hold afterwards; what was not may hold or not, and never by half.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::perform::Stage;
use super::storm::posted;
use super::story::Changes;
use crate::gateway::{BINARIES, soon};

/// How often the process is killed, and how much it has answered each time: a thousand in all.
const KILLS: usize = 4;
const ANSWERED: usize = 250;

/// How many work at the same time; every other of them with sessions, the others with keys.
const WORKERS: usize = 6;

/// What was answered, and what has to hold therefore.
#[derive(Default)]
struct Ledger {
    /// Keys that were made, and nothing else was asked of them.
    good_keys: Vec<String>,
    /// Keys that were taken back.
    dead_keys: Vec<String>,
    /// Refresh tokens that nobody replaced; what was not answered, a client asks for again.
    good_sessions: Vec<String>,
    /// Access and refresh tokens of sessions that were ended.
    dead_sessions: Vec<(String, String)>,
}

#[tokio::test]
async fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    // a killed process takes longer to come back than ten seconds on a machine that does much else
    let changed = [
        (r#"# grace = "10s""#, r#"grace = "120s""#),
        ("# max_per_owner = 100", "max_per_owner = 100000"),
        ("# max_sessions = 100", "max_sessions = 100000"),
    ];
    let changed = changed.map(|(from, to)| (from.to_owned(), to.to_owned()));
    let grace = Changes { replace: changed.to_vec() };
    for binary in BINARIES {
        let mut stage = Stage::start(binary, "marketing", Some(&grace)).await;
        let (mut ledgers, mut answered) = (Vec::new(), 0);
        for _ in 0..KILLS {
            let (killed, written, count) = work_until_killed(stage).await;
            ledgers.extend(written);
            answered += count;
            is_whole(&killed.path().join("data/gateway.sqlite3"));
            stage = Stage::start_in(binary, "marketing", Some(&grace), killed).await;
        }
        let count = |of: fn(&Ledger) -> usize| ledgers.iter().map(of).sum::<usize>();
        assert!(answered >= KILLS * ANSWERED, "{binary}: {answered} answers are too few");
        let counts = [
            count(|ledger| ledger.good_keys.len()),
            count(|ledger| ledger.dead_keys.len()),
            count(|ledger| ledger.good_sessions.len()),
            count(|ledger| ledger.dead_sessions.len()),
        ];
        assert!(counts.iter().all(|count| *count > 0), "{binary}: {counts:?} shows too little");
        for ledger in &ledgers {
            holds(&stage, ledger).await;
        }
    }
}

/// Lets everybody work, kills the process in the middle of it, and answers its files, what everybody was answered, and
/// how much that was.
async fn work_until_killed(stage: Stage) -> (tempfile::TempDir, Vec<Ledger>, usize) {
    let host = stage.gateway.address.to_string();
    let login = json!({"email": stage.user(0, "email"), "password": stage.user(0, "password")});
    let bearer = stage.demo["bearer"].as_str().unwrap().to_owned();
    let (answered, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let counter = Counter { answered: Arc::clone(&answered), enough: Arc::clone(&enough) };
            let client = Client { host: host.clone(), counter };
            let (login, bearer) = (login.clone(), bearer.clone());
            tokio::spawn(async move {
                let mut ledger = Ledger::default();
                if worker % 2 == 0 {
                    client.keys(&bearer, &mut ledger).await;
                } else {
                    client.sessions(&login, &mut ledger).await;
                }
                ledger
            })
        })
        .collect();
    soon("enough answers", enough.notified()).await;
    let files = stage.gateway.killed().await;
    let ledgers = soon("the end of all work", join_all(workers)).await;
    (files, ledgers.into_iter().map(Result::unwrap).collect(), answered.load(Relaxed))
}

struct Counter {
    answered: Arc<AtomicUsize>,
    enough: Arc<Notify>,
}

struct Client {
    host: String,
    counter: Counter,
}

impl Client {
    /// Makes keys and takes every third of them back, until nobody answers.
    async fn keys(&self, bearer: &str, ledger: &mut Ledger) {
        for round in 0.. {
            let wanted = json!({"name": format!("key {round}"), "permissions": ["read"]});
            let Some((201, made)) = self.ask(posted(&self.host, "/v1/tokens", Some(bearer), &wanted)).await else {
                return;
            };
            let (id, key) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap().to_owned());
            if round % 3 > 0 {
                ledger.good_keys.push(key);
                continue;
            }
            let request = format!(
                "DELETE /v1/tokens/{id} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {bearer}\r\n\r\n",
                self.host
            );
            let Some((204, _)) = self.ask(request.into_bytes()).await else { return };
            ledger.dead_keys.push(key);
        }
    }

    /// Logs in, refreshes a few times, and logs out of every other session, until nobody answers.
    async fn sessions(&self, login: &Value, ledger: &mut Ledger) {
        for round in 0.. {
            let Some((200, opened)) = self.ask(posted(&self.host, "/v1/auth/login", None, login)).await else { return };
            let text = |answer: &Value, member: &str| answer[member].as_str().unwrap().to_owned();
            let (mut access, mut refresh) = (text(&opened, "access_token"), text(&opened, "refresh_token"));
            for _ in 0..8 {
                let request = posted(&self.host, "/v1/auth/refresh", None, &json!({"refresh_token": refresh}));
                let Some((200, renewed)) = self.ask(request).await else {
                    ledger.good_sessions.push(refresh);
                    return;
                };
                (access, refresh) = (text(&renewed, "access_token"), text(&renewed, "refresh_token"));
            }
            if round % 2 > 0 {
                ledger.good_sessions.push(refresh);
                continue;
            }
            let Some((204, _)) = self.ask(posted(&self.host, "/v1/auth/logout", Some(&access), &json!({}))).await
            else {
                return;
            };
            ledger.dead_sessions.push((access, refresh));
        }
    }

    /// Sends a request; `None` where the answer did not come, or not whole.
    async fn ask(&self, request: Vec<u8>) -> Option<(u16, Value)> {
        let request = String::from_utf8(request).unwrap().replacen("\r\n", "\r\nconnection: close\r\n", 1);
        let mut connection = TcpStream::connect(&self.host).await.ok()?;
        connection.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        if status != 204 && serde_json::from_str::<Value>(body).is_err() {
            return None;
        }
        assert!(status < 400, "{request}\n{answer}");
        if self.counter.answered.fetch_add(1, Relaxed) + 1 >= ANSWERED {
            self.counter.enough.notify_one();
        }
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }
}

/// Asks for everything that was answered.
async fn holds(stage: &Stage, ledger: &Ledger) {
    let binary = stage.gateway.binary;
    for key in &ledger.good_keys {
        assert_eq!(stage.fetch("/v1/campaigns", key).await.status(), 200, "{binary}: a key is lost");
    }
    for key in &ledger.dead_keys {
        assert_eq!(stage.fetch("/v1/campaigns", key).await.status(), 401, "{binary}: a key lives again");
    }
    for token in &ledger.good_sessions {
        let answer = stage.post("/v1/auth/refresh", &json!({"refresh_token": token})).await;
        assert_eq!(answer.status(), 200, "{binary}: a session is lost: {}", answer.text());
    }
    for (access, refresh) in &ledger.dead_sessions {
        let answer = stage.post("/v1/auth/refresh", &json!({"refresh_token": refresh})).await;
        assert_eq!(answer.status(), 401, "{binary}: a session lives again");
        assert_eq!(stage.fetch("/v1/campaigns", access).await.status(), 401, "{binary}: an access token lives again");
    }
}

/// Rows that are there without the others that were to come with them.
const HALVES: [(&str, &str); 6] = [
    ("a session without an account", "account_sessions WHERE account NOT IN (SELECT id FROM accounts)"),
    (
        "a session without a token in force",
        "account_sessions WHERE ended IS NULL AND id NOT IN (SELECT session FROM refresh_tokens WHERE spent IS NULL)",
    ),
    ("a token without a session", "refresh_tokens WHERE session NOT IN (SELECT id FROM account_sessions)"),
    (
        "a spent token without its successor",
        "refresh_tokens WHERE successor IS NOT NULL AND successor NOT IN (SELECT digest FROM refresh_tokens)",
    ),
    ("an account without a name to log in with", "accounts WHERE id NOT IN (SELECT account FROM login_names)"),
    ("a key without the note of its making", "api_keys WHERE id NOT IN (SELECT key_id FROM api_key_changes)"),
];

/// Looks at the file as the killed process left it.
fn is_whole(file: &Path) {
    let store = rusqlite::Connection::open(file).unwrap();
    let text = |query: &str| store.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    for (what, query) in HALVES {
        let count: i64 = store.query_row(&format!("SELECT count(*) FROM {query}"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{what}");
    }
}
