//! API keys, whoever owns them.

use std::sync::Arc;
use std::time::Duration;

use crate::account::TenantStatus;
use crate::api_key::{ApiKeyRecord, KeyStatus};
use crate::issue::accounts::journal::Event;
use crate::issue::{AccountError, MintedKey, NewKey};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::store::{KeyChange, KeyScope};

use super::{Administering, AdministrationError};

impl Administering<'_> {
    /// The key with this id.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        Ok(self.api_keys()?.find(id).await?)
    }

    /// At most so many keys in scope, the oldest first, from the one that follows `after` on. Nothing follows a key that is
    /// not there.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn keys(
        &self,
        scope: &KeyScope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ApiKeyRecord>, AdministrationError> {
        let all = self.api_keys()?.list(scope).await?;
        let begin = match after {
            None => 0,
            Some(after) => all.iter().position(|key| &*key.id == after).map_or(all.len(), |at| at + 1),
        };
        Ok(all.into_iter().skip(begin).take(limit).collect())
    }

    /// The scope of the keys of one owner.
    ///
    /// # Errors
    /// [`AdministrationError::Absent`].
    pub fn keys_owned_by(&self, owner: &str) -> Result<KeyScope, AdministrationError> {
        Ok(KeyScope::Owner { issuer: Arc::clone(self.api_keys()?.issuer()), subject: owner.into() })
    }

    /// Makes a key for whomever it says, with whatever it says.
    ///
    /// # Errors
    /// As [`ApiKeys::mint`](crate::issue::ApiKeys::mint); [`AdministrationError::State`] where its owner or its tenant is
    /// switched off.
    pub async fn create_key(&self, wanted: NewKey) -> Result<MintedKey, AdministrationError> {
        if !self.is_owner_on(&wanted.owner, wanted.tenant.as_deref()).await? {
            return Err(AdministrationError::State("its owner or its tenant is switched off"));
        }
        let minted = self.api_keys()?.mint(wanted, self.now).await?;
        self.told_key("key_create", &minted.record.id);
        Ok(minted)
    }

    /// Replaces a key by a new one; both work until the overlap has passed.
    ///
    /// # Errors
    /// As [`ApiKeys::rotate`](crate::issue::ApiKeys::rotate).
    pub async fn rotate_key(&self, id: &str, overlap: Duration) -> Result<MintedKey, AdministrationError> {
        let minted = self.api_keys()?.rotate(id, overlap, self.now).await?;
        self.told_key("key_rotate", id);
        Ok(minted)
    }

    /// Takes a key back for good.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn revoke_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Revoke, "key_revoke").await
    }

    /// Switches a key off until it is switched on again.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`]; [`KeyError::Ended`](crate::issue::KeyError::Ended) where it is revoked.
    pub async fn disable_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Disable, "key_disable").await
    }

    /// Switches a key on again.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key); [`AdministrationError::State`] where its owner or its tenant is switched off.
    pub async fn enable_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        let key = self.key(id).await?;
        if !self.owner_is_on(&key).await? {
            return Err(AdministrationError::State("its owner or its tenant is switched off"));
        }
        let changed = self.key_changed(id, KeyChange::Enable, "key_enable").await?;
        if changed.status == KeyStatus::Suspended {
            // the owner is on, so that whoever switched it on did not come this far
            return Ok(self.api_keys()?.change(id, KeyChange::Resume).await?);
        }
        Ok(changed)
    }

    /// Puts a key on another plan.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_plan(&self, id: &str, plan: Option<Arc<str>>) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Plan(plan), "key_set_plan").await
    }

    /// Lets the bearer of a key do this and nothing else.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_permissions(&self, id: &str, names: Names) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Permissions(names), "key_set_permissions").await
    }

    /// Allows a key from these networks alone; `None` allows it from any.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_networks(
        &self,
        id: &str,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Networks(networks), "key_set_networks").await
    }

    async fn key_changed(
        &self,
        id: &str,
        change: KeyChange,
        what: &'static str,
    ) -> Result<ApiKeyRecord, AdministrationError> {
        let record = self.api_keys()?.change(id, change).await?;
        self.told_key(what, id);
        Ok(record)
    }

    /// Whether neither the owner of a key nor the tenant it acts in is switched off.
    pub(super) async fn owner_is_on(&self, key: &ApiKeyRecord) -> Result<bool, AdministrationError> {
        self.is_owner_on(&key.owner, key.tenant.as_deref()).await
    }

    /// Owners and tenants that are not kept here are always on.
    async fn is_owner_on(&self, owner: &str, tenant: Option<&str>) -> Result<bool, AdministrationError> {
        let Some(accounts) = &self.all.accounts else { return Ok(true) };
        let tenant = match tenant {
            Some(id) => accounts.store().tenant(id).resolve().await?,
            None => None,
        };
        if tenant.is_some_and(|tenant| tenant.status == TenantStatus::Disabled) {
            return Ok(false);
        }
        match accounts.find(owner).await {
            Ok(user) => self.is_on(&user).await,
            Err(AccountError::Missing) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn told_key(&self, what: &'static str, id: &str) {
        self.tell(Event { key: Some(id), ..Event::of(what) });
    }
}
