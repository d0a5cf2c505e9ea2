//! A million API keys and a million revocations in SQLite:
//! `cargo bench -p auth-core --features sqlite --bench million_keys`.
//!
//! Keys are looked up at random by a store that holds none in memory, so that each look-up is one indexed read, there
//! and back through the thread that owns the file; the file itself is in the memory of the system. Revocations are read
//! as when a program starts. Both files are filled by statements of SQL, in a directory for temporary files (`TMPDIR`
//! says which), and are deleted again.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use auth_core::api_key::{ApiKeyRecord, KeyDigest};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::{ApiKeyStore, RevocationStore, SqliteKeyStore, SqliteRevocations};
use auth_core::{Clock, SystemClock};
use rusqlite::Connection;

type Fallible<T> = Result<T, Box<dyn Error>>;

const ENTRIES: usize = 1_000_000;
const LOOKUPS: usize = 20_000;

fn main() -> Fallible<()> {
    let directory = Directory::new()?;
    keys(&directory.0.join("keys.db"))?;
    revocations(&directory.0.join("revocations.db"))
}

fn keys(path: &Path) -> Fallible<()> {
    let start = Instant::now();
    fill_keys(path)?;
    println!("{ENTRIES} API keys filled in, in {:.1} s", start.elapsed().as_secs_f64());
    let digests = random_digests(path)?;
    let store = SqliteKeyStore::open_holding(path, 0)?;
    let mut times = Vec::with_capacity(LOOKUPS);
    for digest in &digests {
        let start = Instant::now();
        let found = block_on(store.find(digest, SystemClock.now()).resolve())?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        if found.is_none() {
            return Err("a key was not found".into());
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |thousandths: usize| times.get((times.len() - 1) * thousandths / 1_000).copied().unwrap_or_default();
    println!("one look-up of an API key among {ENTRIES}, not held in memory, {LOOKUPS} of them at random:");
    println!("| p50 | p90 | p99 | p99.9 | max |\n|--:|--:|--:|--:|--:|");
    let [p50, p90, p99, p999, max] = [500, 900, 990, 999, 1_000].map(at);
    println!("| {p50:.1} µs | {p90:.1} µs | {p99:.1} µs | {p999:.1} µs | {max:.1} µs |");
    Ok(())
}

/// One key by the store itself, so that the tables are its own, and the others like it.
fn fill_keys(path: &Path) -> Fallible<()> {
    let store = SqliteKeyStore::open_holding(path, 0)?;
    let created = SystemClock.now().wall;
    let digest = KeyDigest::from_bytes([7; 32]);
    let mut first = ApiKeyRecord::new("key_first", digest, "2031-a", "https://login.example.com/", "user_0", created);
    first.permissions = ["orders:read", "orders:write", "customers:read"].into_iter().collect();
    (first.tenant, first.plan) = (Some("org_7Hk2LmQ9".into()), Some("business".into()));
    block_on(store.insert(first).resolve())?;
    drop(store);
    let mut file = Connection::open(path)?;
    let filling = file.transaction()?;
    filling.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO api_keys (id, digest, pepper, shown, name, issuer, owner, tenant, plan, permissions, roles, created,
             status)
         SELECT 'key_' || n, randomblob(32), pepper, shown, name, issuer, 'user_' || n, tenant || n % 1000, plan,
             permissions, roles, created, status
         FROM numbers, (SELECT * FROM api_keys WHERE id = 'key_first')",
        [i64::try_from(ENTRIES)?],
    )?;
    Ok(filling.commit()?)
}

fn random_digests(path: &Path) -> Fallible<Vec<KeyDigest>> {
    let file = Connection::open(path)?;
    let mut random = file.prepare("SELECT randomblob(32)")?;
    // digests are random, so the order of their index is a random order of the rows
    let mut next = file.prepare("SELECT digest FROM api_keys WHERE digest <= ?1 ORDER BY digest DESC LIMIT 1")?;
    let mut one = || {
        let somewhere: [u8; 32] = random.query_row([], |row| row.get(0))?;
        next.query_row([somewhere.as_slice()], |row| row.get(0)).map(KeyDigest::from_bytes)
    };
    Ok((0..LOOKUPS).map(|_| one()).collect::<Result<_, _>>()?)
}

fn revocations(path: &Path) -> Fallible<()> {
    let now = SystemClock.now();
    let until = now.wall.saturating_add(Duration::from_hours(24));
    let store = SqliteRevocations::open(path)?;
    let first = Target::credential("https://login.example.com/", "first");
    block_on(store.add(Revocation::new(first, until)).resolve())?;
    let start = Instant::now();
    let mut file = Connection::open(path)?;
    let filling = file.transaction()?;
    filling.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO revocations (kind, issuer, name, until)
         SELECT kind, issuer, '0f8fad5b-d9cb-469f-a165-' || printf('%012d', n), until
         FROM numbers, (SELECT * FROM revocations LIMIT 1)",
        [i64::try_from(ENTRIES)?],
    )?;
    filling.commit()?;
    println!("\n{ENTRIES} revocations filled in, in {:.1} s", start.elapsed().as_secs_f64());
    let before = resident_bytes();
    let start = Instant::now();
    let list = block_on(Revocations::kept_in(Arc::new(store), Duration::from_hours(1), SystemClock.now()))?;
    let (seconds, bytes) = (start.elapsed().as_secs_f64(), resident_bytes().saturating_sub(before));
    println!("{} read at the start, in {seconds:.2} s, and {} MB more of memory", list.len(), bytes >> 20);
    Ok(())
}

/// What the process has in memory, where the system says so (Linux); else nothing.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kilobytes.unwrap_or_default() << 10
}

/// A directory that is deleted with everything in it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Fallible<Self> {
        let path = std::env::temp_dir().join(format!("million-keys-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Waits without a runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
