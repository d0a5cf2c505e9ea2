//! What the rest of the process holds of a file: the way to its thread.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::Transaction;

use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::store::Answer;

use super::fault::Fault;
use super::opening;
use super::worker::{Attempt, Job, Memory, Progress, Worker};

/// Requests that may wait for the file; one more is told that the store is busy.
const QUEUE: usize = 1_024;

/// See the module.
pub(super) struct Handle<M> {
    path: PathBuf,
    /// There until the handle is dropped.
    jobs: Option<SyncSender<Job<M>>>,
    thread: Option<JoinHandle<()>>,
}

impl<M: Memory> Handle<M> {
    /// Prints a store under this name.
    pub(super) fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name).field("path", &self.path).finish_non_exhaustive()
    }

    /// Opens the file and starts a thread of this name for it.
    pub(super) fn open(path: &Path, thread: &str, memory: M) -> Result<Self, StoreError> {
        let open = || Worker::new(opening::connect(path)?, memory);
        let worker = open().map_err(|fault| at(path, fault.into()))?;
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name(thread.into())
            .spawn(move || worker.run(&queue))
            .map_err(|error| at(path, StoreError::Unavailable(format!("no thread could be started: {error}"))))?;
        Ok(Self { path: path.to_owned(), jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Worker<M>) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let read = move |worker: &mut Worker<M>| {
            // whoever asked may be gone, which changes nothing
            let _ = reply.send(step(worker).map_err(StoreError::from));
        };
        self.answered(Job::Read(Box::new(read)), answer)
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        mut step: impl FnMut(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let mut reply = Some(reply);
        let write = move |worker: &mut Worker<M>, attempt| {
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

    fn answered<T: Send + 'static>(&self, job: Job<M>, answer: oneshot::Receiver<Result<T, StoreError>>) -> Answer<T> {
        if let Err(error) = self.send(job) {
            return Outcome::Done(Err(error));
        }
        Outcome::Wait(Box::pin(async move { answer.await.unwrap_or_else(|_| Err(ended())) }))
    }

    pub(super) fn send(&self, job: Job<M>) -> Result<(), StoreError> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(busy()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
        }
    }
}

/// Does what was asked so far, and only then lets go of the file.
impl<M> Drop for Handle<M> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // a thread that panicked has nothing left to do
            let _ = thread.join();
        }
    }
}

fn at(path: &Path, error: StoreError) -> StoreError {
    let place = path.display();
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{place}: {why}")),
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{place}: {why}")),
        StoreError::Conflict | StoreError::Full => {
            StoreError::Corrupt(format!("{place}: its tables are not what they were"))
        }
    }
}

pub(super) fn busy() -> StoreError {
    StoreError::Unavailable("too many requests wait for it".into())
}

fn ended() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}
