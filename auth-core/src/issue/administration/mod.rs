//! What administrators do with users, tenants, keys and clients: command lines and endpoints alike.
//!
//! **What goes with what.** Switching a user off ends its sessions, and suspends its API keys in one step; switching it on
//! again brings the keys back, but for those that were switched off by themselves. Switching a tenant off does the same to
//! every key that acts in it, and refuses the access tokens that its users have; their sessions go on when it is switched on
//! again, by their refresh tokens. Another plan is given to the keys that had copied the one before, and fewer permissions
//! take from the keys what their owner no longer holds.
//!
//! **Networks.** The lists of a user, of their tenant and of a key hold together, on every use of what any of them gave: logins,
//! refreshes, access tokens and keys.
//!
//! **Access tokens** speak for themselves until they end. Where permissions or networks change, or a tenant is switched off, the
//! tokens given so far are put on the list of [revocations](crate::revocation) as "issued before now": a revocation cannot
//! be lifted, so that whoever comes back asks for new tokens instead. Opaque tokens of a user who is switched off, or whose
//! sessions are ended, are taken back for good.
//!
//! **Twice is once.** What was interrupted is done again: whatever was done already stays so.
//!
//! **Who may.** Whoever calls this. There is no administrator of one tenant alone.
//!
//! Every change is told as one event of the target `auth::account`, with who did it (S15).
//!
//! - `users`, `tenants`, `keys`, `clients`, `partners`, `links`: what is done with each
//! - `error`: why it could not be done

mod clients;
mod error;
mod keys;
mod links;
mod partners;
mod tenants;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use crate::Secret;
use crate::clock::Now;
use crate::network::NetworkSet;
use crate::policy::PermissionModel;
use crate::store::{KeyChange, KeyScope};

use super::accounts::journal::Event;
use super::new_key::TOO_MANY_NETWORKS;
use super::{Accounts, ApiKeys, Clients, KeyError, OpaqueTokens};

pub use error::AdministrationError;

/// What administrators work on; clones share everything.
///
/// ```
/// use auth_core::issue::{Actor, Administration};
/// # async fn suspend(all: Administration, now: auth_core::Now) -> Result<(), auth_core::issue::AdministrationError> {
/// let administrator = Actor { subject: "ada".into(), client: None };
/// all.by(administrator, now).disable_user("user_7GvJ0aNqT3mXw2Zb").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Administration {
    /// The accounts, where there are any.
    pub accounts: Option<Accounts>,
    /// The API keys, where there are any.
    pub keys: Option<ApiKeys>,
    /// The OAuth clients, where there are any.
    pub clients: Option<Clients>,
    /// The opaque tokens, where there are any.
    pub opaque_tokens: Option<OpaqueTokens>,
    /// Which permission brings which along: what a key may keep when its owner has fewer.
    pub permissions: PermissionModel,
}

/// Who administrates, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The subject of the administrator.
    pub subject: Arc<str>,
    /// The address that it comes from; `None` where it is not known.
    pub client: Option<IpAddr>,
}

/// Administration by somebody at some time.
#[derive(Debug)]
pub struct Administering<'a> {
    all: &'a Administration,
    actor: Actor,
    now: Now,
}

impl Administration {
    /// Nothing to work on yet; set the fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// A password that nobody knows yet, with a character of each class, whichever a policy asks for.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn fresh_password() -> Result<Secret, AdministrationError> {
        Ok(Secret::from(super::mint::id("")? + "-aA1"))
    }

    /// What this administrator does now.
    pub fn by(&self, actor: Actor, now: Now) -> Administering<'_> {
        Administering { all: self, actor, now }
    }
}

impl Administering<'_> {
    fn accounts(&self) -> Result<&Accounts, AdministrationError> {
        self.all.accounts.as_ref().ok_or(AdministrationError::Absent("accounts"))
    }

    fn api_keys(&self) -> Result<ApiKeys, AdministrationError> {
        self.owned_keys().ok_or(AdministrationError::Absent("API keys"))
    }

    /// The keys as they follow the accounts.
    fn owned_keys(&self) -> Option<ApiKeys> {
        let keys = self.all.keys.clone()?;
        Some(self.all.accounts.as_ref().map_or_else(|| keys.clone(), |accounts| accounts.owning(keys.clone())))
    }

    /// The keys of a user; `None` where there are no keys at all.
    fn keys_of(&self, user: &str) -> Option<(ApiKeys, KeyScope)> {
        let keys = self.owned_keys()?;
        let issuer = Arc::clone(keys.issuer());
        Some((keys, KeyScope::Owner { issuer, subject: user.into() }))
    }

    /// Puts keys out of force, in one step.
    async fn suspend(&self, found: Option<(ApiKeys, KeyScope)>) -> Result<(), AdministrationError> {
        let Some((keys, scope)) = found else { return Ok(()) };
        keys.change_all(&scope, KeyChange::Suspend).await?;
        Ok(())
    }

    /// Brings keys in line with their owners and tenants: those are back in force whose owner and tenants all are on, and good
    /// from the networks that these allow.
    async fn follow(&self, found: Option<(ApiKeys, KeyScope)>) -> Result<(), AdministrationError> {
        let Some((keys, scope)) = found else { return Ok(()) };
        keys.follow_owners(&scope).await?;
        Ok(())
    }

    fn tell(&self, event: Event<'_>) {
        Event { by: Some(&self.actor.subject), client: self.actor.client, ..event }.tell();
    }
}

/// A key that was taken back, now or long ago, needs nothing any more.
fn still_there<T>(changed: Result<T, KeyError>) -> Result<(), AdministrationError> {
    match changed {
        Ok(_) | Err(KeyError::Ended | KeyError::Missing) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn not_too_long(networks: Option<&Arc<NetworkSet>>) -> Result<(), AdministrationError> {
    match networks {
        Some(set) if set.is_too_long() => Err(AdministrationError::Invalid(TOO_MANY_NETWORKS)),
        _ => Ok(()),
    }
}
