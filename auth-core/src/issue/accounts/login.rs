//! From a name and a password to a session.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountRecord, AccountStatus, SessionRecord, Voucher};
use crate::client::ClientRecord;
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::issue::mint;
use crate::names::Names;
use crate::principal::Identity;
use crate::rejection::LoginFault;

use super::bounds::{KeyBounds, may_come_from, networks};
use super::for_client::may_refresh;
use super::journal::Event;
use super::proof::Purpose;
use super::{AccountError, Accounts, Tokens, is_usable};

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
        let account = self.authenticated(login, Purpose::LogIn, now).await?;
        let (session, refresh) = self.open(&account, Origin::default(), now).await?;
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
        let bounds_of_key = Held { key: id, client: None, permissions: key.permissions.clone(), expires: key.expires };
        let origin = Origin { held: Some(bounds_of_key), vouched_by: None };
        let (session, refresh) = self.open(&account, origin, now).await?;
        let event = Event { key: key.credential_id.as_deref(), ..Event::of("login") };
        event.account(&account.id).session(&session.id).client(client).tell();
        self.tokens(account, &session, &bounds, refresh, now).await
    }

    /// Opens a session in the generation in which the account was looked at.
    pub(super) async fn open(
        &self,
        account: &AccountRecord,
        origin: Origin<'_>,
        now: Now,
    ) -> Result<(SessionRecord, Option<Secret>), AccountError> {
        let id = mint::id("ses_").map_err(|_| AccountError::Random)?;
        let ends = now.wall.saturating_add(self.0.session_life);
        let mut session = SessionRecord::new(id, Arc::clone(&account.id), account.generation, now.wall, ends);
        session.idle_limit = self.0.session_idle;
        let mut gets_refresh_token = true;
        session.vouched_by = origin.vouched_by;
        if let Some(Held { key, client, permissions, expires }) = origin.held {
            session.ends = expires.map_or(ends, |expires| expires.min(ends));
            session.key = key;
            gets_refresh_token = client.is_none_or(may_refresh);
            session.client = client.map(|client| Arc::clone(&client.id));
            session.permissions = Some(permissions);
        }
        let mut text = None;
        if let Some(tokens) = self.0.refresh.as_ref().filter(|_| gets_refresh_token) {
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
#[derive(Default)]
pub(super) struct Origin<'o> {
    /// The key or the client that bounds it.
    pub(super) held: Option<Held<'o>>,
    /// Whose word it was opened by.
    pub(super) vouched_by: Option<Voucher>,
}

/// The key that a session was opened with, or the client that holds it.
pub(super) struct Held<'o> {
    pub(super) key: Option<Arc<str>>,
    /// The client that holds it.
    pub(super) client: Option<&'o ClientRecord>,
    pub(super) permissions: Names,
    pub(super) expires: Option<Timestamp>,
}
