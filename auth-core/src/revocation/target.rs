//! What is taken back.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::origin::Origin;
use crate::principal::Identity;

/// What is taken back: one credential, or everything of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// One token or key, by its issuer and the id that logs show: the `jti`, or the id of the key.
    Credential {
        /// Who issued it.
        issuer: Arc<str>,
        /// Its id.
        id: Arc<str>,
    },
    /// Everything that was issued in one session or derived from one refresh token.
    Session {
        /// Who issued it.
        issuer: Arc<str>,
        /// The id of the session.
        id: Arc<str>,
    },
    /// Everything of one subject.
    Subject {
        /// Who vouches for it.
        issuer: Arc<str>,
        /// The subject.
        subject: Arc<str>,
    },
    /// Everything that acts in one tenant.
    Tenant(Arc<str>),
    /// Everything of one issuer.
    Issuer(Arc<str>),
    /// Everything.
    All,
}

impl Target {
    /// One token or key.
    pub fn credential(issuer: impl Into<Arc<str>>, id: impl Into<Arc<str>>) -> Self {
        Self::Credential { issuer: issuer.into(), id: id.into() }
    }

    /// Everything of one session.
    pub fn session(issuer: impl Into<Arc<str>>, id: impl Into<Arc<str>>) -> Self {
        Self::Session { issuer: issuer.into(), id: id.into() }
    }

    /// Everything of one subject.
    pub fn subject(issuer: impl Into<Arc<str>>, subject: impl Into<Arc<str>>) -> Self {
        Self::Subject { issuer: issuer.into(), subject: subject.into() }
    }

    pub(super) fn name(&self) -> Name<'_> {
        match self {
            Self::Credential { issuer, id } => Name::Credential(issuer, id),
            Self::Session { issuer, id } => Name::Session(issuer, id),
            Self::Subject { issuer, subject } => Name::Subject(issuer, subject),
            Self::Tenant(tenant) => Name::Tenant(tenant),
            Self::Issuer(issuer) => Name::Issuer(issuer),
            Self::All => Name::All,
        }
    }
}

/// A target as it is looked up: borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Name<'a> {
    Credential(&'a str, &'a str),
    Session(&'a str, &'a str),
    Subject(&'a str, &'a str),
    Tenant(&'a str),
    Issuer(&'a str),
    All,
}

impl<'a> Name<'a> {
    /// Every target that an identity falls under, by itself or by what it was made of, and when what falls under it was
    /// issued.
    pub(super) fn of(identity: &'a Identity) -> impl Iterator<Item = (Self, Option<Timestamp>)> {
        let tenant = identity.tenant.as_deref();
        let own = Self::of_one(
            &identity.issuer,
            &identity.subject,
            identity.credential_id.as_deref(),
            identity.session.as_deref(),
            tenant,
        );
        let origins = identity.origins.iter().flat_map(|origins| origins.iter());
        // nothing leaves its tenant, so that of the identity is that of all of them
        let origins = origins.flat_map(move |origin| {
            let Origin { issuer, subject, credential_id, session, issued } = origin;
            let names = Self::of_one(issuer, subject, credential_id.as_deref(), session.as_deref(), tenant);
            names.map(|name| (name, *issued))
        });
        own.map(|name| (name, identity.issued)).chain(origins)
    }

    fn of_one(
        issuer: &'a str,
        subject: &'a str,
        credential_id: Option<&'a str>,
        session: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> impl Iterator<Item = Self> {
        [
            credential_id.map(|id| Self::Credential(issuer, id)),
            session.map(|id| Self::Session(issuer, id)),
            Some(Self::Subject(issuer, subject)),
            tenant.map(Self::Tenant),
            Some(Self::Issuer(issuer)),
            Some(Self::All),
        ]
        .into_iter()
        .flatten()
    }

    /// Which of the kinds it is, from 0.
    pub(super) fn kind(self) -> usize {
        match self {
            Self::Credential(..) => 0,
            Self::Session(..) => 1,
            Self::Subject(..) => 2,
            Self::Tenant(_) => 3,
            Self::Issuer(_) => 4,
            Self::All => 5,
        }
    }
}

/// How many kinds there are.
pub(super) const KINDS: usize = 6;

/// What of a target is taken back. The two are remembered apart, because each ends by itself: somebody who is shut out for
/// an hour and has to log in anew may do so after that hour.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ages {
    /// Everything.
    Any,
    /// What was issued before an instant.
    Older,
}

impl Ages {
    pub(super) const BOTH: [Self; 2] = [Self::Any, Self::Older];

    pub(super) fn of(revocation: &Revocation) -> Self {
        if revocation.issued_before.is_none_or(|instant| instant == Timestamp::MAX) { Self::Any } else { Self::Older }
    }
}

/// Stands for a name in 128 bits: under two keys of this process, so that nobody can aim at a value and, with a million
/// names, two of them meet with a probability of 10^-27.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest(pub(super) u64, pub(super) u64);

#[derive(Default)]
pub(super) struct Hashers(RandomState, RandomState);

impl Hashers {
    pub(super) fn digest(&self, name: Name<'_>, ages: Ages) -> Digest {
        Digest(self.0.hash_one((name, ages)), self.1.hash_one((name, ages)))
    }
}

/// That something is taken back, and for how long that has to be remembered.
///
/// ```
/// use std::time::Duration;
/// use auth_core::revocation::{Revocation, Target};
/// use auth_core::{Clock, SystemClock};
///
/// let now = SystemClock.now().wall;
/// let longest = Duration::from_secs(3_600); // no token of this issuer lives longer
/// let logout = Revocation::new(Target::session("https://login.example", "s-17"), now.saturating_add(longest));
/// let new_password = Revocation::new(Target::subject("https://login.example", "ada"), now.saturating_add(longest))
///     .issued_before(now);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// What is taken back.
    pub target: Target,
    /// Only what was issued before this instant; `None` means whatever its age. A token that does not say when it was
    /// issued counts as older.
    pub issued_before: Option<Timestamp>,
    /// When it may be forgotten: when the last credential that it takes back has ended by itself, leeway included.
    pub until: Timestamp,
}

impl Revocation {
    /// Takes the target back, whatever its age.
    pub fn new(target: Target, until: Timestamp) -> Self {
        Self { target, issued_before: None, until }
    }

    /// Takes back only what was issued before that instant, so that the caller can log in anew.
    #[must_use]
    pub fn issued_before(self, instant: Timestamp) -> Self {
        Self { issued_before: Some(instant), ..self }
    }
}
