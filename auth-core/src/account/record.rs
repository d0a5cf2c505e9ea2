//! What is known about one account.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::names::Names;
use crate::network::NetworkSet;

use super::{LoginName, PasswordHash, SecondFactor};

/// One account as a store keeps it.
///
/// Texts are shared pointers, so that an identity is made from a record without copying any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountRecord {
    /// The account's lasting name, random, unique in its store: the subject of its tokens.
    pub id: Arc<str>,
    /// The address it may be logged in to with. Folded, it is unique among addresses and user names alike.
    pub email: Option<LoginName>,
    /// The user name it may be logged in to with; unique like the address.
    pub user_name: Option<LoginName>,
    /// What the person is called.
    pub name: Option<Arc<str>>,
    /// The id of the tenant it belongs to.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses its limits, where it is not its tenant's.
    pub plan: Option<Arc<str>>,
    /// The type of user, in the words of the service.
    pub kind: Option<Arc<str>>,
    /// What the person is.
    pub roles: Names,
    /// What the person may do.
    pub permissions: Names,
    /// The networks it may be used from; `None` means any, an empty set means none.
    pub networks: Option<Arc<NetworkSet>>,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// When the address was shown to be the person's.
    pub email_verified: Option<Timestamp>,
    /// The hash of its password; without one nobody logs in by password.
    pub password: Option<PasswordHash>,
    /// The hashes of the passwords before this one, the newest first.
    pub recent_passwords: Vec<PasswordHash>,
    /// Moves by one when every session and token of it has to end.
    pub generation: u64,
    /// What is asked for besides the password.
    pub second_factor: SecondFactor,
    /// When it was made.
    pub created: Timestamp,
    /// When it got the password it has, where that is not its first.
    pub password_changed: Option<Timestamp>,
    /// When a session was last opened.
    pub last_login: Option<Timestamp>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It is switched off and can be switched on again.
    Disabled,
}

impl AccountRecord {
    /// An active account in its first generation, without anything else; set the fields for more.
    ///
    /// ```
    /// use auth_core::Timestamp;
    /// use auth_core::account::{AccountRecord, LoginName};
    ///
    /// let mut account = AccountRecord::new("acc_1", Timestamp::from_unix_seconds(1_700_000_000));
    /// account.email = Some(LoginName::fold("Ada@Example.com")?);
    /// # Ok::<(), auth_core::account::LoginNameError>(())
    /// ```
    pub fn new(id: impl Into<Arc<str>>, created: Timestamp) -> Self {
        Self {
            id: id.into(),
            email: None,
            user_name: None,
            name: None,
            tenant: None,
            plan: None,
            kind: None,
            roles: Names::EMPTY,
            permissions: Names::EMPTY,
            networks: None,
            status: AccountStatus::Active,
            email_verified: None,
            password: None,
            recent_passwords: Vec::new(),
            generation: 0,
            second_factor: SecondFactor::None,
            created,
            password_changed: None,
            last_login: None,
        }
    }

    /// The names it may be logged in to with, each once.
    pub fn login_names(&self) -> impl Iterator<Item = &LoginName> {
        let second = self.user_name.as_ref().filter(|name| self.email.as_ref() != Some(*name));
        self.email.iter().chain(second)
    }
}
