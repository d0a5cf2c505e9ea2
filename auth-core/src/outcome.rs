//! What a step answers when it may or may not have to wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A future that owns what it needs, so that it can outlive the request head it was made from.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// A value that is there at once, or the future that will bring it.
///
/// A step that needs no network and no database answers [`Done`](Outcome::Done), which costs nothing beyond a plain
/// call. Only a step that really has to wait pays for a boxed future.
#[must_use]
pub enum Outcome<T> {
    /// The value, at once.
    Done(T),
    /// The value, once something outside this process has answered.
    Wait(Pending<T>),
}

impl<T: Send + 'static> Outcome<T> {
    /// The value changed by `change`, now or when it comes.
    pub fn map<U: 'static>(self, change: impl FnOnce(T) -> U + Send + 'static) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(change(value)),
            Self::Wait(pending) => Outcome::Wait(Box::pin(async move { change(pending.await) })),
        }
    }

    /// The value, waited for where that is needed.
    pub async fn resolve(self) -> T {
        match self {
            Self::Done(value) => value,
            Self::Wait(pending) => pending.await,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(value) => f.debug_tuple("Done").field(value).finish(),
            Self::Wait(_) => f.write_str("Wait(…)"),
        }
    }
}
