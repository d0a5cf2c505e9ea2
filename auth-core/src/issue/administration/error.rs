//! Why something could not be administrated.

use std::fmt;

use crate::error::StoreError;
use crate::issue::{AccountError, ClientError, KeyError};

/// Why something could not be administrated. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdministrationError {
    /// The service has nothing of that kind at all.
    Absent(&'static str),
    /// There is no such user, tenant, key or client.
    Missing(&'static str),
    /// What is to be made is there already.
    Taken(&'static str),
    /// Something about what is wanted is not as it must be; says what.
    Invalid(&'static str),
    /// What is wanted does not go with the state that things are in; says why.
    State(&'static str),
    /// It could not be done with an account.
    Account(AccountError),
    /// It could not be done with a key.
    Key(KeyError),
    /// It could not be done with an OAuth client.
    Client(ClientError),
}

impl From<AccountError> for AdministrationError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Missing => Self::Missing("user"),
            error => Self::Account(error),
        }
    }
}

impl From<KeyError> for AdministrationError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing => Self::Missing("key"),
            error => Self::Key(error),
        }
    }
}

impl From<ClientError> for AdministrationError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Missing => Self::Missing("client"),
            ClientError::Taken => Self::Taken("a client with this id"),
            ClientError::Invalid(rule) => Self::Invalid(rule),
            error => Self::Client(error),
        }
    }
}

impl From<StoreError> for AdministrationError {
    fn from(error: StoreError) -> Self {
        Self::Account(AccountError::Store(error))
    }
}

impl fmt::Display for AdministrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(what) => write!(f, "the service has no {what}"),
            Self::Missing(what) => write!(f, "there is no such {what}"),
            Self::Taken(what) => write!(f, "{what} is there already"),
            Self::Invalid(what) | Self::State(what) => f.write_str(what),
            Self::Account(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AdministrationError {}
