//! From `[clients]` to what works on them.

use std::sync::Arc;

use auth_core::issue::{AccessTokenIssuer, ClientParts, Clients};
use auth_core::policy::PermissionModel;
use auth_core::revocation::Revocations;
use auth_core::store::{AccountStore, ClientStore, LimitStore};
use auth_core::{Clock, Secret};

use super::peppers::peppers;
use crate::config;
use crate::problem::Problem;

/// What clients take besides their configuration.
pub(super) struct Needed<'n> {
    pub(super) store: Arc<dyn ClientStore>,
    pub(super) limit_store: Arc<dyn LimitStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pepper: &'n Secret,
    pub(super) issuer: &'n AccessTokenIssuer,
    pub(super) permissions: PermissionModel,
    pub(super) tenants: Option<Arc<dyn AccountStore>>,
    pub(super) revocations: Option<Revocations>,
}

pub(super) fn clients(settings: &config::Clients, needed: Needed<'_>) -> Result<Clients, Vec<Problem>> {
    let peppers = peppers(&settings.peppers, &settings.place, needed.pepper)?;
    let mut parts = ClientParts::new(needed.store, peppers, needed.issuer.clone(), needed.limit_store, needed.clock);
    parts.permissions = needed.permissions;
    parts.tenants = needed.tenants;
    parts.revocations = needed.revocations;
    parts.environments = settings.environments.iter().map(|name| name.as_str().into()).collect();
    parts.environment = settings.environment.as_deref().map(Arc::from);
    parts.id_prefix = settings.id_prefix.as_str().into();
    parts.quotas.client = settings.per_client.unwrap_or(parts.quotas.client);
    parts.quotas.source = settings.per_address.unwrap_or(parts.quotas.source);
    Ok(Clients::new(parts))
}
