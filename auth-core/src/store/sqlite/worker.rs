//! The thread that owns the connection.
//!
//! SQLite calls block, so they happen on a thread of their own, one after the other. A write that finds another
//! process writing is tried again in between the reads that come in, so that reads never wait for it; readers and
//! writers do not block each other in the write-ahead log.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::api_key::KeyDigest;
use crate::clock::Monotonic;

use super::copy::Copy;
use super::fault::Fault;

/// How long a write tries to get its turn among other processes.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a waiting write lets pass before it tries again, unless a read comes in earlier.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

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
    pub(super) file: Connection,
    pub(super) copy: Arc<Copy>,
    /// The digests under which keys are held, by id.
    pub(super) held: HashMap<Arc<str>, KeyDigest>,
    /// How many keys may be held.
    pub(super) room: usize,
    /// The last change that is in the copy; `None` where the copy has to be made anew.
    pub(super) seen: Option<i64>,
    /// What `PRAGMA data_version` said last.
    pub(super) version: i64,
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
        self.still_there()?;
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
}
