//! Minting, listing, changing, rotating and revoking API keys.
//!
//! **Owners.** Where the owners of keys have accounts, a key is good from the networks that its owner and their tenants allow,
//! and for as long as they are switched on. A key carries both, so that verification asks nobody else: whoever changes an
//! account sees to its keys afterwards, and whoever makes a key looks at its owner once more afterwards. So one of the two
//! sees the other, and a key that was made while its owner was being switched off is never handed out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::account::{AccountStatus, TenantStatus};
use crate::api_key::{ApiKeyRecord, KeyFormat, KeyStatus, Peppers};
use crate::clock::Now;
use crate::error::StoreError;
use crate::network::NetworkSet;
use crate::store::{AccountStore, ApiKeyStore, KeyChange, KeyScope};
use crate::verify::ApiKeyVerifier;

use super::{KeyError, NewKey, mint};

/// The keys of one service: what endpoints and command lines work with.
///
/// Clones share everything.
#[derive(Clone)]
pub struct ApiKeys {
    format: KeyFormat,
    peppers: Peppers,
    store: Arc<dyn ApiKeyStore>,
    issuer: Arc<str>,
    owners: Option<Arc<dyn AccountStore>>,
    most: usize,
    revoked_kept_for: Duration,
}

/// How often an owner is looked at who is being changed all the time.
const PATIENCE: usize = 16;

/// How many keys an owner has at the most, unless it is said.
const MOST: usize = 100;

/// For how long revoked keys are kept, unless it is said: for whoever looks into what a key was and who had it.
const REVOKED_KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// A key that was just made: the only time its text is there.
#[derive(Debug)]
pub struct MintedKey {
    /// The key itself, to be handed to its owner and forgotten.
    pub key: Secret,
    /// What is kept of it.
    pub record: ApiKeyRecord,
}

impl ApiKeys {
    /// Keys of one format, whose owners this issuer vouches for.
    pub fn new(format: KeyFormat, peppers: Peppers, store: Arc<dyn ApiKeyStore>, issuer: impl Into<Arc<str>>) -> Self {
        let (issuer, most, revoked_kept_for) = (issuer.into(), MOST, REVOKED_KEPT_FOR);
        Self { format, peppers, store, issuer, owners: None, most, revoked_kept_for }
    }

    /// Keeps the records of revoked keys that long, instead of 30 days.
    #[must_use]
    pub fn keeping_revoked_for(self, revoked_kept_for: Duration) -> Self {
        Self { revoked_kept_for, ..self }
    }

    /// Removes the records of keys that were revoked [that long](Self::keeping_revoked_for) ago, counted from the first call
    /// behind the revocation. Call it now and then: revoked keys take none of their owners' room, so that without it
    /// there is no end to them. Whoever shows one that is gone is refused as before.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_revoked(&self, now: Now) -> Result<(), StoreError> {
        while self.store.delete_revoked(now.wall, self.revoked_kept_for).resolve().await? > 0 {}
        Ok(())
    }

    /// Whose owners have accounts in this store: keys follow what becomes of those and of their tenants.
    #[must_use]
    pub fn owned_by(self, accounts: Arc<dyn AccountStore>) -> Self {
        Self { owners: Some(accounts), ..self }
    }

    /// Lets an owner have at most so many keys that are neither revoked nor ended, 100 by default. Rotating may double that,
    /// until the overlaps are over.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The form of the keys.
    pub fn format(&self) -> &KeyFormat {
        &self.format
    }

    /// Who vouches for the owners of keys.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// A verifier of these keys.
    pub fn verifier(&self) -> ApiKeyVerifier {
        ApiKeyVerifier::new(self.format.clone(), self.peppers.clone(), Arc::clone(&self.store))
    }

    /// Makes a key. Its text is in the answer, and nowhere else ever after.
    ///
    /// # Errors
    /// [`KeyError::Environment`] and [`KeyError::Invalid`] where the wish cannot be granted, otherwise what went wrong
    /// on the way; then there is no key. [`KeyError::TooMany`] and [`KeyError::OwnerOff`].
    pub async fn mint(&self, wanted: NewKey, now: Now) -> Result<MintedKey, KeyError> {
        wanted.check(now)?;
        let bounds = self.bounds(&wanted.owner, wanted.tenant.as_deref()).await?;
        let (key, mut record) = self.blank(wanted.environment.as_deref(), wanted.owner, now)?;
        record.name = wanted.name;
        record.description = wanted.description;
        record.tenant = wanted.tenant;
        record.plan = wanted.plan;
        record.permissions = wanted.permissions;
        record.roles = wanted.roles;
        record.environment = wanted.environment;
        record.networks = wanted.networks;
        record.expires = wanted.expires;
        record.owner_networks = bounds;
        match self.store.insert_within(record.clone(), self.most).resolve().await {
            Err(StoreError::Full) => return Err(KeyError::TooMany(self.most)),
            inserted => inserted?,
        }
        let record = self.settled(record).await?;
        Ok(MintedKey { key, record })
    }

    /// Replaces a key by a new one with the same rights; both work until the overlap has passed.
    ///
    /// An overlap of zero ends the old key at once. The new key keeps the old one's end: rotation replaces a secret
    /// and prolongs nothing.
    ///
    /// # Errors
    /// [`KeyError::Missing`]; [`KeyError::Ended`] where the key is no longer good or was rotated before;
    /// [`KeyError::TooMany`].
    pub async fn rotate(&self, id: &str, overlap: Duration, now: Now) -> Result<MintedKey, KeyError> {
        for _ in 0..PATIENCE {
            let found = self.find(id).await?;
            match self.try_rotating(found.clone(), overlap, now).await {
                // it was changed in between, and its successor must be what it is now
                Err(KeyError::Ended) if self.find(id).await? != found => {}
                rotated => return rotated,
            }
        }
        Err(busy())
    }

    async fn try_rotating(&self, old: ApiKeyRecord, overlap: Duration, now: Now) -> Result<MintedKey, KeyError> {
        let id = Arc::clone(&old.id);
        old.check(now.wall).map_err(|_| KeyError::Ended)?;
        let (key, fresh) = self.blank(old.environment.as_deref(), Arc::clone(&old.owner), now)?;
        let mut record =
            ApiKeyRecord { id: fresh.id, digest: fresh.digest, pepper: fresh.pepper, shown: fresh.shown, ..old };
        record.created = now.wall;
        record.last_used = None;
        record.succession = None;
        record.rotated_from = Some(Arc::clone(&id));
        let overlap_end = now.wall.saturating_add(overlap);
        let most = self.most.saturating_mul(2);
        match self.store.rotate_within(&id, record.clone(), overlap_end, most).resolve().await {
            Ok(Some(_)) => Ok(MintedKey { key, record: self.following(record).await? }),
            Err(StoreError::Full) => Err(KeyError::TooMany(most)),
            Ok(None) => Err(KeyError::Missing),
            // random ids and digests do not meet, so another rotation or a revocation came first
            Err(StoreError::Conflict) => Err(KeyError::Ended),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a key back for good. From when this has answered, the key is refused; its record stays.
    ///
    /// # Errors
    /// [`KeyError::Missing`], or what went wrong in the store; then the key is as it was.
    pub async fn revoke(&self, id: &str) -> Result<ApiKeyRecord, KeyError> {
        self.change(id, KeyChange::Revoke).await
    }

    /// Changes one thing about a key.
    ///
    /// # Errors
    /// [`KeyError::Missing`]; [`KeyError::Ended`] where the key is revoked.
    pub async fn change(&self, id: &str, change: KeyChange) -> Result<ApiKeyRecord, KeyError> {
        match self.store.change(id, change).resolve().await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(KeyError::Missing),
            Err(StoreError::Conflict) => Err(KeyError::Ended),
            Err(error) => Err(error.into()),
        }
    }

    /// Switches a key on again.
    ///
    /// # Errors
    /// As [`change`](Self::change); [`KeyError::OwnerOff`] where its owner or a tenant is switched off: then it stays off.
    pub async fn enable(&self, id: &str) -> Result<ApiKeyRecord, KeyError> {
        let key = self.find(id).await?;
        self.bounds(&key.owner, key.tenant.as_deref()).await?;
        let enabled = self.following(self.change(id, KeyChange::Enable).await?).await?;
        if enabled.status == KeyStatus::Suspended { Err(KeyError::OwnerOff) } else { Ok(enabled) }
    }

    /// Changes one thing about every key in scope, in one step; answers those that it changed. Revoked keys stay as they are.
    ///
    /// # Errors
    /// What went wrong in the store; then every key is as it was.
    pub async fn change_all(&self, scope: &KeyScope, change: KeyChange) -> Result<Vec<ApiKeyRecord>, KeyError> {
        Ok(self.store.change_all(scope, change).resolve().await?)
    }

    /// Brings the keys in scope in line with what their owners and tenants allow now, and answers those that are not revoked.
    /// Call it after an owner or a tenant was changed.
    ///
    /// # Errors
    /// What went wrong in a store; then do it again.
    pub async fn follow_owners(&self, scope: &KeyScope) -> Result<Vec<ApiKeyRecord>, KeyError> {
        let mut followed = Vec::new();
        for key in self.list(scope).await? {
            if key.status == KeyStatus::Revoked {
                continue;
            }
            match self.following(key).await {
                Ok(key) => followed.push(key),
                // revoked in between, or gone
                Err(KeyError::Ended | KeyError::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(followed)
    }

    /// A key that was just made, in line with its owner as they are now. Where they are switched off it is removed: nobody was
    /// told it.
    async fn settled(&self, made: ApiKeyRecord) -> Result<ApiKeyRecord, KeyError> {
        let id = Arc::clone(&made.id);
        let settled = self.following(made).await?;
        if settled.status == KeyStatus::Suspended {
            self.store.delete(&id).resolve().await?;
            return Err(KeyError::OwnerOff);
        }
        Ok(settled)
    }

    /// Reads after it wrote, so that whoever changes the owner meanwhile is not overwritten by what was read before.
    async fn following(&self, mut key: ApiKeyRecord) -> Result<ApiKeyRecord, KeyError> {
        for _ in 0..PATIENCE {
            let standing = self.standing(&key.owner, key.tenant.as_deref()).await?;
            if standing.networks != key.owner_networks {
                key = self.change(&key.id, KeyChange::OwnerNetworks(standing.networks)).await?;
                continue;
            }
            match (standing.is_on, key.status) {
                (false, KeyStatus::Active) => key = self.change(&key.id, KeyChange::Suspend).await?,
                (true, KeyStatus::Suspended) => key = self.change(&key.id, KeyChange::Resume).await?,
                _ => return Ok(key),
            }
        }
        Err(busy())
    }

    /// The key with this id.
    ///
    /// # Errors
    /// [`KeyError::Missing`], or what went wrong in the store.
    pub async fn find(&self, id: &str) -> Result<ApiKeyRecord, KeyError> {
        self.store.by_id(id).resolve().await?.ok_or(KeyError::Missing)
    }

    /// The keys in scope, the oldest first.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn list(&self, scope: &KeyScope) -> Result<Vec<ApiKeyRecord>, KeyError> {
        Ok(self.store.list(scope).resolve().await?)
    }

    /// At most so many keys in scope, the oldest first, from the one that follows `after` on, a key's id. Nothing follows a key
    /// that is not in scope.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn page(
        &self,
        scope: &KeyScope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ApiKeyRecord>, KeyError> {
        Ok(self.store.page(scope, after, limit).resolve().await?)
    }

    /// The networks that the owner of a key, their tenant and the key's allow together.
    async fn bounds(&self, owner: &str, tenant: Option<&str>) -> Result<Option<Arc<NetworkSet>>, KeyError> {
        let standing = self.standing(owner, tenant).await?;
        if standing.is_on { Ok(standing.networks) } else { Err(KeyError::OwnerOff) }
    }

    /// Owners and tenants that are not kept here are always on, and allow every network.
    pub(super) async fn standing(&self, owner: &str, tenant: Option<&str>) -> Result<Standing, KeyError> {
        let mut standing = Standing { is_on: true, networks: None };
        let Some(accounts) = &self.owners else { return Ok(standing) };
        let account = accounts.by_id(owner).resolve().await?;
        let own = account.as_ref().and_then(|account| account.tenant.as_deref());
        if let Some(account) = &account {
            standing.with(account.status == AccountStatus::Active, account.networks.as_ref());
        }
        for id in own.into_iter().chain(tenant.filter(|tenant| Some(*tenant) != own)) {
            if let Some(tenant) = accounts.tenant(id).resolve().await? {
                standing.with(tenant.status == TenantStatus::Active, tenant.networks.as_ref());
            }
        }
        Ok(standing)
    }

    /// A new key, and a record with nothing but what follows from it.
    fn blank(&self, environment: Option<&str>, owner: Arc<str>, now: Now) -> Result<(Secret, ApiKeyRecord), KeyError> {
        let key = self.format.mint(environment)?;
        let text = key.expose_text().unwrap_or_default();
        let pepper = self.peppers.current();
        let id = mint::id("key_")?;
        let digest = pepper.digest(text);
        let mut record =
            ApiKeyRecord::new(id, digest, Arc::clone(pepper.id()), Arc::clone(&self.issuer), owner, now.wall);
        record.shown = self.format.shown_part(text).into();
        Ok((key, record))
    }
}

/// How the owner of a key and the tenants that it depends on stand.
pub(super) struct Standing {
    pub(super) is_on: bool,
    pub(super) networks: Option<Arc<NetworkSet>>,
}

impl Standing {
    fn with(&mut self, is_on: bool, networks: Option<&Arc<NetworkSet>>) {
        self.is_on &= is_on;
        self.networks = NetworkSet::meet(self.networks.as_ref(), networks);
    }
}

fn busy() -> KeyError {
    KeyError::Store(StoreError::Unavailable("the key or its owner is changed all the time".to_owned()))
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("format", &self.format)
            .field("peppers", &self.peppers)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
