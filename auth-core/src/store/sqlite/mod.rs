//! Keys in one SQLite file, shared by every process of the machine that opens it.
//!
//! - `opening`: a connection to a file that is ours
//! - `worker`: the thread that owns the connection
//! - `follow`: how memory follows the file
//! - `copy`: the keys held in memory, and for how long they may be believed
//! - `rows`: records as rows
//! - `migrations`: how the tables come to be and change
//! - `fault`: what SQLite complains about, as what a store may answer

mod copy;
mod fault;
mod follow;
mod migrations;
mod opening;
mod rows;
mod worker;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::Transaction;

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest};
use crate::clock::{Monotonic, Now, Timestamp};
use crate::error::StoreError;
use crate::outcome::Outcome;

use super::{Answer, ApiKeyStore, KeyChange, KeyScope, KeyUse, Removal, succeeded};
use copy::Copy;
use fault::Fault;
use worker::{Attempt, Job, Progress, Worker};

/// Keys held in memory unless [`SqliteKeyStore::open_holding`] says otherwise: some 100 MB when all are there.
const HELD: usize = 100_000;

/// Requests that may wait for the file; one more is told that the store is busy.
const QUEUE: usize = 1_024;

/// How many of them may be look-ups of keys.
const FINDING: usize = 768;

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
pub struct SqliteKeyStore {
    path: PathBuf,
    copy: Arc<Copy>,
    /// How many look-ups wait for the file.
    finding: Arc<AtomicUsize>,
    /// There until the store is dropped.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

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
        let path = path.as_ref();
        let copy = Arc::new(Copy::new());
        let open = || Worker::new(opening::connect(path)?, Arc::clone(&copy), keys);
        let worker = open().map_err(|fault| at(path, fault.into()))?;
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("api-keys".into())
            .spawn(move || worker.run(&queue))
            .map_err(|error| at(path, StoreError::Unavailable(format!("no thread could be started: {error}"))))?;
        Ok(Self { path: path.to_owned(), copy, finding: Arc::default(), jobs: Some(jobs), thread: Some(thread) })
    }

    /// Waits for the file. Only so many may: a flood of made-up keys must not keep revocations from being written.
    fn find_in_file(&self, digest: KeyDigest, at: Monotonic) -> Answer<Option<Arc<HeldKey>>> {
        let Some(place) = Place::take(&self.finding) else {
            return Outcome::Done(Err(busy()));
        };
        self.read(move |worker| {
            drop(place);
            worker.find(&digest, at)
        })
    }

    fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Worker) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let read = move |worker: &mut Worker| {
            // whoever asked may be gone, which changes nothing
            let _ = reply.send(step(worker).map_err(StoreError::from));
        };
        self.answered(Job::Read(Box::new(read)), answer)
    }

    fn write<T: Send + 'static>(
        &self,
        mut step: impl FnMut(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let mut reply = Some(reply);
        let write = move |worker: &mut Worker, attempt| {
            let written = worker.write(&mut step);
            if attempt == Attempt::More && written.as_ref().is_err_and(Fault::is_busy) {
                return Progress::Busy;
            }
            if let Some(reply) = reply.take() {
                let _ = reply.send(written.map_err(StoreError::from));
            }
            Progress::Settled
        };
        self.answered(Job::Write(Box::new(write)), answer)
    }

    fn answered<T: Send + 'static>(&self, job: Job, answer: oneshot::Receiver<Result<T, StoreError>>) -> Answer<T> {
        if let Err(error) = self.send(job) {
            return Outcome::Done(Err(error));
        }
        Outcome::Wait(Box::pin(async move { answer.await.unwrap_or_else(|_| Err(ended())) }))
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(busy()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
        }
    }
}

impl ApiKeyStore for SqliteKeyStore {
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldKey>>> {
        let at = now.monotonic;
        let Some(key) = self.copy.believed(digest, at) else {
            return self.find_in_file(*digest, at);
        };
        if self.copy.is_due(at) && self.send(Job::Check(at)).is_err() {
            self.copy.not_asked();
        }
        Outcome::Done(Ok(Some(key)))
    }

    fn insert(&self, record: ApiKeyRecord) -> Answer<()> {
        self.write(move |file| rows::insert(file, &record))
    }

    fn by_id(&self, id: &str) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.read(move |worker| rows::by_id(&worker.file, &id))
    }

    fn list(&self, scope: &KeyScope) -> Answer<Vec<ApiKeyRecord>> {
        let scope = scope.clone();
        self.read(move |worker| rows::in_scope(&worker.file, &scope))
    }

    fn change(&self, id: &str, change: KeyChange) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.write(move |file| {
            let Some(mut record) = rows::by_id(file, &id)? else { return Ok(None) };
            change.clone().apply(&mut record)?;
            rows::update(file, &record)?;
            Ok(Some(record))
        })
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let id = id.to_owned();
        self.write(move |file| rows::delete(file, &id))
    }

    fn rotate(&self, id: &str, successor: ApiKeyRecord, overlap_end: Timestamp) -> Answer<Option<ApiKeyRecord>> {
        let id = id.to_owned();
        self.write(move |file| {
            let Some(record) = rows::by_id(file, &id)? else { return Ok(None) };
            let replaced = succeeded(record, &successor, overlap_end).ok_or(StoreError::Conflict)?;
            rows::insert(file, &successor)?;
            rows::update(file, &replaced)?;
            Ok(Some(replaced))
        })
    }

    fn record_used(&self, uses: Vec<KeyUse>) -> Answer<()> {
        self.write(move |file| uses.iter().try_for_each(|one| rows::record_use(file, one)))
    }
}

/// Does what was asked so far, and only then lets go of the file.
impl Drop for SqliteKeyStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // a thread that panicked has nothing left to do
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteKeyStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A place among the look-ups that wait, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < FINDING).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn at(path: &Path, error: StoreError) -> StoreError {
    let place = path.display();
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{place}: {why}")),
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{place}: {why}")),
        StoreError::Conflict => StoreError::Corrupt(format!("{place}: its tables are not what they were")),
    }
}

fn busy() -> StoreError {
    StoreError::Unavailable("too many requests wait for it".into())
}

fn ended() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}
