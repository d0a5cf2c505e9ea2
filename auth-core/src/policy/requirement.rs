//! What a route needs of its caller, as a tree that reads like the sentence.
//!
//! Requirements form a lattice, from [`public`], which everybody meets, over [`optional`] and [`authenticated`] to
//! [`denied`], which nobody meets. [`any_of`] is as weak as its weakest part and [`all_of`] as strong as its strongest,
//! so `all_of([public(), permission("read")])` needs `read`, and `any_of([optional(), permission("read")])` is
//! optional.

use std::fmt;

/// What a route needs of its caller.
///
/// ```
/// use auth_core::policy::{all_of, permission, role, scope};
///
/// let publish = all_of([permission("posts:write"), role("editor").or(role("owner"))]);
/// assert_eq!(publish.to_string(), "all of (permission posts:write, any of (role editor, role owner))");
/// assert_eq!(permission("read").and(scope("orders")).to_string(), "all of (permission read, scope orders)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement(pub(super) Node);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Public,
    Optional,
    Authenticated,
    Denied,
    Permission(String),
    PermissionFor { name: String, parameter: String },
    Subject { parameter: String },
    Scope(String),
    Role(String),
    Any(Vec<Requirement>),
    All(Vec<Requirement>),
}

/// The caller holds the permission, itself, by implication or by wildcard.
///
/// See [`PermissionModel`](super::PermissionModel) for implication and wildcards.
pub fn permission(name: impl Into<String>) -> Requirement {
    Requirement(Node::Permission(name.into()))
}

/// The caller holds the permission for everything, or for the one thing that this path parameter names: `shop:manage`, or
/// `shop:manage:berlin` where `berlin` stands in the path.
///
/// What brings the permission along brings it along for one thing too: where `admin` implies `shop:manage`, then
/// `admin:berlin` is enough for `berlin`. The parameter is compared decoded and byte for byte; one that holds `:` or `*` is
/// nothing that a permission could be for.
///
/// ```
/// use auth_core::policy::{permission_for, subject_from};
///
/// let own = permission_for("account:manage", "account").or(permission_for("account:use", "account").and(subject_from("user")));
/// # let _ = own;
/// ```
pub fn permission_for(name: impl Into<String>, parameter: impl Into<String>) -> Requirement {
    Requirement(Node::PermissionFor { name: name.into(), parameter: parameter.into() })
}

/// The caller is the one whom this path parameter names by its subject, compared decoded and byte for byte.
///
/// Issuers name subjects as they like: where several are trusted, compare the tenant too, or trust one of them alone on
/// the route.
pub fn subject_from(parameter: impl Into<String>) -> Requirement {
    Requirement(Node::Subject { parameter: parameter.into() })
}

/// The caller's token carries exactly this OAuth scope. Scopes imply nothing; see [`permission`] for what does.
pub fn scope(name: impl Into<String>) -> Requirement {
    Requirement(Node::Scope(name.into()))
}

/// The caller has exactly this role. Roles imply nothing.
pub fn role(name: impl Into<String>) -> Requirement {
    Requirement(Node::Role(name.into()))
}

/// The caller is somebody: any good credential will do.
pub fn authenticated() -> Requirement {
    Requirement(Node::Authenticated)
}

/// A caller without a credential is anonymous; one with a credential must have a good one.
pub fn optional() -> Requirement {
    Requirement(Node::Optional)
}

/// Everybody may pass, and credentials are not looked at.
pub fn public() -> Requirement {
    Requirement(Node::Public)
}

/// Nobody may pass. Who has no credential is still told so first, as on routes without a rule.
pub fn denied() -> Requirement {
    Requirement(Node::Denied)
}

/// At least one of the requirements is met. An empty list is a mistake that is reported when the policy is built.
pub fn any_of(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
    Requirement(Node::Any(requirements.into_iter().collect()))
}

/// All the requirements are met. An empty list is a mistake that is reported when the policy is built.
pub fn all_of(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
    Requirement(Node::All(requirements.into_iter().collect()))
}

impl Requirement {
    /// Both this and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self.0 {
            Node::All(mut parts) => {
                parts.push(other);
                Self(Node::All(parts))
            }
            _ => all_of([self, other]),
        }
    }

    /// This or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self.0 {
            Node::Any(mut parts) => {
                parts.push(other);
                Self(Node::Any(parts))
            }
            _ => any_of([self, other]),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::Public => f.write_str("public"),
            Node::Optional => f.write_str("optional"),
            Node::Authenticated => f.write_str("authenticated"),
            Node::Denied => f.write_str("denied"),
            Node::Permission(name) => write!(f, "permission {name}"),
            Node::PermissionFor { name, parameter } => write!(f, "permission {name} for {{{parameter}}}"),
            Node::Subject { parameter } => write!(f, "being {{{parameter}}}"),
            Node::Scope(name) => write!(f, "scope {name}"),
            Node::Role(name) => write!(f, "role {name}"),
            Node::Any(parts) => list(f, "any of", parts),
            Node::All(parts) => list(f, "all of", parts),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, label: &str, parts: &[Requirement]) -> fmt::Result {
    write!(f, "{label} (")?;
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{part}")?;
    }
    f.write_str(")")
}
