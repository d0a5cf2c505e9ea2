//! The gate: the one thing adapters hold, and [`decide`](Gate::decide), the one thing they call.
//!
//! The stages of a decision, in this order, after verifiers that remember very many credentials were told which one comes,
//! so that memory is fetched meanwhile:
//!
//! 1. the route's rule, matched on the path as sent, which must have one reading only;
//! 2. CORS preflights end here, and public routes go on to stage 6 with nobody in particular;
//! 3. the one credential of the request; one in a cookie counts only where no other site can have sent it along;
//! 4. the verifier for that kind of credential, which remembers an identity or yields one; where failed attempts are counted, only for
//!    credentials that are known or while the address has some left;
//! 5. whether it was taken back;
//! 6. the caller's budgets, all in one step: the principal's, or those of the address where there is none;
//! 7. the networks, tenant and permissions that the rule demands.
//!
//! Each stage refuses or hands on. Nothing after a refusal runs, and nothing is let through for want of an answer. Since
//! budgets are charged before the rule is asked, probing for permissions is bounded too; a credential that is not good
//! is charged to nobody, but to the failed attempts of its address where those are counted.

mod admission;
mod ahead;
mod attached;
mod budget;
mod builder;
mod case;
mod context;
mod cross_site;
mod decide;
mod failed_attempts;
mod layers;
mod limits;
mod live;
mod observe;
mod outage;
mod pending;
mod request_id;
mod response_fields;
pub(crate) mod share;
#[cfg(test)]
mod tests;
mod waiting;

use std::fmt;
use std::sync::Arc;

pub use admission::{Admission, Caller, Decision, Refusal};
pub use attached::{Attached, RequiredPermission};
pub use builder::GateBuilder;
pub use context::Context;
pub use failed_attempts::{AttemptsUnderWay, Clients, FailedAttempts};
pub use limits::Limits;
pub use outage::DuringOutage;
pub use request_id::RequestIds;
#[cfg(feature = "issue")]
pub(crate) use request_id::request_id;
pub use response_fields::{Existing, ResponseFields};

use crate::clock::Now;
use crate::error::ConfigErrors;
use crate::gate::live::Live;
use crate::policy::Rule;

/// Decides on requests: who they come from, and whether they may pass.
///
/// Cloning copies two pointers; every clone is the same gate. What it decides by can be [replaced](Self::replace) while
/// it serves.
#[derive(Clone)]
pub struct Gate {
    live: Arc<Live>,
    /// The one rule of a layer, in the place of the route table.
    rule: Option<Arc<Rule>>,
}

impl Gate {
    /// Begins a gate. It takes no credential and lets nobody pass until the builder is told what to accept.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    /// Reads the gate's clock. Adapters do so once, when a request arrives.
    ///
    /// It is the [recent](crate::Clock::recent) time where the gate keeps no budgets: credentials live for minutes.
    pub fn now(&self) -> Now {
        self.live.now()
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
        let rule = Arc::new(rule.into());
        self.live.add_layer(&rule)?;
        Ok(Self { live: Arc::clone(&self.live), rule: Some(rule) })
    }

    /// Decides by what the builder says from now on: route table, permissions, verifiers and their keys, limits,
    /// revocations, trusted proxies and the style of refusals change together, in every clone and every layer.
    ///
    /// Each request is decided by one of the two alone: by what held when it arrived, however long its decision waits and
    /// whatever layers it passes. Stores are not part of this: hand the same ones to the builder to keep budgets, keys
    /// and revocations. The clock stays.
    ///
    /// ```
    /// use auth_core::gate::Gate;
    /// use auth_core::policy::{Policy, authenticated, public};
    ///
    /// let gate = Gate::builder().policy(Policy::new().get("/status", public())).build()?;
    /// let layer = gate.requiring(authenticated())?;
    /// gate.replace(Gate::builder().policy(Policy::new().get("/status", authenticated())))?;
    /// // a mistake changes nothing
    /// assert!(gate.replace(Gate::builder().policy(Policy::new().get("status", public()))).is_err());
    /// # Ok::<(), auth_core::ConfigErrors>(())
    /// ```
    ///
    /// # Errors
    /// As [`GateBuilder::build`], and each layer whose [rule](Self::requiring) does not fit any more. The gate stays as
    /// it was.
    pub fn replace(&self, next: GateBuilder) -> Result<(), ConfigErrors> {
        self.live.replace(next)
    }

    /// What the gate decides by now.
    ///
    /// Whatever belongs to a request that was admitted should ask its principal for
    /// [what it was admitted by](crate::Principal::context) instead.
    pub fn context(&self) -> Arc<Context> {
        Arc::clone(self.live.current().own().context())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("sources", &self.live.current().own().sources).finish_non_exhaustive()
    }
}
