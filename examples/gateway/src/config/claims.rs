//! `[issuers.claims]`: which claims of a token say what.

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::Text;
use toml::de::DeValue;

/// Which claims say what. `None` leaves it to the library's default.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClaimNames {
    /// Where the OAuth scopes are; `scope` by default.
    pub scopes: Option<ClaimPath>,
    /// In which form they come.
    pub scope_form: ScopeForm,
    /// What they are good for.
    pub scope_use: ScopeUse,
    /// What the caller may do; `permissions` by default.
    pub permissions: Option<Vec<ClaimPath>>,
    /// What the caller is; `roles` by default.
    pub roles: Option<Vec<ClaimPath>>,
    /// The tenant the caller acts in; `tenant` by default.
    pub tenant: MaybeClaim,
    /// The plan of the caller; `plan` by default.
    pub plan: MaybeClaim,
}

/// The names that lead to a claim, from the outside inwards.
pub type ClaimPath = Vec<String>;

/// In which form the scopes come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeForm {
    /// One text, parted by spaces, the default.
    #[default]
    Delimited,
    /// Such a text, or an array.
    DelimitedOrList,
}

/// What scopes are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeUse {
    /// They count among the permissions, the default.
    #[default]
    GrantPermissions,
    /// They are kept apart, for rules that ask for scopes.
    KeptApart,
}

/// A claim that may be left to the default, or not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MaybeClaim {
    /// The default one.
    #[default]
    Default,
    /// This one.
    Claim(ClaimPath),
    /// None: `false`.
    None,
}

impl ClaimNames {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let lists = section.read_or("scope_lists", false);
        let grant = section.read_or("scopes_grant_permissions", true);
        Self {
            scopes: section.read::<Claim>("scopes").map(|Claim(path)| path),
            scope_form: if lists { ScopeForm::DelimitedOrList } else { ScopeForm::Delimited },
            scope_use: if grant { ScopeUse::GrantPermissions } else { ScopeUse::KeptApart },
            permissions: several(section, "permissions"),
            roles: several(section, "roles"),
            tenant: section.read_or("tenant", MaybeClaim::Default),
            plan: section.read_or("plan", MaybeClaim::Default),
        }
    }
}

/// A list of claims, each by its name or by the names that lead to it: `["groups", ["realm_access", "roles"]]`.
fn several(section: &mut Section<'_>, key: &'static str) -> Option<Vec<ClaimPath>> {
    let node = section.node(key)?;
    match node.items() {
        Some(_) => Some(Vec::<Claim>::from_node(&node)?.into_iter().map(|Claim(path)| path).collect()),
        None => Some(vec![Claim::from_node(&node)?.0]),
    }
}

/// `"tenant"`, or `["org", "id"]` for a member inside a claim. Dots and slashes are part of a name, since claims like
/// `https://example.com/roles` exist.
struct Claim(ClaimPath);

impl FromNode for Claim {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Some(items) = node.items() else { return Some(Self(vec![Text::from_node(node)?.0])) };
        if items.is_empty() {
            return node.problem("must name at least one");
        }
        let names: Option<Vec<String>> =
            items.iter().map(|item| Text::from_node(item).map(|Text(name)| name)).collect();
        Some(Self(names?))
    }
}

impl FromNode for MaybeClaim {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        match node.value() {
            DeValue::Boolean(false) => Some(Self::None),
            DeValue::Boolean(true) => node.problem("name the claim, or write false for none"),
            _ => Claim::from_node(node).map(|Claim(path)| Self::Claim(path)),
        }
    }
}
