//! `[admin]`: administration over HTTP, under one prefix. Off where the section is left out.

use super::needs::{Access, Needs};
use super::node::{FromNode, Node};
use super::routes::{Route, RouteCors, SeveralCredentials};
use super::section::Section;
use super::values::{OneOrMore, Text};
use crate::problem::{Place, Placed, Problem};

/// Administration over HTTP.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Admin {
    /// Where it stands in the file.
    pub place: Place,
    /// What every path of it begins with.
    pub prefix: Placed<String>,
    /// The one permission that it takes.
    pub needs: String,
    /// Its rule in the route table.
    pub route: Route,
}

impl FromNode for Admin {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let prefix = prefix(section);
            let needs = section.required::<Text>("needs").map(|Text(name)| name);
            let networks = section.read("networks");
            let credentials = section.read::<OneOrMore<Placed<Text>>>("credentials");
            let credentials =
                credentials.map(|OneOrMore(names)| names.into_iter().map(|name| name.map(|Text(name)| name)).collect());
            let (place, prefix, needs) = (section.place(), prefix?, needs?);
            let route = Route {
                place: place.clone(),
                path: prefix.clone().map(|prefix| format!("{prefix}/{{*rest}}")),
                methods: None,
                access: Access::Needs(Needs::Permission(needs.clone())),
                tenant: None,
                networks,
                cors: RouteCors::SameOrigin,
                credentials,
                several_credentials: SeveralCredentials::Refused,
                cost: None,
                upstream: None,
            };
            Some(Self { place, prefix, needs, route })
        })?
    }
}

fn prefix(section: &mut Section<'_>) -> Option<Placed<String>> {
    let Some(node) = section.node("prefix") else { return section.missing("prefix") };
    let Text(prefix) = Text::from_node(&node)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let mut segments = prefix.split('/');
    let is_rooted = segments.next() == Some("");
    if !is_rooted || prefix.len() < 2 || !segments.all(|segment| !segment.is_empty() && segment.bytes().all(is_plain)) {
        return node
            .problem("must be a path such as \"/admin-api\": lower-case letters, digits, `-`, `_`, no `/` at its end");
    }
    Some(Placed { value: prefix, place: node.place() })
}

/// Routes that would take a part of administration for something else, and administration of nothing.
pub(super) fn problems(config: &super::Config) -> Vec<Problem> {
    let Some(admin) = &config.admin else { return Vec::new() };
    let mut problems = Vec::new();
    if config.accounts.is_none() && config.api_keys.is_none() && config.clients.is_none() {
        problems
            .push(admin.place.problem("there is nothing to administrate: write [accounts], [api_keys] or [clients]"));
    }
    let below = format!("{}/", admin.prefix.value);
    for route in config.routes.iter().filter(|route| route.place != admin.place) {
        if route.path.value.to_ascii_lowercase().starts_with(&below) {
            problems.push(route.place.problem(format!(
                "lies below the prefix of [admin], `{}`: give one of the two another path",
                admin.prefix.value
            )));
        }
    }
    problems
}
