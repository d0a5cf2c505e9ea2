//! Making and changing accounts.

use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, LoginName, PasswordHash, TenantRecord};
use crate::clock::Now;
use crate::error::StoreError;
use crate::issue::mint;
use crate::names::Names;
use crate::network::NetworkSet;

use super::journal::Event;
use super::{AccountError, Accounts, Login};

/// What somebody wants of a new account.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// The address it is logged in to with. One of the two names has to be there.
    pub email: Option<String>,
    /// The user name it is logged in to with.
    pub user_name: Option<String>,
    /// The password; without one nobody logs in by password.
    pub password: Option<Secret>,
    /// What the person is called: at most 200 characters, none of them control characters.
    pub name: Option<Arc<str>>,
    /// Where it belongs.
    pub tenant: TenantFor,
    /// The plan that chooses its limits, where it is not its tenant's.
    pub plan: Option<Arc<str>>,
    /// The type of user, in the words of the service.
    pub kind: Option<Arc<str>>,
    /// What the person is.
    pub roles: Names,
    /// What the person may do.
    pub permissions: Names,
    /// The networks it may be used from; `None` means any.
    pub networks: Option<Arc<NetworkSet>>,
}

/// Where a new account belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TenantFor {
    /// Nowhere.
    #[default]
    Nobody,
    /// To a tenant that is there, or that is kept elsewhere.
    Existing(Arc<str>),
    /// To a tenant of its own, which is made along with it.
    Own,
}

impl NewAccount {
    /// An account without anything; set the fields for more.
    pub fn new() -> Self {
        Self {
            email: None,
            user_name: None,
            password: None,
            name: None,
            tenant: TenantFor::Nobody,
            plan: None,
            kind: None,
            roles: Names::EMPTY,
            permissions: Names::EMPTY,
            networks: None,
        }
    }
}

impl Default for NewAccount {
    fn default() -> Self {
        Self::new()
    }
}

impl Accounts {
    /// Makes an account, and a tenant for it where it is to have one of its own.
    ///
    /// # Errors
    /// [`AccountError::NameTaken`], [`AccountError::Name`], [`AccountError::Weak`]; then nothing was made.
    pub async fn create(&self, wanted: NewAccount, now: Now) -> Result<Arc<AccountRecord>, AccountError> {
        let fold = |name: &Option<String>| name.as_deref().map(LoginName::fold).transpose();
        let (email, user_name) = (fold(&wanted.email)?, fold(&wanted.user_name)?);
        if email.is_none() && user_name.is_none() {
            return Err(AccountError::State("an account needs an address or a user name"));
        }
        if wanted.name.as_ref().is_some_and(|name| name.chars().count() > 200 || name.chars().any(char::is_control)) {
            return Err(AccountError::State("a name has at most 200 characters, none of them control characters"));
        }
        if !self.is_type(wanted.kind.as_ref()) {
            return Err(AccountError::State("there is no such type of users"));
        }
        let names: Vec<LoginName> = email.iter().chain(&user_name).cloned().collect();
        let password = match wanted.password {
            Some(password) => Some(self.good_password(password, &names, &[]).await?),
            None => None,
        };
        let id = mint::id(&self.0.id_prefix).map_err(|_| AccountError::Random)?;
        let mut account = AccountRecord::new(id, now.wall);
        account.email = email;
        account.user_name = user_name;
        account.password = password;
        account.name = wanted.name;
        account.plan = wanted.plan;
        account.kind = wanted.kind;
        account.roles = wanted.roles;
        account.permissions = wanted.permissions;
        account.networks = wanted.networks;
        let own = match wanted.tenant {
            TenantFor::Nobody => None,
            TenantFor::Existing(tenant) => {
                account.tenant = Some(tenant);
                None
            }
            TenantFor::Own => {
                let id = mint::id(&self.0.tenant_prefix).map_err(|_| AccountError::Random)?;
                let called = account.name.clone().or_else(|| names.first().map(|name| Arc::clone(name.written())));
                let tenant = TenantRecord::new(id, called.unwrap_or_else(|| "".into()), now.wall);
                account.tenant = Some(Arc::clone(&tenant.id));
                Some(tenant)
            }
        };
        match self.0.store.insert(account.clone(), own).resolve().await {
            Ok(()) => Ok(Arc::new(account)),
            // ids are random and do not meet, so it is a name
            Err(StoreError::Conflict) => Err(AccountError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its id is there already.
    pub async fn add_tenant(&self, tenant: TenantRecord) -> Result<(), AccountError> {
        Ok(self.0.store.insert_tenant(tenant).resolve().await?)
    }

    /// Changes an account. Where that ends its sessions, their tokens are refused from when this has answered.
    ///
    /// # Errors
    /// [`AccountError::Missing`]; [`AccountError::NameTaken`] where a login name is another account's. Where a store failed,
    /// ending the sessions once more refuses the tokens of those that were ended before, too.
    pub async fn change(&self, id: &str, change: AccountChange, now: Now) -> Result<AccountRecord, AccountError> {
        let ends = change.ends_sessions();
        let changed = self.0.store.change(id, change, now.wall).resolve().await;
        match changed {
            Ok(Some(changed)) => {
                if ends {
                    self.revoke_ended(id, now).await?;
                }
                Ok(changed.account)
            }
            Ok(None) => Err(AccountError::Missing),
            Err(StoreError::Conflict) => Err(AccountError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives an account another password for the old one, and ends its sessions.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in) for the old password; [`AccountError::Weak`] for the new one.
    pub async fn change_password(&self, old: Login, new: Secret, now: Now) -> Result<AccountRecord, AccountError> {
        let client = old.source;
        let account = self.authenticated(old, "password_change_failed", now).await?;
        let changed = self.set_password(&account, new, Some(account.generation), now).await;
        match &changed {
            Ok(_) => Event::of("password_change").account(&account.id).client(client).tell(),
            Err(error) => {
                let event = Event::of("password_change_failed").account(&account.id).client(client);
                event.cause(error.cause()).tell();
            }
        }
        changed
    }

    /// Gives an account another password, whatever the old one is, and ends its sessions: for administrators.
    ///
    /// # Errors
    /// [`AccountError::Missing`]; [`AccountError::Weak`].
    pub async fn reset_password(&self, id: &str, new: Secret, now: Now) -> Result<AccountRecord, AccountError> {
        let account = self.find(id).await?;
        self.set_password(&account, new, None, now).await
    }

    async fn set_password(
        &self,
        account: &AccountRecord,
        new: Secret,
        if_generation: Option<u64>,
        now: Now,
    ) -> Result<AccountRecord, AccountError> {
        let names: Vec<LoginName> = account.login_names().cloned().collect();
        let recent: Vec<PasswordHash> = account.password.iter().chain(&account.recent_passwords).cloned().collect();
        let hash = self.good_password(new, &names, &recent).await?;
        let keep_recent = self.0.policy.recent().saturating_sub(1);
        let change = AccountChange::Password { hash, keep_recent, if_generation };
        match self.change(&account.id, change, now).await {
            // the account has moved on since the old password was checked
            Err(AccountError::NameTaken) => Err(AccountError::Login(crate::rejection::LoginFault::Credentials)),
            changed => changed,
        }
    }

    async fn good_password(
        &self,
        password: Secret,
        names: &[LoginName],
        recent: &[PasswordHash],
    ) -> Result<PasswordHash, AccountError> {
        let hashed = self.0.passwords.hash_new(self.0.policy, password, names, recent).resolve().await?;
        hashed.map_err(AccountError::Weak)
    }
}
