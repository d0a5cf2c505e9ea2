//! The threads that hash, and the queue before them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use futures_channel::oneshot;

use crate::ConfigError;
use crate::outcome::Outcome;

use super::{PasswordError, PasswordThreads};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that end when the last handle to them is gone.
pub(super) struct Pool {
    jobs: SyncSender<Job>,
}

impl Pool {
    pub(super) fn start(size: PasswordThreads) -> Result<Self, ConfigError> {
        let (jobs, queue) = sync_channel(size.queue.get());
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..size.threads.get() {
            let queue = Arc::clone(&queue);
            let started = thread::Builder::new().name(format!("passwords-{number}")).spawn(move || work(&queue));
            started.map_err(|error| {
                ConfigError::new(format!(
                    "no thread for hashing passwords could be started: {error}; write fewer threads"
                ))
            })?;
        }
        Ok(Self { jobs })
    }

    /// Has a thread do this, or says at once that there is no room.
    ///
    /// What was begun is done to its end, whoever still waits for it. What nobody waits for any more when its turn
    /// comes is not begun.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Outcome<Result<T, PasswordError>> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            if !reply.is_canceled() {
                // whoever asked may be gone by now
                let _ = reply.send(work());
            }
        };
        match self.jobs.try_send(Box::new(job)) {
            Ok(()) => Outcome::Wait(Box::pin(async move { answer.await.unwrap_or(Err(PasswordError::Ended)) })),
            Err(TrySendError::Full(_)) => Outcome::Done(Err(PasswordError::Busy)),
            Err(TrySendError::Disconnected(_)) => Outcome::Done(Err(PasswordError::Ended)),
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // One that panics has dropped its answer, which says so; the thread goes on with the next.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::issue::password::service::tests::resolved;

    fn pool(threads: usize, queue: usize) -> Pool {
        let size = |number| NonZeroUsize::new(number).unwrap();
        Pool::start(PasswordThreads { threads: size(threads), queue: size(queue) }).unwrap()
    }

    /// Occupies a thread until the sender is dropped, and returns once it does.
    fn occupy(pool: &Pool) -> (mpsc::Sender<()>, Outcome<Result<(), PasswordError>>) {
        let (begun, begins) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let outcome = pool.run(move || {
            begun.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        });
        begins.recv().unwrap();
        (release, outcome)
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_takes_again_afterwards() {
        let pool = pool(1, 2);
        let (release, first) = occupy(&pool);
        let waiting = [pool.run(|| Ok(1)), pool.run(|| Ok(2))];
        assert!(matches!(pool.run(|| Ok(3)), Outcome::Done(Err(PasswordError::Busy))));
        drop(release);
        assert_eq!(resolved(first), Ok(()));
        assert_eq!(waiting.map(resolved), [Ok(1), Ok(2)]);
        assert_eq!(resolved(pool.run(|| Ok(4))), Ok(4));
    }

    #[test]
    fn whoever_hangs_up_makes_no_room_for_more() {
        let pool = pool(1, 1);
        let (release, first) = occupy(&pool);
        drop(first);
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let waiting = pool.run(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        assert!(matches!(pool.run(|| Ok(())), Outcome::Done(Err(PasswordError::Busy))));
        drop(waiting);
        assert!(matches!(pool.run(|| Ok(())), Outcome::Done(Err(PasswordError::Busy))), "its place is still taken");
        drop(release);
        // the thread passes over what nobody waits for, and goes on
        let last = loop {
            match pool.run(|| Ok(5)) {
                Outcome::Done(Err(PasswordError::Busy)) => thread::yield_now(),
                outcome => break outcome,
            }
        };
        assert_eq!((resolved(last), begun.load(Ordering::SeqCst)), (Ok(5), 0));
    }

    #[test]
    fn a_job_that_panics_is_an_error_and_the_thread_goes_on() {
        let pool = pool(1, 4);
        assert_eq!(resolved(pool.run::<()>(|| panic!("on purpose"))), Err(PasswordError::Ended));
        assert_eq!(resolved(pool.run(|| Ok(1))), Ok(1));
    }

    #[test]
    fn no_more_jobs_run_at_once_than_there_are_threads() {
        let pool = pool(2, 64);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs: Vec<_> = (0..64)
            .map(|_| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                pool.run(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
            })
            .collect();
        assert!(jobs.into_iter().map(resolved).all(|told| told == Ok(())));
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }
}
