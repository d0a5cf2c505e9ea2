//! The gate: the one thing adapters hold, and [`decide`](Gate::decide), the one thing they call.
//!
//! The stages of a decision, in this order:
//!
//! 1. the route's rule, matched on the path as sent, which must have one reading only;
//! 2. CORS preflights end here, and public routes go on to stage 6 with nobody in particular;
//! 3. the one credential of the request;
//! 4. the verifier for that kind of credential, which yields an identity; where failed attempts are counted, only for
//!    credentials that are known or while the address has some left;
//! 5. whether it was taken back;
//! 6. the caller's budgets, all in one step: the principal's, or those of the address where there is none;
//! 7. the networks, tenant and permissions that the rule demands.
//!
//! Each stage refuses or hands on. Nothing after a refusal runs, and nothing is let through for want of an answer. Since
//! budgets are charged before the rule is asked, probing for permissions is bounded too; a credential that is not good
//! is charged to nobody, but to the failed attempts of its address where those are counted.

mod admission;
mod attached;
mod builder;
mod context;
mod decide;
mod failed_attempts;
mod limits;
mod observe;
mod outage;
mod pending;
mod request_id;
mod response_fields;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use admission::{Admission, Caller, Decision, Refusal};
pub use attached::{Attached, RequiredPermission};
pub use builder::GateBuilder;
pub use context::Context;
pub use failed_attempts::{Clients, FailedAttempts};
pub use limits::Limits;
pub use outage::DuringOutage;
pub use request_id::RequestIds;
pub use response_fields::{Existing, ResponseFields};

use crate::clock::Now;
use crate::credential::{CredentialReader, SourceMask};
use crate::error::ConfigErrors;
use crate::network::NetworkSet;
use crate::policy::{CompiledPolicy, Rule};
use crate::revocation::Revocations;
use crate::verify::Verifier;

/// Decides on requests: who they come from, and whether they may pass.
///
/// Cloning copies two pointers; every clone is the same gate.
#[derive(Clone)]
pub struct Gate {
    parts: Arc<Parts>,
    policy: Arc<CompiledPolicy>,
}

/// What every clone of a gate shares, whatever its policy.
struct Parts {
    reader: CredentialReader,
    /// Who verifies what the reader finds, by the position of the source.
    verifiers: Vec<Vec<Arc<dyn Verifier>>>,
    /// The sources that are part of the URL.
    in_url: SourceMask,
    trusted_proxies: NetworkSet,
    revocations: Option<Revocations>,
    limits: Option<Limits>,
    failed_attempts: Option<FailedAttempts>,
    request_ids: RequestIds,
    context: Arc<Context>,
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
    /// A principal that another layer of the same gate attached already is taken over instead of verified again, and
    /// nobody pays twice for one request: the cost of an inner rule counts where no outer layer charged the caller.
    ///
    /// # Errors
    /// Everything that is wrong with the rule: it names a source the gate does not have, or a path parameter, or costs
    /// more than a budget holds.
    pub fn requiring(&self, rule: impl Into<Rule>) -> Result<Self, ConfigErrors> {
        let policy = CompiledPolicy::single(&rule.into(), &self.parts.context.permissions, &self.parts.reader)?;
        check_costs(self.parts.limits.as_ref(), &policy)?;
        Ok(Self { parts: Arc::clone(&self.parts), policy: Arc::new(policy) })
    }

    /// The gate's route table.
    pub fn policy(&self) -> &CompiledPolicy {
        &self.policy
    }

    /// What the gate shares with its adapters.
    pub fn context(&self) -> &Arc<Context> {
        &self.parts.context
    }
}

/// Finds what nobody could ever pay for.
fn check_costs(limits: Option<&Limits>, policy: &CompiledPolicy) -> Result<(), ConfigErrors> {
    let problems = limits.map(|limits| limits.check(policy.rules())).unwrap_or_default();
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("sources", &self.parts.context.sources).finish_non_exhaustive()
    }
}
