//! Accounts as endpoints and command lines work with them: making them, logging in, sessions, passwords.
//!
//! **Sessions.** A login opens a session; every access token names it, and refresh tokens belong to it. A session opens only
//! if its account is still of the generation in which the password was checked, and in one step with that check, so that
//! a login which was overtaken by a change of password or by the account being switched off leaves nothing behind.
//!
//! **From where.** The allow-lists of an account, of its tenant and of the key that it was used by hold together: they are asked
//! at every login and every refresh, and go into access tokens, where the gate asks them.
//!
//! **What ends.** Access tokens verify by themselves, without a look at the account. What ends a session therefore puts it
//! on the list of [revocations](crate::revocation) before it is answered, for as long as a token of it could live. A crash
//! between the two is made good by [`Accounts::resume`] at the next start.
//!
//! - `error`: why something could not be done
//! - `login`: from a name and a password to a session; `proof`: who knows the password
//! - `mailbox`: resetting passwords and verifying addresses, by tickets in messages
//! - `by_assertion`: from a partner's word to a session; `by_code`: from a person at an OpenID provider
//! - `session`: refreshing and ending sessions; `for_client`: those that OAuth clients hold
//! - `bounds`: what a session may do, and from where
//! - `second_factor`: one-time codes and recovery codes
//! - `administration`: making and changing accounts
//! - `user_type`: types of users, and what each of them may do
//! - `journal`: one event for everything that happens to an account (S15)

mod administration;
mod bounds;
mod by_assertion;
mod by_code;
mod error;
mod for_client;
pub(crate) mod journal;
mod login;
mod mailbox;
mod proof;
mod second_factor;
mod session;
#[cfg(test)]
mod tests;
mod user_type;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::account::{AccountRecord, LoginName, TenantRecord, TenantStatus};
use crate::clock::{Now, Timestamp};
use crate::issue::{
    AccessTokenIssuer, ApiKeys, Assertions, LoginThrottle, Messages, MintedAccessToken, NewAccessToken, PasswordPolicy,
    Passwords, RefreshTokens, SingleSignOn,
};
use crate::names::Names;
use crate::origin::Origin;
use crate::policy::PermissionModel;
use crate::revocation::{Revocation, Revocations, Target};
use crate::store::AccountStore;
use bounds::KeyBounds;

pub use administration::{NewAccount, TenantFor};
pub use error::AccountError;
pub use login::{Login, SecondFactorProof};
pub use mailbox::UnverifiedEmail;
pub use second_factor::{Enrolment, SecondFactorRule, SecondFactors};
pub use session::Tokens;
pub use user_type::{UnknownNames, UserType};

/// How much longer than its tokens live a session stays on the list of revocations: clocks differ, and a token may be
/// signed while its session ends.
const MARGIN: Duration = Duration::from_mins(5);

/// The accounts of one service. Clones share everything.
#[derive(Clone)]
pub struct Accounts(Arc<AccountParts>);

/// What accounts are put together of.
#[derive(Clone)]
#[non_exhaustive]
pub struct AccountParts {
    /// Where they are kept.
    pub store: Arc<dyn AccountStore>,
    /// What hashes their passwords.
    pub passwords: Passwords,
    /// What new passwords must be like.
    pub policy: PasswordPolicy,
    /// What signs access tokens.
    pub issuer: AccessTokenIssuer,
    /// What sessions are refreshed with; `None` where they are refreshed by their access tokens, or not at all.
    pub refresh: Option<RefreshTokens>,
    /// When a session is over, however much it is used; 30 days by default.
    pub session_life: Duration,
    /// For how long a session may lie unused; not limited by default.
    pub session_idle: Option<Duration>,
    /// How many sessions an account has open at the most, 100 by default; the oldest ends when another opens.
    pub most_sessions: usize,
    /// The list that ended sessions are put on. Without one, access tokens live on until they end by themselves.
    pub revocations: Option<Revocations>,
    /// The API keys that people may log in with, and that belong to accounts.
    pub keys: Option<ApiKeys>,
    /// What bounds guessing; without it, nothing does.
    pub throttle: Option<LoginThrottle>,
    /// What second factors take; without it there are none.
    pub second_factors: Option<SecondFactors>,
    /// Whose accounts have to have a second factor; nobody's by default.
    pub second_factor_rule: SecondFactorRule,
    /// What messages to people take; without it there are none.
    pub messages: Option<Messages>,
    /// Whether people log in before they have verified their address; they do by default.
    pub unverified_email: UnverifiedEmail,
    /// The types of users that there are; empty where the service does not tell them apart.
    pub types: Vec<UserType>,
    /// Whether a login tells that there is no account of that name.
    pub unknown_names: UnknownNames,
    /// The partners whose word opens sessions; `None` where nobody's does.
    pub assertions: Option<Assertions>,
    /// The OpenID provider whose people get sessions; `None` where there is none.
    pub sso: Option<SingleSignOn>,
    /// What the ids of accounts begin with.
    pub id_prefix: Arc<str>,
    /// Which permission brings which along: what a session may do that was opened with a key.
    pub permissions: PermissionModel,
    /// What the ids of tenants begin with.
    pub tenant_prefix: Arc<str>,
}

impl AccountParts {
    /// Accounts with sessions of 30 days and nothing else; set the fields for more.
    pub fn new(store: Arc<dyn AccountStore>, passwords: Passwords, issuer: AccessTokenIssuer) -> Self {
        Self {
            store,
            passwords,
            policy: PasswordPolicy::default(),
            issuer,
            refresh: None,
            session_life: Duration::from_hours(30 * 24),
            session_idle: None,
            most_sessions: 100,
            revocations: None,
            keys: None,
            throttle: None,
            second_factors: None,
            second_factor_rule: SecondFactorRule::default(),
            messages: None,
            unverified_email: UnverifiedEmail::default(),
            types: Vec::new(),
            assertions: None,
            sso: None,
            unknown_names: UnknownNames::default(),
            id_prefix: "user_".into(),
            permissions: PermissionModel::default(),
            tenant_prefix: "org_".into(),
        }
    }
}

impl Accounts {
    /// Accounts of these parts.
    pub fn new(parts: AccountParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Who vouches for the accounts: the issuer of their tokens.
    pub fn issuer(&self) -> &Arc<str> {
        self.0.issuer.issuer()
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`AccountError::Missing`], or what went wrong in the store.
    pub async fn find(&self, id: &str) -> Result<Arc<AccountRecord>, AccountError> {
        self.0.store.by_id(id).resolve().await?.ok_or(AccountError::Missing)
    }

    /// The account that is logged in to with this name; `None` where there is none.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn find_by_login(&self, name: &str) -> Result<Option<Arc<AccountRecord>>, AccountError> {
        let Ok(name) = LoginName::fold(name) else { return Ok(None) };
        Ok(self.0.store.by_login(&name).resolve().await?)
    }

    /// The partners whose word opens sessions, where there may be any.
    pub fn assertions(&self) -> Option<&Assertions> {
        self.0.assertions.as_ref()
    }

    /// Single sign-on, where there is a provider.
    pub fn sso(&self) -> Option<&SingleSignOn> {
        self.0.sso.as_ref()
    }

    /// Where accounts are kept, for looking at them. Whoever changes one there sees to what has to end with it; better
    /// use [`change`](Self::change).
    pub fn store(&self) -> &Arc<dyn AccountStore> {
        &self.0.store
    }

    /// The keys as they follow these accounts, where it is these that own them.
    pub(crate) fn owning(&self, keys: ApiKeys) -> ApiKeys {
        if keys.issuer() == self.issuer() { keys.owned_by(Arc::clone(&self.0.store)) } else { keys }
    }

    /// The tenant of an account, where it has one that is kept here.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn tenant_of(&self, account: &AccountRecord) -> Result<Option<TenantRecord>, AccountError> {
        match &account.tenant {
            Some(tenant) => Ok(self.0.store.tenant(tenant).resolve().await?),
            None => Ok(None),
        }
    }

    /// The plan that chooses an account's limits: its own, or else its tenant's.
    pub fn plan_of(account: &AccountRecord, tenant: Option<&TenantRecord>) -> Option<Arc<str>> {
        account.plan.clone().or_else(|| tenant.and_then(|tenant| tenant.plan.clone()))
    }

    /// An access token of a session, which it does not outlive.
    fn access_token(
        &self,
        account: &AccountRecord,
        tenant: Option<&TenantRecord>,
        session: &crate::account::SessionRecord,
        key: &KeyBounds,
        now: Now,
    ) -> Result<MintedAccessToken, AccountError> {
        let holder = session.client.clone().unwrap_or_else(|| "login".into());
        let mut wanted = NewAccessToken::new(Arc::clone(&account.id), holder);
        wanted.tenant.clone_from(&account.tenant);
        wanted.plan = Self::plan_of(account, tenant);
        wanted.permissions = self.permissions(account, session, key);
        wanted.networks = bounds::networks(account, tenant, key);
        // a key that was given no roles of the account does not get them by logging in
        wanted.roles = if session.permissions.is_some() { Names::EMPTY } else { account.roles.clone() };
        wanted.session = Some(Arc::clone(&session.id));
        let ends = key.ends.map_or(session.ends, |end| end.min(session.ends));
        let left = ends.unix_micros().saturating_sub(now.wall.unix_micros());
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        if let Some((client, tokens_from)) = &key.client {
            wanted.later_than = *tokens_from;
            let mut holder = Origin::new(Arc::clone(self.issuer()), format!("client:{client}"));
            holder.issued = Some(wanted.issued_at(now));
            wanted.origins = vec![holder];
        }
        wanted.lifetime = Some(self.0.issuer.lifetime().min(left));
        self.0.issuer.mint(&wanted, now).map_err(|_| AccountError::Random)
    }

    /// Puts ended sessions on the list of revocations, for as long as a token of theirs could live.
    async fn revoke_sessions(&self, ids: &[Arc<str>], now: Now) -> Result<(), AccountError> {
        let Some(revocations) = &self.0.revocations else { return Ok(()) };
        for id in ids {
            let target = Target::session(Arc::clone(self.issuer()), Arc::clone(id));
            revocations.revoke(&Revocation::new(target, self.last_token_ends(now)), now).resolve().await?;
        }
        Ok(())
    }

    /// When the last token that is signed now has ended.
    fn last_token_ends(&self, now: Now) -> Timestamp {
        now.wall.saturating_add(self.0.issuer.lifetime()).saturating_add(MARGIN)
    }
}

fn is_usable(tenant: Option<&TenantRecord>) -> bool {
    tenant.is_none_or(|tenant| tenant.status == TenantStatus::Active)
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("issuer", self.issuer()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AccountParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountParts").field("issuer", self.issuer.issuer()).finish_non_exhaustive()
    }
}
