//! The made-up accounts that log in.

use std::sync::Arc;

use auth_core::account::{AccountChange, TenantRecord};
use auth_core::issue::{AccountError, Accounts, Login, NewAccount, TenantFor};
use auth_core::{LoginFault, Now, Secret, StoreError};

use super::{ACCOUNTS, DemoError, DemoUser, least, plan};
use crate::config::Config;
use crate::own_tokens::random_text;

/// An account with a second factor stands between the first and the last, where there are second factors.
const SECOND_FACTOR: &str = "demo-second-factor";

/// The accounts that are there, or new ones where the store knows none of them.
pub(super) async fn users(
    config: &Config,
    accounts: &Accounts,
    known: Option<&[DemoUser]>,
    now: Now,
) -> Result<Vec<DemoUser>, DemoError> {
    for user in known.unwrap_or_default() {
        if accounts.find_by_login(&user.email).await?.is_some() {
            return Ok(known.unwrap_or_default().to_vec());
        }
    }
    make(config, accounts, now).await
}

async fn make(config: &Config, accounts: &Accounts, now: Now) -> Result<Vec<DemoUser>, DemoError> {
    let all: Vec<String> = config.permissions_needed().into_iter().map(str::to_owned).collect();
    let fewest: Vec<String> = least(config).into_iter().collect();
    let [(first, upper), (last, lower)] = ACCOUNTS;
    let mut wanted = vec![(first, upper, 0, all.clone()), (last, lower, 1, fewest)];
    if config.accounts.as_ref().is_some_and(|accounts| accounts.second_factor.is_some()) {
        wanted.insert(1, (SECOND_FACTOR, upper, 0, all));
    }
    let mut made = Vec::new();
    for (name, tenant, place, permissions) in wanted {
        let plan = plan(config, place);
        match accounts.add_tenant(TenantRecord::new(tenant, tenant, now.wall)).await {
            Ok(()) | Err(AccountError::Store(StoreError::Conflict)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut user = DemoUser {
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            password: random_text(18)?,
            tenant: tenant.to_owned(),
            kind: None,
            plan: plan.map(str::to_owned),
            permissions,
            totp_secret: None,
        };
        let account = accounts.create(account_of(&user), now).await?;
        if let Some(email) = account.email.clone() {
            accounts.change(&account.id, AccountChange::EmailVerified(email), now).await?;
        }
        if name == SECOND_FACTOR {
            let secret = accounts.with_second_factor(&account.id, now).await?;
            user.totp_secret = secret.expose_text().map(str::to_owned);
        }
        made.push(user);
    }
    Ok(made)
}

fn account_of(user: &DemoUser) -> NewAccount {
    let mut wanted = NewAccount::new();
    wanted.email = Some(user.email.clone());
    wanted.user_name = Some(user.username.clone());
    wanted.password = Some(Secret::from(user.password.as_str()));
    wanted.name = Some(user.username.as_str().into());
    wanted.tenant = TenantFor::Existing(user.tenant.as_str().into());
    wanted.plan = user.plan.as_deref().map(Arc::from);
    wanted.kind = user.kind.as_deref().map(Arc::from);
    wanted.permissions = user.permissions.iter().collect();
    wanted
}

/// A token of the first account, by logging in; `None` where more is asked for than its password.
pub(super) async fn bearer(accounts: &Accounts, user: &DemoUser, now: Now) -> Result<Option<String>, DemoError> {
    let login = Login::new(user.email.as_str(), Secret::from(user.password.as_str()));
    match accounts.log_in(login, now).await {
        Ok(tokens) => Ok(tokens.access.token.expose_text().map(str::to_owned)),
        Err(AccountError::Login(fault)) if fault != LoginFault::Credentials => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The id of an account, which its keys belong to.
pub(super) async fn owner(accounts: &Accounts, user: &DemoUser) -> Result<Option<Arc<str>>, DemoError> {
    Ok(accounts.find_by_login(&user.email).await?.map(|account| Arc::clone(&account.id)))
}
