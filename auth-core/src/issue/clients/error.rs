//! Why something could not be done with a client.

use std::fmt;

use crate::error::StoreError;
use crate::rejection::RetryAfter;

/// Why something could not be done with a client. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no client with this id.
    Missing,
    /// There is a client with this id already.
    Taken,
    /// It has two secrets in force already, so that a third would end one before its time.
    Rotating,
    /// Something about what is wanted is not as it must be; says what.
    Invalid(&'static str),
    /// Nobody proved to be this client; the cause is for the log alone.
    Unauthenticated(&'static str),
    /// Too many proofs failed from there, or the client asked too often.
    TooMany(RetryAfter),
    /// It was not registered for this grant.
    Grant,
    /// It may not have this scope, or it is none.
    Scope,
    /// What is to be exchanged does not go with the client or with itself; the cause is for the log alone.
    Exchange(&'static str),
    /// The operating system gave no random bytes.
    Random,
    /// The store could not do it.
    Store(StoreError),
}

impl From<StoreError> for ClientError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such client"),
            Self::Taken => f.write_str("a client with this id is there already"),
            Self::Rotating => f.write_str(
                "it has two secrets already: wait until the older one has ended, or rotate without an overlap, which ends \
                 both at once",
            ),
            Self::Invalid(what) | Self::Unauthenticated(what) | Self::Exchange(what) => f.write_str(what),
            Self::TooMany(wait) => write!(f, "too many requests: wait {} seconds", wait.seconds()),
            Self::Grant => f.write_str("the client was not registered for this grant"),
            Self::Scope => f.write_str("the client may not have this scope"),
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ClientError {}
