//! What a gate needs besides its configuration: a clock, a store of keys, secrets of its own.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use auth_core::gate::AttemptsUnderWay;
use auth_core::issue::{AccessTokenIssuer, SigningAlgorithm, SigningError, SigningKeys};
use auth_core::revocation::Revocations;
use auth_core::store::{
    AccountStore, ApiKeyStore, ClientStore, LimitStore, LinkStore, MemoryAccountStore, MemoryClientStore,
    MemoryKeyStore, MemoryLimitStore, MemoryLinkStore, MemoryOnceStore, MemoryTokenStore, MemoryTrustStore,
    MemoryUsageStore, OnceStore, SqliteAccountStore, SqliteClientStore, SqliteKeyStore, SqliteLinkStore,
    SqliteOnceStore, SqliteRevocations, SqliteTokenStore, SqliteTrustStore, SqliteUsageStore, TokenStore, TrustStore,
};
use auth_core::usage::UsageCounts;
use auth_core::{Clock, Now, Secret, StoreError, SystemClock};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::logins::Logins;
use crate::config::{Config, SECRET_PREFIX, Store};
use crate::data_dir::{DataDir, DataDirError};
use crate::key_file::{KeyFile, KeysError};
use crate::messages::Outbox;
use crate::own_tokens::{self, random_text};
use crate::start::waiting_runtime;

/// What a gate needs besides its configuration.
#[derive(Clone)]
pub struct Resources {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where API keys are kept.
    pub key_store: Arc<dyn ApiKeyStore>,
    /// Where opaque tokens are kept.
    pub token_store: Arc<dyn TokenStore>,
    /// Where accounts are kept.
    pub account_store: Arc<dyn AccountStore>,
    /// Where OAuth clients are kept.
    pub client_store: Arc<dyn ClientStore>,
    /// Where partners are kept.
    pub trust_store: Arc<dyn TrustStore>,
    /// What was used once, and may not be used again.
    pub once_store: Arc<dyn OnceStore>,
    /// Who accounts are at other issuers.
    pub link_store: Arc<dyn LinkStore>,
    /// How much keys are used; counted where an endpoint tells of it.
    pub usage: UsageCounts,
    /// The list of what was taken back; there if the configuration has one.
    pub revocations: Option<Revocations>,
    /// Where budgets are kept.
    pub limit_store: Arc<dyn LimitStore>,
    /// Attempts under way that may yet fail.
    pub attempts: AttemptsUnderWay,
    /// What is under way with logins.
    pub logins: Logins,
    /// What API keys, opaque tokens and the secrets of clients are hashed with, unless the configuration says otherwise.
    pub pepper: Secret,
    /// What messages to people are signed with, unless the configuration says otherwise.
    pub webhook_secret: Secret,
    /// Where messages wait until they are posted.
    pub outbox: Outbox,
    /// The gateway's own issuer, where the configuration has one.
    pub own_tokens: Option<AccessTokenIssuer>,
    /// What signs for upstreams who the caller is, where the configuration has assertions.
    pub assertion_keys: Option<Arc<SigningKeys>>,
}

/// Why something that a gate needs is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResourceError {
    /// The data directory.
    DataDir(DataDirError),
    /// The keys for the gateway's own tokens.
    Keys(KeysError),
    /// There are no random bytes.
    Signing(SigningError),
    /// A store, by what is kept there.
    Store(&'static str, StoreError),
    /// There is no way to wait for a store.
    Runtime(io::Error),
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Signing(error) => error.fmt(f),
            Self::Store(what, error) => write!(f, "{what}: {error}"),
            Self::Runtime(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResourceError {}

impl From<DataDirError> for ResourceError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

impl From<KeysError> for ResourceError {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<SigningError> for ResourceError {
    fn from(error: SigningError) -> Self {
        Self::Signing(error)
    }
}

/// The name of the `SQLite` file in the data directory.
const DATABASE: &str = "gateway.sqlite3";

/// The name of the file in the data directory with what messages are signed with.
const WEBHOOK_SECRET: &str = "webhook-secret";

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
            token_store: Arc::new(MemoryTokenStore::new()),
            account_store: Arc::new(MemoryAccountStore::new()),
            client_store: Arc::new(MemoryClientStore::new()),
            trust_store: Arc::new(MemoryTrustStore::new()),
            once_store: Arc::new(MemoryOnceStore::new()),
            link_store: Arc::new(MemoryLinkStore::new()),
            usage: UsageCounts::new(Arc::new(MemoryUsageStore::new())),
            revocations: config.revocations.as_ref().map(|_| Revocations::new()),
            limit_store: budgets(config),
            attempts: AttemptsUnderWay::default(),
            logins: Logins::default(),
            pepper: Secret::from(random_text(48)?),
            webhook_secret: Secret::from(fresh_webhook_secret()?),
            outbox: Outbox::default(),
            own_tokens: config.tokens.as_ref().map(own_tokens::ephemeral).transpose()?,
            assertion_keys: config.assertions.as_ref().map(|_| ephemeral_keys()).transpose()?,
        })
    }

    /// What the data directory holds; what is not there yet is made.
    ///
    /// # Errors
    /// Something cannot be read, made or opened.
    pub fn open(config: &Config, data_dir: &DataDir) -> Result<Self, ResourceError> {
        let clock = SystemClock;
        Ok(Self {
            key_store: key_store(config, data_dir)?,
            token_store: token_store(config, data_dir)?,
            account_store: account_store(config, data_dir)?,
            client_store: client_store(config, data_dir)?,
            trust_store: trust_store(config, data_dir)?,
            once_store: once_store(config, data_dir)?,
            link_store: link_store(config, data_dir)?,
            usage: usage(config, data_dir)?,
            revocations: revocations(config, data_dir, clock.now())?,
            limit_store: budgets(config),
            attempts: AttemptsUnderWay::default(),
            logins: Logins::default(),
            pepper: pepper(config, data_dir)?,
            webhook_secret: webhook_secret(config, data_dir)?,
            outbox: Outbox::default(),
            own_tokens: own_issuer(config, data_dir, clock.now())?,
            assertion_keys: assertion_keys(config, data_dir, clock.now())?,
            clock: Arc::new(clock),
        })
    }

    /// The same for another configuration: everything that is there goes on, but what is kept at another place.
    ///
    /// # Errors
    /// Something cannot be read, made or opened.
    pub(crate) fn renewed(&self, was: &Config, config: &Config, data_dir: &DataDir) -> Result<Self, ResourceError> {
        let mut renewed = Self {
            own_tokens: own_issuer(config, data_dir, self.clock.now())?,
            assertion_keys: assertion_keys(config, data_dir, self.clock.now())?,
            ..self.clone()
        };
        let (old, new) = (Places::of(was), Places::of(config));
        if old.keys != new.keys {
            renewed.key_store = key_store(config, data_dir)?;
            renewed.usage = usage(config, data_dir)?;
        }
        if old.opaque_tokens != new.opaque_tokens {
            renewed.token_store = token_store(config, data_dir)?;
        }
        if old.accounts != new.accounts {
            renewed.account_store = account_store(config, data_dir)?;
            renewed.trust_store = trust_store(config, data_dir)?;
            renewed.once_store = once_store(config, data_dir)?;
            renewed.link_store = link_store(config, data_dir)?;
        }
        if old.clients != new.clients {
            renewed.client_store = client_store(config, data_dir)?;
        }
        if old.revocations != new.revocations {
            renewed.revocations = revocations(config, data_dir, self.clock.now())?;
        }
        if !old.need_pepper() && new.need_pepper() {
            renewed.pepper = pepper(config, data_dir)?;
        }
        if !needs_webhook_secret(was) && needs_webhook_secret(config) {
            renewed.webhook_secret = webhook_secret(config, data_dir)?;
        }
        Ok(renewed)
    }
}

/// Where a configuration keeps what.
struct Places<'c> {
    keys: Option<&'c Store>,
    opaque_tokens: Option<&'c Store>,
    accounts: Option<&'c Store>,
    clients: Option<&'c Store>,
    revocations: Option<(&'c Store, Duration)>,
}

impl<'c> Places<'c> {
    fn of(config: &'c Config) -> Self {
        Self {
            keys: config.api_keys.as_ref().map(|keys| &keys.store),
            opaque_tokens: config.opaque_tokens.as_ref().map(|tokens| &tokens.store),
            accounts: config.accounts.as_ref().map(|accounts| &accounts.store),
            clients: config.clients.as_ref().map(|clients| &clients.store),
            revocations: config.revocations.as_ref().map(|list| match list.store {
                // nothing has to be read, so nothing is believed: another time is no reason to forget the list
                Store::Memory => (&list.store, Duration::ZERO),
                Store::Sqlite(_) => (&list.store, list.believed_for),
            }),
        }
    }

    fn need_pepper(&self) -> bool {
        self.keys.is_some() || self.opaque_tokens.is_some() || self.accounts.is_some() || self.clients.is_some()
    }
}

/// The file of what is not in memory.
fn file(store: Option<&Store>, data_dir: &DataDir) -> Option<PathBuf> {
    match store {
        None | Some(Store::Memory) => None,
        Some(Store::Sqlite(file)) => Some(file.clone().unwrap_or_else(|| data_dir.file(DATABASE))),
    }
}

fn key_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn ApiKeyStore>, ResourceError> {
    let Some(file) = file(Places::of(config).keys, data_dir) else { return Ok(Arc::new(MemoryKeyStore::new())) };
    Ok(Arc::new(SqliteKeyStore::open(file).map_err(|error| ResourceError::Store("API keys", error))?))
}

/// Beside the keys that are counted.
fn usage(config: &Config, data_dir: &DataDir) -> Result<UsageCounts, ResourceError> {
    let Some(file) = file(Places::of(config).keys, data_dir).filter(|_| config.endpoints.tell_usage()) else {
        return Ok(UsageCounts::new(Arc::new(MemoryUsageStore::new())));
    };
    let store = SqliteUsageStore::open(file).map_err(|error| ResourceError::Store("usage", error))?;
    Ok(UsageCounts::new(Arc::new(store)))
}

fn account_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn AccountStore>, ResourceError> {
    let Some(file) = file(Places::of(config).accounts, data_dir) else {
        return Ok(Arc::new(MemoryAccountStore::new()));
    };
    Ok(Arc::new(SqliteAccountStore::open(file).map_err(|error| ResourceError::Store("accounts", error))?))
}

fn client_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn ClientStore>, ResourceError> {
    let Some(file) = file(Places::of(config).clients, data_dir) else { return Ok(Arc::new(MemoryClientStore::new())) };
    Ok(Arc::new(SqliteClientStore::open(file).map_err(|error| ResourceError::Store("OAuth clients", error))?))
}

/// Beside the accounts that they open sessions of.
fn trust_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn TrustStore>, ResourceError> {
    let Some(file) = file(Places::of(config).accounts, data_dir) else {
        return Ok(Arc::new(MemoryTrustStore::new()));
    };
    Ok(Arc::new(SqliteTrustStore::open(file).map_err(|error| ResourceError::Store("partners", error))?))
}

fn once_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn OnceStore>, ResourceError> {
    let places = Places::of(config);
    let Some(file) = file(places.accounts.or(places.clients), data_dir) else {
        return Ok(Arc::new(MemoryOnceStore::new()));
    };
    Ok(Arc::new(SqliteOnceStore::open(file).map_err(|error| ResourceError::Store("what was used once", error))?))
}

fn link_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn LinkStore>, ResourceError> {
    let Some(file) = file(Places::of(config).accounts, data_dir) else {
        return Ok(Arc::new(MemoryLinkStore::new()));
    };
    Ok(Arc::new(SqliteLinkStore::open(file).map_err(|error| ResourceError::Store("links of accounts", error))?))
}

fn token_store(config: &Config, data_dir: &DataDir) -> Result<Arc<dyn TokenStore>, ResourceError> {
    let file = file(Places::of(config).opaque_tokens, data_dir);
    let Some(file) = file else { return Ok(Arc::new(MemoryTokenStore::new())) };
    Ok(Arc::new(SqliteTokenStore::open(file).map_err(|error| ResourceError::Store("opaque tokens", error))?))
}

fn revocations(config: &Config, data_dir: &DataDir, now: Now) -> Result<Option<Revocations>, ResourceError> {
    let failed = |error| ResourceError::Store("revocations", error);
    let Some((store, believed_for)) = Places::of(config).revocations else { return Ok(None) };
    let Some(file) = file(Some(store), data_dir) else { return Ok(Some(Revocations::new())) };
    let store = SqliteRevocations::open(file).map_err(failed)?;
    let runtime = waiting_runtime().map_err(ResourceError::Runtime)?;
    let list = runtime.block_on(Revocations::kept_in(Arc::new(store), believed_for, now));
    Ok(Some(list.map_err(failed)?))
}

fn pepper(config: &Config, data_dir: &DataDir) -> Result<Secret, ResourceError> {
    let fresh = random_text(48)?.into_bytes();
    let bytes = if Places::of(config).need_pepper() { data_dir.read_or_create(PEPPER, fresh)? } else { fresh };
    Ok(Secret::new(bytes))
}

fn needs_webhook_secret(config: &Config) -> bool {
    let messages = config.accounts.as_ref().and_then(|accounts| accounts.messages.as_ref());
    messages.is_some_and(|messages| messages.secret.is_none())
}

/// Whoever receives messages reads it in its file, a line.
fn webhook_secret(config: &Config, data_dir: &DataDir) -> Result<Secret, ResourceError> {
    let fresh = fresh_webhook_secret()?;
    if !needs_webhook_secret(config) {
        return Ok(Secret::from(fresh));
    }
    let line = data_dir.read_or_create(WEBHOOK_SECRET, format!("{fresh}\n").into_bytes())?;
    Ok(Secret::new(line.trim_ascii_end().to_vec()))
}

fn fresh_webhook_secret() -> Result<String, SigningError> {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| SigningError::Random)?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(random)))
}

fn own_issuer(config: &Config, data_dir: &DataDir, now: Now) -> Result<Option<AccessTokenIssuer>, KeysError> {
    config.tokens.as_ref().map(|tokens| own_tokens::open(tokens, data_dir, now.wall)).transpose()
}

fn assertion_keys(config: &Config, data_dir: &DataDir, now: Now) -> Result<Option<Arc<SigningKeys>>, KeysError> {
    let file = config.assertions.as_ref().map(KeyFile::of_assertions);
    file.map(|file| file.open(data_dir, now.wall).map(Arc::new)).transpose()
}

fn ephemeral_keys() -> Result<Arc<SigningKeys>, SigningError> {
    SigningKeys::generate(SigningAlgorithm::Es256).map(Arc::new)
}

fn budgets(config: &Config) -> Arc<dyn LimitStore> {
    Arc::new(MemoryLimitStore::with_capacity(config.limits.capacity.unwrap_or(MemoryLimitStore::DEFAULT_CAPACITY)))
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources").field("own_tokens", &self.own_tokens).finish_non_exhaustive()
    }
}
