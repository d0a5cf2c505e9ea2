//! Types of users, and what each of them may do.

use std::sync::Arc;

use crate::account::AccountRecord;
use crate::names::Names;

use super::Accounts;

/// A type of users, in the words of the service, and what everybody of it may do.
///
/// What a type may do is looked at whenever a token is signed, so that a change of it reaches everybody of the type with
/// their next token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserType {
    /// What the type is called: an account's [`kind`](AccountRecord::kind).
    pub name: Arc<str>,
    /// What everybody of it may do, besides what an account is given itself.
    pub permissions: Names,
}

/// Whether a login tells that there is no account of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownNames {
    /// It is answered like a wrong password, after the same work, so that nobody learns which names exist (S4). The default.
    #[default]
    Hidden,
    /// It is told, to everybody who asks: strangers can then find out who has an account. For clients that were promised it.
    DangerTold,
}

impl Accounts {
    /// What an account may do: what it was given itself, and what its type may.
    pub fn permissions_of(&self, account: &AccountRecord) -> Names {
        let of_type = |kind: &Arc<str>| self.0.types.iter().find(|known| known.name == *kind);
        match account.kind.as_ref().and_then(of_type) {
            Some(found) if account.permissions.is_empty() => found.permissions.clone(),
            Some(found) => {
                let more = found.permissions.iter().filter(|name| !account.permissions.contains(name));
                account.permissions.iter().chain(more).collect()
            }
            None => account.permissions.clone(),
        }
    }

    /// Whether there is such a type; of a service that names no types, every one is.
    pub(super) fn is_type(&self, kind: Option<&Arc<str>>) -> bool {
        let known = |kind: &Arc<str>| self.0.types.iter().any(|known| known.name == *kind);
        self.0.types.is_empty() || kind.is_none_or(known)
    }
}
