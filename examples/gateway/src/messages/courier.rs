//! The thread that posts messages.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use auth_core::{Clock as _, SystemClock};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use super::backoff::{asked_pause, chance, pause};
use super::outbox::{Outbox, Parcel};
use super::webhook::{Attempt, body};
use crate::cli::Failure;
use crate::own_tokens::random_text;
use crate::start::waiting_runtime;

/// How many messages are posted at the same time.
const HANDS: usize = 8;

/// How long a message lies before it is posted, by chance between half of it and all of it: posting takes a processor from
/// whoever is answered at that moment, and the time of an answer must not tell that there was something to post.
const LIES_FOR: Duration = Duration::from_millis(500);

/// How long the end of the process waits for messages that were not posted yet, each of which has one more attempt.
const FAREWELL: Duration = Duration::from_secs(2);

/// Posts messages until it is dropped; then what is left has one more attempt.
#[derive(Debug)]
pub(crate) struct Courier {
    /// There until the value is dropped, which the thread notices.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(outbox: &Outbox) -> Result<Self, Failure> {
        let Some(parcels) = outbox.receiver() else { return Ok(Self { alive: None, thread: None }) };
        let runtime = waiting_runtime()?;
        let (alive, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("messages".to_owned());
        let thread = thread.spawn(move || runtime.block_on(work(parcels, ended))).map_err(Failure::obstacle)?;
        Ok(Self { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // a panic over there was reported over there
            let _ = thread.join();
        }
    }
}

async fn work(mut parcels: UnboundedReceiver<Parcel>, mut ended: oneshot::Receiver<()>) {
    let hands = Arc::new(Semaphore::new(HANDS));
    let (last_call, hurry) = watch::channel(());
    let mut deliveries = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut ended => break,
            Some(parcel) = parcels.recv() => {
                deliveries.spawn(deliver(parcel, Arc::clone(&hands), hurry.clone()));
            }
            Some(_) = deliveries.join_next() => {}
        }
    }
    while let Ok(parcel) = parcels.try_recv() {
        deliveries.spawn(deliver(parcel, Arc::clone(&hands), hurry.clone()));
    }
    drop(last_call);
    let all = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        tracing::error!(count = deliveries.len(), "messages are lost that the webhook did not accept before the end");
    }
}

/// Posts a message until it is accepted, or until it makes no sense any more.
async fn deliver(parcel: Parcel, hands: Arc<Semaphore>, mut hurry: watch::Receiver<()>) {
    let Parcel { to, message, _place: place } = parcel;
    let Ok(id) = random_text(24).map(|random| format!("msg_{random}")) else {
        tracing::error!("a message is lost: the operating system gave no random bytes");
        return;
    };
    let body = body(&message, SystemClock.now().wall);
    let told = |what: &str, attempt: usize, cause: Option<&str>| {
        let (kind, account, id) = (message.kind.as_str(), &*message.account, &*id);
        if cause.is_some() {
            tracing::warn!(target: "auth::account", what, kind, account, id, attempt, cause);
        } else {
            tracing::info!(target: "auth::account", what, kind, account, id, attempt);
        }
    };
    let _ = tokio::time::timeout(pause(LIES_FOR, 1, chance()), hurry.changed()).await;
    let mut is_last = false;
    for attempt in 1..=to.attempts {
        let outcome = {
            let _hand = hands.acquire().await;
            to.post(&id, &body, SystemClock.now().wall).await
        };
        let (cause, asked) = match outcome {
            Attempt::Delivered => {
                told("message_delivered", attempt, None);
                break;
            }
            Attempt::Refused(cause) => {
                told("message_lost", attempt, Some(&cause));
                break;
            }
            Attempt::Failed(cause, asked) => (cause, asked),
        };
        let pause = asked_pause(asked, pause(to.pause, attempt, chance()));
        let is_over = SystemClock.now().wall.saturating_add(pause) >= message.ends;
        if is_last || is_over || attempt == to.attempts {
            told("message_lost", attempt, Some(&cause));
            break;
        }
        told("message_not_accepted", attempt, Some(&cause));
        // the sender is dropped when the process ends
        is_last = tokio::time::timeout(pause, hurry.changed()).await.is_ok();
    }
    drop(place);
}
