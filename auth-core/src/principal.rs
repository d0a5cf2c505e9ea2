//! Who a request comes from: one kind of principal, whatever credential it came with.
//!
//! A [`Verifier`](crate::verify::Verifier) answers an [`Identity`]: plain data, what the credential says. The gate
//! makes it the request's [`Principal`]: the identity behind one shared pointer, with the gate's permission model at
//! hand, so that `has_permission` in a handler agrees with the route table.

use std::fmt;
use std::mem::offset_of;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::claims::Claims;
use crate::clock::Timestamp;
use crate::credential::SourceMask;
use crate::gate::Context;
use crate::gate::share::Share;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::origin::Origin;
use crate::revocation::Cleared;
use crate::shared_str::SharedStr;
use crate::verify::known::{Kept, Mark};

/// Which kind of credential a principal came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// A signed JSON Web Token (RFC 7519).
    Jwt,
    /// An API key.
    ApiKey,
    /// An opaque access token or session.
    OpaqueToken,
    /// Something a verifier of the application's own understands.
    Custom(&'static str),
}

impl Method {
    /// The name in logs and in the header for upstreams: `jwt`, `api_key`, `opaque_token` or the custom name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
            Self::OpaqueToken => "opaque_token",
            Self::Custom(name) => name,
        }
    }
}

/// What a verified credential says about its bearer.
///
/// Issuer and subject together are the identity: the same subject from two issuers is two principals (RFC 7519
/// section 4.1.2).
#[derive(Clone, Debug)]
#[non_exhaustive]
// In this order in memory: what every decision reads comes first, beside the counts of the shared pointer, so that among
// a million callers it is waited for once. Behind it is what budgets belong to.
#[repr(C)]
pub struct Identity {
    /// Of the table that remembers it, where one does.
    mark: Mark,
    /// When it was last seen that nothing takes it back.
    pub(crate) cleared: Cleared,
    /// The networks the credential may be used from; `None` means any.
    pub networks: Option<Arc<NetworkSet>>,
    /// Which kind of credential said so.
    pub method: Method,
    /// Who vouches for the subject.
    pub issuer: Arc<str>,
    /// Who the bearer is, unique within the issuer.
    pub subject: SharedStr,
    /// The tenant or organisation the bearer acts in.
    pub tenant: Option<SharedStr>,
    /// The plan that chooses the bearer's limits.
    pub plan: Option<SharedStr>,
    /// The identifier of the token (`jti`) or of the key, for logs and revocation. Never the credential itself.
    pub credential_id: Option<SharedStr>,
    /// What the bearer may do.
    pub permissions: Names,
    /// What the bearer is.
    pub roles: Names,
    /// The OAuth scopes of the token; the verifier counts them among the permissions too unless configured otherwise.
    pub scopes: Names,
    /// The session or family that the credential belongs to, for revocation: `sid` of a token.
    pub session: Option<SharedStr>,
    /// When the credential was issued, for revocation; `None` where it does not say.
    pub issued: Option<Timestamp>,
    /// When the credential ends; `None` where it has no end.
    pub expires: Option<Timestamp>,
    /// What the credential was made of, where it was: whatever ends one of them ends it.
    pub origins: Option<Arc<[Origin]>>,
    /// Everything the token said, for the application's own claims. Empty for API keys.
    pub claims: Claims,
}

// What every decision reads lies within 112 bytes of the counts.
const _: () = assert!(offset_of!(Identity, method) <= 112 - 2 * size_of::<usize>());

impl Identity {
    /// An identity that holds nothing but its name; set the fields for more.
    pub fn new(method: Method, issuer: impl Into<Arc<str>>, subject: impl Into<SharedStr>) -> Self {
        Self {
            mark: Mark::default(),
            cleared: Cleared::default(),
            networks: None,
            method,
            issuer: issuer.into(),
            subject: subject.into(),
            tenant: None,
            plan: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            scopes: Names::EMPTY,
            credential_id: None,
            session: None,
            issued: None,
            expires: None,
            origins: None,
            claims: Claims::EMPTY,
        }
    }
}

impl Identity {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let names = [&self.permissions, &self.roles, &self.scopes].map(Names::bytes);
        let texts = [&self.tenant, &self.plan, &self.credential_id, &self.session];
        let texts = texts.map(|text| text.as_ref().map_or(0, |text| text.len()));
        let own: usize = names.iter().chain(&texts).sum();
        let networks = self.networks.as_ref().map_or(0, |set| set.len() * size_of::<ipnet::IpNet>());
        let origins: usize = self.origins.iter().flat_map(|origins| origins.iter()).map(Origin::weight).sum();
        size_of::<Self>() + own + networks + origins + self.subject.len() + self.claims.as_json().len()
    }
}

impl Kept for Identity {
    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn mark_mut(&mut self) -> &mut Mark {
        &mut self.mark
    }
}

/// The authenticated caller, as handlers find it in the request's extensions.
///
/// Cloning copies two pointers. The fields are those of [`Identity`].
#[derive(Clone)]
pub struct Principal {
    identity: Arc<Identity>,
    context: Arc<Share>,
    /// Where its credentials came from, for the challenges of refusals that are decided after the gate.
    presented: SourceMask,
}

impl Principal {
    /// A principal outside any gate, for tests of handlers. Permissions imply nothing but themselves and wildcards.
    pub fn detached(identity: Identity) -> Self {
        Self::new(Arc::new(identity), Share::alone(Arc::default()), SourceMask::NONE)
    }

    pub(crate) fn new(identity: Arc<Identity>, context: Arc<Share>, presented: SourceMask) -> Self {
        Self { identity, context, presented }
    }

    pub(crate) fn presented(&self) -> SourceMask {
        self.presented
    }

    /// Whether the principal holds the permission, itself or by implication or wildcard.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.context.permissions.grants(&self.permissions, permission)
    }

    /// Whether the principal has the role. Roles imply nothing.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Whether this credential may be used from that address.
    pub fn may_come_from(&self, client: Option<IpAddr>) -> bool {
        match (&self.networks, client) {
            (None, _) => true,
            (Some(allowed), Some(address)) => allowed.contains(address),
            (Some(_), None) => false,
        }
    }

    /// What the gate that admitted this principal shares with its adapters.
    pub fn context(&self) -> &Arc<Context> {
        self.context.context()
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.context
    }
}

impl Deref for Principal {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

/// Prints who it is, not the claims: they may hold personal data.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("method", &self.method.as_str())
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("tenant", &self.tenant)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

/// In the request's extensions instead of a [`Principal`], where the gate let a caller without credentials pass.
///
/// Handlers can so tell "nobody is logged in" from "no gate stands in front of this route".
#[derive(Clone, Debug)]
pub struct Anonymous(Arc<Share>);

impl Anonymous {
    /// What the gate that admitted this caller shares with its adapters.
    pub fn context(&self) -> &Arc<Context> {
        self.0.context()
    }

    pub(crate) fn new(context: Arc<Share>) -> Self {
        Self(context)
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.0
    }
}
