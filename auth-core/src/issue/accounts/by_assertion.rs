//! From a partner's assertion to a session.

use std::net::IpAddr;
use std::sync::Arc;

use crate::account::{AccountStatus, LoginName, Voucher};
use crate::client::ClientRecord;
use crate::clock::Now;
use crate::issue::assertion::{Asserted, AssertionError};
use crate::names::Names;
use crate::rejection::CredentialFault;
use crate::trust::Reach;

use super::bounds::KeyBounds;
use super::journal::Event;
use super::login::{Held, Origin};
use super::{AccountError, Accounts, Tokens, is_usable};

impl Accounts {
    /// Opens a session for the account that a partner's assertion is about (RFC 7523 section 2.1).
    ///
    /// The partner vouches for the person: no password and no second factor is asked for. An account that is unknown,
    /// switched off or beyond the partner's reach is answered alike. An assertion is used up by the login it opens; one that
    /// opens none may be shown again.
    ///
    /// # Errors
    /// [`AccountError::Token`] where the assertion opens nothing; [`AccountError::Network`] where the account is not to be
    /// used from there; [`AccountError::Login`] where its address has to be verified before; [`AccountError::Store`].
    pub async fn log_in_with_assertion(
        &self,
        assertion: &str,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let opened = self.asserted(assertion, None, client, now).await;
        if let Err(error) = &opened {
            Event::of("login_failed").cause(error.cause()).client(client).tell();
        }
        opened
    }

    pub(super) async fn asserted(
        &self,
        assertion: &str,
        holder: Option<(&ClientRecord, Option<&Names>)>,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let assertions = self.0.assertions.as_ref().ok_or(AccountError::Token(CredentialFault::Issuer))?;
        let asserted = assertions.read(assertion, now).await?;
        let unknown = || AccountError::Token(CredentialFault::Unknown);
        let name = LoginName::fold(&asserted.name).map_err(|_| unknown())?;
        let account = self.0.store.by_login(&name).resolve().await?.ok_or_else(unknown)?;
        let tenant = self.tenant_of(&account).await?;
        if !covers(&asserted, account.tenant.as_ref())
            || account.status != AccountStatus::Active
            || !is_usable(tenant.as_ref())
        {
            return Err(unknown());
        }
        Self::check_networks(&account, tenant.as_ref(), client)?;
        self.check_email(&account)?;
        let mut bounds = KeyBounds::default();
        let voucher = Voucher::Partner(Arc::clone(&asserted.partner));
        let mut origin = Origin { held: None, vouched_by: Some(voucher) };
        if let Some((holder, scope)) = holder {
            if holder.tenant.is_some() && holder.tenant != account.tenant {
                return Err(unknown());
            }
            bounds = KeyBounds::from(holder);
            let mut permissions = self.0.permissions.meet(&self.permissions_of(&account), &holder.permissions);
            if let Some(scope) = scope {
                if !scope.iter().all(|name| self.0.permissions.grants(&permissions, name)) {
                    return Err(AccountError::Scope);
                }
                permissions = scope.clone();
            }
            origin.held = Some(Held { key: None, client: Some(holder), permissions, expires: holder.expires });
        }
        assertions.use_up(&asserted).await?;
        let (session, refresh) = self.open(&account, origin, now).await?;
        if !assertions.still_knows(&asserted).await? {
            // removed meanwhile: whoever did may have ended its sessions before this one was there
            self.end_session(&session.id, now).await?;
            return Err(unknown());
        }
        let by = Event { by: Some(&asserted.partner), ..Event::of("login") };
        by.account(&account.id).session(&session.id).client(client).tell();
        self.tokens(account, &session, &bounds, refresh, now).await
    }
}

fn covers(asserted: &Asserted, tenant: Option<&Arc<str>>) -> bool {
    match &asserted.reach {
        Reach::Everybody => true,
        Reach::Tenant(own) => tenant == Some(own),
    }
}

impl From<AssertionError> for AccountError {
    fn from(error: AssertionError) -> Self {
        match error {
            AssertionError::Fault(fault) => Self::Token(fault),
            AssertionError::Store(error) => Self::Store(error),
        }
    }
}
