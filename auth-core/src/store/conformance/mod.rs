//! Checks that a store keeps the promises of [`ApiKeyStore`], [`TokenStore`](super::TokenStore),
//! [`RevocationStore`](super::RevocationStore), [`LimitStore`](super::LimitStore) or, with the feature `issue`,
//! `AccountStore`, for the stores here and for stores of your own.
//!
//! The checks wait by blocking the thread they run on, so they need no runtime; call them from a thread that may
//! block.
//!
//! - `steps`: what each operation of a key store does by itself
//! - `races`: what holds when several do the same at once
//! - `tokens`: what a store of opaque tokens promises
//! - `accounts`: what a store of accounts promises (feature `issue`)
//! - `revocations`: what a store of revocations promises
//! - `once`: what a store of things that may be used once promises; `trusts`: of partners (feature `issue`)
//! - `limits`: what a store of limits promises, by itself and under concurrency

#[cfg(feature = "issue")]
mod accounts;
mod limits;
#[cfg(feature = "issue")]
mod once;
mod races;
mod revocations;
mod steps;
mod tokens;
#[cfg(feature = "issue")]
mod trusts;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::api_key::{ApiKeyRecord, KeyDigest};
use crate::clock::{Monotonic, Now, Timestamp};
use crate::error::StoreError;

use super::{Answer, ApiKeyStore};

#[cfg(feature = "issue")]
pub use accounts::check_accounts;
pub use limits::{Time, check_limits};
#[cfg(feature = "issue")]
pub use once::check_once;
pub use revocations::check_revocations;
pub use tokens::check_tokens;
#[cfg(feature = "issue")]
pub use trusts::check_trusts;

/// A promise that a store broke.
#[derive(Debug)]
pub struct Violation {
    /// The promise.
    pub promise: &'static str,
    /// What happened instead.
    pub instead: String,
}

/// Runs every check, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryKeyStore, conformance};
///
/// conformance::check(|| Arc::new(MemoryKeyStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check(mut empty_store: impl FnMut() -> Arc<dyn ApiKeyStore>) -> Result<(), Violation> {
    for one in steps::ALL {
        one(&*empty_store())?;
    }
    for one in races::ALL {
        one(&empty_store())?;
    }
    Ok(())
}

/// What one check says.
type Kept = Result<(), Violation>;

/// Waits for an answer where that is needed.
fn answer<T>(answer: Answer<T>) -> Result<T, StoreError>
where
    T: Send + 'static,
{
    let mut waiting = pin!(answer.resolve());
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match waiting.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An answer that has to be good.
fn good<T: Send + 'static>(promise: &'static str, given: Answer<T>) -> Result<T, Violation> {
    answer(given).map_err(|error| Violation { promise, instead: error.to_string() })
}

fn same<T: PartialEq + fmt::Debug>(promise: &'static str, left: &T, right: &T) -> Kept {
    if left == right {
        return Ok(());
    }
    Err(Violation { promise, instead: format!("{left:?} instead of {right:?}") })
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 + seconds)
}

fn now() -> Now {
    Now { wall: at(0), monotonic: Monotonic::from_nanos(0) }
}

/// A key whose id and digest follow from a number.
fn key(number: u8) -> ApiKeyRecord {
    let mut record =
        ApiKeyRecord::new(format!("key_{number}"), digest(number), "pepper", "issuer", "owner", at(i64::from(number)));
    record.permissions = ["read"].into_iter().collect();
    record
}

fn digest(number: u8) -> KeyDigest {
    KeyDigest::from_bytes([number; 32])
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken promise: {}: {}", self.promise, self.instead)
    }
}

impl std::error::Error for Violation {}
