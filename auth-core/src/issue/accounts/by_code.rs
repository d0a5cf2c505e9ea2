//! From a person who is logged in at an OpenID provider to a session.

use std::net::IpAddr;
use std::sync::Arc;

use crate::account::{AccountLink, AccountRecord, AccountStatus, LoginName, Voucher};
use crate::clock::Now;
use crate::issue::sso::{
    CodeLogin, Person, ProvidersEmail, Provisioning, SingleSignOn, SsoAttempt, SsoFault, Strangers,
};
use crate::issue::{Familiarity, LoginThrottle, mint};

use super::administration::NewAccount;
use super::bounds::KeyBounds;
use super::journal::Event;
use super::login::Origin;
use super::{AccountError, Accounts, Tokens, is_usable};

impl Accounts {
    /// Where to send a person who wants to log in at the provider; `None` where there is no provider.
    ///
    /// # Errors
    /// [`AccountError::Sso`].
    pub async fn begin_sso(
        &self,
        redirect_uri: Option<&str>,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Option<SsoAttempt>, AccountError> {
        match &self.0.sso {
            Some(sso) => Ok(Some(sso.begin(redirect_uri, client, now).await?)),
            None => Ok(None),
        }
    }

    /// Opens a session for the person whom the provider gave this code to.
    ///
    /// The account is the one that is linked to issuer and subject of the ID token. Where there is none, the
    /// [rules](Strangers) say what becomes of the person; nobody is ever taken for an account by an address. An account that
    /// is switched off is answered like a stranger. The provider vouches for the person: no second factor is asked for.
    ///
    /// # Errors
    /// [`AccountError::Sso`]; [`AccountError::NameTaken`] where a person is to get an account whose name another one has: an
    /// administrator links the two; [`AccountError::Network`]; [`AccountError::Login`] where the account's address has to be
    /// verified before. Whoever has no password to ask with is sent a ticket for that then.
    pub async fn log_in_with_code(
        &self,
        login: CodeLogin,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let opened = self.coded(login, client, now).await;
        if let Err(error) = &opened {
            Event::of("login_failed").cause(error.cause()).client(client).tell();
        }
        opened
    }

    async fn coded(&self, login: CodeLogin, client: Option<IpAddr>, now: Now) -> Result<Tokens, AccountError> {
        let sso = self.0.sso.as_ref().ok_or(AccountError::Sso(SsoFault::State))?;
        let person = self.redeemed(sso, login, client, now).await?;
        let email = person.email.clone().filter(|_| sso.email() == ProvidersEmail::Trusted);
        let subject = Arc::clone(&person.subject);
        let account = self.account_of(sso, person, now).await?;
        let tenant = self.tenant_of(&account).await?;
        if account.status != AccountStatus::Active || !is_usable(tenant.as_ref()) {
            return Err(SsoFault::Stranger.into());
        }
        Self::check_networks(&account, tenant.as_ref(), client)?;
        let account = self.with_email_of(sso, account, email.as_deref(), now).await?;
        if let Err(unverified) = self.check_email(&account) {
            if account.password.is_none() {
                self.welcome(&account, client, now).await;
            }
            return Err(unverified);
        }
        let voucher = Voucher::Provider { issuer: Arc::clone(sso.issuer()), subject: Arc::clone(&subject) };
        let origin = Origin { held: None, vouched_by: Some(voucher) };
        let (session, refresh) = self.open(&account, origin, now).await?;
        if sso.links().linked(sso.issuer(), &subject).resolve().await?.as_deref() != Some(&*account.id) {
            // unlinked meanwhile: whoever did may have ended the sessions before this one was there
            self.end_session(&session.id, now).await?;
            return Err(SsoFault::Stranger.into());
        }
        let by = Event { by: Some(sso.issuer()), ..Event::of("login") };
        by.account(&account.id).session(&session.id).client(client).tell();
        self.tokens(account, &session, &KeyBounds::default(), refresh, now).await
    }

    /// The account, its address verified where that is the one that a trusted provider says is verified.
    async fn with_email_of(
        &self,
        sso: &SingleSignOn,
        account: Arc<AccountRecord>,
        verified: Option<&str>,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let said = verified.and_then(|email| LoginName::fold(email).ok());
        if said.is_none() || account.email != said {
            return Ok(account);
        }
        let Some(changed) = self.verified(&account, now).await? else { return Ok(account) };
        let by = Event { by: Some(sso.issuer()), ..Event::of("email_verified") };
        by.account(&account.id).tell();
        Ok(Arc::new(changed))
    }

    /// The person of a code, as often as guessing allows: each guess is one request to the provider.
    async fn redeemed(
        &self,
        sso: &SingleSignOn,
        login: CodeLogin,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Person, AccountError> {
        let Some(throttle) = &self.0.throttle else { return Ok(sso.redeem(login, client, now).await?) };
        // by source alone: whose account it is about nobody knows yet
        let who = client.map(LoginThrottle::source_name).unwrap_or_default();
        let attempt = throttle.begin(&format!("sso {who}"), client, Familiarity::Stranger).resolve().await;
        let attempt = attempt.map_err(AccountError::Refused)?;
        let redeemed = sso.redeem(login, client, now).await;
        match &redeemed {
            Err(SsoFault::Code) => attempt.failed().resolve().await,
            _ => attempt.succeeded(),
        }
        Ok(redeemed?)
    }

    async fn account_of(
        &self,
        sso: &SingleSignOn,
        person: Person,
        now: Now,
    ) -> Result<Arc<AccountRecord>, AccountError> {
        let linked = sso.links().linked(sso.issuer(), &person.subject).resolve().await?;
        if let Some(linked) = &linked
            && let Some(account) = self.0.store.by_id(linked).resolve().await?
        {
            return Ok(account);
        }
        let subject = Arc::clone(&person.subject);
        let Strangers::Provision(rules) = sso.strangers() else { return Err(SsoFault::Stranger.into()) };
        // the link first: whoever comes back after a crash between the two, or at the same moment, gets the same account
        let id = mint::id(&self.0.id_prefix).map_err(|_| AccountError::Random)?;
        let link = AccountLink::new(Arc::clone(sso.issuer()), Arc::clone(&person.subject), id, now.wall);
        let id = sso.links().link(link).resolve().await?;
        match self.create_as(Arc::clone(&id), wanted(person, rules), now).await {
            Ok(account) => {
                let by = Event { by: Some(sso.issuer()), ..Event::of("register") };
                by.account(&account.id).tell();
                Ok(account)
            }
            // somebody was faster, or somebody else has the name
            Err(AccountError::NameTaken) => {
                let account = self.0.store.by_id(&id).resolve().await?;
                if account.is_none() {
                    // a link to nobody would keep an administrator from linking the two
                    sso.links().unlink(sso.issuer(), &subject).resolve().await?;
                }
                account.ok_or(AccountError::NameTaken)
            }
            Err(error) => Err(error),
        }
    }
}

/// An account for somebody who comes for the first time.
fn wanted(person: Person, rules: &Provisioning) -> NewAccount {
    let mut wanted = NewAccount::new();
    let Provisioning { tenant, plan, kind, roles, permissions } = rules.clone();
    wanted.tenant = tenant;
    wanted.plan = plan;
    wanted.kind = kind;
    wanted.roles = roles;
    wanted.permissions = permissions;
    wanted.name = person.name.filter(|name| name.chars().count() <= 200).map(Arc::from);
    // one that is logged in to with nothing but the provider has to be called something all the same
    // what looks like an address is somebody's address, which a name at the provider does not prove
    let called = person.user_name.filter(|name| !name.contains('@'));
    let called = called.or_else(|| person.email.is_none().then(|| person.subject.to_string()));
    wanted.user_name = called;
    wanted.email = person.email;
    wanted
}

impl From<SsoFault> for AccountError {
    fn from(fault: SsoFault) -> Self {
        match fault {
            SsoFault::Store(error) => Self::Store(error),
            SsoFault::Random => Self::Random,
            fault => Self::Sso(fault),
        }
    }
}
