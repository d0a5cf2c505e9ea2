//! From a name and a password to a session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, AccountStatus, LoginName, SessionRecord, TenantRecord};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::issue::{Familiarity, Freshness, LoginThrottle, PasswordVerdict, mint};
use crate::names::Names;
use crate::principal::Identity;
use crate::rejection::LoginFault;

use super::bounds::{KeyBounds, may_come_from, networks};
use super::journal::Event;
use super::{AccountError, Accounts, Tokens, UnknownNames, is_usable};

/// How many networks that an account was used from are remembered.
const SOURCES_KEPT: usize = 16;

/// For how long a network is remembered since the last login from there.
const SOURCE_KNOWN_FOR: Duration = Duration::from_hours(90 * 24);

/// Who wants to log in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// The address or user name, as it was sent.
    pub name: String,
    /// The password, exactly as it was sent.
    pub password: Secret,
    /// What is shown besides the password.
    pub second_factor: Option<SecondFactorProof>,
    /// The address that it comes from; `None` where it is not known.
    pub source: Option<IpAddr>,
}

/// What is shown besides the password.
#[derive(Debug)]
pub enum SecondFactorProof {
    /// A code of the authenticator.
    Code(Secret),
    /// One of the recovery codes.
    RecoveryCode(Secret),
}

impl Login {
    /// A login by name and password, from nowhere in particular; set the fields for more.
    pub fn new(name: impl Into<String>, password: Secret) -> Self {
        Self { name: name.into(), password, second_factor: None, source: None }
    }
}

impl Accounts {
    /// Opens a session for whoever knows the password.
    ///
    /// A name that is unknown, a wrong password and an account or tenant that is switched off are answered alike, after the
    /// same work (S4).
    ///
    /// # Errors
    /// [`AccountError::Login`] where nobody is logged in, [`AccountError::Network`] where the account may not be used from
    /// there, [`AccountError::Refused`] where too many attempts failed, [`AccountError::Hashing`] where too many wait.
    pub async fn log_in(&self, login: Login, now: Now) -> Result<Tokens, AccountError> {
        let client = login.source;
        let account = self.authenticated(login, "login_failed", now).await?;
        let (session, refresh) = self.open(&account, None, now).await?;
        Event::of("login").account(&account.id).session(&session.id).client(client).tell();
        self.tokens(account, &session, &KeyBounds::default(), refresh, now).await
    }

    /// Opens a session for whoever brings an API key of an account: with the key's permissions and without roles, as long as
    /// the key is good.
    ///
    /// # Errors
    /// [`AccountError::Login`] where the key belongs to no account that may be used; [`AccountError::Refused`] where the key
    /// is on the list of revocations; [`AccountError::Network`].
    pub async fn log_in_with_key(
        &self,
        key: &Identity,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let refused = || AccountError::Login(LoginFault::Credentials);
        if key.issuer != *self.issuer() {
            return Err(refused());
        }
        if let Some(revocations) = &self.0.revocations {
            revocations.check(key, now).map_err(AccountError::Refused)?;
        }
        let account = self.0.store.by_id(&key.subject).resolve().await?.ok_or_else(refused)?;
        let tenant = self.tenant_of(&account).await?;
        if account.status != AccountStatus::Active || !is_usable(tenant.as_ref()) {
            Event::of("login_failed").account(&account.id).cause("disabled").client(client).tell();
            return Err(refused());
        }
        let bounds = KeyBounds::from(key);
        if let Err(error) = may_come_from(networks(&account, tenant.as_ref(), &bounds).as_ref(), client) {
            Event::of("login_failed").account(&account.id).cause(error.cause()).client(client).tell();
            return Err(error);
        }
        let id = key.credential_id.as_deref().map(Arc::from);
        let origin = Origin { key: id, permissions: key.permissions.clone(), expires: key.expires };
        let (session, refresh) = self.open(&account, Some(origin), now).await?;
        let event = Event { key: key.credential_id.as_deref(), ..Event::of("login") };
        event.account(&account.id).session(&session.id).client(client).tell();
        self.tokens(account, &session, &bounds, refresh, now).await
    }

    /// The account of whoever knows its password and shows its second factor; `failed` is what is told of whoever does
    /// not.
    pub(super) async fn authenticated(
        &self,
        login: Login,
        failed: &'static str,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let name = LoginName::fold(&login.name).ok();
        let account = match &name {
            Some(name) => self.0.store.by_login(name).resolve().await?,
            None => None,
        };
        let (client, who) = (login.source, account.clone());
        let judged = self.attempted(account, name, login, now).await;
        if let Err(error) = &judged {
            let event = Event::of(failed).client(client);
            match &who {
                None => event.cause("unknown_account").tell(),
                Some(account) if account.status == AccountStatus::Disabled => {
                    event.account(&account.id).cause("disabled").tell();
                }
                Some(account) => event.account(&account.id).cause(error.cause()).tell(),
            }
        }
        judged
    }

    /// The same, as often as guessing allows.
    async fn attempted(
        &self,
        account: Option<Arc<AccountRecord>>,
        name: Option<LoginName>,
        login: Login,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let Some(throttle) = &self.0.throttle else { return self.judged(account, login, now).await };
        let source = login.source.map(LoginThrottle::source_name);
        let familiarity = self.familiarity(account.as_deref(), source.as_deref(), now).await?;
        // by whichever of its names an account is tried, it is one account
        let who = account.as_ref().map(|account| &account.id).or(name.as_ref().map(LoginName::folded));
        let who = who.map_or("", |who| who);
        let attempt = throttle.begin(who, login.source, familiarity).resolve().await.map_err(AccountError::Refused)?;
        let judged = self.judged(account, login, now).await;
        match &judged {
            Err(AccountError::Login(LoginFault::Credentials | LoginFault::SecondFactorWrong)) => {
                attempt.failed().resolve().await;
            }
            _ => attempt.succeeded(),
        }
        if let (Ok(account), Some(source)) = (&judged, source) {
            self.0.store.note_source(&account.id, &source, now.wall, SOURCES_KEPT).resolve().await?;
        }
        judged
    }

    /// Whether somebody logged in to the account from there not too long ago.
    async fn familiarity(
        &self,
        account: Option<&AccountRecord>,
        source: Option<&str>,
        now: Now,
    ) -> Result<Familiarity, AccountError> {
        let (Some(account), Some(source)) = (account, source) else { return Ok(Familiarity::Stranger) };
        let since = now.wall.saturating_sub(SOURCE_KNOWN_FOR);
        let is_known = self.0.store.knows_source(&account.id, source, since).resolve().await?;
        Ok(if is_known { Familiarity::Known } else { Familiarity::Stranger })
    }

    async fn judged(
        &self,
        account: Option<Arc<AccountRecord>>,
        login: Login,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let wrong = || AccountError::Login(LoginFault::Credentials);
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let verdict = self.0.passwords.verify(login.password.clone(), hash.clone()).resolve().await?;
        if account.is_none() && self.0.unknown_names == UnknownNames::DangerTold {
            return Err(AccountError::Login(LoginFault::UnknownName));
        }
        let (PasswordVerdict::Right(freshness), Some(account), Some(hash)) = (verdict, account, hash) else {
            return Err(wrong());
        };
        let tenant = self.tenant_of(&account).await?;
        if account.status != AccountStatus::Active || !is_usable(tenant.as_ref()) {
            return Err(wrong());
        }
        Self::check_networks(&account, tenant.as_ref(), login.source)?;
        if freshness == Freshness::Outdated {
            self.rehash(&account, hash, login.password, now).await;
        }
        self.check_second_factor(&account, login.second_factor, now).await?;
        Ok(account)
    }

    /// Whether the account may be used from there.
    pub(super) fn check_networks(
        account: &AccountRecord,
        tenant: Option<&TenantRecord>,
        source: Option<IpAddr>,
    ) -> Result<(), AccountError> {
        may_come_from(networks(account, tenant, &KeyBounds::default()).as_ref(), source)
    }

    /// Hashes a password anew that was hashed with other parameters. That it does not succeed is no reason to refuse the
    /// login: it will be tried at the next one.
    async fn rehash(&self, account: &AccountRecord, from: crate::account::PasswordHash, password: Secret, now: Now) {
        if let Ok(to) = self.0.passwords.hash(password).resolve().await {
            let change = AccountChange::Rehashed { from, to };
            if let Err(error) = self.0.store.change(&account.id, change, now.wall).resolve().await {
                tracing::debug!(account = &*account.id, %error, "a password was not hashed anew");
            }
        }
    }

    /// Opens a session in the generation in which the account was looked at.
    pub(super) async fn open(
        &self,
        account: &AccountRecord,
        origin: Option<Origin>,
        now: Now,
    ) -> Result<(SessionRecord, Option<Secret>), AccountError> {
        let id = mint::id("ses_").map_err(|_| AccountError::Random)?;
        let ends = now.wall.saturating_add(self.0.session_life);
        let mut session = SessionRecord::new(id, Arc::clone(&account.id), account.generation, now.wall, ends);
        session.idle_limit = self.0.session_idle;
        if let Some(Origin { key, permissions, expires }) = origin {
            session.ends = expires.map_or(ends, |expires| expires.min(ends));
            session.key = key;
            session.permissions = Some(permissions);
        }
        let mut text = None;
        if let Some(tokens) = &self.0.refresh {
            let (token, kept) = tokens.mint().ok_or(AccountError::Random)?;
            text = Some(token);
            session.refresh = Some(kept);
        }
        match self.0.store.open_session_within(session.clone(), self.0.most_sessions).resolve().await {
            Ok(ended) => {
                self.revoke_sessions(&ended, now).await?;
                for oldest in &ended {
                    Event::of("session_displaced").account(&account.id).session(oldest).tell();
                }
                Ok((session, text))
            }
            // the account was changed since its password was checked
            Err(StoreError::Conflict) => Err(AccountError::Login(LoginFault::Credentials)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a session was opened with instead of a password.
pub(super) struct Origin {
    key: Option<Arc<str>>,
    permissions: Names,
    expires: Option<Timestamp>,
}
