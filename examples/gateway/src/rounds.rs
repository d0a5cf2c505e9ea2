//! What is done for API keys behind the back of requests: writing down when they were last used, and telling the
//! [`Health`] whether their store answers.
//!
//! A thread of its own does it, since the two gateways have different runtimes and neither shall have to care.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use auth_core::Outcome;
use auth_core::gate::Context;
use auth_core::store::Answer;
use auth_core::verify::ApiKeyVerifier;
use auth_core::{Clock as _, StoreError, SystemClock};

use crate::cli::Failure;
use crate::health::{Health, Trouble};
use crate::start::waiting_runtime;
use crate::wiring::Wired;

/// How often: what a crash may lose of the last-used times, and how long `/readyz` may be behind.
const INTERVAL: Duration = Duration::from_secs(2);

/// What `/readyz` calls the store.
const PART: &str = "api keys";

/// The verifiers of API keys that requests are still asked about: the newest, and those of configurations before it
/// whose last requests are not done yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeysInUse(Arc<Mutex<Vec<InUse>>>);

#[derive(Clone, Debug)]
struct InUse {
    verifier: Option<ApiKeyVerifier>,
    /// There for as long as somebody can be admitted by the verifier.
    context: Weak<Context>,
}

impl KeysInUse {
    /// Adds the keys of the newest configuration, which may have none.
    pub(crate) fn add(&self, wired: &Wired) {
        let verifier = wired.keys.as_ref().map(|keys| keys.verifier.clone());
        let context = Arc::downgrade(&wired.gate.context());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(InUse { verifier, context });
    }

    fn newest(&self) -> Option<ApiKeyVerifier> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last()?.verifier.clone()
    }

    /// Writes down every use, and forgets the verifiers that there will be no more of.
    fn write_down(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // looked at before the last uses are written down, so that there can be none behind them
        let is_over: Vec<bool> = all.iter().map(|keys| keys.context.strong_count() == 0).collect();
        all.iter().filter_map(|keys| keys.verifier.as_ref()).for_each(write_down);
        let mut is_over = is_over.into_iter();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_| !is_over.next().unwrap_or(false));
    }
}

/// Makes its rounds until it is dropped; then uses are written down once more.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// There until the value is dropped, which the thread notices.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(keys: KeysInUse, health: Arc<Health>) -> Result<Self, Failure> {
        let (alive, watched) = channel::<()>();
        let thread = std::thread::Builder::new().name("key-rounds".to_owned()).spawn(move || {
            let mut answers = true;
            while watched.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                keys.write_down();
                answers = watch(keys.newest().as_ref(), &health, answers);
            }
            keys.write_down();
        });
        Ok(Self { alive: Some(alive), thread: Some(thread.map_err(Failure::obstacle)?) })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // a panic over there was reported over there
            let _ = thread.join();
        }
    }
}

fn write_down(verifier: &ApiKeyVerifier) {
    // without a runtime the store has the batch anyway; only its answer is not heard
    if let Some(Err(error)) = settled(verifier.flush_used()) {
        tracing::warn!(%error, "when API keys were last used could not be written down; it is tried again");
    }
}

/// Answers whether the store does, `answered` is whether it did before; only changes are logged.
fn watch(verifier: Option<&ApiKeyVerifier>, health: &Health, answered: bool) -> bool {
    let Some(verifier) = verifier else {
        health.report(PART, None);
        return true;
    };
    match settled(verifier.ask_store(SystemClock.now())) {
        None => answered,
        Some(Ok(())) => {
            health.report(PART, None);
            if !answered {
                tracing::info!("the store of API keys answers again");
            }
            true
        }
        Some(Err(error)) => {
            health.report(PART, Some(Trouble::Out));
            if answered {
                tracing::warn!(%error, "the store of API keys does not answer; requests with keys get 503");
            }
            false
        }
    }
}

fn settled(answer: Answer<()>) -> Option<Result<(), StoreError>> {
    match answer {
        Outcome::Done(settled) => Some(settled),
        Outcome::Wait(pending) => Some(waiting_runtime().ok()?.block_on(pending)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use auth_core::RequestHead;
    use auth_core::issue::NewKey;
    use auth_core::store::KeyScope;

    use super::*;
    use crate::config;
    use crate::wiring::{Resources, wire};

    const KEYS: &str = "[[credentials]]\nheader = \"x-api-key\"\nkinds = [\"api_key\"]\n[api_keys]\nprefix = \"gw\"\n\
                        [[routes]]\npath = \"/x\"\naccess = \"authenticated\"\n";

    fn done<T>(outcome: Outcome<T>) -> T {
        match outcome {
            Outcome::Done(value) => value,
            Outcome::Wait(pending) => waiting_runtime().unwrap().block_on(pending),
        }
    }

    #[test]
    fn what_the_last_requests_of_an_older_configuration_used_is_written_down() {
        let config = config::load(KEYS, "gateway.toml", Path::new("")).unwrap();
        let resources = Resources::in_memory(&config).unwrap();
        let (old, new) = (wire(&config, resources.clone()).unwrap(), wire(&config, resources.clone()).unwrap());
        let keys = KeysInUse::default();
        keys.add(&old);
        keys.add(&new);
        keys.write_down();
        let now = old.gate.now();
        let minted = waiting_runtime().unwrap();
        let minted =
            minted.block_on(old.keys.as_ref().unwrap().service.mint(NewKey::new("key", "owner"), now)).unwrap();
        let used = || {
            let records = done(resources.key_store.list(&KeyScope::All)).unwrap();
            records.first().unwrap().last_used
        };
        let headers = [("x-api-key", minted.key.expose_text().unwrap())];
        // still in flight when the configuration is replaced, and decided then
        let _ = done(old.gate.decide(&RequestHead::new("GET", "/x", &headers), now));
        drop(old);
        assert_eq!(used(), None);
        keys.write_down();
        assert!(used().is_some(), "the last use is lost");
        assert_eq!(keys.0.lock().unwrap().len(), 1, "the old verifier is kept for ever");
    }
}
