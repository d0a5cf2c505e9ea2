//! The thread that owns the connection.
//!
//! SQLite calls block, so they happen on a thread of their own, one after the other. A write that finds another
//! process writing is tried again in between the reads that come in, so that reads never wait for it; readers and
//! writers do not block each other in the write-ahead log. After every write, and whenever the file says that somebody
//! else wrote, the thread reads from the change log which keys are not what memory holds.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest};
use crate::clock::Monotonic;
use crate::error::StoreError;

use super::copy::Copy;
use super::fault::Fault;
use super::rows;

/// How long a write tries to get its turn among other processes.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a waiting write lets pass before it tries again, unless a read comes in earlier.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a read waits in the rare moments when the log is restarted or recovered.
pub(super) const READ_PATIENCE: Duration = Duration::from_millis(200);

/// Something to read.
pub(super) type Read = Box<dyn FnOnce(&mut Worker) + Send>;

/// Something to write; answers whether it has to be tried again. Called with `Last`, it settles in any case.
pub(super) type Write = Box<dyn FnMut(&mut Worker, Attempt) -> Progress + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// To ask the file whether it changed, for a request at this time.
    Check(Monotonic),
    /// To read.
    Read(Read),
    /// To write.
    Write(Write),
}

/// Whether there will be another attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    More,
    Last,
}

/// What an attempt came to.
#[derive(PartialEq, Eq)]
pub(super) enum Progress {
    Settled,
    Busy,
}

/// See the module.
pub(super) struct Worker {
    file: Connection,
    copy: Arc<Copy>,
    /// The digests under which keys are held, by id.
    held: HashMap<Arc<str>, KeyDigest>,
    /// How many keys may be held.
    room: usize,
    /// The last change that is in the copy; `None` where the copy has to be made anew.
    seen: Option<i64>,
    /// What `PRAGMA data_version` said last.
    version: i64,
}

impl Worker {
    /// Takes the connection and fills the copy.
    pub(super) fn new(file: Connection, copy: Arc<Copy>, room: usize) -> Result<Self, Fault> {
        let mut worker = Self { file, copy, held: HashMap::new(), room, seen: None, version: 0 };
        worker.version = worker.data_version()?;
        worker.catch_up()?;
        Ok(worker)
    }

    /// Works until nobody is left to ask. What was accepted before that is still done.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut waiting: VecDeque<(Write, Instant)> = VecDeque::new();
        loop {
            let next = if waiting.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(PAUSE)
            };
            match next {
                Ok(Job::Check(at)) => self.check_in_passing(at),
                Ok(Job::Read(read)) => read(&mut self),
                Ok(Job::Write(write)) => waiting.push_back((write, Instant::now() + WRITE_PATIENCE)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if waiting.is_empty() => return,
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(PAUSE),
            }
            self.write_waiting(&mut waiting);
        }
    }

    fn write_waiting(&mut self, waiting: &mut VecDeque<(Write, Instant)>) {
        while let Some((write, deadline)) = waiting.front_mut() {
            let attempt = if Instant::now() < *deadline { Attempt::More } else { Attempt::Last };
            if write(self, attempt) == Progress::Busy {
                return;
            }
            waiting.pop_front();
        }
    }

    pub(super) fn file(&self) -> &Connection {
        &self.file
    }

    /// Does one step in a transaction of its own. When it is done, memory knows.
    pub(super) fn write<T>(&mut self, step: &mut dyn FnMut(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let written = self.transact(step);
        if written.as_ref().is_err_and(Fault::is_busy) {
            return written;
        }
        // also after a failure: whether a commit took hold is not always known
        if let Err(fault) = self.catch_up() {
            let _logged = self.distrust(fault);
        }
        written
    }

    fn transact<T>(&mut self, step: &mut dyn FnMut(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        // another writer is waited for by trying again, not here, where reads would wait along
        self.file.busy_timeout(Duration::ZERO)?;
        let begun = self.file.transaction_with_behavior(TransactionBehavior::Immediate);
        let done = begun.map_err(Fault::from).and_then(|transaction| {
            let value = step(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        self.file.busy_timeout(READ_PATIENCE)?;
        done
    }

    /// The key with this digest, as the file says now.
    pub(super) fn find(&mut self, digest: &KeyDigest, at: Monotonic) -> Result<Option<Arc<HeldKey>>, Fault> {
        self.check(at)?;
        if let Some(key) = self.copy.index.find(digest) {
            return Ok(Some(key));
        }
        Ok(rows::by_digest(&self.file, digest)?.map(|record| self.hold(record)))
    }

    fn check_in_passing(&mut self, at: Monotonic) {
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

    fn distrust(&mut self, fault: Fault) -> Fault {
        self.seen = None;
        self.copy.distrust();
        let error = StoreError::from(fault);
        tracing::warn!(%error, "API keys held in memory are not used until their file can be read again");
        Fault::Store(error)
    }

    /// A file that was moved away or replaced goes on being readable under the old handle. Revocations would then go
    /// to another file than the one that is read.
    fn still_there(&self) -> Result<(), Fault> {
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
    fn data_version(&self) -> Result<i64, Fault> {
        Ok(self.file.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Brings into memory what the change log says since the last time, or everything where that is not enough.
    fn catch_up(&mut self) -> Result<(), Fault> {
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
