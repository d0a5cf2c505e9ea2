//! Messages that wait to be posted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use auth_core::issue::Message;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::webhook::Webhook;

/// How many messages wait, those between two attempts included: a few megabytes at most, and more than a gateway sends while
/// a receiver restarts.
pub(super) const PLACES: usize = 1024;

/// Messages that wait to be posted. Clones share everything, also from one configuration to the next.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    sender: UnboundedSender<Parcel>,
    /// Taken by whoever posts them.
    receiver: Mutex<Option<UnboundedReceiver<Parcel>>>,
}

/// A message, and where it goes.
pub(super) struct Parcel {
    pub(super) to: Arc<Webhook>,
    pub(super) message: Message,
    /// Given back when the message is delivered or given up.
    pub(super) _place: OwnedSemaphorePermit,
}

impl Outbox {
    /// Puts a message in, unless too many wait.
    pub(super) fn put(&self, to: Arc<Webhook>, message: Message) {
        let (account, kind) = (Arc::clone(&message.account), message.kind);
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        let put = place.map(|place| self.0.sender.send(Parcel { to, message, _place: place }));
        if !matches!(put, Ok(Ok(()))) {
            tracing::error!(
                target: "auth::account",
                what = "message_lost",
                kind = kind.as_str(),
                account = &*account,
                "too many messages wait for the webhook: this one is lost"
            );
        }
    }

    /// The end at which messages come out; `None` where somebody has it already.
    pub(super) fn receiver(&self) -> Option<UnboundedReceiver<Parcel>> {
        self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Default for Outbox {
    fn default() -> Self {
        let (sender, receiver) = unbounded_channel();
        let places = Arc::new(Semaphore::new(PLACES));
        Self(Arc::new(Inner { places, sender, receiver: Mutex::new(Some(receiver)) }))
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = PLACES - self.0.places.available_permits();
        f.debug_struct("Outbox").field("waiting", &waiting).finish_non_exhaustive()
    }
}
