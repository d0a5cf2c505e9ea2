//! OAuth clients.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{ClientChange, ClientRecord, Grants};
use crate::clock::Timestamp;
use crate::issue::accounts::journal::Event;
use crate::issue::{Clients, FreshClient, NewClient};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::store::ClientScope;

use super::{Administering, AdministrationError, not_too_long};

impl Administering<'_> {
    /// The client with this id.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn client(&self, id: &str) -> Result<Arc<ClientRecord>, AdministrationError> {
        Ok(self.clients_here()?.find(id).await?)
    }

    /// At most so many clients, the oldest first, from the one that follows `after` on.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn clients(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ClientRecord>, AdministrationError> {
        let scope = tenant.map_or(ClientScope::All, |tenant| ClientScope::Tenant(tenant.into()));
        Ok(self.clients_here()?.list(&scope, after, limit).await?)
    }

    /// Makes a client, with whatever it says.
    ///
    /// # Errors
    /// As [`Clients::create`].
    pub async fn create_client(&self, wanted: NewClient) -> Result<FreshClient, AdministrationError> {
        not_too_long(wanted.networks.as_ref())?;
        let fresh = self.clients_here()?.create(wanted, self.now).await?;
        self.told_client("client_create", &fresh.record.id);
        Ok(fresh)
    }

    /// Gives a client another secret; both work until the overlap has passed. Without one, its tokens end too.
    ///
    /// # Errors
    /// As [`Clients::rotate`].
    pub async fn rotate_client(&self, id: &str, overlap: Duration) -> Result<FreshClient, AdministrationError> {
        let fresh = self.clients_here()?.rotate(id, overlap, self.now).await?;
        self.told_client("client_rotate", id);
        Ok(fresh)
    }

    /// Switches a client off: it gets no tokens, and those it has are refused.
    ///
    /// # Errors
    /// As [`Clients::change`]; the same holds for what follows.
    pub async fn disable_client(&self, id: &str) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Disable, "client_disable").await
    }

    /// Switches a client on again; tokens from before stay refused.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn enable_client(&self, id: &str) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Enable, "client_enable").await
    }

    /// Puts a client on another plan. Access tokens go by the old one until they end.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn set_client_plan(&self, id: &str, plan: Option<Arc<str>>) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Plan(plan), "client_set_plan").await
    }

    /// Lets a client do this and nothing else; the tokens it has are refused.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn set_client_permissions(&self, id: &str, names: Names) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Permissions(names), "client_set_permissions").await
    }

    /// Allows a client from these networks alone; the tokens it has are refused.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn set_client_networks(
        &self,
        id: &str,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<ClientRecord, AdministrationError> {
        not_too_long(networks.as_ref())?;
        self.client_changed(id, ClientChange::Networks(networks), "client_set_networks").await
    }

    /// Lets a client ask for tokens with these grants and no others; the tokens it has are refused.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn set_client_grants(&self, id: &str, grants: Grants) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Grants(grants), "client_set_grants").await
    }

    /// Gives a client a JWK set of the public keys that it signs with; `None` takes them away. Tokens go on.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client); [`AdministrationError::Invalid`] where there is no public key in it, or one
    /// that is none.
    pub async fn set_client_keys(&self, id: &str, jwks: Option<Arc<str>>) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::PublicKeys(jwks), "client_set_keys").await
    }

    /// Ends a client then, and refuses the tokens it has; `None` takes its end away.
    ///
    /// # Errors
    /// As [`disable_client`](Self::disable_client).
    pub async fn set_client_expiry(
        &self,
        id: &str,
        end: Option<Timestamp>,
    ) -> Result<ClientRecord, AdministrationError> {
        self.client_changed(id, ClientChange::Expiry(end), "client_set_expiry").await
    }

    /// Removes a client without a trace; the tokens it has are refused.
    ///
    /// # Errors
    /// As [`Clients::delete`].
    pub async fn delete_client(&self, id: &str) -> Result<(), AdministrationError> {
        self.clients_here()?.delete(id).await?;
        self.told_client("client_delete", id);
        Ok(())
    }

    fn clients_here(&self) -> Result<&Clients, AdministrationError> {
        self.all.clients.as_ref().ok_or(AdministrationError::Absent("OAuth clients"))
    }

    async fn client_changed(
        &self,
        id: &str,
        change: ClientChange,
        what: &'static str,
    ) -> Result<ClientRecord, AdministrationError> {
        let record = self.clients_here()?.change(id, change).await?;
        self.told_client(what, id);
        Ok(record)
    }

    fn told_client(&self, what: &'static str, id: &str) {
        self.tell(Event { client_id: Some(id), ..Event::of(what) });
    }
}
