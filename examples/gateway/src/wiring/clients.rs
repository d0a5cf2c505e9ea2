//! From `[clients]` to what works on them.

use std::sync::Arc;

use auth_core::issue::{AccessTokenIssuer, ClientParts, Clients};
use auth_core::revocation::Revocations;
use auth_core::store::{AccountStore, ClientStore, LimitStore, OnceStore};
use auth_core::{Clock, Secret};

use super::peppers::peppers;
use super::routes::permissions;
use crate::config::Config;
use crate::problem::Problem;

/// What clients take besides their configuration.
pub(super) struct Needed<'n> {
    pub(super) store: Arc<dyn ClientStore>,
    pub(super) used: Arc<dyn OnceStore>,
    pub(super) limit_store: Arc<dyn LimitStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pepper: &'n Secret,
    pub(super) tenants: Arc<dyn AccountStore>,
    pub(super) revocations: Option<Revocations>,
}

/// None where the configuration has none.
pub(super) fn clients(
    config: &Config,
    issuer: Option<&AccessTokenIssuer>,
    needed: Needed<'_>,
) -> Result<Option<Clients>, Vec<Problem>> {
    let (Some(settings), Some(issuer)) = (&config.clients, issuer) else { return Ok(None) };
    let peppers = peppers(&settings.peppers, &settings.place, needed.pepper)?;
    let mut parts = ClientParts::new(needed.store, peppers, issuer.clone(), needed.limit_store, needed.clock);
    parts.permissions = permissions(config);
    parts.tenants = config.accounts.as_ref().map(|_| needed.tenants);
    parts.used = Some(needed.used);
    parts.revocations = needed.revocations;
    parts.environments = settings.environments.iter().map(|name| name.as_str().into()).collect();
    parts.environment = settings.environment.as_deref().map(Arc::from);
    parts.id_prefix = settings.id_prefix.as_str().into();
    parts.quotas.client = settings.per_client.unwrap_or(parts.quotas.client);
    parts.quotas.source = settings.per_address.unwrap_or(parts.quotas.source);
    Ok(Some(Clients::new(parts)))
}
