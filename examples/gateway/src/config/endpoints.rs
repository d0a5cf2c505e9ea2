//! `[endpoints]`: what the gateway answers itself, and in which words.

use auth_core::endpoint::{Endpoint, EndpointAccess, Times};

use super::needs::Access;
use super::node::{FromNode, Node};
use super::routes::{self, Route, RouteCors, SeveralCredentials};
use super::section::Section;
use super::values::{OneOrMore, Text, choice};
use crate::problem::{Place, Placed};

/// What the gateway answers itself, and in which words.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Endpoints {
    /// What members are called instead of their usual names.
    pub names: Vec<(Placed<String>, String)>,
    /// How times are written.
    pub times: Times,
    /// How the type of access tokens is written; `None` for the usual way.
    pub token_type: Option<TokenTypeWord>,
    /// The members of a user, wherever one is part of an answer; `None` for the usual ones.
    pub user: Option<Vec<Placed<String>>>,
    /// The members of a user's usage; `None` for the usual ones.
    pub usage: Option<Vec<Placed<String>>>,
    /// The endpoints, in the order in which the libraries list them.
    pub list: Vec<EndpointAt>,
}

/// One endpoint at its place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointAt {
    /// Where it stands in the file.
    pub place: Place,
    /// Which one it is.
    pub endpoint: Endpoint,
    /// The members of its answer, in their order; `None` for the usual ones.
    pub answer: Option<Vec<Placed<String>>>,
    /// The status of its answer; `None` for the usual one.
    pub status: Option<Placed<u32>>,
    /// Its rule in the route table.
    pub route: Route,
}

impl EndpointAt {
    /// The method that it is asked with.
    pub fn method(&self) -> &str {
        let methods = self.route.methods.as_deref().unwrap_or_default();
        methods.first().map_or(self.endpoint.method(), String::as_str)
    }
}

impl Endpoints {
    /// Whether one of them tells how much keys are used, so that it is counted.
    pub fn tell_usage(&self) -> bool {
        self.list.iter().any(|at| at.endpoint == Endpoint::KeyUsage)
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let names = section.node("names").and_then(|node| node.members()).unwrap_or_default();
        let names = names.into_iter().filter_map(|(member, node)| Some((member, Text::from_node(&node)?.0))).collect();
        let times = section.read_or("times", Times::default());
        let token_type = section.read("token_type");
        let user = members(section, "user");
        let usage = members(section, "usage");
        let list = Endpoint::ALL.into_iter().filter_map(|endpoint| {
            let node = section.node(endpoint.as_str())?;
            node.section(|section| endpoint_at(endpoint, section))?
        });
        Self { names, times, token_type, user, usage, list: list.collect() }
    }
}

fn members(section: &mut Section<'_>, key: &'static str) -> Option<Vec<Placed<String>>> {
    let OneOrMore(names) = section.read::<OneOrMore<Placed<Text>>>(key)?;
    Some(names.into_iter().map(|name| name.map(|Text(name)| name)).collect())
}

fn endpoint_at(endpoint: Endpoint, section: &mut Section<'_>) -> Option<EndpointAt> {
    let path = routes::path(section);
    let method = section.read::<routes::MethodName>("method").map(|routes::MethodName(name)| name);
    let other = endpoint.other_method().filter(|_| method.is_none()).map(str::to_owned);
    let method = method.unwrap_or_else(|| endpoint.method().to_owned());
    let access = if section.has("needs") || section.has("access") {
        routes::access(section)
    } else {
        Some(match endpoint.access() {
            EndpointAccess::Public => Access::Public,
            EndpointAccess::Optional => Access::Optional,
            EndpointAccess::Authenticated => Access::Authenticated,
        })
    };
    let answer = members(section, "answer");
    let status = section.placed::<u32>("status");
    let networks = section.read("networks");
    let cors = if section.read_or("cors", false) { RouteCors::Shared } else { RouteCors::SameOrigin };
    let credentials = section.read::<OneOrMore<Placed<Text>>>("credentials");
    let credentials =
        credentials.map(|OneOrMore(names)| names.into_iter().map(|name| name.map(|Text(name)| name)).collect());
    let cost = section.placed::<u32>("cost");
    let place = section.place();
    let mut methods = if method == "GET" { vec![method, "HEAD".to_owned()] } else { vec![method] };
    methods.extend(other);
    let route = Route {
        place: place.clone(),
        path: path?,
        methods: Some(methods),
        access: access?,
        tenant: None,
        networks,
        cors,
        credentials,
        several_credentials: SeveralCredentials::Refused,
        cost,
        upstream: None,
    };
    Some(EndpointAt { place, endpoint, answer, status, route })
}

/// How the type of access tokens is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTypeWord {
    /// `bearer`.
    Lower,
    /// `Bearer`.
    Capital,
}

impl TokenTypeWord {
    /// What is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "bearer",
            Self::Capital => "Bearer",
        }
    }
}

impl FromNode for TokenTypeWord {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("bearer", Self::Lower), ("Bearer", Self::Capital)])
    }
}

impl FromNode for Times {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("rfc3339", Self::Rfc3339), ("epoch", Self::Epoch)])
    }
}
