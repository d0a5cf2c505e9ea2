//! Where API keys, opaque tokens, accounts, revocations and budgets are kept: what a store promises, and the stores that come along.
//!
//! Every operation is one atomic step, whose guarantee stands at the method. A step that needs no waiting answers at
//! once, so that verification against a store in memory is a plain function call.
//!
//! - `memory`: [`MemoryKeyStore`], gone when the process ends
//! - `token`: [`TokenStore`], what a store of opaque tokens promises
//! - `token_memory`: [`MemoryTokenStore`], gone when the process ends
//! - `account`: `AccountStore`, what a store of accounts and their sessions promises (feature `issue`)
//! - `account_memory`: `MemoryAccountStore`, gone when the process ends (feature `issue`)
//! - `client`: `ClientStore`, what a store of OAuth clients promises (feature `issue`)
//! - `client_memory`: `MemoryClientStore`, gone when the process ends (feature `issue`)
//! - `revocation`: [`RevocationStore`], what a store of revocations promises
//! - `revocation_memory`: [`MemoryRevocationStore`], gone when the process ends
//! - `sqlite`: `SqliteKeyStore`, `SqliteTokenStore`, `SqliteAccountStore` and `SqliteRevocations`, in one file or several,
//!   shared by several processes (feature `sqlite`)
//! - `link`: `LinkStore`, who accounts are at other issuers, and one in memory (feature `issue`)
//! - `trust`: `TrustStore`, what a store of partners promises, and one in memory (feature `issue`)
//! - `once`: `OnceStore`, what a store of things that may be used once promises, and one in memory (feature `issue`)
//! - `usage`: what a store of usage promises (feature `issue`)
//! - `limit`: [`LimitStore`], what a store of budgets promises
//! - `limit_memory`: [`MemoryLimitStore`], bounded and exact, gone when the process ends
//! - `index`: records by digest, read without a lock
//! - `change`: what can be changed about a key, for every store alike
//! - `conformance`: checks that a store keeps its promises (feature `conformance`)

#[cfg(feature = "issue")]
mod account;
#[cfg(feature = "issue")]
mod account_memory;
mod change;
#[cfg(feature = "issue")]
mod client;
#[cfg(feature = "issue")]
mod client_memory;
#[cfg(feature = "conformance")]
pub mod conformance;
mod index;
mod limit;
mod limit_memory;
#[cfg(feature = "issue")]
mod link;
mod memory;
#[cfg(feature = "issue")]
mod once;
mod revocation;
mod revocation_memory;
#[cfg(feature = "sqlite")]
mod sqlite;
mod token;
mod token_memory;
#[cfg(feature = "issue")]
mod trust;
#[cfg(feature = "issue")]
mod usage;

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::{ApiKeyRecord, HeldKey, KeyDigest, Succession};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::outcome::Outcome;

#[cfg(feature = "issue")]
pub use account::{AccountScope, AccountStore, SessionKey, Spending};
#[cfg(feature = "issue")]
pub use account_memory::MemoryAccountStore;
pub use change::KeyChange;
#[cfg(feature = "issue")]
pub use client::{ClientScope, ClientStore};
#[cfg(feature = "issue")]
pub use client_memory::MemoryClientStore;
pub use limit::LimitStore;
pub use limit_memory::{LimitUsage, MemoryLimitStore};
#[cfg(feature = "issue")]
pub use link::{LinkStore, MemoryLinkStore};
pub use memory::MemoryKeyStore;
#[cfg(feature = "issue")]
pub use once::{MemoryOnceStore, OnceKey, OnceStore};
pub use revocation::{Changes, Mark, RevocationStore};
pub use revocation_memory::MemoryRevocationStore;
#[cfg(all(feature = "sqlite", feature = "issue"))]
pub use sqlite::{
    SqliteAccountStore, SqliteClientStore, SqliteLinkStore, SqliteOnceStore, SqliteTrustStore, SqliteUsageStore,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteKeyStore, SqliteRevocations, SqliteTokenStore};
pub use token::{TokenScope, TokenStore, TokenUse};
pub use token_memory::MemoryTokenStore;
#[cfg(feature = "issue")]
pub use trust::{MemoryTrustStore, TrustStore};
#[cfg(feature = "issue")]
pub use usage::{MemoryUsageStore, UsageStore};

/// What a store answers: at once, or when the database has.
pub type Answer<T> = Outcome<Result<T, StoreError>>;

/// Keeps API keys.
///
/// A change is in force for every [`find`](Self::find) that begins after the change was answered. How soon it is in
/// force for other processes on the same data is said by each store.
pub trait ApiKeyStore: Send + Sync + 'static {
    /// The key with this digest, whatever its status. This is the hot path: a store answers from memory where it can.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be known now. Never `None` in doubt.
    fn find(&self, digest: &KeyDigest, now: Now) -> Answer<Option<Arc<HeldKey>>>;

    /// Whether memory holds a key with this digest, however old what it says. Never waits; the default holds nothing.
    ///
    /// Such a key is no guess, so that a gate which counts failed attempts looks it up whoever else fails from the same
    /// address.
    fn holds(&self, digest: &KeyDigest) -> bool {
        let _ = digest;
        false
    }

    /// Adds a key; all of it is there afterwards, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its id or its digest is there already; of two that add the same at once, one
    /// gets this.
    fn insert(&self, record: ApiKeyRecord) -> Answer<()> {
        self.insert_within(record, usize::MAX)
    }

    /// Adds a key, unless its owner has so many already that are not revoked and have not ended by the time that it was
    /// made; counting and adding are one step.
    ///
    /// # Errors
    /// [`StoreError::Full`] where they are there already, of whatever many add at once; otherwise as
    /// [`insert`](Self::insert).
    fn insert_within(&self, record: ApiKeyRecord, most: usize) -> Answer<()>;

    /// The key with this id.
    fn by_id(&self, id: &str) -> Answer<Option<ApiKeyRecord>>;

    /// The keys in scope, the oldest first.
    fn list(&self, scope: &KeyScope) -> Answer<Vec<ApiKeyRecord>>;

    /// At most so many of those, from the one that follows `after` on, a key's id. Nothing follows a key that is not in scope.
    fn page(&self, scope: &KeyScope, after: Option<&str>, limit: usize) -> Answer<Vec<ApiKeyRecord>>;

    /// Changes a key in one step, and answers what it is then; `None` where there is no such key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the key was revoked before and the change is not a revocation: revocation is
    /// for good, whatever else happens at the same moment.
    fn change(&self, id: &str, change: KeyChange) -> Answer<Option<ApiKeyRecord>>;

    /// Changes every key in scope in one step, and answers those that it changed, as they are then. Revoked keys stay as
    /// they are, but for a revocation.
    fn change_all(&self, scope: &KeyScope, change: KeyChange) -> Answer<Vec<ApiKeyRecord>>;

    /// Removes a key without a trace; answers whether it was there.
    fn delete(&self, id: &str) -> Answer<Removal>;

    /// Notes at that instant which keys were revoked and not noted before, and removes those that were noted so long ago or
    /// longer; answers how many it noted or removed.
    ///
    /// One step does at least one of them where there is any, and may leave others for the next call, so that no writer
    /// waits for long. So a revoked key is there at least that long, and is refused as before when it is gone: as one that
    /// nobody knows.
    fn delete_revoked(&self, now: Timestamp, kept_for: Duration) -> Answer<u64>;

    /// Adds a successor and gives the key it replaces an end, in one step: never one without the other.
    ///
    /// Answers the replaced key as it is then; `None` where there is no such key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the replaced key is not active or has a successor already (of several rotations
    /// of one key at once, exactly one succeeds), where it may do something that its successor may not or the other way
    /// round, so that a change which came between is not lost, or where the successor's id or digest is there already.
    fn rotate(&self, id: &str, successor: ApiKeyRecord, overlap_end: Timestamp) -> Answer<Option<ApiKeyRecord>> {
        self.rotate_within(id, successor, overlap_end, usize::MAX)
    }

    /// The same, unless its owner has so many keys already, counted as by [`insert_within`](Self::insert_within).
    ///
    /// # Errors
    /// [`StoreError::Full`]; otherwise as [`rotate`](Self::rotate).
    fn rotate_within(
        &self,
        id: &str,
        successor: ApiKeyRecord,
        overlap_end: Timestamp,
        most: usize,
    ) -> Answer<Option<ApiKeyRecord>>;

    /// Writes down uses, and new digests with them, all in one step.
    ///
    /// A time never moves back. Keys that are gone meanwhile are passed over; so is a new digest where another key has
    /// it.
    fn record_used(&self, uses: Vec<KeyUse>) -> Answer<()>;
}

/// Which keys to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Every key.
    All,
    /// The keys of one owner: issuer and subject together (RFC 7519 section 4.1.2).
    Owner {
        /// Who vouches for the owner.
        issuer: Arc<str>,
        /// The owner.
        subject: Arc<str>,
    },
    /// The keys that act in one tenant.
    Tenant(Arc<str>),
}

impl KeyScope {
    fn covers(&self, record: &ApiKeyRecord) -> bool {
        match self {
            Self::All => true,
            Self::Owner { issuer, subject } => record.issuer == *issuer && record.owner == *subject,
            Self::Tenant(tenant) => record.tenant.as_ref() == Some(tenant),
        }
    }
}

/// What removing a key or a client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It was there and is gone.
    Removed,
    /// There was none.
    Absent,
}

/// That a key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id.
    pub id: Arc<str>,
    /// When, to the second.
    pub at: Timestamp,
    /// The digest it shall have from now on, where it was found under an older pepper.
    pub rehash: Option<Rehash>,
}

/// A digest made with the current pepper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehash {
    /// The digest.
    pub digest: KeyDigest,
    /// The id of the current pepper.
    pub pepper: Arc<str>,
}

/// The key after a change; `None` where it stays as it is.
fn changed(record: &ApiKeyRecord, change: &KeyChange) -> Option<ApiKeyRecord> {
    let mut changed = record.clone();
    // a revoked key is in conflict with every change but one, and stays as it is
    change.clone().apply(&mut changed).ok()?;
    (changed != *record).then_some(changed)
}

/// Whether a key counts against its owner's room at that time.
fn takes_room(record: &ApiKeyRecord, at: Timestamp) -> bool {
    record.status != crate::api_key::KeyStatus::Revoked && record.end().is_none_or(|end| end > at)
}

/// What a rotation makes of the key that is replaced.
fn succeeded(mut record: ApiKeyRecord, successor: &ApiKeyRecord, overlap_end: Timestamp) -> Option<ApiKeyRecord> {
    if record.status != crate::api_key::KeyStatus::Active || record.succession.is_some() {
        return None;
    }
    let rights = |key: &ApiKeyRecord| {
        let networks = (key.networks.clone(), key.owner_networks.clone());
        (key.tenant.clone(), key.plan.clone(), key.permissions.clone(), key.roles.clone(), networks, key.expires)
    };
    if rights(&record) != rights(successor) {
        return None;
    }
    record.succession = Some(Succession { successor: Arc::clone(&successor.id), overlap_end });
    Some(record)
}
