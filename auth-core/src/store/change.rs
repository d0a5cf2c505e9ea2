//! What can be changed about a key.

use std::sync::Arc;

use crate::api_key::{ApiKeyRecord, KeyStatus};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::names::Names;
use crate::network::NetworkSet;

/// One change to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// Takes it back, for good.
    Revoke,
    /// Switches it off until it is switched on again.
    Disable,
    /// Switches it on again, where it was switched off by itself.
    Enable,
    /// Puts it out of force with its owner or its tenant. One that is switched off by itself stays as it is.
    Suspend,
    /// Puts it back in force with its owner and its tenant. One that was switched off by itself stays off.
    Resume,
    /// Calls it something else.
    Name(Arc<str>),
    /// Says something else about it.
    Description(Option<Arc<str>>),
    /// Lets the bearer do this and nothing else.
    Permissions(Names),
    /// Makes the bearer this and nothing else.
    Roles(Names),
    /// Puts the bearer on another plan.
    Plan(Option<Arc<str>>),
    /// Allows the key from these networks alone; `None` allows it from any.
    Networks(Option<Arc<NetworkSet>>),
    /// Says which networks its owner and their tenants allow.
    OwnerNetworks(Option<Arc<NetworkSet>>),
    /// Ends the key then; `None` takes its end away.
    Expiry(Option<Timestamp>),
}

impl KeyChange {
    /// The changed record. A store applies it within its atomic step.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for every change but revocation to a key that is revoked.
    pub fn apply(self, record: &mut ApiKeyRecord) -> Result<(), StoreError> {
        if record.status == KeyStatus::Revoked && self != Self::Revoke {
            return Err(StoreError::Conflict);
        }
        match self {
            Self::Revoke => record.status = KeyStatus::Revoked,
            Self::Disable => record.status = KeyStatus::Disabled,
            Self::Enable if record.status == KeyStatus::Disabled => record.status = KeyStatus::Active,
            Self::Suspend if record.status == KeyStatus::Active => record.status = KeyStatus::Suspended,
            Self::Resume if record.status == KeyStatus::Suspended => record.status = KeyStatus::Active,
            Self::Enable | Self::Suspend | Self::Resume => {}
            Self::Name(name) => record.name = name,
            Self::Description(description) => record.description = description,
            Self::Permissions(permissions) => record.permissions = permissions,
            Self::Roles(roles) => record.roles = roles,
            Self::Plan(plan) => record.plan = plan,
            Self::Networks(networks) => record.networks = networks,
            Self::OwnerNetworks(networks) => record.owner_networks = networks,
            Self::Expiry(end) => record.expires = end,
        }
        Ok(())
    }
}
