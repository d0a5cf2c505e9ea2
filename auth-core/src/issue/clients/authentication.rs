//! Who asks.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Secret;
use crate::account::{TenantRecord, TenantStatus};
use crate::api_key::KeyDigest;
use crate::client::{ClientRecord, ClientStatus};
use crate::clock::Now;
use crate::issue::journal::Event;
use crate::network::NetworkSet;

use super::{ClientError, ClientParts, Clients};

impl Clients {
    /// The client with this id, if this is one of its secrets and it may be used from there now.
    ///
    /// # Errors
    /// [`ClientError::Unauthenticated`], the same for everything that is wrong with client and secret;
    /// [`ClientError::TooMany`]; [`ClientError::Store`] where it cannot be known now.
    pub async fn authenticate(
        &self,
        id: &str,
        secret: &Secret,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Arc<ClientRecord>, ClientError> {
        let parts = &*self.0;
        let found = parts.store.by_id(id).resolve().await?;
        let has_it = parts.is_secret_of(found.as_deref(), secret, now);
        let found = found.filter(|_| has_it);
        self.settle(id, found, source, now).await
    }

    /// Charges for a proof that was looked at, and lets its client pass where it may be used.
    pub(super) async fn settle(
        &self,
        id: &str,
        proved: Option<Arc<ClientRecord>>,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Arc<ClientRecord>, ClientError> {
        let parts = &*self.0;
        let proved = match proved {
            Some(client) => Some(parts.bounded(client).await?),
            None => None,
        };
        let cause = match &proved {
            None => Some("no such client, or not its secret"),
            Some(client) => parts.obstacle(client, source, now).await?,
        };
        let Some((client, None)) = proved.as_ref().map(|client| (client, cause)) else {
            let cause = cause.unwrap_or_default();
            parts.charge_failure(source, now).await?;
            let known = proved.as_ref().map(|client| &*client.id);
            Event { client_id: known, ..Event::of("client_authentication") }.client(source).cause(cause).tell();
            return Err(ClientError::Unauthenticated(cause));
        };
        parts.charge_success(id, source, now).await?;
        Ok(Arc::clone(client))
    }
}

impl ClientParts {
    /// Compares with every secret that there may be, and as much where there is no client.
    fn is_secret_of(&self, client: Option<&ClientRecord>, secret: &Secret, now: Now) -> bool {
        let text = secret.expose_text().unwrap_or_default();
        let digests: Vec<(&Arc<str>, KeyDigest)> =
            self.peppers.iter().map(|hasher| (hasher.id(), hasher.digest(text))).collect();
        let kept = client.map_or(&[][..], |client| &client.secrets);
        kept.iter().fold(false, |found, one| {
            let is_it = digests.iter().any(|(pepper, digest)| **pepper == one.pepper && *digest == one.digest);
            found | (is_it & one.is_in_force(now.wall))
        })
    }

    /// Why a client may not be used from there now; `None` where it may.
    pub(super) async fn obstacle(
        &self,
        client: &ClientRecord,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Option<&'static str>, ClientError> {
        if client.status == ClientStatus::Disabled {
            return Ok(Some("the client is switched off"));
        }
        if !client.is_usable(now.wall) {
            return Ok(Some("the client has ended"));
        }
        if client.environment != self.environment {
            return Ok(Some("the client belongs to another environment"));
        }
        let networks = client.networks.as_ref();
        if networks.is_some_and(|set| !source.is_some_and(|source| set.contains(source))) {
            return Ok(Some("the client may not be used from this network"));
        }
        if self.tenant_of(client).await?.is_some_and(|tenant| tenant.status == TenantStatus::Disabled) {
            return Ok(Some("the tenant of the client is switched off"));
        }
        Ok(None)
    }

    /// The client with no more networks than its tenant allows.
    async fn bounded(&self, client: Arc<ClientRecord>) -> Result<Arc<ClientRecord>, ClientError> {
        let tenant = self.tenant_of(&client).await?;
        let Some(allowed) = tenant.as_ref().and_then(|tenant| tenant.networks.as_ref()) else { return Ok(client) };
        let networks = NetworkSet::meet(client.networks.as_ref(), Some(allowed));
        Ok(Arc::new(ClientRecord { networks, ..(*client).clone() }))
    }

    async fn tenant_of(&self, client: &ClientRecord) -> Result<Option<TenantRecord>, ClientError> {
        match (&self.tenants, &client.tenant) {
            (Some(tenants), Some(tenant)) => Ok(tenants.tenant(tenant).resolve().await?),
            _ => Ok(None),
        }
    }
}
