//! The made-up accounts that log in.

use std::sync::Arc;

use auth_core::account::TenantRecord;
use auth_core::issue::{AccountError, Accounts, Administration, Login, NewAccount, SigningError, TenantFor};
use auth_core::{Now, Secret, StoreError};

use super::{ACCOUNTS, DemoError, DemoUser, least, plan};
use crate::config::{Config, DemoAccount};

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

/// An account that is to be made.
struct Wanted {
    name: String,
    tenant: String,
    tenant_name: String,
    kind: Option<String>,
    /// The place of its plan.
    plan: usize,
    permissions: Vec<String>,
}

fn wanted(config: &Config) -> Vec<Wanted> {
    if config.demo_users.is_empty() {
        return usual(config);
    }
    let of = |user: &DemoAccount| Wanted {
        name: user.name.value.clone(),
        tenant: user.tenant.clone(),
        tenant_name: user.tenant_name.clone().unwrap_or_else(|| user.tenant.clone()),
        kind: user.kind.as_ref().map(|kind| kind.value.clone()),
        plan: 0,
        permissions: user.permissions.clone(),
    };
    config.demo_users.iter().map(of).collect()
}

/// One who may do everything, one who may do the least and, where there are second factors, one who has one.
fn usual(config: &Config) -> Vec<Wanted> {
    let all: Vec<String> = config.permissions_needed().into_iter().map(str::to_owned).collect();
    let fewest: Vec<String> = least(config).into_iter().collect();
    let [(first, upper), (last, lower)] = ACCOUNTS;
    let of = |name: &str, tenant: &str, plan, permissions| Wanted {
        name: name.to_owned(),
        tenant: tenant.to_owned(),
        tenant_name: tenant.to_owned(),
        kind: None,
        plan,
        permissions,
    };
    let mut wanted = vec![of(first, upper, 0, all.clone()), of(last, lower, 1, fewest)];
    if config.accounts.as_ref().is_some_and(|accounts| accounts.second_factor.is_some()) {
        wanted.insert(1, of(SECOND_FACTOR, upper, 0, all));
    }
    wanted
}

async fn make(config: &Config, accounts: &Accounts, now: Now) -> Result<Vec<DemoUser>, DemoError> {
    let mut made = Vec::new();
    for wanted in wanted(config) {
        let plan = plan(config, wanted.plan);
        let tenant = TenantRecord::new(wanted.tenant.as_str(), wanted.tenant_name.as_str(), now.wall);
        match accounts.add_tenant(tenant).await {
            Ok(()) | Err(AccountError::Store(StoreError::Conflict)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut user = DemoUser {
            email: format!("{}@example.com", wanted.name),
            username: wanted.name,
            password: Administration::fresh_password()
                .map_err(|_| SigningError::Random)?
                .expose_text()
                .unwrap_or_default()
                .to_owned(),
            tenant: wanted.tenant,
            kind: wanted.kind,
            plan: plan.map(str::to_owned),
            permissions: wanted.permissions,
            totp_secret: None,
        };
        let account = accounts.create(account_of(&user), now).await?;
        user.permissions = accounts.permissions_of(&account).iter().map(str::to_owned).collect();
        if user.username == SECOND_FACTOR {
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

/// A token of the first account, by logging in.
pub(super) async fn bearer(accounts: &Accounts, user: &DemoUser, now: Now) -> Result<String, DemoError> {
    let login = Login::new(user.email.as_str(), Secret::from(user.password.as_str()));
    let tokens = accounts.log_in(login, now).await?;
    Ok(tokens.access.token.expose_text().unwrap_or_default().to_owned())
}

/// The id of an account, which its keys belong to.
pub(super) async fn owner(accounts: &Accounts, user: &DemoUser) -> Result<Option<Arc<str>>, DemoError> {
    Ok(accounts.find_by_login(&user.email).await?.map(|account| Arc::clone(&account.id)))
}
