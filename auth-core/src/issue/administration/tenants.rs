//! Tenants: those who have users together.

use std::sync::Arc;

use crate::account::{TenantChange, TenantRecord};
use crate::error::StoreError;
use crate::issue::ApiKeys;
use crate::issue::ClientError;
use crate::issue::accounts::journal::Event;
use crate::network::NetworkSet;
use crate::store::{AccountScope, ClientScope, KeyScope};

use super::{Administering, AdministrationError, not_too_long};

/// How many users of a tenant are looked at in one step.
const PAGE: usize = 500;

impl Administering<'_> {
    /// The tenant with this id.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn tenant(&self, id: &str) -> Result<TenantRecord, AdministrationError> {
        let found = self.accounts()?.store().tenant(id).resolve().await?;
        found.ok_or(AdministrationError::Missing("tenant"))
    }

    /// At most so many tenants, the oldest first, from the one that follows `after` on.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn tenants(&self, after: Option<&str>, limit: usize) -> Result<Vec<TenantRecord>, AdministrationError> {
        Ok(self.accounts()?.store().tenants(after, limit).resolve().await?)
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// [`AdministrationError::Taken`]; [`AdministrationError::Invalid`] where the id or the name cannot be one.
    pub async fn create_tenant(
        &self,
        id: &str,
        name: Option<&str>,
        plan: Option<Arc<str>>,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<TenantRecord, AdministrationError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if id.is_empty() || id.len() > 100 || !id.bytes().all(is_plain) {
            return Err(AdministrationError::Invalid("an id has 1 to 100 letters, digits, `_`, `-` and `.`"));
        }
        let name = name.unwrap_or(id);
        if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(AdministrationError::Invalid(
                "a name has 1 to 200 characters, none of them control characters",
            ));
        }
        not_too_long(networks.as_ref())?;
        let mut tenant = TenantRecord::new(id, name, self.now.wall);
        tenant.plan = plan;
        tenant.networks = networks;
        match self.accounts()?.store().insert_tenant(tenant.clone()).resolve().await {
            Err(StoreError::Conflict) => return Err(AdministrationError::Taken("a tenant with this id")),
            made => made?,
        }
        self.told("tenant_create", id);
        Ok(tenant)
    }

    /// Switches a tenant off: nobody of it logs in or refreshes, the access tokens of its users and clients are refused, and the keys
    /// that act in it are suspended.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn disable_tenant(&self, id: &str) -> Result<TenantRecord, AdministrationError> {
        let tenant = self.changed(id, TenantChange::Disable).await?;
        self.suspend(self.keys_in(id)).await?;
        for user in self.user_ids(id).await? {
            // a key of a user may name another tenant, or none
            self.suspend(self.keys_of(&user)).await?;
            self.accounts()?.refuse_tokens_so_far(&user, self.now).await?;
        }
        self.refuse_tokens_of_clients(id).await?;
        self.told("tenant_disable", id);
        Ok(tenant)
    }

    /// Switches a tenant on again. Refresh tokens and keys of its users are good again, but for those of users who are
    /// switched off, and keys that were switched off by themselves. Access tokens from before stay refused.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn enable_tenant(&self, id: &str) -> Result<TenantRecord, AdministrationError> {
        let tenant = self.changed(id, TenantChange::Enable).await?;
        for user in self.user_ids(id).await? {
            self.follow(self.keys_of(&user)).await?;
        }
        self.follow(self.keys_in(id)).await?;
        self.told("tenant_enable", id);
        Ok(tenant)
    }

    /// Puts a tenant on another plan, and with it those of its users who have none of their own and their keys.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn set_tenant_plan(&self, id: &str, plan: Option<Arc<str>>) -> Result<TenantRecord, AdministrationError> {
        let old = self.tenant(id).await?.plan;
        let tenant = self.changed(id, TenantChange::Plan(plan.clone())).await?;
        for user in self.user_ids(id).await? {
            if self.user(&user).await?.plan.is_none() {
                self.replan_keys(&user, old.as_deref(), plan.clone()).await?;
            }
        }
        self.told("tenant_set_plan", id);
        Ok(tenant)
    }

    /// Allows a tenant's users from these networks alone, and everything of theirs, and every key that acts in the tenant;
    /// see [`set_user_networks`](Self::set_user_networks). `None` allows any.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`]; [`AdministrationError::Invalid`] where the list is too long; what went wrong in a
    /// store: then do it again.
    pub async fn set_tenant_networks(
        &self,
        id: &str,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<TenantRecord, AdministrationError> {
        not_too_long(networks.as_ref())?;
        let tenant = self.changed(id, TenantChange::Networks(networks)).await?;
        self.follow(self.keys_in(id)).await?;
        for user in self.user_ids(id).await? {
            // a key of a user may name another tenant, or none
            self.follow(self.keys_of(&user)).await?;
            self.accounts()?.refuse_tokens_so_far(&user, self.now).await?;
        }
        self.refuse_tokens_of_clients(id).await?;
        self.told("tenant_set_networks", id);
        Ok(tenant)
    }

    /// Refuses what the OAuth clients of a tenant were given so far.
    async fn refuse_tokens_of_clients(&self, tenant: &str) -> Result<(), AdministrationError> {
        let Some(clients) = &self.all.clients else { return Ok(()) };
        let scope = ClientScope::Tenant(tenant.into());
        let mut after = None;
        loop {
            let page = clients.list(&scope, after.as_deref(), PAGE).await?;
            for client in &page {
                match clients.take_back_tokens(&client.id).await {
                    // somebody removed it meanwhile, which took them back too
                    Ok(_) | Err(ClientError::Missing) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id.to_string()),
                _ => return Ok(()),
            }
        }
    }

    async fn changed(&self, id: &str, change: TenantChange) -> Result<TenantRecord, AdministrationError> {
        let changed = self.accounts()?.store().change_tenant(id, change).resolve().await?;
        changed.ok_or(AdministrationError::Missing("tenant"))
    }

    /// The keys that act in a tenant; `None` where there are no keys at all.
    fn keys_in(&self, tenant: &str) -> Option<(ApiKeys, KeyScope)> {
        Some((self.owned_keys()?, KeyScope::Tenant(tenant.into())))
    }

    async fn user_ids(&self, tenant: &str) -> Result<Vec<Arc<str>>, AdministrationError> {
        let scope = AccountScope::Tenant(tenant.into());
        let mut ids: Vec<Arc<str>> = Vec::new();
        loop {
            let after = ids.last().cloned();
            let page = self.accounts()?.store().list(&scope, after.as_deref(), PAGE).resolve().await?;
            let is_last = page.len() < PAGE;
            ids.extend(page.into_iter().map(|user| user.id));
            if is_last {
                return Ok(ids);
            }
        }
    }

    fn told(&self, what: &'static str, tenant: &str) {
        self.tell(Event { tenant: Some(tenant), ..Event::of(what) });
    }
}
