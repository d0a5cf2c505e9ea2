//! API keys in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Row};

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::store::{Answer, ApiKeyStore, KeyChange, KeyScope, KeyUse, Removal, changed, succeeded};

use super::fault::Fault;
use super::follow::Followed;
use super::rows;
use super::shelf::{HELD, Shelf};

/// Keeps keys in an SQLite file.
///
/// **Durability.** What was answered is on the disk: the write-ahead log is synchronised before the answer. When the
/// process is killed, nothing is lost but uses that were not [recorded](ApiKeyStore::record_used) yet.
///
/// **Speed.** Up to 100,000 keys are held in memory, and [`find`](ApiKeyStore::find) answers those at once. The others,
/// and texts that are no key, are looked up in the file.
///
/// **Several processes.** A change made through this store is in force when it is answered. A change made by another
/// process, a command line for instance, or by hand is in force at most one second later, on the clock that requests
/// bring along, and a key made there works at once. The request after a quiet second waits for the file instead of
/// being told what may be old. When the file cannot be asked, the answer is [`StoreError::Unavailable`], not an old
/// one.
///
/// **Threads.** One thread per store owns the file. Dropping the store does what was asked of it so far, closes the
/// file and ends the thread, which may take two seconds when another process blocks the file.
///
/// ```no_run
/// use std::sync::Arc;
/// use auth_core::store::{ApiKeyStore, SqliteKeyStore};
///
/// let store: Arc<dyn ApiKeyStore> = Arc::new(SqliteKeyStore::open("keys.db")?);
/// # Ok::<(), auth_core::StoreError>(())
/// ```
pub struct SqliteKeyStore(Shelf<HeldKey>);

impl SqliteKeyStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the file is no SQLite database, belongs to another program or was written by a
    /// newer version: then it is left as it is. [`StoreError::Unavailable`] where it cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_holding(path, HELD)
    }

    /// Opens the file and holds at most so many keys in memory. Each takes about a kilobyte; a command line that ends
    /// after one step needs none.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_holding(path: impl AsRef<Path>, keys: usize) -> Result<Self, StoreError> {
        Shelf::open(path.as_ref(), "api-keys", keys).map(Self)
    }
}

impl ApiKeyStore for SqliteKeyStore {
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldKey>>> {
        self.0.find(digest, now, |_| true)
    }

    fn holds(&self, digest: &KeyDigest) -> bool {
        self.0.holds(digest)
    }

    fn insert_within(&self, record: ApiKeyRecord, most: usize) -> Answer<()> {
        self.0.file.write(move |file| {
            rows::is_room(file, &record, most)?;
            rows::insert(file, &record)
        })
    }

    fn by_id(&self, id: &str) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.0.file.read(move |worker| rows::by_id(&worker.file, &id))
    }

    fn list(&self, scope: &KeyScope) -> Answer<Vec<ApiKeyRecord>> {
        let scope = scope.clone();
        self.0.file.read(move |worker| rows::in_scope(&worker.file, &scope))
    }

    fn page(&self, scope: &KeyScope, after: Option<&str>, limit: usize) -> Answer<Vec<ApiKeyRecord>> {
        let (scope, after) = (scope.clone(), after.map(str::to_owned));
        self.0.file.read(move |worker| rows::page(&worker.file, &scope, after.as_deref(), limit))
    }

    fn change(&self, id: &str, change: KeyChange) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.0.file.write(move |file| {
            let Some(mut record) = rows::by_id(file, &id)? else { return Ok(None) };
            change.clone().apply(&mut record)?;
            rows::update(file, &record)?;
            Ok(Some(record))
        })
    }

    fn change_all(&self, scope: &KeyScope, change: KeyChange) -> Answer<Vec<ApiKeyRecord>> {
        let scope = scope.clone();
        self.0.file.write(move |file| {
            let all: Vec<_> =
                rows::in_scope(file, &scope)?.iter().filter_map(|record| changed(record, &change)).collect();
            all.iter().try_for_each(|record| rows::update(file, record))?;
            Ok(all)
        })
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let id = id.to_owned();
        self.0.file.write(move |file| rows::delete(file, &id))
    }

    fn delete_revoked(&self, now: Timestamp, kept_for: Duration) -> Answer<u64> {
        let before = now.saturating_sub(kept_for);
        self.0.file.write(move |file| rows::delete_revoked(file, now, before))
    }

    fn rotate_within(
        &self,
        id: &str,
        successor: ApiKeyRecord,
        overlap_end: Timestamp,
        most: usize,
    ) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.0.file.write(move |file| {
            let Some(record) = rows::by_id(file, &id)? else { return Ok(None) };
            let replaced = succeeded(record, &successor, overlap_end).ok_or(StoreError::Conflict)?;
            rows::is_room(file, &successor, most)?;
            rows::insert(file, &successor)?;
            rows::update(file, &replaced)?;
            Ok(Some(replaced))
        })
    }

    fn record_used(&self, uses: Vec<KeyUse>) -> Answer<()> {
        self.0.file.write(move |file| uses.iter().try_for_each(|one| rows::record_use(file, one)))
    }
}

impl Followed for HeldKey {
    const KIND: &'static str = "API key";
    const REVISIONS: &'static str = "SELECT coalesce((SELECT min(revision) FROM api_key_changes), 1),
         coalesce((SELECT max(revision) FROM api_key_changes), 0)";
    const CHANGED: &'static str = "SELECT DISTINCT key_id FROM api_key_changes WHERE revision > ?1 AND revision <= ?2";
    const RECENT: &'static str =
        "SELECT * FROM api_keys ORDER BY max(created, coalesce(last_used, created)) DESC LIMIT ?1";

    fn from_row(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        rows::record(row).map(Self::new)
    }

    fn by_id(file: &Connection, id: &str) -> Result<Option<Self>, Fault> {
        Ok(rows::by_id(file, id)?.map(Self::new))
    }

    fn by_digest(file: &Connection, digest: &KeyDigest) -> Result<Option<Self>, Fault> {
        Ok(rows::by_digest(file, digest)?.map(Self::new))
    }

    /// Nothing is decided on uses, and those that are noted on the old one are written all the same.
    fn succeed(self, _replaced: &Self) -> Self {
        self
    }
}

impl fmt::Debug for SqliteKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.file.describe("SqliteKeyStore", f)
    }
}
