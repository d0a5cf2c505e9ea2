//! How many connections there may be, and knowing when the last one is gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// All seats.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// The right to be connected. Clones share one place, which is free again when the last is dropped.
#[derive(Clone, Debug)]
pub struct Seat {
    _place: Arc<OwnedSemaphorePermit>,
    closing: watch::Receiver<bool>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        let free = Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { free, closing: watch::Sender::new(false) }
    }

    /// Waits for a seat.
    pub(super) async fn take(&self) -> Seat {
        loop {
            // The semaphore is never closed.
            if let Ok(place) = self.free.clone().acquire_owned().await {
                return Seat { _place: Arc::new(place), closing: self.closing.subscribe() };
            }
        }
    }

    /// Asks everybody to leave and waits until they have, or the time is over.
    pub(super) async fn close(self, grace: Duration) {
        self.closing.send_replace(true);
        let all_gone = self.closing.closed();
        if tokio::time::timeout(grace, all_gone).await.is_err() {
            tracing::warn!(connections = self.closing.receiver_count(), "cut off after the grace period");
        }
    }
}

impl Seat {
    /// Whether the server is closing.
    pub(super) fn is_to_leave(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until the server closes.
    pub(super) async fn asked_to_leave(&mut self) {
        // An error means that the server is gone altogether.
        let _ = self.closing.wait_for(|closing| *closing).await;
    }
}
