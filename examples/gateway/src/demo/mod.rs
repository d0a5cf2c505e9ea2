//! Demo accounts: made up at the first start, with random secrets, for a gateway on loopback alone.
//!
//! `demo.json` in the data directory says what they are, so that anybody can try the gateway without reading on. Its
//! form is fixed; see [`Document`].

mod clients;
mod curl;
mod document;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::credential::Source;
use auth_core::issue::{AccessTokenIssuer, AccountError, ClientError, KeyError, NewAccessToken, NewKey, SigningError};
use auth_core::verify::Verifier as _;
use auth_core::{CredentialFault, Now, Rejection};

pub use curl::curl_lines;
pub use document::{DemoClient, DemoKey, DemoSigning, DemoUser, Document};

use crate::config::{Config, Demo, Kind};
use crate::data_dir::{DataDir, DataDirError};
use crate::problem::Problem;
use crate::wiring::{Keys, Wired};

/// The name of the file.
const FILE: &str = "demo.json";

/// How long the token in the file lives: longer than tokens should, so that a demo still works after lunch.
const BEARER_LIFETIME: Duration = Duration::from_hours(12);

/// The two made-up accounts: the first may do everything, the last as little as possible.
const ACCOUNTS: [(&str, &str); 2] = [("demo-admin", "tenant-one"), ("demo-reader", "tenant-two")];

/// Why there are no demo accounts.
#[derive(Debug)]
pub enum DemoError {
    /// The file cannot be read or written.
    DataDir(DataDirError),
    /// The file is not as it was written.
    Unreadable(serde_json::Error),
    /// A key could not be made.
    Key(KeyError),
    /// A token could not be signed.
    Signing(SigningError),
    /// An account could not be made, or not be logged in to.
    Account(AccountError),
    /// An OAuth client could not be made, or gets no token.
    Client(ClientError),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            // what serde says may quote the file
            Self::Unreadable(error) => {
                write!(
                    f,
                    "demo.json in the data directory is damaged at line {}: remove it to make new accounts",
                    error.line()
                )
            }
            Self::Key(error) => write!(f, "demo keys: {error}"),
            Self::Signing(error) => error.fmt(f),
            Self::Account(error) => write!(f, "demo accounts: {error}"),
            Self::Client(error) => write!(f, "demo clients: {error}"),
        }
    }
}

impl std::error::Error for DemoError {}

impl From<DataDirError> for DemoError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

impl From<SigningError> for DemoError {
    fn from(error: SigningError) -> Self {
        Self::Signing(error)
    }
}

impl From<AccountError> for DemoError {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<ClientError> for DemoError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<KeyError> for DemoError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// That demo accounts are asked for where strangers could use them.
pub fn exposed(config: &Config) -> Option<Problem> {
    let address = config.server.listen.ip().to_canonical();
    if config.demo.value == Demo::Disabled || address.is_loopback() {
        return None;
    }
    Some(config.demo.place.problem(format!(
        "demo accounts are made on loopback alone, but the gateway listens on {address}: listen on 127.0.0.1 or ::1, or \
         remove [demo]"
    )))
}

/// Makes the accounts where there are none yet, and renews what changes with every start.
///
/// # Errors
/// A key, a token or the file cannot be made.
pub async fn prepare(
    config: &Config,
    wired: &Wired,
    data_dir: &DataDir,
    profile: &str,
    base_url: &str,
    now: Now,
) -> Result<Document, DemoError> {
    let found = match data_dir.read(FILE)? {
        Some(text) => Some(serde_json::from_slice::<Document>(&text).map_err(DemoError::Unreadable)?),
        None => None,
    };
    let users = match &wired.accounts {
        Some(accounts) => {
            users::users(config, accounts, found.as_ref().map(|document| document.users.as_slice()), now).await?
        }
        None => Vec::new(),
    };
    let api_keys = match (&wired.keys, found.as_ref()) {
        (None, _) => Vec::new(),
        (Some(keys), Some(document)) if some_work(keys, &document.api_keys, now).await => document.api_keys.clone(),
        (Some(keys), _) => mint(config, keys, &owners(wired, &users).await?, now).await?,
    };
    let clients = match &wired.clients {
        Some(clients) => {
            clients::clients(config, clients, found.as_ref().map(|document| document.clients.as_slice()), now).await?
        }
        None => Vec::new(),
    };
    let own = wired.own_tokens.as_ref();
    let bearer = match (own, &wired.accounts, users.first()) {
        (Some(own), Some(accounts), Some(first)) => {
            let opened = users::bearer(accounts, first, now).await?;
            let subject = users::owner(accounts, first).await?.unwrap_or_else(|| ACCOUNTS[0].0.into());
            Some(opened.map_or_else(|| bearer(config, own, &subject, now), Ok)?)
        }
        (Some(own), ..) => match (&wired.clients, clients.first()) {
            (Some(clients), Some(first)) => clients::bearer(clients, first, now).await?,
            _ => Some(bearer(config, own, ACCOUNTS[0].0, now)?),
        },
        (None, ..) => key_as_bearer(config, &api_keys),
    };
    let document = Document {
        profile: found.map_or_else(|| profile.to_owned(), |document| document.profile),
        base_url: base_url.to_owned(),
        users,
        api_keys,
        clients,
        jwt: own.map(signing),
        bearer,
    };
    let mut text = serde_json::to_vec_pretty(&document).map_err(DemoError::Unreadable)?;
    text.push(b'\n');
    data_dir.replace(FILE, &text)?;
    Ok(document)
}

/// Whether the store knows any of the keys; it does not where it is a new one, or one in memory.
async fn some_work(keys: &Keys, known: &[DemoKey], now: Now) -> bool {
    for key in known {
        let verdict = keys.verifier.verify(&key.key, now).resolve().await;
        if !matches!(verdict, Err(Rejection::InvalidCredential(CredentialFault::Unknown | CredentialFault::Malformed)))
        {
            return true;
        }
    }
    false
}

/// Whose keys are made: the first and the last account's, or nobody's who logs in.
async fn owners(wired: &Wired, users: &[DemoUser]) -> Result<[Arc<str>; 2], DemoError> {
    let mut owners = ACCOUNTS.map(|(name, _)| Arc::from(name));
    if let Some(accounts) = &wired.accounts {
        for (owner, user) in owners.iter_mut().zip([users.first(), users.last()]) {
            if let Some(user) = user
                && let Some(id) = users::owner(accounts, user).await?
            {
                *owner = id;
            }
        }
    }
    Ok(owners)
}

async fn mint(config: &Config, keys: &Keys, owners: &[Arc<str>; 2], now: Now) -> Result<Vec<DemoKey>, DemoError> {
    let all: Vec<String> = config.permissions_needed().into_iter().map(str::to_owned).collect();
    let least: Vec<String> = least(config).into_iter().collect();
    let mut made = Vec::new();
    for (number, ((name, tenant), permissions)) in ACCOUNTS.into_iter().zip([all, least]).enumerate() {
        let plan = plan(config, number);
        let mut wanted = NewKey::new(name, Arc::clone(&owners[number]));
        wanted.tenant = Some(tenant.into());
        wanted.plan = plan.map(Into::into);
        wanted.environment.clone_from(&keys.environment);
        wanted.permissions = permissions.iter().map(String::as_str).collect();
        let minted = keys.service.mint(wanted, now).await?;
        made.push(DemoKey {
            key: minted.key.expose_text().unwrap_or_default().to_owned(),
            environment: keys.environment.as_deref().map(str::to_owned),
            tenant: tenant.to_owned(),
            plan: plan.map(str::to_owned),
            permissions,
        });
    }
    Ok(made)
}

/// The plan of an account; none where the configuration names none.
fn plan(config: &Config, account: usize) -> Option<&str> {
    config.demo_plans.get(account).map(|plan| plan.value.as_str())
}

/// The permission that brings the fewest others along; the first of them in the file.
fn least(config: &Config) -> Option<String> {
    let model = crate::wiring::permissions(config);
    let needed = config.permissions_needed();
    let reach = |held: &str| {
        let names = [held].into_iter().collect();
        needed.iter().filter(|permission| model.grants(&names, permission)).count()
    };
    needed.iter().min_by_key(|permission| reach(permission)).map(|permission| (*permission).to_owned())
}

fn bearer(config: &Config, own: &AccessTokenIssuer, subject: &str, now: Now) -> Result<String, SigningError> {
    let (_, tenant) = ACCOUNTS[0];
    let mut wanted = NewAccessToken::new(subject, "gateway-demo");
    wanted.tenant = Some(tenant.into());
    wanted.plan = plan(config, 0).map(Into::into);
    wanted.permissions = config.permissions_needed().into_iter().collect();
    wanted.lifetime = Some(own.lifetime().max(BEARER_LIFETIME));
    let minted = own.mint(&wanted, now)?;
    Ok(minted.token.expose_text().unwrap_or_default().to_owned())
}

/// Without tokens, a key may still travel as Bearer.
fn key_as_bearer(config: &Config, keys: &[DemoKey]) -> Option<String> {
    let takes_keys = config.credentials.iter().any(|credentials| {
        credentials.source == Source::bearer() && credentials.kinds.iter().any(|kind| kind.value == Kind::ApiKey)
    });
    keys.first().filter(|_| takes_keys).map(|key| key.key.clone())
}

fn signing(own: &AccessTokenIssuer) -> DemoSigning {
    let key = own.keys().current();
    let text = key.material().expose_text().map(str::to_owned);
    let (secret, private_key_pem) = if key.algorithm().is_symmetric() { (text, None) } else { (None, text) };
    DemoSigning {
        issuer: own.issuer().to_string(),
        audience: own.audience().to_string(),
        algorithm: key.algorithm().to_string(),
        kid: Some(key.id().to_string()),
        secret,
        private_key_pem,
    }
}
