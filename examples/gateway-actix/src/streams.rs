//! How many requests of one HTTP/2 connection are at work at once.
//!
//! actix does not pass a limit on to its HTTP/2 implementation, so clients are not told one, and this is where it is
//! kept: further requests wait for their turn, and beyond a queue of ten turns they are refused.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of one connection.
#[derive(Clone)]
pub(crate) struct Streams {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    longest_queue: usize,
}

/// The right to be at work.
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Streams {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            waiting: Arc::default(),
            longest_queue: at_once.saturating_mul(10),
        }
    }

    /// Waits for a turn; `None` where too many wait already.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        let queue = Queued::join(&self.waiting);
        if queue.length > self.longest_queue {
            return None;
        }
        self.turns.clone().acquire_owned().await.ok().map(Turn)
    }
}

/// A place in the queue, given up however the waiting ends.
struct Queued<'a> {
    waiting: &'a AtomicUsize,
    length: usize,
}

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicUsize) -> Self {
        Self { waiting, length: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A response body during which the turn lasts.
pub(crate) struct DuringTurn<B> {
    pub(crate) body: B,
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) turn: Turn,
}

impl<B: MessageBody + Unpin> MessageBody for DuringTurn<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn turns_are_passed_on_and_queues_are_bounded() {
        let streams = Streams::new(1);
        let first = streams.turn().await.unwrap();
        let mut queue: Vec<_> = (0..11).map(|_| Box::pin(streams.turn())).collect();
        for waiting in &mut queue {
            assert!(waiting.now_or_never().is_none(), "there is room in the queue");
        }
        assert!(matches!(streams.turn().now_or_never(), Some(None)), "and an end to it");
        drop(first);
        for waiting in queue {
            assert!(waiting.await.is_some());
        }
        assert!(streams.turn().await.is_some());
    }
}
