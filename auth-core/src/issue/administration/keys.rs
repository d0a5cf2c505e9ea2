//! API keys, whoever owns them.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::ApiKeyRecord;
use crate::issue::accounts::journal::Event;
use crate::issue::{Accounts, MintedKey, NewKey};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::store::{KeyChange, KeyScope};

use super::{Administering, AdministrationError, not_too_long};

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
        Ok(self.api_keys()?.page(scope, after, limit).await?)
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
    /// As [`ApiKeys::mint`](crate::issue::ApiKeys::mint).
    pub async fn create_key(&self, wanted: NewKey) -> Result<MintedKey, AdministrationError> {
        let minted = self.api_keys()?.mint(wanted, self.now).await?;
        self.told_key("key_create", &minted.record.id);
        Ok(minted)
    }

    /// Replaces a key by a new one; both work until the overlap has passed. Without one, the sessions end that were opened with
    /// the old key.
    ///
    /// # Errors
    /// As [`ApiKeys::rotate`](crate::issue::ApiKeys::rotate).
    pub async fn rotate_key(&self, id: &str, overlap: Duration) -> Result<MintedKey, AdministrationError> {
        let minted = self.api_keys()?.rotate(id, overlap, self.now).await?;
        if overlap.is_zero() {
            self.end_sessions_of_key(&minted.record, id).await?;
        }
        self.told_key("key_rotate", id);
        Ok(minted)
    }

    /// Takes a key back for good, and ends the sessions that were opened with it.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn revoke_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        self.ended(self.key_changed(id, KeyChange::Revoke, "key_revoke").await?).await
    }

    /// Switches a key off until it is switched on again, and ends the sessions that were opened with it.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`]; [`KeyError::Ended`](crate::issue::KeyError::Ended) where it is revoked.
    pub async fn disable_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        self.ended(self.key_changed(id, KeyChange::Disable, "key_disable").await?).await
    }

    /// Switches a key on again.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key); [`KeyError::OwnerOff`](crate::issue::KeyError::OwnerOff).
    pub async fn enable_key(&self, id: &str) -> Result<ApiKeyRecord, AdministrationError> {
        let enabled = self.api_keys()?.enable(id).await?;
        self.told_key("key_enable", id);
        Ok(enabled)
    }

    /// Puts a key on another plan.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_plan(&self, id: &str, plan: Option<Arc<str>>) -> Result<ApiKeyRecord, AdministrationError> {
        self.key_changed(id, KeyChange::Plan(plan), "key_set_plan").await
    }

    /// Lets the bearer of a key do this and nothing else. Access tokens of sessions that were opened with it are refused.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_permissions(&self, id: &str, names: Names) -> Result<ApiKeyRecord, AdministrationError> {
        self.narrowed(self.key_changed(id, KeyChange::Permissions(names), "key_set_permissions").await?).await
    }

    /// Allows a key from these networks alone; `None` allows it from any. Access tokens of sessions that were opened with it are
    /// refused.
    ///
    /// # Errors
    /// As [`disable_key`](Self::disable_key).
    pub async fn set_key_networks(
        &self,
        id: &str,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<ApiKeyRecord, AdministrationError> {
        not_too_long(networks.as_ref())?;
        self.narrowed(self.key_changed(id, KeyChange::Networks(networks), "key_set_networks").await?).await
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

    async fn ended(&self, key: ApiKeyRecord) -> Result<ApiKeyRecord, AdministrationError> {
        self.end_sessions_of_key(&key, &key.id).await?;
        Ok(key)
    }

    /// Of the owner of that key.
    async fn end_sessions_of_key(&self, owned: &ApiKeyRecord, key: &str) -> Result<(), AdministrationError> {
        if let Some(accounts) = self.accounts_of(owned) {
            accounts.end_sessions_of_key(&owned.owner, key, self.now).await?;
        }
        Ok(())
    }

    /// Sessions that were opened with a key go on with what it allows now.
    async fn narrowed(&self, key: ApiKeyRecord) -> Result<ApiKeyRecord, AdministrationError> {
        if let Some(accounts) = self.accounts_of(&key) {
            accounts.refuse_tokens_of_key(&key.owner, &key.id, self.now).await?;
        }
        Ok(key)
    }

    /// The accounts that the owner of a key belongs to.
    fn accounts_of(&self, key: &ApiKeyRecord) -> Option<&Accounts> {
        self.all.accounts.as_ref().filter(|accounts| *accounts.issuer() == key.issuer)
    }

    fn told_key(&self, what: &'static str, id: &str) {
        self.tell(Event { key: Some(id), ..Event::of(what) });
    }
}
