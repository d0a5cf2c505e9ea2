//! The made-up OAuth clients.

use auth_core::Now;
use auth_core::issue::{ClientError, Clients, NewClient};

use super::document::DemoClient;
use super::{ACCOUNTS, DemoError, least, plan};
use crate::config::Config;

/// The clients that are there, or new ones where the store knows none of them.
pub(super) async fn clients(
    config: &Config,
    clients: &Clients,
    known: Option<&[DemoClient]>,
    now: Now,
) -> Result<Vec<DemoClient>, DemoError> {
    for client in known.unwrap_or_default() {
        match clients.find(&client.client_id).await {
            Ok(_) => return Ok(known.unwrap_or_default().to_vec()),
            Err(ClientError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let all: Vec<String> = config.permissions_needed().into_iter().map(str::to_owned).collect();
    let fewest: Vec<String> = least(config).into_iter().collect();
    let mut made = Vec::new();
    for (place, ((name, tenant), permissions)) in ACCOUNTS.into_iter().zip([all, fewest]).enumerate() {
        let plan = plan(config, place);
        let mut wanted = NewClient::new(name);
        wanted.tenant = Some(tenant.into());
        wanted.plan = plan.map(Into::into);
        wanted.permissions = permissions.iter().map(String::as_str).collect();
        let fresh = clients.create(wanted, now).await?;
        made.push(DemoClient {
            client_id: fresh.record.id.to_string(),
            client_secret: fresh.secret.expose_text().unwrap_or_default().to_owned(),
            tenant: Some(tenant.to_owned()),
            plan: plan.map(str::to_owned),
            environment: fresh.record.environment.as_deref().map(str::to_owned),
            permissions,
        });
    }
    Ok(made)
}

/// A token of the first client that is still one.
pub(super) async fn bearer(clients: &Clients, client: &DemoClient, now: Now) -> Result<Option<String>, DemoError> {
    let record = clients.find(&client.client_id).await?;
    if !record.is_usable(now.wall) {
        return Ok(None);
    }
    match clients.grant_own(&record, None, None, now).await {
        Ok(minted) => Ok(minted.token.expose_text().map(str::to_owned)),
        // somebody took the grant away; that is no reason not to start
        Err(ClientError::Grant) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
