//! What goes wrong before or beside a request. What goes wrong *in* a request is a [`Rejection`](crate::Rejection).

use std::fmt;

/// A mistake in the configuration, found while the gate or one of its parts is built.
///
/// The message says what is wrong, where, and what to write instead; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    /// A mistake described in lower case, without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The same mistake with the place where it was made in front.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Every mistake that was found while a gate was built; at least one.
///
/// It is one error, so that `?` hands it on, and a list, so that all of it can be shown. Printed, each mistake has a
/// line of its own.
///
/// ```
/// use auth_core::gate::Gate;
/// use auth_core::policy::{Policy, permission};
///
/// let gate = Gate::builder().policy(Policy::new().get("v1", permission("read")).get("/{", permission("read"))).build();
/// let mistakes = gate.unwrap_err();
/// assert_eq!(mistakes.len(), 2);
/// assert_eq!(mistakes.to_string().lines().count(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl std::ops::Deref for ConfigErrors {
    type Target = [ConfigError];

    fn deref(&self) -> &[ConfigError] {
        &self.0
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl From<Vec<ConfigError>> for ConfigErrors {
    fn from(errors: Vec<ConfigError>) -> Self {
        Self(errors)
    }
}

/// A store could not do what it was asked.
///
/// The message is for the log; it never reaches a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or is busy for too long; trying again may help.
    Unavailable(String),
    /// What lies in the store cannot be read back; trying again will not help.
    Corrupt(String),
    /// Something with this identity is there already.
    Conflict,
    /// There is no room for another one: as many as may be are there.
    Full,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is unavailable: {why}"),
            Self::Corrupt(why) => write!(f, "the store holds something unreadable: {why}"),
            Self::Conflict => f.write_str("the store holds something with this identity already"),
            Self::Full => f.write_str("there is no room for another one"),
        }
    }
}

impl std::error::Error for StoreError {}
