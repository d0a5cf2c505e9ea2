//! `[[routes]]`: which paths there are, who may pass, and where they lead.

use auth_core::NetworkSet;

use super::needs::{Access, Keyword, Needs};
use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{OneOrMore, Text, is_token};
use crate::problem::{Place, Placed};

/// One rule of the route table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// Where it stands in the file.
    pub place: Place,
    /// The path with `{parameters}` and at most one `{*rest}` at its end.
    pub path: Placed<String>,
    /// The methods it is for; `None` for every method that no other rule of the same path names.
    pub methods: Option<Vec<String>>,
    /// Who may pass.
    pub access: Access,
    /// The path parameter that must be the caller's tenant.
    pub tenant: Option<Placed<String>>,
    /// The networks it may be reached from; `None` for any.
    pub networks: Option<NetworkSet>,
    /// Whether pages of other origins may use it.
    pub cors: RouteCors,
    /// The names of the credentials it takes; `None` for all.
    pub credentials: Option<Vec<Placed<String>>>,
    /// How many credentials a request may carry.
    pub several_credentials: SeveralCredentials,
    /// How many units a request takes from its caller's budgets; 1 where it does not say.
    pub cost: Option<Placed<u32>>,
    /// The upstream it leads to; `None` for the one of `[upstream]`.
    pub upstream: Option<Placed<String>>,
}

/// Whether pages of other origins may use a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteCors {
    /// No: preflights are refused. The default.
    #[default]
    SameOrigin,
    /// As `[cors]` says.
    Shared,
}

/// How many credentials a request may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SeveralCredentials {
    /// Exactly one, the default.
    #[default]
    Refused,
    /// Several, if all are good and name the same subject.
    MustAgree,
}

impl Route {
    /// What it is called, in logs, in limits that count on it alone, and to find its upstream again: methods and path
    /// as they are written, such as `POST /v1/generate`.
    pub fn name(&self) -> String {
        match &self.methods {
            None => self.path.value.clone(),
            Some(methods) => format!("{} {}", methods.join(","), self.path.value),
        }
    }
}

impl FromNode for Route {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let path = path(section);
            let methods = section.read::<OneOrMore<MethodName>>("methods");
            let access = access(section);
            let tenant = tenant(section, path.as_ref());
            let networks = section.read("networks");
            let cors = if section.read_or("cors", false) { RouteCors::Shared } else { RouteCors::SameOrigin };
            let credentials = section.read::<OneOrMore<Placed<Text>>>("credentials");
            let several = section.read_or("several_credentials", false);
            let upstream = section.placed::<Text>("upstream").map(|name| name.map(|Text(name)| name));
            let cost = section.placed::<u32>("cost");
            let access = access?;
            let asks_nobody = matches!(access, Access::Public | Access::Denied);
            if asks_nobody && (credentials.is_some() || tenant.is_some() || several) {
                section.problem::<()>(
                    "looks at no credential, so `credentials`, `several_credentials` and `tenant` contradict `access`",
                );
            }
            Some(Self {
                place: section.place(),
                path: path?,
                methods: methods.map(|OneOrMore(names)| names.into_iter().map(|MethodName(name)| name).collect()),
                access,
                tenant,
                networks,
                cors,
                credentials: credentials
                    .map(|OneOrMore(names)| names.into_iter().map(|name| name.map(|Text(name)| name)).collect()),
                several_credentials: if several { SeveralCredentials::MustAgree } else { SeveralCredentials::Refused },
                cost,
                upstream,
            })
        })?
    }
}

/// What the gateway answers itself, before the route table.
const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

pub(super) fn path(section: &mut Section<'_>) -> Option<Placed<String>> {
    path_at(section, "path")
}

pub(super) fn path_at(section: &mut Section<'_>, key: &'static str) -> Option<Placed<String>> {
    let Some(node) = section.node(key) else { return section.missing(key) };
    let text = String::from_node(&node)?;
    if !text.starts_with('/') {
        return node.problem("must begin with `/`");
    }
    if text.contains(['?', '#']) {
        return node.problem("must not have a query or a fragment");
    }
    if OWN_PATHS.contains(&text.as_str()) {
        return node.problem("is answered by the gateway itself, to everybody");
    }
    Some(Placed { value: text, place: node.place() })
}

pub(super) fn access(section: &mut Section<'_>) -> Option<Access> {
    let (has_needs, has_access) = (section.has("needs"), section.has("access"));
    let needs = section.read::<Needs>("needs").map(Access::Needs);
    let access = section.read::<Keyword>("access").map(Access::from);
    match (has_needs, has_access) {
        (false, false) => section.problem(
            "does not say who may pass: write `needs = \"permission\"`, or `access` with one of public, optional, \
             authenticated, denied",
        ),
        (true, true) => match (needs?, access?) {
            (Access::Needs(needs), Access::Optional) => Some(Access::AnonymousOr(needs)),
            _ => section.problem(
                "`needs` and `access` contradict each other: keep one, or write `access = \"optional\"` to let callers \
                 without a credential pass as well",
            ),
        },
        (true, false) => needs,
        (false, true) => access,
    }
}

fn tenant(section: &mut Section<'_>, path: Option<&Placed<String>>) -> Option<Placed<String>> {
    let node = section.node("tenant")?;
    let Text(name) = Text::from_node(&node)?;
    if let Some(path) = path
        && !path.value.contains(&format!("{{{name}}}"))
    {
        return node.problem(format!("the path has no parameter `{{{}}}`", name.escape_debug()));
    }
    Some(Placed { value: name, place: node.place() })
}

pub(super) struct MethodName(pub(super) String);

impl FromNode for MethodName {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        if !is_token(&text) {
            return node.problem(format!("`{}` is not a method", text.escape_debug()));
        }
        // RFC 9110 section 9.1: methods are case-sensitive, so a rule for `get` would never match
        let upper = text.to_ascii_uppercase();
        if text != upper && ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&upper.as_str()) {
            return node.problem(format!("methods are case-sensitive: write \"{upper}\""));
        }
        Some(Self(text))
    }
}

impl FromNode for Placed<Text> {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        Some(Self { value: Text::from_node(node)?, place: node.place() })
    }
}
