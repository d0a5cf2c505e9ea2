//! What is kept of a client's secret.

use std::sync::Arc;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;

/// What is kept of a client's secret: never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSecret {
    /// The keyed hash of the secret.
    pub digest: KeyDigest,
    /// The id of the pepper that the digest was made with.
    pub pepper: Arc<str>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; `None` as long as it is the current one.
    pub ends: Option<Timestamp>,
}

impl ClientSecret {
    /// A secret without an end.
    pub fn new(digest: KeyDigest, pepper: impl Into<Arc<str>>, created: Timestamp) -> Self {
        Self { digest, pepper: pepper.into(), created, ends: None }
    }

    /// Whether it is good at that instant.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.ends.is_none_or(|end| at < end)
    }
}
