//! How memory follows the file.
//!
//! After every write, and whenever the file says that somebody else wrote, the thread reads from the change log which
//! records are not what memory holds. When that fails, nothing in memory is used until it succeeds.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use crate::api_key::KeyDigest;
use crate::clock::Monotonic;
use crate::store::index::Held;

use super::copy::Copy;
use super::fault::Fault;
use super::worker::{Memory, Worker};

/// Records with a table and a log of its changes.
pub(super) trait Followed: Held + Sized {
    /// What a record is called in the log.
    const KIND: &'static str;
    /// Answers the oldest revision in the log, and the newest.
    const REVISIONS: &'static str;
    /// Answers which ids changed after one revision and up to another.
    const CHANGED: &'static str;
    /// Answers whole rows, the most recently used first, at most so many.
    const RECENT: &'static str;

    /// Reads such a row.
    fn from_row(row: &Row<'_>) -> Result<Self, rusqlite::Error>;

    fn by_id(file: &Connection, id: &str) -> Result<Option<Self>, Fault>;

    fn by_digest(file: &Connection, digest: &KeyDigest) -> Result<Option<Self>, Fault>;

    /// Takes over what the record it replaces in memory knows and the file does not.
    fn succeed(self, replaced: &Self) -> Self;
}

/// The records in memory, as the thread sees them.
pub(super) struct Following<T> {
    copy: Arc<Copy<T>>,
    /// The digests under which records are held, by id.
    held: HashMap<Arc<str>, KeyDigest>,
    /// How many records may be held.
    room: usize,
    /// The last change that is in the copy; `None` where the copy has to be made anew.
    seen: Option<i64>,
}

impl<T: Followed> Worker<Following<T>> {
    /// The record with this digest, as the file says now. What the log does not tell, a use, makes what is held not
    /// `current`; then its row is read.
    pub(super) fn find(
        &mut self,
        digest: &KeyDigest,
        at: Monotonic,
        current: impl Fn(&T) -> bool,
    ) -> Result<Option<Arc<T>>, Fault> {
        self.check(at)?;
        if let Some(found) = self.memory.copy.index.find(digest).filter(|found| current(found)) {
            return Ok(Some(found));
        }
        Ok(T::by_digest(&self.file, digest)?.map(|record| self.memory.hold(record)))
    }
}

impl<T: Followed> Memory for Following<T> {
    fn catch_up(&mut self, file: &Connection) -> Result<(), Fault> {
        let (oldest, newest) = file
            .prepare_cached(T::REVISIONS)?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        match self.seen {
            Some(seen) if seen == newest => Ok(()),
            Some(seen) if seen < newest && oldest <= seen + 1 => self.reread(file, seen, newest),
            _ => self.reload(file, newest),
        }
    }

    fn is_adrift(&self) -> bool {
        self.seen.is_none()
    }

    fn confirm(&self, at: Monotonic) {
        self.copy.confirm(at);
    }

    fn distrust(&mut self) {
        self.seen = None;
        self.copy.distrust();
    }
}

impl<T: Followed> Following<T> {
    pub(super) fn new(copy: Arc<Copy<T>>, room: usize) -> Self {
        Self { copy, held: HashMap::new(), room, seen: None }
    }

    fn reread(&mut self, file: &Connection, seen: i64, newest: i64) -> Result<(), Fault> {
        self.seen = None;
        let changed: Vec<Arc<str>> =
            file.prepare_cached(T::CHANGED)?.query_map([seen, newest], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for id in changed {
            match T::by_id(file, &id) {
                Ok(Some(record)) => drop(self.hold(record)),
                Ok(None) => self.release(&id),
                // whoever presents that very secret is told that its row cannot be read
                Err(fault) if fault.is_about_a_row() => {
                    tracing::warn!(kind = T::KIND, id = &*id, "a record cannot be read and is passed over");
                    self.release(&id);
                }
                Err(fault) => return Err(fault),
            }
        }
        self.seen = Some(newest);
        Ok(())
    }

    /// Reads as many records as there is room for, the most recently used first.
    fn reload(&mut self, file: &Connection, newest: i64) -> Result<(), Fault> {
        self.seen = None;
        let mut statement = file.prepare_cached(T::RECENT)?;
        let limit = i64::try_from(self.room).unwrap_or(i64::MAX);
        let mut rows = statement.query([limit])?;
        let mut records: Vec<Arc<T>> = Vec::new();
        while let Some(row) = rows.next()? {
            match T::from_row(row) {
                Ok(record) => records.push(Arc::new(self.succeeding(record))),
                Err(error) => tracing::warn!(kind = T::KIND, %error, "a record cannot be read and is passed over"),
            }
        }
        self.held = records.iter().map(|record| (Arc::clone(record.id()), *record.digest())).collect();
        self.copy.index.replace(records);
        self.seen = Some(newest);
        Ok(())
    }

    /// Puts a record as it is now into memory, where there is room.
    fn hold(&mut self, record: T) -> Arc<T> {
        let record = Arc::new(self.succeeding(record));
        let replaced = self.held.get(record.id()).copied();
        if replaced.is_none() && self.held.len() >= self.room {
            let Some(dropped) = self.copy.index.any_beside(record.digest()) else { return record };
            self.release(dropped.id());
        }
        self.held.insert(Arc::clone(record.id()), *record.digest());
        self.copy.index.insert(Arc::clone(&record));
        // first the new entry: a reader in between finds the record under both digests, never under none
        if let Some(old) = replaced.filter(|old| old != record.digest()) {
            self.copy.index.remove(&old, record.id());
        }
        record
    }

    fn succeeding(&self, record: T) -> T {
        let replaced = self.held.get(record.id()).and_then(|digest| self.copy.index.find(digest));
        match replaced {
            Some(replaced) => record.succeed(&replaced),
            None => record,
        }
    }

    fn release(&mut self, id: &str) {
        if let Some(digest) = self.held.remove(id) {
            self.copy.index.remove(&digest, id);
        }
    }
}
