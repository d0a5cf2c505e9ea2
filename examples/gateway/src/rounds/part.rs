//! What is done for each part.

use auth_core::issue::{Accounts, Clients};
use auth_core::revocation::Revocations;
use auth_core::store::Answer;
use auth_core::usage::UsageCounts;
use auth_core::{Clock as _, Now, Outcome, StoreError, SystemClock};

use crate::health::Trouble;
use crate::start::waiting_runtime;
use crate::wiring::{Keys, OpaqueTokens, Wired};

/// A part with a store.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Keys(Keys),
    OpaqueTokens(OpaqueTokens),
    Revocations(Revocations),
    Accounts(Accounts),
    Clients(Clients),
    Usage(UsageCounts),
}

impl Part {
    pub(super) fn all_of(wired: &Wired) -> Vec<Self> {
        let keys = wired.keys.clone().map(Self::Keys);
        let tokens = wired.opaque_tokens.clone().map(Self::OpaqueTokens);
        let revocations = wired.revocations.clone().map(Self::Revocations);
        let accounts = wired.accounts.clone().map(Self::Accounts);
        let clients = wired.clients.clone().map(Self::Clients);
        let usage = wired.usage.clone().map(Self::Usage);
        [keys, tokens, revocations, accounts, clients, usage].into_iter().flatten().collect()
    }

    /// What `/readyz` calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Keys(_) => "api keys",
            Self::OpaqueTokens(_) => "opaque tokens",
            Self::Revocations(_) => "revocations",
            Self::Accounts(_) => "accounts",
            Self::Clients(_) => "clients",
            Self::Usage(_) => "usage",
        }
    }

    /// Writes down what was used since the last time.
    pub(super) fn write_down(&self) {
        let written = match self {
            Self::Keys(keys) => keys.verifier.flush_used(),
            Self::OpaqueTokens(tokens) => tokens.verifier.flush_used(),
            Self::Usage(counts) => counts.flush(),
            Self::Revocations(_) | Self::Accounts(_) | Self::Clients(_) => return,
        };
        // without a runtime the store has the batch anyway; only its answer is not heard
        if let Some(Err(error)) = settled(written) {
            tracing::warn!(part = self.name(), %error, "last uses could not be written down; it is tried again");
        }
    }

    /// Asks the store, and takes up what it has to tell; `None` where nothing can be asked now.
    pub(super) fn look(&self, now: Now) -> Option<Result<(), (Trouble, StoreError)>> {
        let out = |error| (Trouble::Out, error);
        match self {
            Self::Keys(keys) => Some(settled(keys.verifier.ask_store(now))?.map_err(out)),
            Self::OpaqueTokens(tokens) => Some(settled(tokens.verifier.ask_store(now))?.map_err(out)),
            Self::Accounts(accounts) => Some(waiting_runtime().ok()?.block_on(accounts.ask_store()).map_err(out)),
            Self::Clients(clients) => Some(waiting_runtime().ok()?.block_on(clients.ask_store()).map_err(out)),
            // a store that does not answer costs nobody an answer but whoever asks for usage
            Self::Usage(_) => Some(Ok(())),
            Self::Revocations(list) => {
                let refreshed = waiting_runtime().ok()?.block_on(list.refresh(now));
                let trouble = || if list.is_current(SystemClock.now()) { Trouble::Degraded } else { Trouble::Out };
                Some(refreshed.map_err(|error| (trouble(), error)))
            }
        }
    }

    /// Throws away what has ended.
    pub(super) fn tidy(&self) {
        let Ok(runtime) = waiting_runtime() else { return };
        let now = SystemClock.now();
        let error = match self {
            Self::Revocations(_) => return,
            Self::Keys(keys) => runtime.block_on(keys.service.delete_revoked(now)).err().map(|error| error.to_string()),
            Self::Clients(clients) => runtime.block_on(clients.delete_ended(now)).err().map(|error| error.to_string()),
            Self::OpaqueTokens(tokens) => {
                runtime.block_on(tokens.service.delete_ended(now)).err().map(|error| error.to_string())
            }
            Self::Usage(counts) => runtime.block_on(counts.delete_old(now)).err().map(|error| error.to_string()),
            Self::Accounts(accounts) => {
                runtime.block_on(accounts.delete_ended(now)).err().map(|error| error.to_string())
            }
        };
        if let Some(error) = error {
            tracing::warn!(part = self.name(), error, "what has ended could not be deleted; it is tried again");
        }
    }
}

fn settled(answer: Answer<()>) -> Option<Result<(), StoreError>> {
    match answer {
        Outcome::Done(settled) => Some(settled),
        Outcome::Wait(pending) => Some(waiting_runtime().ok()?.block_on(pending)),
    }
}
