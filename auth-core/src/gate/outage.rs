//! What a gate answers while it cannot know what is left of a budget.

use crate::error::StoreError;
use crate::gate::observe::Printable;
use crate::rejection::{Outage, Rejection};

/// What a gate answers while it cannot know what is left of a budget, because the store of limits is out.
///
/// It is about budgets alone: who a caller is and what it may do is decided as ever, whichever is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuringOutage {
    /// Nobody passes: 503 with `Retry-After`. The default, since a limit that protects something is no limit if it can
    /// be switched off by bringing down the store.
    #[default]
    Refuse,
    /// Everybody passes as if there were no limits, each request with a warning in the log and without fields that would
    /// tell of budgets.
    Admit,
}

impl DuringOutage {
    /// Whether the request goes on, with a line in the log if so; a refusal has one anyway.
    pub(super) fn answer(self, what: &str, error: &StoreError) -> Result<(), Rejection> {
        match self {
            Self::Refuse => Err(Rejection::Unavailable(Outage::new(format!("{what}: {error}")))),
            Self::Admit => {
                let error = error.to_string();
                tracing::warn!(
                    target: "auth::decision",
                    outcome = "degraded",
                    budgets = what,
                    cause = %Printable(&error),
                );
                Ok(())
            }
        }
    }
}
