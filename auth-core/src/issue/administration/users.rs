//! Users: those who have an account.

use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, TenantStatus};
use crate::issue::accounts::journal::Event;
use crate::issue::{Accounts, NewAccount, TenantFor};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::store::{AccountScope, KeyChange, TokenScope};

use super::{Administering, AdministrationError, not_too_long, still_there};

impl Administering<'_> {
    /// The user with this id.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn user(&self, id: &str) -> Result<Arc<AccountRecord>, AdministrationError> {
        Ok(self.accounts()?.find(id).await?)
    }

    /// The user with this id, or who logs in with this name.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn user_named(&self, id_or_name: &str) -> Result<Arc<AccountRecord>, AdministrationError> {
        match self.user(id_or_name).await {
            Err(AdministrationError::Missing(_)) => {}
            found => return found,
        }
        self.user_by_login(id_or_name).await
    }

    /// The user who logs in with this name.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn user_by_login(&self, name: &str) -> Result<Arc<AccountRecord>, AdministrationError> {
        let found = self.accounts()?.find_by_login(name).await?;
        found.ok_or(AdministrationError::Missing("user"))
    }

    /// At most so many users, the oldest first, from the one that follows `after` on.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn users(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountRecord>, AdministrationError> {
        let scope = tenant.map_or(AccountScope::All, |tenant| AccountScope::Tenant(tenant.into()));
        Ok(self.accounts()?.store().list(&scope, after, limit).resolve().await?)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// As [`Accounts::create`]; [`AdministrationError::State`] where its tenant is switched off.
    pub async fn create_user(&self, wanted: NewAccount) -> Result<Arc<AccountRecord>, AdministrationError> {
        not_too_long(wanted.networks.as_ref())?;
        if let TenantFor::Existing(id) = &wanted.tenant {
            let tenant = self.accounts()?.store().tenant(id).resolve().await?;
            if tenant.is_some_and(|tenant| tenant.status == TenantStatus::Disabled) {
                return Err(AdministrationError::State("its tenant is switched off"));
            }
        }
        let user = self.accounts()?.create(wanted, self.now).await?;
        self.tell(Event::of("user_create").account(&user.id));
        Ok(user)
    }

    /// Switches a user off: its sessions end, its opaque tokens are taken back, its keys are suspended.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn disable_user(&self, id: &str) -> Result<AccountRecord, AdministrationError> {
        let user = self.accounts()?.change(id, AccountChange::Disable, self.now).await?;
        self.suspend(self.keys_of(id)).await?;
        self.take_back_tokens(id).await?;
        self.tell(Event::of("user_disable").account(id));
        Ok(user)
    }

    /// Switches a user on again. Its keys are good again, unless they were switched off by themselves or their tenant is
    /// off; sessions that were ended stay ended.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn enable_user(&self, id: &str) -> Result<AccountRecord, AdministrationError> {
        let user = self.accounts()?.change(id, AccountChange::Enable, self.now).await?;
        self.follow(self.keys_of(id)).await?;
        self.tell(Event::of("user_enable").account(id));
        Ok(user)
    }

    /// Puts a user on another plan, and its keys that had the one before; `None` leaves it to the tenant. Access tokens go by
    /// the old plan until they end.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn set_user_plan(&self, id: &str, plan: Option<Arc<str>>) -> Result<AccountRecord, AdministrationError> {
        let accounts = self.accounts()?;
        let before = accounts.find(id).await?;
        let tenant = accounts.tenant_of(&before).await?;
        let user = accounts.change(id, AccountChange::Plan(plan), self.now).await?;
        let (old, new) = (Accounts::plan_of(&before, tenant.as_ref()), Accounts::plan_of(&user, tenant.as_ref()));
        self.replan_keys(id, old.as_deref(), new).await?;
        self.tell(Event::of("user_set_plan").account(id));
        Ok(user)
    }

    /// Asks for no second factor of a user any more, whose app and recovery codes are lost, or are somebody else's; its
    /// sessions end. Where one is required, the next login has to begin another.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn remove_second_factor(&self, id: &str) -> Result<AccountRecord, AdministrationError> {
        let accounts = self.accounts()?;
        accounts.change(id, AccountChange::RemoveSecondFactor, self.now).await?;
        let user = accounts.change(id, AccountChange::EndSessions, self.now).await?;
        self.tell(Event::of("user_remove_second_factor").account(id));
        Ok(user)
    }

    /// Lets a user do this and nothing else, and takes from its keys what it no longer holds. Where something is taken
    /// away, access tokens that were given so far are refused; sessions go on.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn set_user_permissions(&self, id: &str, names: Names) -> Result<AccountRecord, AdministrationError> {
        let accounts = self.accounts()?;
        let user = accounts.change(id, AccountChange::Permissions(names.clone()), self.now).await?;
        if let Some((keys, scope)) = self.keys_of(id) {
            for key in keys.list(&scope).await? {
                let kept: Names =
                    key.permissions.iter().filter(|name| self.all.permissions.grants(&names, name)).collect();
                if kept != key.permissions {
                    still_there(keys.change(&key.id, KeyChange::Permissions(kept)).await)?;
                }
            }
        }
        // also where nothing was taken away by this call: the one that did may not have come this far
        accounts.refuse_tokens_so_far(id, self.now).await?;
        self.tell(Event::of("user_set_permissions").account(id));
        Ok(user)
    }

    /// Allows a user from these networks alone, and everything of theirs: logins, refreshes, keys. Access tokens that were
    /// given so far are refused, and sessions go on where the list allows it. `None` allows any.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`]; [`AdministrationError::Invalid`] where the list is too long; what went wrong in a
    /// store: then do it again.
    pub async fn set_user_networks(
        &self,
        id: &str,
        networks: Option<Arc<NetworkSet>>,
    ) -> Result<AccountRecord, AdministrationError> {
        not_too_long(networks.as_ref())?;
        let accounts = self.accounts()?;
        let user = accounts.change(id, AccountChange::Networks(networks), self.now).await?;
        self.follow(self.keys_of(id)).await?;
        accounts.refuse_tokens_so_far(id, self.now).await?;
        self.tell(Event::of("user_set_networks").account(id));
        Ok(user)
    }

    /// Gives a user another password, and ends its sessions.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`]; [`AccountError::Weak`](crate::issue::AccountError::Weak).
    pub async fn reset_password(&self, id: &str, new: Secret) -> Result<AccountRecord, AdministrationError> {
        let user = self.accounts()?.reset_password(id, new, self.now).await?;
        self.take_back_tokens(id).await?;
        self.tell(Event::of("user_reset_password").account(id));
        Ok(user)
    }

    /// Ends every session of a user, and takes back its opaque tokens. API keys go on.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn end_sessions(&self, id: &str) -> Result<AccountRecord, AdministrationError> {
        let user = self.accounts()?.change(id, AccountChange::EndSessions, self.now).await?;
        self.take_back_tokens(id).await?;
        self.tell(Event::of("user_end_sessions").account(id));
        Ok(user)
    }

    async fn take_back_tokens(&self, user: &str) -> Result<(), AdministrationError> {
        let Some(tokens) = &self.all.opaque_tokens else { return Ok(()) };
        let issuer = Arc::clone(self.accounts()?.issuer());
        tokens.revoke(&TokenScope::Subject { issuer, subject: user.into() }).await?;
        Ok(())
    }

    /// Gives the keys of a user that have the one plan the other.
    pub(super) async fn replan_keys(
        &self,
        user: &str,
        old: Option<&str>,
        new: Option<Arc<str>>,
    ) -> Result<(), AdministrationError> {
        let Some((keys, scope)) = self.keys_of(user).filter(|_| old != new.as_deref()) else { return Ok(()) };
        for key in keys.list(&scope).await? {
            if key.plan.as_deref() == old {
                still_there(keys.change(&key.id, KeyChange::Plan(new.clone())).await)?;
            }
        }
        Ok(())
    }
}
