//! Why a key could not be made or changed.

use std::fmt;
use std::sync::Arc;

use crate::error::StoreError;

/// Why a key could not be made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no key with this id.
    Missing,
    /// The key is revoked, disabled, ended or replaced already, so that this cannot be done with it any more.
    Ended,
    /// The format has no such environment.
    Environment(Arc<str>),
    /// Something about the wanted key is not as it must be; says what.
    Invalid(&'static str),
    /// Its owner, or a tenant that they or the key belong to, is switched off.
    OwnerOff,
    /// Its owner has as many keys as may be; says how many that is.
    TooMany(usize),
    /// The operating system gave no random bytes.
    Random,
    /// The store could not do it.
    Store(StoreError),
}

impl From<StoreError> for KeyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no key with this id"),
            Self::Ended => f.write_str("the key is revoked, disabled, ended or replaced already"),
            Self::Environment(name) => write!(f, "keys have no environment `{name}`"),
            Self::Invalid(what) => f.write_str(what),
            Self::OwnerOff => f.write_str("its owner or its tenant is switched off"),
            Self::TooMany(most) => write!(f, "its owner has {most} keys, which is as many as may be: revoke one first"),
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {}
