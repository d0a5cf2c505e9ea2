//! Why a known caller is refused although no permission is missing.

/// Why a known caller is refused although no permission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prohibition {
    /// No rule covers the route, so nobody may pass.
    NoRule,
    /// The route belongs to another tenant than the caller.
    Tenant,
    /// What the path names is somebody else's.
    Owner,
    /// The route or the credential is not to be used from the caller's network.
    Network,
    /// The caller lacks a role.
    Role,
    /// The rule says that nobody may pass.
    Denied,
    /// An unsafe request authenticated by a cookie lacks its proof of intent.
    CrossSite,
}

impl Prohibition {
    /// Every variant.
    pub const ALL: [Self; 7] =
        [Self::NoRule, Self::Tenant, Self::Owner, Self::Network, Self::Role, Self::Denied, Self::CrossSite];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::NoRule => "no_rule",
            Self::Tenant => "wrong_tenant",
            Self::Owner => "wrong_owner",
            Self::Network => "wrong_network",
            Self::Role => "missing_role",
            Self::Denied => "denied",
            Self::CrossSite => "cross_site_request",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::NoRule | Self::Denied => "Access is not allowed",
            Self::Tenant => "The resource belongs to another tenant",
            Self::Owner => "The resource belongs to somebody else",
            Self::Network => "Access is not allowed from this network",
            Self::Role => "The credential does not have the required role",
            Self::CrossSite => "The request lacks its proof against cross-site forgery",
        }
    }
}
