//! One configuration, and the gate made of it.

use std::sync::Arc;

use auth_core::endpoint::Endpoints;
use auth_core::gate::Gate;
use auth_core::issue::SigningKeys;
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
    assertion_keys: Option<Arc<SigningKeys>>,
    health: Arc<Health>,
}

impl Generation {
    pub(crate) fn new(config: Arc<Config>, wired: &Wired, health: Arc<Health>) -> Self {
        let (gate, endpoints) = (wired.gate.clone(), wired.endpoints.clone());
        let (usage, assertion_keys) = (wired.usage.clone(), wired.assertion_keys.clone());
        Self { config, gate, endpoints, usage, assertion_keys, health }
    }

    /// A gateway with connections of its own to the upstreams.
    pub fn gateway(&self) -> Gateway {
        let (gate, endpoints, keys) = (self.gate.clone(), self.endpoints.clone(), self.assertion_keys.clone());
        Gateway::new(&self.config, gate, endpoints, Arc::clone(&self.health), keys).counting(self.usage.clone())
    }

    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }
}
