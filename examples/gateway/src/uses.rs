//! Writing down when API keys were last used, behind the back of requests.
//!
//! A thread of its own does it, since the two gateways have different runtimes and neither shall have to care.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use auth_core::Outcome;
use auth_core::verify::ApiKeyVerifier;

use crate::cli::Failure;
use crate::start::waiting_runtime;

/// How often: what a crash may lose of the last-used times.
const INTERVAL: Duration = Duration::from_secs(5);

/// Writes down uses until it is dropped; then once more.
#[derive(Debug)]
pub(crate) struct UsesWriter {
    /// There until the writer is dropped, which the thread notices.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl UsesWriter {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(verifier: ApiKeyVerifier) -> Result<Self, Failure> {
        let (alive, watched) = channel::<()>();
        let thread = std::thread::Builder::new().name("key-uses".to_owned()).spawn(move || {
            while watched.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                write_down(&verifier);
            }
            write_down(&verifier);
        });
        Ok(Self { alive: Some(alive), thread: Some(thread.map_err(Failure::obstacle)?) })
    }
}

impl Drop for UsesWriter {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // a panic over there was reported over there
            let _ = thread.join();
        }
    }
}

fn write_down(verifier: &ApiKeyVerifier) {
    let written = match verifier.flush_used() {
        Outcome::Done(written) => written,
        Outcome::Wait(pending) => match waiting_runtime() {
            Ok(runtime) => runtime.block_on(pending),
            // the store has the batch anyway; only its answer is not heard
            Err(_) => Ok(()),
        },
    };
    if let Err(error) = written {
        tracing::warn!(%error, "when API keys were last used could not be written down; it is tried again");
    }
}
