//! What a gate needs besides its configuration: a clock, a store of keys, secrets of its own.

use std::fmt;
use std::sync::Arc;

use auth_core::store::{ApiKeyStore, LimitStore, MemoryKeyStore, MemoryLimitStore, SqliteKeyStore};
use auth_core::{Clock, Secret, StoreError, SystemClock};

use crate::config::{Config, KeyStore};
use crate::data_dir::{DataDir, DataDirError};
use crate::own_tokens::{OwnTokens, SigningError, random_text};

/// What a gate needs besides its configuration.
#[derive(Clone)]
pub struct Resources {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where API keys are kept.
    pub key_store: Arc<dyn ApiKeyStore>,
    /// Where budgets are kept.
    pub limit_store: Arc<dyn LimitStore>,
    /// What API keys are hashed with, unless the configuration says otherwise.
    pub pepper: Secret,
    /// The gateway's own tokens; as many as the configuration has, one or none.
    pub own_tokens: Option<OwnTokens>,
}

/// Why something that a gate needs is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResourceError {
    /// The data directory.
    DataDir(DataDirError),
    /// The key for the gateway's own tokens.
    Signing(SigningError),
    /// The store of API keys.
    Store(StoreError),
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            Self::Signing(error) => error.fmt(f),
            Self::Store(error) => write!(f, "API keys: {error}"),
        }
    }
}

impl std::error::Error for ResourceError {}

impl From<DataDirError> for ResourceError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

impl From<SigningError> for ResourceError {
    fn from(error: SigningError) -> Self {
        Self::Signing(error)
    }
}

impl From<StoreError> for ResourceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The name of the `SQLite` file in the data directory.
const DATABASE: &str = "gateway.sqlite3";

/// The name of the file in the data directory with what keys are hashed with.
const PEPPER: &str = "pepper";

impl Resources {
    /// Everything in memory and made anew: for checking a configuration, and for tests.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn in_memory(config: &Config) -> Result<Self, ResourceError> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            key_store: Arc::new(MemoryKeyStore::new()),
            limit_store: budgets(config),
            pepper: Secret::from(random_text(48)?),
            own_tokens: config.tokens.as_ref().map(OwnTokens::ephemeral).transpose()?,
        })
    }

    /// What the data directory holds; what is not there yet is made.
    ///
    /// # Errors
    /// Something cannot be read, made or opened.
    pub fn open(config: &Config, data_dir: &DataDir) -> Result<Self, ResourceError> {
        let (key_store, pepper) = keys(kept_in(config), data_dir)?;
        Ok(Self {
            clock: Arc::new(SystemClock),
            key_store,
            limit_store: budgets(config),
            pepper,
            own_tokens: own_tokens(config, data_dir)?,
        })
    }

    /// The same for another configuration: everything that is there goes on, but a store of keys at another place.
    ///
    /// # Errors
    /// Something cannot be read, made or opened.
    pub(crate) fn renewed(&self, was: &Config, config: &Config, data_dir: &DataDir) -> Result<Self, ResourceError> {
        let (key_store, pepper) = if kept_in(was) == kept_in(config) {
            (Arc::clone(&self.key_store), self.pepper.clone())
        } else {
            keys(kept_in(config), data_dir)?
        };
        Ok(Self { key_store, pepper, own_tokens: own_tokens(config, data_dir)?, ..self.clone() })
    }
}

fn kept_in(config: &Config) -> Option<&KeyStore> {
    config.api_keys.as_ref().map(|keys| &keys.store)
}

fn keys(store: Option<&KeyStore>, data_dir: &DataDir) -> Result<(Arc<dyn ApiKeyStore>, Secret), ResourceError> {
    let key_store: Arc<dyn ApiKeyStore> = match store {
        None | Some(KeyStore::Memory) => Arc::new(MemoryKeyStore::new()),
        Some(KeyStore::Sqlite(file)) => {
            let file = file.clone().unwrap_or_else(|| data_dir.file(DATABASE));
            Arc::new(SqliteKeyStore::open(file)?)
        }
    };
    let fresh = random_text(48)?.into_bytes();
    let pepper = if store.is_some() { data_dir.read_or_create(PEPPER, fresh)? } else { fresh };
    Ok((key_store, Secret::new(pepper)))
}

fn own_tokens(config: &Config, data_dir: &DataDir) -> Result<Option<OwnTokens>, SigningError> {
    config.tokens.as_ref().map(|tokens| OwnTokens::open(tokens, data_dir)).transpose()
}

fn budgets(config: &Config) -> Arc<dyn LimitStore> {
    Arc::new(MemoryLimitStore::with_capacity(config.limits.capacity.unwrap_or(MemoryLimitStore::DEFAULT_CAPACITY)))
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources").field("own_tokens", &self.own_tokens).finish_non_exhaustive()
    }
}
