//! What one password costs: `cargo bench -p auth-core --features issue --bench password`.
//!
//! Hashes of the default cost are compared one after the other, as one login at a time would have it; printed are the median
//! and the extremes of [`ROUNDS`].
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use auth_core::Secret;
use auth_core::issue::{PasswordCost, PasswordThreads, Passwords};

const ROUNDS: usize = 101;

fn main() -> Result<(), Box<dyn Error>> {
    let cost = PasswordCost::default();
    let threads = PasswordThreads { threads: NonZeroUsize::MIN, ..PasswordThreads::default() };
    let passwords = Passwords::new(cost, threads)?;
    let password = || Secret::from("correct horse battery staple");
    let hash = wait(passwords.hash(password()).resolve()).map_err(|error| format!("{error:?}"))?;
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let verdict = wait(passwords.verify(password(), Some(hash.clone())).resolve());
            assert!(verdict.is_ok(), "the hash is readable");
            begun.elapsed()
        })
        .collect();
    times.sort();
    let millis = |place: usize| times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    println!("{} KiB, {} passes, {} lane of argon2id:", cost.memory_kib(), cost.passes(), cost.lanes());
    println!("median {:.1} ms, from {:.1} to {:.1} ms", millis(ROUNDS / 2), millis(0), millis(ROUNDS - 1));
    Ok(())
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
