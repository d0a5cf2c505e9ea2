//! Single sign-on: people who are logged in at an OpenID provider get a session here (OpenID Connect Core section 3.1).
//!
//! An attempt begins with [`Accounts::begin_sso`](crate::issue::Accounts::begin_sso), which says where to send the person, and
//! ends with [`Accounts::log_in_with_code`](crate::issue::Accounts::log_in_with_code). In between:
//!
//! - **The attempt is its state.** What belongs to an attempt (nonce, PKCE verifier, where the person is sent back to, its
//!   end) travels as the `state`, sealed, so that nothing is kept for people who never come back. It is used up once.
//! - **The code** is redeemed once, with the verifier of its attempt (RFC 7636) and at the redirect URI of its attempt, which is
//!   one of a list and compared as it is.
//! - **The ID token** is verified like every other token: issuer, audience, algorithm by the key, times; and its nonce is
//!   the attempt's.
//! - **Who it is** is told by issuer and subject, never by an address.
//!
//! - `provider`: the provider's configuration and keys, fetched and kept for a while
//! - `attempt`: what travels as the state
//! - `redeem`: from a code to what the ID token says; `person`: who that is, and what only the userinfo tells
//! - `open`: attempts of clients that do not bring their state back

mod attempt;
mod open;
mod person;
mod provider;
mod redeem;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::clock::Now;
use crate::error::{ConfigError, StoreError};
use crate::fetch::Fetch;
use crate::names::Names;
use crate::rejection::CredentialFault;
use crate::store::{LinkStore, OnceStore};

use super::Seal;
use super::accounts::TenantFor;
use attempt::Attempt;
use open::OpenAttempts;
use provider::Provider;

pub(crate) use person::Person;

/// How long a person has to log in at the provider.
const ATTEMPT_LASTS: Duration = Duration::from_mins(10);

/// Logs people in who are logged in at one OpenID provider.
#[derive(Clone)]
pub struct SingleSignOn(Arc<Inner>);

struct Inner {
    settings: SsoSettings,
    provider: Provider,
    seal: Seal,
    used: Arc<dyn OnceStore>,
    links: Arc<dyn LinkStore>,
    open: OpenAttempts,
}

/// What a service says about its provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SsoSettings {
    /// The provider's issuer identifier: its configuration is found below, and has exactly this `issuer`.
    pub issuer: Arc<str>,
    /// What the service is registered as.
    pub client_id: Arc<str>,
    /// What it proves that with; without one it is a public client, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    /// What is asked for, besides `openid`.
    pub scopes: Vec<Arc<str>>,
    /// Where people may be sent back to, as it is registered with the provider. The first one is the usual one.
    pub redirect_uris: Vec<Arc<str>>,
    /// What becomes of people who are nobody here yet.
    pub strangers: Strangers,
    /// Whether a client has to bring the state of its attempt back.
    pub state: StateRule,
    /// Whether the provider is asked for what its ID tokens leave out.
    pub userinfo: UserinfoRule,
    /// Whether an address counts as verified because the provider says so.
    pub email: ProvidersEmail,
}

/// What becomes of people who are nobody here yet.
#[derive(Clone, Debug, Default)]
pub enum Strangers {
    /// They are refused: an administrator links accounts. The default.
    #[default]
    Refuse,
    /// They get an account.
    Provision(Provisioning),
}

/// What people get who come for the first time.
#[derive(Clone, Debug, Default)]
pub struct Provisioning {
    /// Where they belong.
    pub tenant: TenantFor,
    /// The plan that chooses their limits.
    pub plan: Option<Arc<str>>,
    /// The type of user that they are.
    pub kind: Option<Arc<str>>,
    /// What they are.
    pub roles: Names,
    /// What they may do.
    pub permissions: Names,
}

/// Whether a client has to bring the state of its attempt back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateRule {
    /// It has to, the default.
    #[default]
    Required,
    /// One that brings none is taken for the one that began the only open attempt from its address. The code is still bound
    /// to the attempt by PKCE and nonce; what is lost is that somebody behind the same address could make a person finish an
    /// attempt of theirs. For clients whose guide has no `state`.
    DangerByAddress,
}

/// Whether the provider is asked for what its ID tokens leave out: many name an address in their userinfo alone (OpenID
/// Connect Core section 5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserinfoRule {
    /// It is not, the default: what the ID token does not say is not known.
    #[default]
    Ignored,
    /// It is asked where name, user name or address are missing and its configuration says where. What it tells has to be of
    /// the subject of the ID token (section 5.3.2), and never replaces what that says.
    AskedWhereMissing,
}

/// Whether an address counts as verified because the provider says so: that it said `email_verified` for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProvidersEmail {
    /// It does not, the default: a ticket that goes to the mailbox verifies it, like everybody's. Many providers let people
    /// write any address, or whoever runs one part of them decide what is verified there.
    #[default]
    Unverified,
    /// It does. For providers that verify addresses themselves, or that are the only ones to give them out.
    Trusted,
}

/// Where to send a person.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SsoAttempt {
    /// The provider's address with everything that it needs to know.
    pub authorization_url: String,
    /// What the service is registered as.
    pub client_id: Arc<str>,
    /// What is asked for.
    pub scopes: Vec<Arc<str>>,
    /// What has to come back with the code.
    pub state: String,
}

/// What a person came back with.
#[derive(Debug)]
#[non_exhaustive]
pub struct CodeLogin {
    /// The code.
    pub code: Secret,
    /// Where the person was sent back to.
    pub redirect_uri: String,
    /// The state of the attempt.
    pub state: Option<String>,
    /// The value of `iss`, where the provider sent one along (RFC 9207).
    pub issuer: Option<String>,
}

impl CodeLogin {
    /// A code that came to this address; set the fields for more.
    pub fn new(code: Secret, redirect_uri: impl Into<String>) -> Self {
        Self { code, redirect_uri: redirect_uri.into(), state: None, issuer: None }
    }
}

/// Why an attempt came to nothing. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SsoFault {
    /// The address to be sent back to is none of the list, or not the attempt's.
    RedirectUri,
    /// The state was not given out here, has ended, was used, or is missing.
    State,
    /// What the provider said came from another issuer (RFC 9207).
    Issuer,
    /// The provider does not take the code.
    Code,
    /// The ID token is not good.
    IdToken(CredentialFault),
    /// What the provider's userinfo tells is of somebody else than its ID token.
    Userinfo,
    /// The person is nobody here, and nobody is provisioned.
    Stranger,
    /// The provider cannot be reached, or says what no provider should; for the log.
    Provider(String),
    /// A store could not do it.
    Store(StoreError),
    /// The operating system gave no random bytes.
    Random,
}

impl SsoFault {
    /// A stable name of it, for logs.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::RedirectUri => "sso_redirect_uri",
            Self::State => "sso_state",
            Self::Issuer => "sso_issuer",
            Self::Code => "sso_code",
            Self::IdToken(fault) => fault.cause(),
            Self::Userinfo => "sso_userinfo",
            Self::Stranger => "sso_stranger",
            Self::Provider(_) => "sso_provider",
            Self::Store(_) => "store",
            Self::Random => "no_random_bytes",
        }
    }
}

impl From<StoreError> for SsoFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl SsoSettings {
    /// A public client of that provider, whose people are sent back to this address; set the fields for more.
    pub fn new(issuer: impl Into<Arc<str>>, client_id: impl Into<Arc<str>>, redirect_uri: impl Into<Arc<str>>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: None,
            scopes: ["profile", "email"].map(Arc::from).to_vec(),
            redirect_uris: vec![redirect_uri.into()],
            strangers: Strangers::default(),
            state: StateRule::default(),
            userinfo: UserinfoRule::default(),
            email: ProvidersEmail::default(),
        }
    }
}

impl SingleSignOn {
    /// Single sign-on over that way to the provider.
    ///
    /// # Errors
    /// An issuer that is neither https nor http on a literal loopback address, or has a query; no redirect URI; a client
    /// secret that is no text.
    pub fn new(
        settings: SsoSettings,
        fetch: Arc<dyn Fetch>,
        seal: Seal,
        used: Arc<dyn OnceStore>,
        links: Arc<dyn LinkStore>,
    ) -> Result<Self, ConfigError> {
        if settings.redirect_uris.is_empty() {
            return Err(ConfigError::new("there is no address that people may be sent back to"));
        }
        if settings.client_secret.as_ref().is_some_and(|secret| secret.expose_text().is_none()) {
            return Err(ConfigError::new("the client secret is no text"));
        }
        let provider = Provider::new(&settings, fetch)?;
        Ok(Self(Arc::new(Inner { settings, provider, seal, used, links, open: OpenAttempts::default() })))
    }

    /// Who is linked to whom.
    pub fn links(&self) -> &Arc<dyn LinkStore> {
        &self.0.links
    }

    /// The provider.
    pub fn issuer(&self) -> &Arc<str> {
        &self.0.settings.issuer
    }

    /// Forgets which attempts and codes were used that have ended. Call it now and then.
    pub(crate) async fn delete_ended(&self, now: Now) -> Result<(), StoreError> {
        // a clock may be set back by a little
        let before = now.wall.saturating_sub(Duration::from_hours(1));
        while self.0.used.delete_ended(before).resolve().await? > 0 {}
        Ok(())
    }

    /// Whether an address counts as verified because the provider says so.
    pub(crate) fn email(&self) -> ProvidersEmail {
        self.0.settings.email
    }

    pub(crate) fn strangers(&self) -> &Strangers {
        &self.0.settings.strangers
    }

    /// Begins an attempt.
    pub(crate) async fn begin(
        &self,
        redirect_uri: Option<&str>,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<SsoAttempt, SsoFault> {
        let Inner { settings, provider, seal, open, .. } = &*self.0;
        let usual = settings.redirect_uris.first().ok_or(SsoFault::RedirectUri)?;
        let redirect_uri = redirect_uri.unwrap_or(usual);
        // an exact string: whatever else matches matches more than was meant
        if settings.redirect_uris.iter().all(|known| **known != *redirect_uri) {
            return Err(SsoFault::RedirectUri);
        }
        let endpoints = provider.endpoints(now).await?;
        let attempt = Attempt::begin(redirect_uri, now.wall.saturating_add(ATTEMPT_LASTS)).ok_or(SsoFault::Random)?;
        let state = attempt.seal(seal, &settings.issuer).ok_or(SsoFault::Random)?;
        if settings.state == StateRule::DangerByAddress
            && let Some(client) = client
        {
            open.add(client, state.clone(), attempt.ends, now.wall);
        }
        let scopes: Vec<Arc<str>> =
            std::iter::once(Arc::from("openid")).chain(settings.scopes.iter().cloned()).collect();
        Ok(SsoAttempt {
            authorization_url: attempt.url(&endpoints.authorization, &settings.client_id, &scopes, &state),
            client_id: Arc::clone(&settings.client_id),
            scopes,
            state,
        })
    }
}

impl fmt::Debug for SingleSignOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleSignOn").field("issuer", self.issuer()).finish_non_exhaustive()
    }
}
