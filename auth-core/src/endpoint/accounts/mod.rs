//! Accounts over HTTP: registering, logging in and out, refreshing, passwords, and the account itself.
//!
//! - `session`: logging in and out, and refreshing
//! - `person`: registering, the account itself, and its password
//! - `mailbox`: resetting passwords and verifying addresses
//! - `second_factor`: one-time codes and recovery codes
//! - `sso`: people who are logged in at an OpenID provider
//! - `told`: what an answer tells of an account; `userinfo`: what a client is told as OpenID Connect has it

mod mailbox;
mod person;
mod second_factor;
mod session;
mod sso;
mod told;
mod userinfo;

use std::borrow::Cow;
use std::sync::Arc;

use crate::account::AccountRecord;
use crate::gate::Gate;
use crate::issue::{AccountError, Accounts, PasswordFault, TenantFor};
use crate::names::Names;
use crate::principal::Principal;
use crate::rejection::{ContentFault, Outage, Prohibition, Rejection};
use crate::verify::ApiKeyVerifier;

use super::content::invalid;
use super::cookie::AccessCookie;
use super::keys::Call;
use super::words::Words;

pub(super) use person::Welcome;

/// Accounts as endpoints work with them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountEndpoints {
    /// The accounts.
    pub accounts: Accounts,
    /// What people log in with.
    pub login_by: LoginBy,
    /// What people get who register themselves.
    pub registration: Registration,
    /// The members of a user that is part of another answer; `None` for the usual ones.
    pub user: Option<Vec<&'static str>>,
    /// What verifies the API keys that people may log in with; `None` where they may not.
    pub keys: Option<ApiKeyVerifier>,
    /// The budget that a user's usage tells of.
    pub usage: Option<Usage>,
    /// The cookie that a login can ask for.
    pub cookie: Option<AccessCookie>,
}

/// What people log in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginBy {
    /// The member `email`, the default.
    #[default]
    Email,
    /// The member `user_name`.
    UserName,
}

impl LoginBy {
    const fn member(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::UserName => "user_name",
        }
    }
}

/// What people get who register themselves.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// Where they belong.
    pub tenant: TenantFor,
    /// The plan that chooses their limits.
    pub plan: Option<Arc<str>>,
    /// The type of user that they are.
    pub kind: Option<Arc<str>>,
    /// What they are.
    pub roles: Names,
    /// What they may do.
    pub permissions: Names,
}

/// The budget that a user's usage tells of.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The gate that counts it.
    pub gate: Gate,
    /// What the limit is called in the plans.
    pub limit: Arc<str>,
    /// What is told of it; `None` for `limit`, `remaining` and `reset_at`.
    pub members: Option<Vec<&'static str>>,
}

impl AccountEndpoints {
    /// Accounts that are logged in to by address, with nothing more; set the fields for more.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            login_by: LoginBy::default(),
            registration: Registration::default(),
            user: None,
            keys: None,
            usage: None,
            cookie: None,
        }
    }

    /// Accounts are subjects of our own. One that another issuer vouches for may have the name of one of ours.
    fn is_own(&self, caller: &Principal) -> bool {
        caller.issuer == *self.accounts.issuer()
    }

    /// The account of the caller.
    async fn own(&self, caller: &Principal, call: &Call<'_>) -> Result<Arc<AccountRecord>, Rejection> {
        if !self.is_own(caller) {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        match self.accounts.find(&caller.subject).await {
            // a key that somebody made at the command line need not belong to an account
            Err(AccountError::Missing) => Err(Rejection::Forbidden(Prohibition::Denied)),
            found => found.map_err(|error| self.refused(error, call.words)),
        }
    }

    /// Why something was not done, as it is told.
    pub(in crate::endpoint) fn refused(&self, error: AccountError, words: &Words) -> Rejection {
        match error {
            AccountError::Login(fault) => Rejection::LoginFailed(fault),
            AccountError::Refused(rejection) => rejection,
            AccountError::Network => Rejection::Forbidden(Prohibition::Network),
            AccountError::Token(fault) => Rejection::InvalidCredential(fault),
            AccountError::Ticket => Rejection::InvalidContent(ContentFault::Ticket),
            AccountError::Sso(fault) => sso::refused(fault, words),
            AccountError::Weak(faults) => weak(words, "password", &faults),
            AccountError::NameTaken => Rejection::Conflict("there is an account with this name already"),
            AccountError::Name(error) => {
                let member = self.login_by.member();
                invalid(words, member, Cow::Owned(format!("cannot be a name: {error}")))
            }
            AccountError::Missing => Rejection::NotFound,
            // scopes are of the OAuth endpoints, which tell it themselves
            AccountError::Scope => Rejection::Internal,
            AccountError::State(what) => Rejection::Conflict(what),
            AccountError::Hashing(error) => error.into(),
            AccountError::Random | AccountError::Store(_) => {
                Rejection::Unavailable(Outage::new(format!("accounts: {error}")))
            }
        }
    }
}

/// Everything that is wrong with a new password.
pub(in crate::endpoint) fn weak(words: &Words, member: &str, faults: &[PasswordFault]) -> Rejection {
    let all = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Rejection::InvalidContent(ContentFault::Value { member: words.name(member).to_owned(), rule: all.into() })
}
