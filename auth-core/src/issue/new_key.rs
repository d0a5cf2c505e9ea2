//! What somebody wants of a new key.

use std::sync::Arc;

use super::KeyError;
use crate::clock::{Now, Timestamp};
use crate::names::Names;
use crate::network::NetworkSet;

/// What is wrong with an allow-list that is [too long](NetworkSet::is_too_long).
pub(super) const TOO_MANY_NETWORKS: &str = "an allow-list has at most 32 networks";

/// What somebody wants of a new key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewKey {
    /// What its owner calls it: 1 to 200 characters, none of them control characters.
    pub name: Arc<str>,
    /// What its owner says about it: at most 1,000 characters.
    pub description: Option<Arc<str>>,
    /// Whose key it is.
    pub owner: Arc<str>,
    /// The tenant the bearer acts in.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses the bearer's limits.
    pub plan: Option<Arc<str>>,
    /// What the bearer may do.
    pub permissions: Names,
    /// What the bearer is.
    pub roles: Names,
    /// The environment the key opens; has to be named where the format has environments.
    pub environment: Option<Arc<str>>,
    /// The networks the key may be used from; `None` means any.
    pub networks: Option<Arc<NetworkSet>>,
    /// From when on the key is refused.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// A key without permissions, tenant or end; set the fields for more.
    pub fn new(name: impl Into<Arc<str>>, owner: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            description: None,
            owner: owner.into(),
            tenant: None,
            plan: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            environment: None,
            networks: None,
            expires: None,
        }
    }

    /// Whether a key can be what is wanted of it.
    pub(super) fn check(&self, now: Now) -> Result<(), KeyError> {
        let no_line = |text: &str| !text.chars().any(char::is_control);
        if self.name.trim().is_empty() || self.name.chars().count() > 200 || !no_line(&self.name) {
            return Err(KeyError::Invalid("the name has 1 to 200 characters, none of them control characters"));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1_000) {
            return Err(KeyError::Invalid("the description has at most 1000 characters"));
        }
        if self.owner.is_empty() || !no_line(&self.owner) {
            return Err(KeyError::Invalid("the owner is not empty and has no control characters"));
        }
        if self.networks.as_ref().is_some_and(|set| set.is_too_long()) {
            return Err(KeyError::Invalid(TOO_MANY_NETWORKS));
        }
        if self.expires.is_some_and(|end| end <= now.wall) {
            return Err(KeyError::Invalid("the end lies in the future"));
        }
        Ok(())
    }
}
