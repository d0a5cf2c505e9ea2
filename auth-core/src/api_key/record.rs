//! What a store knows about one key.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::principal::{Identity, Method};
use crate::rejection::CredentialFault;
use crate::shared_str::SharedStr;

use super::KeyDigest;

/// One API key as a store keeps it: everything but the key.
///
/// Texts are shared pointers, so that an identity is made from a record without copying any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKeyRecord {
    /// The public name of the key, random, unique in its store.
    pub id: Arc<str>,
    /// The keyed hash of the key, unique in its store.
    pub digest: KeyDigest,
    /// The id of the pepper that the digest was made with.
    pub pepper: Arc<str>,
    /// The start of the key, which may be shown.
    pub shown: Arc<str>,
    /// What its owner calls it.
    pub name: Arc<str>,
    /// What its owner says about it.
    pub description: Option<Arc<str>>,
    /// Who vouches for the owner: together with the owner, the identity of the bearer.
    pub issuer: Arc<str>,
    /// Whose key it is: the subject of the bearer.
    pub owner: Arc<str>,
    /// The tenant the bearer acts in.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses the bearer's limits.
    pub plan: Option<Arc<str>>,
    /// The environment the key opens.
    pub environment: Option<Arc<str>>,
    /// What the bearer may do.
    pub permissions: Names,
    /// What the bearer is.
    pub roles: Names,
    /// The networks the key may be used from; `None` means any, an empty set means none.
    pub networks: Option<Arc<NetworkSet>>,
    /// The networks that its owner and their tenants allow, as they were when either changed last; `None` means any.
    pub owner_networks: Option<Arc<NetworkSet>>,
    /// When the key was made.
    pub created: Timestamp,
    /// From when on the key is refused; `None` where it has no end.
    pub expires: Option<Timestamp>,
    /// Whether the key is in force.
    pub status: KeyStatus,
    /// When the key was last used, as far as that was written down.
    pub last_used: Option<Timestamp>,
    /// The key that this one replaces.
    pub rotated_from: Option<Arc<str>>,
    /// The key that replaces this one, and until when both work.
    pub succession: Option<Succession>,
}

/// Whether a key is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// It is.
    Active,
    /// It is switched off and can be switched on again.
    Disabled,
    /// It is out of force for as long as its owner or its tenant is switched off.
    Suspended,
    /// It was taken back, for good.
    Revoked,
}

/// What follows a rotated key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The id of the key that takes over.
    pub successor: Arc<str>,
    /// From when on the rotated key is refused.
    pub overlap_end: Timestamp,
}

impl ApiKeyRecord {
    /// An active key without permissions or an end, called after its id; set the fields for more.
    pub fn new(
        id: impl Into<Arc<str>>,
        digest: KeyDigest,
        pepper: impl Into<Arc<str>>,
        issuer: impl Into<Arc<str>>,
        owner: impl Into<Arc<str>>,
        created: Timestamp,
    ) -> Self {
        let id = id.into();
        Self {
            digest,
            pepper: pepper.into(),
            shown: "".into(),
            name: Arc::clone(&id),
            id,
            description: None,
            issuer: issuer.into(),
            owner: owner.into(),
            tenant: None,
            plan: None,
            environment: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            networks: None,
            owner_networks: None,
            created,
            expires: None,
            status: KeyStatus::Active,
            last_used: None,
            rotated_from: None,
            succession: None,
        }
    }

    /// From when on the key is refused: its own end, or the end of the overlap with its successor, whichever is first.
    pub fn end(&self) -> Option<Timestamp> {
        let overlap_end = self.succession.as_ref().map(|succession| succession.overlap_end);
        match (self.expires, overlap_end) {
            (Some(own), Some(overlap)) => Some(own.min(overlap)),
            (own, overlap) => own.or(overlap),
        }
    }

    /// Whether the key is good at that time.
    ///
    /// # Errors
    /// `Revoked`, `Disabled`, or `Expired` from the very instant of the end on; the first of them that applies.
    pub fn check(&self, wall: Timestamp) -> Result<(), CredentialFault> {
        match self.status {
            KeyStatus::Revoked => Err(CredentialFault::Revoked),
            KeyStatus::Disabled | KeyStatus::Suspended => Err(CredentialFault::Disabled),
            KeyStatus::Active if self.end().is_some_and(|end| end <= wall) => Err(CredentialFault::Expired),
            KeyStatus::Active => Ok(()),
        }
    }

    /// The networks that it may be used from: its own, as far as its owner and their tenants allow them.
    pub fn allowed_networks(&self) -> Option<Arc<NetworkSet>> {
        NetworkSet::meet(self.networks.as_ref(), self.owner_networks.as_ref())
    }

    /// What the key says about its bearer. Copies pointers alone, unless two lists of networks have to be brought together.
    pub(super) fn identity(&self) -> Identity {
        let mut identity = Identity::new(Method::ApiKey, Arc::clone(&self.issuer), Arc::clone(&self.owner));
        identity.tenant = self.tenant.as_ref().map(SharedStr::from);
        identity.plan = self.plan.as_ref().map(SharedStr::from);
        identity.permissions = self.permissions.clone();
        identity.roles = self.roles.clone();
        identity.credential_id = Some(SharedStr::from(&self.id));
        identity.issued = Some(self.created);
        identity.expires = self.end();
        identity.networks = self.allowed_networks();
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ApiKeyRecord {
        ApiKeyRecord::new("key_1", KeyDigest::from_bytes([1; 32]), "p", "us", "alice", Timestamp::from_unix_seconds(0))
    }

    #[test]
    fn a_key_ends_at_the_earlier_of_its_ends_exactly() {
        let mut key = record();
        assert_eq!(key.end(), None);
        key.expires = Some(Timestamp::from_unix_seconds(20));
        let overlap_end = Timestamp::from_unix_seconds(10);
        key.succession = Some(Succession { successor: "key_2".into(), overlap_end });
        assert_eq!(key.end(), Some(overlap_end));
        assert_eq!(key.check(Timestamp::from_unix_micros(9_999_999)), Ok(()));
        assert_eq!(key.check(overlap_end), Err(CredentialFault::Expired));
    }

    #[test]
    fn revocation_is_told_before_anything_else() {
        let mut key = record();
        key.expires = Some(Timestamp::from_unix_seconds(0));
        for (status, fault) in
            [(KeyStatus::Revoked, CredentialFault::Revoked), (KeyStatus::Disabled, CredentialFault::Disabled)]
        {
            key.status = status;
            assert_eq!(key.check(Timestamp::from_unix_seconds(1)), Err(fault));
        }
    }
}
