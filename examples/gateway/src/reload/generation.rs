//! One configuration, and the gate made of it.

use std::sync::Arc;

use auth_core::endpoint::Endpoints;
use auth_core::gate::Gate;
use auth_core::usage::UsageCounts;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::health::Health;
use crate::wiring::Wired;

/// One configuration, and the gate made of it. Cloning copies pointers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generation {
    /// The configuration.
    pub config: Arc<Config>,
    /// Who decides.
    pub gate: Gate,
    endpoints: Endpoints,
    usage: Option<UsageCounts>,
    health: Arc<Health>,
}

impl Generation {
    pub(crate) fn new(config: Arc<Config>, wired: &Wired, health: Arc<Health>) -> Self {
        let (gate, endpoints) = (wired.gate.clone(), wired.endpoints.clone());
        Self { config, gate, endpoints, usage: wired.usage.clone(), health }
    }

    /// A gateway with connections of its own to the upstreams.
    pub fn gateway(&self) -> Gateway {
        Gateway::new(&self.config, self.gate.clone(), self.endpoints.clone(), Arc::clone(&self.health))
            .counting(self.usage.clone())
    }

    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }
}
