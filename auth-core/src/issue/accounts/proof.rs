//! Who knows an account's password, and what else is asked of them for what they want.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::account::{
    AccountChange, AccountRecord, AccountStatus, LoginName, PasswordHash, SecondFactor, TenantRecord,
};
use crate::clock::Now;
use crate::issue::{Familiarity, Freshness, LoginThrottle, PasswordVerdict};
use crate::rejection::LoginFault;

use super::bounds::{KeyBounds, may_come_from, networks};
use super::journal::Event;
use super::second_factor::ONE_ALREADY;
use super::{AccountError, Accounts, Login, UnknownNames, UnverifiedEmail, is_usable};

/// How many networks that an account was used from are remembered.
const SOURCES_KEPT: usize = 16;

/// For how long a network is remembered since the last login from there.
const SOURCE_KNOWN_FOR: Duration = Duration::from_hours(90 * 24);

/// What somebody wants who shows a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A session: for everything that the account has to have.
    LogIn,
    /// Another password: for the second factor, where there is one.
    ChangePassword,
    /// A second factor, where there is none.
    Enrol,
    /// A message to the account's own address.
    VerifyEmail,
}

impl Purpose {
    /// What is told of whoever does not get it.
    const fn failed(self) -> &'static str {
        match self {
            Self::LogIn => "login_failed",
            Self::ChangePassword => "password_change_failed",
            Self::Enrol => "second_factor_enrolment_failed",
            Self::VerifyEmail => "email_verification_failed",
        }
    }
}

impl Accounts {
    /// The account of whoever knows its password, and shows what else their purpose asks for.
    pub(super) async fn authenticated(
        &self,
        login: Login,
        purpose: Purpose,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let name = LoginName::fold(&login.name).ok();
        let account = match &name {
            Some(name) => self.0.store.by_login(name).resolve().await?,
            None => None,
        };
        let (client, who) = (login.source, account.clone());
        let judged = self.attempted(account, name, login, purpose, now).await;
        if let Err(error) = &judged {
            let event = Event::of(purpose.failed()).client(client);
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
        purpose: Purpose,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let Some(throttle) = &self.0.throttle else { return self.judged(account, login, purpose, now).await };
        let source = login.source.map(LoginThrottle::source_name);
        let familiarity = self.familiarity(account.as_deref(), source.as_deref(), now).await?;
        // by whichever of its names an account is tried, it is one account
        let who = account.as_ref().map(|account| &account.id).or(name.as_ref().map(LoginName::folded));
        let who = who.map_or("", |who| who);
        let attempt = throttle.begin(who, login.source, familiarity).resolve().await.map_err(AccountError::Refused)?;
        let judged = self.judged(account, login, purpose, now).await;
        match &judged {
            Err(AccountError::Login(
                LoginFault::Credentials | LoginFault::UnknownName | LoginFault::SecondFactorWrong,
            )) => {
                attempt.failed().resolve().await;
            }
            _ => attempt.succeeded(),
        }
        if let (Ok(account), Some(source)) = (&judged, source)
            // who shows a password alone, where more is asked for at login, has not logged in from there
            && purpose != Purpose::VerifyEmail
        {
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
        purpose: Purpose,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let wrong = || AccountError::Login(LoginFault::Credentials);
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let verdict = self.0.passwords.verify(login.password.clone(), hash.clone()).resolve().await?;
        if account.is_none() && self.0.unknown_names == UnknownNames::DangerTold {
            return Err(LoginFault::UnknownName.into());
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
        let is_confirmed = matches!(account.second_factor, SecondFactor::Confirmed { .. });
        match purpose {
            Purpose::VerifyEmail => return Ok(account),
            Purpose::Enrol if is_confirmed => return Err(AccountError::State(ONE_ALREADY)),
            Purpose::Enrol => {}
            Purpose::LogIn | Purpose::ChangePassword => {
                self.check_second_factor(&account, login.second_factor, now).await?;
            }
        }
        if purpose != Purpose::ChangePassword {
            self.check_email(&account)?;
        }
        if purpose == Purpose::LogIn && !is_confirmed && self.needs_second_factor(&account) {
            return Err(LoginFault::SecondFactorEnrolment.into());
        }
        Ok(account)
    }

    /// Hashes a password anew that was hashed with other parameters. That it does not succeed is no reason to refuse the
    /// login: it will be tried at the next one.
    async fn rehash(&self, account: &AccountRecord, from: PasswordHash, password: Secret, now: Now) {
        if let Ok(to) = self.0.passwords.hash(password).resolve().await {
            let change = AccountChange::Rehashed { from, to };
            if let Err(error) = self.0.store.change(&account.id, change, now.wall).resolve().await {
                tracing::debug!(account = &*account.id, %error, "a password was not hashed anew");
            }
        }
    }

    /// Whether sessions may be opened although nobody has verified the account's address, or it is verified.
    pub(super) fn check_email(&self, account: &AccountRecord) -> Result<(), AccountError> {
        if self.0.unverified_email == UnverifiedEmail::Refused && account.email_verified.is_none() {
            return Err(LoginFault::EmailNotVerified.into());
        }
        Ok(())
    }

    /// Whether the account may be used from there.
    pub(super) fn check_networks(
        account: &AccountRecord,
        tenant: Option<&TenantRecord>,
        source: Option<IpAddr>,
    ) -> Result<(), AccountError> {
        may_come_from(networks(account, tenant, &KeyBounds::default()).as_ref(), source)
    }
}
