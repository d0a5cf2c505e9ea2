//! The time between the signal to stop and the end of idle connections.
//!
//! When actix stops, it closes idle connections at once. A client that is about to send its next request on one would
//! see that request fail, so the connections are told first, and their next response says that it is the last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Tells connections that the server closes.
#[derive(Clone, Default)]
pub(crate) struct Closing(Arc<watch::Sender<bool>>);

/// What a connection knows of it.
#[derive(Clone)]
pub(crate) struct Watching(watch::Receiver<bool>);

impl Closing {
    /// For a connection.
    pub(crate) fn watch(&self) -> Watching {
        Watching(self.0.subscribe())
    }

    /// Tells everybody and waits until they have left, for so long at most.
    pub(crate) async fn say_farewell(&self, wait: Duration) {
        self.0.send_replace(true);
        // Who is still there has a request in flight, or nothing to say.
        let _ = tokio::time::timeout(wait, self.0.closed()).await;
    }
}

impl Watching {
    /// Waits until the server closes.
    pub(crate) async fn told(&mut self) {
        // An error means that the server is gone altogether.
        let _ = self.0.wait_for(|closing| *closing).await;
    }

    /// Whether the connection should end with the next response.
    pub(crate) fn is_last(&self) -> bool {
        *self.0.borrow()
    }
}
