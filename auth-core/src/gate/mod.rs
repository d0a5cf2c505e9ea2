//! The gate: the one thing adapters hold, and [`decide`](Gate::decide), the one thing they call.
//!
//! The stages of a decision, in this order:
//!
//! 1. the route's rule, matched on the path as sent, which must have one reading only;
//! 2. public routes and CORS preflights end here;
//! 3. the one credential of the request;
//! 4. the verifier for that kind of credential, which yields an identity;
//! 5. the networks, tenant and permissions that the rule demands of it.
//!
//! Each stage refuses or hands on. Nothing after a refusal runs, and nothing is let through for want of an answer.

mod admission;
mod attached;
mod builder;
mod context;
mod decide;
mod observe;
mod pending;
mod request_id;

use std::fmt;
use std::sync::Arc;

pub use admission::{Admission, Caller, Decision, Refusal};
pub use attached::{Attached, RequiredPermission};
pub use builder::GateBuilder;
pub use context::Context;
pub use request_id::RequestIds;

use crate::clock::Now;
use crate::credential::{CredentialReader, Source};
use crate::error::ConfigError;
use crate::network::NetworkSet;
use crate::policy::{Policy, Rule};
use crate::verify::Verifier;

/// Decides on requests: who they come from, and whether they may pass.
///
/// Cloning copies two pointers; every clone is the same gate.
#[derive(Clone)]
pub struct Gate {
    parts: Arc<Parts>,
    policy: Arc<Policy>,
}

/// What every clone of a gate shares, whatever its policy.
struct Parts {
    sources: Vec<SourceVerifiers>,
    reader: CredentialReader,
    trusted_proxies: NetworkSet,
    request_ids: RequestIds,
    context: Arc<Context>,
}

/// One place where credentials travel, and who verifies what is found there.
struct SourceVerifiers {
    source: Source,
    verifiers: Vec<Arc<dyn Verifier>>,
}

impl Gate {
    /// Begins a gate. It takes no credential and lets nobody pass until the builder is told what to accept.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    /// Reads the gate's clock. Adapters do so once, when a request arrives.
    pub fn now(&self) -> Now {
        self.parts.context.clock.now()
    }

    /// The same gate with one rule for every request in the place of its route table, for a layer around one route.
    ///
    /// A principal that another layer of the same gate attached already is taken over instead of verified again.
    ///
    /// # Errors
    /// If the rule cannot be met: it names a source the gate does not have, or a path parameter.
    pub fn requiring(&self, rule: impl Into<Rule>) -> Result<Self, ConfigError> {
        let sources = self.parts.sources.iter().map(|known| &known.source);
        let policy = Policy::single(rule, &self.parts.context.permissions, sources)?;
        Ok(Self { parts: Arc::clone(&self.parts), policy: Arc::new(policy) })
    }

    /// The gate's route table.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the gate shares with its adapters.
    pub fn context(&self) -> &Arc<Context> {
        &self.parts.context
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.parts.sources.iter().map(|known| &known.source);
        f.debug_struct("Gate").field("sources", &sources.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
