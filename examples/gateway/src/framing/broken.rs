//! Bodies that break off in a way nobody can read, and how their requests are still answered.
//!
//! A server finds such a body itself when it is handed something that is no chunk. Some servers then end the connection
//! without a word. For those there is a [`BrokenBody`] to watch: the rest of the body is held back, the handler hears of
//! the break and answers, and once the answer is on its way the server is told that the client is gone.

use std::task::{Context, Waker};

use tokio::sync::watch;

/// Tells that the body of a request on a connection broke.
#[derive(Clone, Debug)]
pub struct BrokenBody(watch::Receiver<bool>);

impl BrokenBody {
    /// Waits until a body breaks. It stays broken: there is no further request on the connection.
    pub async fn happened(&mut self) {
        if self.0.wait_for(|broken| *broken).await.is_err() {
            // The connection is gone, and its bodies end by themselves.
            std::future::pending::<()>().await;
        }
    }
}

/// The connection's side of it.
#[derive(Debug)]
pub(super) struct Breakage {
    broken: watch::Sender<bool>,
    answer: Answer,
}

/// How far the answer to the request with the broken body is.
#[derive(Debug)]
enum Answer {
    /// No body has broken, or nobody watches.
    NotDue,
    /// The reader waits for it.
    Due(Option<Waker>),
    /// Some of it is written.
    Begun(Option<Waker>),
    /// All that was written is on its way.
    Given,
}

/// Who finds out about a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finder {
    /// Somebody watches and is told.
    Watcher,
    /// Nobody does, so the server has to find it itself.
    Server,
}

impl Breakage {
    pub(super) fn new() -> Self {
        Self { broken: watch::Sender::new(false), answer: Answer::NotDue }
    }

    pub(super) fn watch(&self) -> BrokenBody {
        BrokenBody(self.broken.subscribe())
    }

    pub(super) fn tell(&mut self) -> Finder {
        self.broken.send_replace(true);
        if self.broken.receiver_count() == 0 {
            return Finder::Server;
        }
        self.answer = Answer::Due(None);
        Finder::Watcher
    }

    /// Something was written.
    pub(super) fn written(&mut self) {
        if let Answer::Due(reader) = &mut self.answer {
            self.answer = Answer::Begun(reader.take());
        }
    }

    /// What was written is on its way.
    pub(super) fn flushed(&mut self) {
        if let Answer::Begun(reader) = &mut self.answer {
            if let Some(reader) = reader.take() {
                reader.wake();
            }
            self.answer = Answer::Given;
        }
    }

    /// Whether the answer is given; if it is due, the reader is woken when it is.
    pub(super) fn is_answered(&mut self, cx: &Context<'_>) -> bool {
        if let Answer::Due(reader) | Answer::Begun(reader) = &mut self.answer {
            *reader = Some(cx.waker().clone());
        }
        matches!(self.answer, Answer::Given)
    }
}
