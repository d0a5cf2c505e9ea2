//! Those who have accounts together: organisations, partitions, workspaces.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::network::NetworkSet;

/// One tenant as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantRecord {
    /// The tenant's lasting name, unique in its store.
    pub id: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
    /// The plan that chooses the limits of its accounts, and its own.
    pub plan: Option<Arc<str>>,
    /// The networks that its accounts may be used from; `None` means any, an empty set means none.
    pub networks: Option<Arc<NetworkSet>>,
    /// Whether its accounts may be used.
    pub status: TenantStatus,
    /// When it was made.
    pub created: Timestamp,
}

/// Whether the accounts of a tenant may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantStatus {
    /// They may.
    Active,
    /// They may not, until it is switched on again: no session opens, none is refreshed.
    Disabled,
}

/// One change to a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantChange {
    /// Calls it something else.
    Name(Arc<str>),
    /// Puts it on another plan.
    Plan(Option<Arc<str>>),
    /// Allows its accounts from these networks alone; `None` allows them from any.
    Networks(Option<Arc<NetworkSet>>),
    /// Suspends it. Sessions of its accounts are refused from now on and live on when it is switched on again; whoever
    /// wants its access tokens refused as well revokes the [tenant](crate::revocation::Target::Tenant).
    Disable,
    /// Switches it on again.
    Enable,
}

impl TenantRecord {
    /// An active tenant without a plan; set the fields for more.
    pub fn new(id: impl Into<Arc<str>>, name: impl Into<Arc<str>>, created: Timestamp) -> Self {
        Self { id: id.into(), name: name.into(), plan: None, networks: None, status: TenantStatus::Active, created }
    }
}

impl TenantChange {
    /// Makes the change. A store does so within its atomic step.
    pub fn apply(self, record: &mut TenantRecord) {
        match self {
            Self::Name(name) => record.name = name,
            Self::Plan(plan) => record.plan = plan,
            Self::Networks(networks) => record.networks = networks,
            Self::Disable => record.status = TenantStatus::Disabled,
            Self::Enable => record.status = TenantStatus::Active,
        }
    }
}
