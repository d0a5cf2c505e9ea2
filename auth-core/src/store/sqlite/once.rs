//! What was used once, in a file.

use std::fmt;
use std::path::Path;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::{Answer, OnceKey, OnceStore, Spending};

use super::handle::Handle;

/// How many are removed in one step: some ten milliseconds.
const AT_ONCE: i64 = 10_000;

/// Remembers what was used in an SQLite file, which may be the one that accounts are kept in: over restarts, and for every
/// process that opens it.
///
/// One thread per store owns the file; dropping the store does what was asked of it so far and ends it.
pub struct SqliteOnceStore(Handle<()>);

impl SqliteOnceStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "used-once", ()).map(Self)
    }
}

impl OnceStore for SqliteOnceStore {
    fn use_once(&self, key: &OnceKey, until: Timestamp) -> Answer<Spending> {
        let key = *key;
        self.0.write(move |file| {
            let added = file
                .prepare_cached("INSERT INTO used_once (key, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute((key.as_bytes(), until.unix_micros()))?;
            Ok(if added == 1 { Spending::Spent } else { Spending::Refused })
        })
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.0.write(move |file| {
            let removed = file
                .prepare_cached(
                    "DELETE FROM used_once WHERE key IN (SELECT key FROM used_once WHERE until < ?1 LIMIT ?2)",
                )?
                .execute((before.unix_micros(), AT_ONCE))?;
            Ok(u64::try_from(removed).unwrap_or(u64::MAX))
        })
    }
}

impl fmt::Debug for SqliteOnceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteOnceStore", f)
    }
}
