//! Usage in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Row;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::{Answer, UsageStore};
use crate::usage::UsageCount;

use super::handle::Handle;

/// How many are removed in one step: some ten milliseconds.
const AT_ONCE: i64 = 10_000;

/// Keeps usage in an SQLite file, which may be the one that keys and tokens are kept in.
///
/// What several processes count is added up. One thread per store owns the file; dropping the store does what was asked of
/// it so far and ends it.
pub struct SqliteUsageStore(Handle<()>);

impl SqliteUsageStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "usage", ()).map(Self)
    }
}

impl UsageStore for SqliteUsageStore {
    fn add(&self, counts: Vec<UsageCount>) -> Answer<()> {
        self.0.write(move |file| {
            let mut statement = file.prepare_cached(
                "INSERT INTO usage (credential, hour, status, requests) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (credential, hour, status) DO UPDATE SET requests = requests + excluded.requests",
            )?;
            for count in &counts {
                let requests = i64::try_from(count.requests).unwrap_or(i64::MAX);
                statement.execute((&count.credential, count.hour.unix_micros(), count.status, requests))?;
            }
            Ok(())
        })
    }

    fn of(&self, credential: &str, since: Timestamp) -> Answer<Vec<UsageCount>> {
        let credential: Arc<str> = credential.into();
        self.0.read(move |worker| {
            worker.still_there()?;
            let mut statement = worker.file.prepare_cached(
                "SELECT credential, hour, status, requests FROM usage WHERE credential = ?1 AND hour >= ?2
                 ORDER BY hour, status",
            )?;
            Ok(statement.query_map((&credential, since.unix_micros()), count)?.collect::<Result<_, _>>()?)
        })
    }

    fn delete_before(&self, before: Timestamp) -> Answer<u64> {
        self.0.write(move |file| {
            let removed = file
                .prepare_cached(
                    "DELETE FROM usage WHERE (credential, hour, status) IN
                         (SELECT credential, hour, status FROM usage WHERE hour < ?1 LIMIT ?2)",
                )?
                .execute((before.unix_micros(), AT_ONCE))?;
            Ok(u64::try_from(removed).unwrap_or(u64::MAX))
        })
    }
}

fn count(row: &Row<'_>) -> Result<UsageCount, rusqlite::Error> {
    Ok(UsageCount {
        credential: row.get(0)?,
        hour: Timestamp::from_unix_micros(row.get(1)?),
        status: row.get(2)?,
        requests: row.get::<_, i64>(3)?.unsigned_abs(),
    })
}

impl fmt::Debug for SqliteUsageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteUsageStore", f)
    }
}
