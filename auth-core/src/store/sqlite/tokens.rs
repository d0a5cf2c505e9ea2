//! Opaque tokens in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use crate::api_key::KeyDigest;
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::opaque::{HeldToken, TokenRecord};
use crate::store::{Answer, TokenScope, TokenStore, TokenUse};

use super::fault::Fault;
use super::follow::Followed;
use super::shelf::{HELD, Shelf};
use super::token_rows;

/// Keeps opaque tokens in an SQLite file, which may be the one that API keys are kept in.
///
/// **Durability.** What was answered is on the disk. When the process is killed, nothing is lost but uses that were not
/// [recorded](TokenStore::record_used) yet, so that idle tokens may end that much too early.
///
/// **Speed.** Up to 100,000 tokens are held in memory, and [`find`](TokenStore::find) answers those at once. The others,
/// and texts that are no token, are looked up in the file.
///
/// **Several processes.** A change made through this store is in force when it is answered; one made by another process
/// at most one second later, on the clock that requests bring along, and a token made there works at once. Before a token
/// is called unused for too long, the file is asked whether another process used it. When the file cannot be asked, the
/// answer is [`StoreError::Unavailable`], not an old one.
///
/// **Threads.** One thread per store owns the file; dropping the store does what was asked of it so far and ends it.
///
/// ```no_run
/// use std::sync::Arc;
/// use auth_core::store::{SqliteTokenStore, TokenStore};
///
/// let store: Arc<dyn TokenStore> = Arc::new(SqliteTokenStore::open("auth.db")?);
/// # Ok::<(), auth_core::StoreError>(())
/// ```
pub struct SqliteTokenStore(Shelf<HeldToken>);

impl SqliteTokenStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_holding(path, HELD)
    }

    /// Opens the file and holds at most so many tokens in memory. Each takes about a kilobyte.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_holding(path: impl AsRef<Path>, tokens: usize) -> Result<Self, StoreError> {
        Shelf::open(path.as_ref(), "opaque-tokens", tokens).map(Self)
    }
}

impl TokenStore for SqliteTokenStore {
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldToken>>> {
        self.0.find(digest, now, move |held| now.wall < held.end() || held.ends <= now.wall)
    }

    fn holds(&self, digest: &KeyDigest) -> bool {
        self.0.holds(digest)
    }

    fn insert(&self, record: TokenRecord) -> Answer<()> {
        self.0.file.write(move |file| token_rows::insert(file, &record))
    }

    fn list(&self, scope: &TokenScope) -> Answer<Vec<TokenRecord>> {
        let scope = scope.clone();
        self.0.file.read(move |worker| token_rows::in_scope(&worker.file, &scope))
    }

    fn revoke(&self, scope: &TokenScope) -> Answer<u64> {
        let scope = scope.clone();
        self.0.file.write(move |file| token_rows::revoke(file, &scope))
    }

    fn record_used(&self, uses: Vec<TokenUse>) -> Answer<()> {
        self.0.file.write(move |file| uses.iter().try_for_each(|one| token_rows::record_use(file, one)))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.0.file.write(move |file| token_rows::delete_ended(file, before))
    }
}

impl Followed for HeldToken {
    const KIND: &'static str = "opaque token";
    const REVISIONS: &'static str = "SELECT coalesce((SELECT min(revision) FROM opaque_token_changes), 1),
         coalesce((SELECT max(revision) FROM opaque_token_changes), 0)";
    const CHANGED: &'static str =
        "SELECT DISTINCT token_id FROM opaque_token_changes WHERE revision > ?1 AND revision <= ?2";
    const RECENT: &'static str = "SELECT * FROM opaque_tokens ORDER BY last_seen DESC LIMIT ?1";

    fn from_row(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        token_rows::record(row).map(Self::new)
    }

    fn by_id(file: &Connection, id: &str) -> Result<Option<Self>, Fault> {
        Ok(token_rows::by_id(file, id)?.map(Self::new))
    }

    fn by_digest(file: &Connection, digest: &KeyDigest) -> Result<Option<Self>, Fault> {
        Ok(token_rows::by_digest(file, digest)?.map(Self::new))
    }

    fn succeed(self, replaced: &Self) -> Self {
        Self::succeed(self, replaced)
    }
}

impl fmt::Debug for SqliteTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.file.describe("SqliteTokenStore", f)
    }
}
