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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::path::Path;

    use auth_core::issue::MessageKind;
    use auth_core::{Secret, Timestamp};

    use super::*;
    use crate::config::{self, WebhookSecret};

    fn webhook() -> Arc<Webhook> {
        let text = "[tokens]\nissuer = \"a\"\naudience = \"a\"\n[[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"jwt\"]\n\
                    [accounts]\nmessages = { url = \"http://127.0.0.1:9/a?secret=b\" }";
        let config = config::load(text, "gateway.toml", Path::new("")).unwrap();
        let secret = WebhookSecret::read(&Secret::from("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")).unwrap();
        Arc::new(Webhook::new(&config.accounts.unwrap().messages.unwrap(), &secret))
    }

    #[test]
    fn s20_what_does_not_fit_is_lost_and_nobody_waits() {
        let (outbox, webhook) = (Outbox::default(), webhook());
        let put = || {
            let (ticket, ends) = (Secret::from("a ticket"), Timestamp::from_unix_seconds(0));
            let message = Message::new(MessageKind::ResetPassword, "user_1", "ada@example.com", ticket, ends);
            outbox.put(Arc::clone(&webhook), message);
        };
        for _ in 0..PLACES + 10 {
            put();
        }
        let mut receiver = outbox.receiver().unwrap();
        assert!(outbox.receiver().is_none());
        let mut count = 0;
        while receiver.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, PLACES);
        put();
        assert!(receiver.try_recv().is_ok(), "places are given back");
        let shown = format!("{webhook:?} {outbox:?}");
        assert_eq!(shown, "Webhook { host: Some(\"127.0.0.1\"), .. } Outbox { waiting: 0, .. }");
    }
}
