//! The thread that owns the connection.
//!
//! SQLite calls block, so they happen on a thread of their own, one after the other. A write that finds another
//! process writing is tried again in between the reads that come in, so that reads never wait for it; readers and
//! writers do not block each other in the write-ahead log.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::clock::Monotonic;
use crate::error::StoreError;

use super::fault::Fault;

/// How long a write tries to get its turn among other processes.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a waiting write lets pass before it tries again, unless a read comes in earlier.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// How long a read waits in the rare moments when the log is restarted or recovered.
pub(super) const READ_PATIENCE: Duration = Duration::from_millis(200);

/// Something to read.
pub(super) type Read<M> = Box<dyn FnOnce(&mut Worker<M>) + Send>;

/// Something to write; answers whether it has to be tried again. Called with `Last`, it settles in any case.
pub(super) type Write<M> = Box<dyn FnMut(&mut Worker<M>, Attempt) -> Progress + Send>;

/// What the thread is asked to do.
pub(super) enum Job<M> {
    /// To ask the file whether it changed, for a request at this time.
    Check(Monotonic),
    /// To read.
    Read(Read<M>),
    /// To write.
    Write(Write<M>),
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

/// What is kept in memory of the file, if anything.
pub(super) trait Memory: Send + 'static {
    /// Takes up what changed since the last time, or everything where that is not known.
    fn catch_up(&mut self, file: &Connection) -> Result<(), Fault>;

    /// Whether it cannot be said what it holds, so that it has to catch up whatever the file says.
    fn is_adrift(&self) -> bool;

    /// Everything that the file said when it was asked for this request has been taken up.
    fn confirm(&self, at: Monotonic);

    /// Nothing of it may be used until it has caught up.
    fn distrust(&mut self);
}

/// Nothing is kept.
impl Memory for () {
    fn catch_up(&mut self, _file: &Connection) -> Result<(), Fault> {
        Ok(())
    }

    fn is_adrift(&self) -> bool {
        false
    }

    fn confirm(&self, _at: Monotonic) {}

    fn distrust(&mut self) {}
}

/// See the module.
pub(super) struct Worker<M> {
    pub(super) file: Connection,
    pub(super) memory: M,
    /// What `PRAGMA data_version` said last.
    version: i64,
}

impl<M: Memory> Worker<M> {
    /// Takes the connection and fills the memory.
    pub(super) fn new(file: Connection, memory: M) -> Result<Self, Fault> {
        let mut worker = Self { file, memory, version: 0 };
        worker.version = worker.data_version()?;
        worker.memory.catch_up(&worker.file)?;
        Ok(worker)
    }

    /// Works until nobody is left to ask. What was accepted before that is still done.
    pub(super) fn run(mut self, jobs: &Receiver<Job<M>>) {
        let mut waiting: VecDeque<(Write<M>, Instant)> = VecDeque::new();
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

    fn write_waiting(&mut self, waiting: &mut VecDeque<(Write<M>, Instant)>) {
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
        if let Err(fault) = self.memory.catch_up(&self.file) {
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

    fn check_in_passing(&mut self, at: Monotonic) {
        // whoever needs the answer asks for it and gets the error then
        let _ = self.check(at);
    }

    /// Asks the file whether somebody else changed it, and catches up where that is so.
    pub(super) fn check(&mut self, at: Monotonic) -> Result<(), Fault> {
        let asked = self.still_there().and_then(|()| self.data_version()).and_then(|version| {
            if version != self.version || self.memory.is_adrift() {
                self.memory.catch_up(&self.file)?;
                self.version = version;
            }
            Ok(())
        });
        match asked {
            Ok(()) => {
                self.memory.confirm(at);
                Ok(())
            }
            Err(fault) => Err(self.distrust(fault)),
        }
    }

    fn distrust(&mut self, fault: Fault) -> Fault {
        self.memory.distrust();
        let error = StoreError::from(fault);
        tracing::warn!(%error, "what is held in memory of a file is not used until the file can be read again");
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
    fn data_version(&self) -> Result<i64, Fault> {
        Ok(self.file.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }
}
