//! What a route needs of its caller, as the configuration writes it.
//!
//! `needs = "read"` is a permission. Trees are tables: `{ any = ["a", { role = "ops" }] }`, `{ all = [...] }`. What is
//! `{ permission = "shop:manage", of = "shop" }` is the permission for everything, or for what the path has for `{shop}`;
//! `{ subject = "user" }` is being the one that the path has for `{user}`.
//! What is
//! no permission has a key of its own (`access = "public"`), so that no permission can be mistaken for it.

use super::node::{FromNode, Node};
use super::values::{Text, choice};
use toml::de::DeValue;

/// Who may pass a route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody; credentials are not looked at.
    Public,
    /// Everybody; a credential that is there must be good.
    Optional,
    /// Every caller with a good credential.
    Authenticated,
    /// Nobody.
    Denied,
    /// Callers who meet the requirement.
    Needs(Needs),
    /// Callers who meet the requirement, and those without a credential.
    AnonymousOr(Needs),
}

/// A requirement of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needs {
    /// Holds the permission, itself or by implication.
    Permission(String),
    /// Holds the permission for everything, or for what a parameter of the path names.
    PermissionFor {
        /// The permission.
        name: String,
        /// The parameter.
        parameter: String,
    },
    /// Is the one that a parameter of the path names.
    Subject(String),
    /// Has the role.
    Role(String),
    /// The token has the scope.
    Scope(String),
    /// Every one of these.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
}

impl Needs {
    /// Calls `visit` with every permission the requirement names.
    pub fn permissions<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Permission(name) | Self::PermissionFor { name, .. } => visit(name),
            Self::Role(_) | Self::Scope(_) | Self::Subject(_) => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.permissions(visit)),
        }
    }
}

/// The keywords of `access`.
#[derive(Clone, Copy)]
pub(super) enum Keyword {
    Public,
    Optional,
    Authenticated,
    Denied,
}

impl From<Keyword> for Access {
    fn from(keyword: Keyword) -> Self {
        match keyword {
            Keyword::Public => Self::Public,
            Keyword::Optional => Self::Optional,
            Keyword::Authenticated => Self::Authenticated,
            Keyword::Denied => Self::Denied,
        }
    }
}

impl FromNode for Keyword {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let keywords = [
            ("public", Self::Public),
            ("optional", Self::Optional),
            ("authenticated", Self::Authenticated),
            ("denied", Self::Denied),
        ];
        choice(node, &keywords)
    }
}

impl FromNode for Needs {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        const FORM: &str = "a permission in quotes, { any = [...] }, { all = [...] }, { role = \"…\" }, { scope = \"…\" }, { permission = \"…\", \
             of = \"…\" } or { subject = \"…\" }";
        match node.value() {
            DeValue::String(_) => Some(Self::Permission(name(node)?)),
            DeValue::Table(_) => tree(node),
            DeValue::Array(_) => node.problem(
                "does not say whether one or all of these are needed: write { any = [...] } or { all = [...] }",
            ),
            _ => node.wrong_type(FORM),
        }
    }
}

fn tree(node: &Node<'_>) -> Option<Needs> {
    let (given, parts) = node.section(|section| {
        let given =
            ["any", "all", "role", "scope", "permission", "subject"].into_iter().filter(|key| section.has(key)).count();
        let parts = [
            section.node("any").and_then(|node| Some(Needs::Any(several(&node)?))),
            section.node("all").and_then(|node| Some(Needs::All(several(&node)?))),
            section.node("role").and_then(|node| Some(Needs::Role(name(&node)?))),
            section.node("scope").and_then(|node| Some(Needs::Scope(name(&node)?))),
            section.node("permission").and_then(|node| {
                let (name, parameter) = (name(&node)?, section.read::<Text>("of"));
                Some(match parameter {
                    Some(Text(parameter)) => Needs::PermissionFor { name, parameter },
                    None => Needs::Permission(name),
                })
            }),
            section.node("subject").and_then(|node| Some(Needs::Subject(name(&node)?))),
        ];
        (given, parts)
    })?;
    match given {
        0 => node.problem("names no requirement: write `any`, `all`, `role`, `scope`, `permission` or `subject`"),
        1 => parts.into_iter().flatten().next(),
        _ => node.problem("names several requirements: put them into { all = [...] } or { any = [...] }"),
    }
}

fn several(node: &Node<'_>) -> Option<Vec<Needs>> {
    let parts = Vec::<Needs>::from_node(node)?;
    if parts.is_empty() {
        return node.problem("must name at least one requirement");
    }
    Some(parts)
}

/// A name that a token or a key can hold.
fn name(node: &Node<'_>) -> Option<String> {
    let Text(name) = Text::from_node(node)?;
    if name.chars().any(char::is_whitespace) {
        return node
            .problem("must not hold white space: write one name, or several as { any = [...] } or { all = [...] }");
    }
    Some(name)
}
