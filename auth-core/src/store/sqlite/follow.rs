//! How memory follows the file.
//!
//! After every write, and whenever the file says that somebody else wrote, the thread reads from the change log which
//! keys are not what memory holds. When that fails, nothing in memory is used until it succeeds.

use std::sync::Arc;

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest};
use crate::clock::Monotonic;
use crate::error::StoreError;

use super::fault::Fault;
use super::rows;
use super::worker::Worker;

impl Worker {
    /// The key with this digest, as the file says now.
    pub(super) fn find(&mut self, digest: &KeyDigest, at: Monotonic) -> Result<Option<Arc<HeldKey>>, Fault> {
        self.check(at)?;
        if let Some(key) = self.copy.index.find(digest) {
            return Ok(Some(key));
        }
        Ok(rows::by_digest(&self.file, digest)?.map(|record| self.hold(record)))
    }

    pub(super) fn check_in_passing(&mut self, at: Monotonic) {
        // whoever needs the answer asks for it and gets the error then
        let _ = self.check(at);
    }

    /// Asks the file whether somebody else changed it, and catches up where that is so.
    fn check(&mut self, at: Monotonic) -> Result<(), Fault> {
        let asked = self.still_there().and_then(|()| self.data_version()).and_then(|version| {
            if version != self.version || self.seen.is_none() {
                self.catch_up()?;
                self.version = version;
            }
            Ok(())
        });
        match asked {
            Ok(()) => {
                self.copy.confirm(at);
                Ok(())
            }
            Err(fault) => Err(self.distrust(fault)),
        }
    }

    pub(super) fn distrust(&mut self, fault: Fault) -> Fault {
        self.seen = None;
        self.copy.distrust();
        let error = StoreError::from(fault);
        tracing::warn!(%error, "API keys held in memory are not used until their file can be read again");
        Fault::Store(error)
    }

    /// A file that was moved away or replaced goes on being readable under the old handle. Revocations would then go
    /// to another file than the one that is read.
    pub(super) fn still_there(&self) -> Result<(), Fault> {
        #[cfg(unix)]
        {
            let mut moved = 0;
            self.file.file_control(None::<&str>, rusqlite::FileControl::HasMoved(&mut moved))?;
            if moved != 0 {
                return Err(StoreError::Unavailable("its file was moved or replaced; restart".into()).into());
            }
        }
        Ok(())
    }

    /// A number that differs from the last one if another connection changed the file in between.
    pub(super) fn data_version(&self) -> Result<i64, Fault> {
        Ok(self.file.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Brings into memory what the change log says since the last time, or everything where that is not enough.
    pub(super) fn catch_up(&mut self) -> Result<(), Fault> {
        let (oldest, newest) = self
            .file
            .prepare_cached(
                "SELECT coalesce((SELECT min(revision) FROM api_key_changes), 1),
                     coalesce((SELECT max(revision) FROM api_key_changes), 0)",
            )?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        match self.seen {
            Some(seen) if seen == newest => Ok(()),
            Some(seen) if seen < newest && oldest <= seen + 1 => self.reread(seen, newest),
            _ => self.reload(newest),
        }
    }

    fn reread(&mut self, seen: i64, newest: i64) -> Result<(), Fault> {
        self.seen = None;
        let changed: Vec<Arc<str>> = self
            .file
            .prepare_cached("SELECT DISTINCT key_id FROM api_key_changes WHERE revision > ?1 AND revision <= ?2")?
            .query_map([seen, newest], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in changed {
            match rows::by_id(&self.file, &id) {
                Ok(Some(record)) => drop(self.hold(record)),
                Ok(None) => self.release(&id),
                // whoever presents that very key is told that its row cannot be read
                Err(fault) if fault.is_about_a_row() => {
                    tracing::warn!(key = &*id, "an API key in the store cannot be read and is passed over");
                    self.release(&id);
                }
                Err(fault) => return Err(fault),
            }
        }
        self.seen = Some(newest);
        Ok(())
    }

    /// Reads as many keys as there is room for, the most recently used first.
    fn reload(&mut self, newest: i64) -> Result<(), Fault> {
        self.seen = None;
        let mut statement = self.file.prepare_cached(
            "SELECT * FROM api_keys ORDER BY max(created, coalesce(last_used, created)) DESC LIMIT ?1",
        )?;
        let limit = i64::try_from(self.room).unwrap_or(i64::MAX);
        let mut rows = statement.query([limit])?;
        let mut keys: Vec<Arc<HeldKey>> = Vec::new();
        while let Some(row) = rows.next()? {
            match rows::record(row) {
                Ok(record) => keys.push(Arc::new(HeldKey::new(record))),
                Err(error) => tracing::warn!(%error, "an API key in the store cannot be read and is passed over"),
            }
        }
        drop(rows);
        drop(statement);
        self.held = keys.iter().map(|key| (Arc::clone(&key.id), key.digest)).collect();
        self.copy.index.replace(keys);
        self.seen = Some(newest);
        Ok(())
    }

    /// Puts a key as it is now into memory, where there is room.
    fn hold(&mut self, record: ApiKeyRecord) -> Arc<HeldKey> {
        let key = Arc::new(HeldKey::new(record));
        let replaced = self.held.get(&key.id).copied();
        if replaced.is_none() && self.held.len() >= self.room {
            let Some(dropped) = self.copy.index.any_beside(&key.digest) else { return key };
            self.release(&dropped.id);
        }
        self.held.insert(Arc::clone(&key.id), key.digest);
        self.copy.index.insert(Arc::clone(&key));
        // first the new entry: a reader in between finds the key under both digests, never under none
        if let Some(old) = replaced.filter(|old| *old != key.digest) {
            self.copy.index.remove(&old, &key.id);
        }
        key
    }

    fn release(&mut self, id: &str) {
        if let Some(digest) = self.held.remove(id) {
            self.copy.index.remove(&digest, id);
        }
    }
}
