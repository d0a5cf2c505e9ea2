//! `[assertions]`, and `assertion` of upstreams: who the caller is, signed for one upstream.

use std::time::Duration;

use auth_core::credential::Source;
use auth_core::issue::UpstreamAssertions;
use http::HeaderName;

use super::needs::Access;
use super::node::{FromNode, Node};
use super::routes::{self, Route, RouteCors, SeveralCredentials};
use super::units::Span;
use super::values::{FieldName, Text};
use super::{Config, Upstream};
use crate::forward::{is_of_gateway, reads_as};
use crate::problem::{Place, Placed, Problem};

/// Where the public keys are unless another path is configured.
const KEYS_PATH: &str = "/.well-known/upstream-jwks.json";

/// The field that an assertion travels in unless another is configured.
const HEADER: &str = "x-auth-assertion";

/// Who signs for upstreams, and where they find the public keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Assertions {
    /// Where it stands in the file.
    pub place: Place,
    /// The value of `iss`.
    pub issuer: String,
    /// Where the public keys are, for everybody; its rule in the route table.
    pub route: Route,
}

/// What one upstream is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Assertion {
    /// Where it stands in the file.
    pub place: Place,
    /// The value of `aud`: the upstream.
    pub audience: String,
    /// The field that it travels in; `x-auth-assertion` by default.
    pub header: Placed<HeaderName>,
    /// How long one is good; 60 s by default.
    pub lifetime: Duration,
}

impl FromNode for Assertions {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required::<Text>("issuer").map(|Text(issuer)| issuer);
            let place = section.place();
            let path = if section.has("keys_path") {
                routes::path_at(section, "keys_path")
            } else {
                Some(Placed { value: KEYS_PATH.to_owned(), place: place.clone() })
            };
            let route = Route {
                place: place.clone(),
                path: path?,
                methods: Some(vec!["GET".to_owned(), "HEAD".to_owned()]),
                access: Access::Public,
                tenant: None,
                networks: section.read("networks"),
                cors: RouteCors::SameOrigin,
                credentials: None,
                several_credentials: SeveralCredentials::Refused,
                cost: None,
                upstream: None,
            };
            Some(Self { place, issuer: issuer?, route })
        })?
    }
}

impl FromNode for Assertion {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let audience = section.required::<Text>("audience").map(|Text(audience)| audience);
            let lifetime = section.placed::<Span>("lifetime");
            let place = section.place();
            let header = match section.node("header") {
                Some(node) => header(&node),
                None => Some(Placed { value: HeaderName::from_static(HEADER), place: place.clone() }),
            };
            let lifetime = match lifetime {
                Some(Placed { value: Span(lifetime), place }) => {
                    let sensible = Duration::from_secs(10)..=UpstreamAssertions::LONGEST;
                    if !sensible.contains(&lifetime) {
                        node.problem_at(&place, "must be between 10 seconds and 5 minutes");
                    }
                    lifetime
                }
                None => Duration::from_mins(1),
            };
            Some(Self { place, audience: audience?, header: header?, lifetime })
        })?
    }
}

/// Only what the gateway takes out of every request can be believed.
fn header(node: &Node<'_>) -> Option<Placed<HeaderName>> {
    let FieldName(name) = FieldName::from_node(node)?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !name.contains("--");
    let rest = name.strip_prefix("x-auth-").filter(|rest| is_plain && !rest.is_empty() && !rest.ends_with('-'));
    let (Some(_), Ok(value)) = (rest, name.parse::<HeaderName>()) else {
        return node.problem("must begin with `x-auth-`, which nobody but the gateway can send: letters, digits, `-`");
    };
    if is_of_gateway(&value) {
        return node.problem("tells the upstream something else already: choose another name");
    }
    Some(Placed { value, place: node.place() })
}

/// Keys for nobody, assertions of nobody, and fields that callers write themselves.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let upstreams = std::iter::once(&config.upstream).chain(config.upstreams.iter().map(|named| &named.upstream));
    let told: Vec<&Assertion> = upstreams.filter_map(|Upstream { assertion, .. }| assertion.as_ref()).collect();
    let mut problems = Vec::new();
    match &config.assertions {
        None => problems.extend(
            told.iter().map(|told| told.place.problem("nobody signs this: write [assertions] with an `issuer`")),
        ),
        Some(assertions) if told.is_empty() => problems.push(
            assertions.place.problem("no upstream is told anything: write [upstream.assertion] with an `audience`"),
        ),
        Some(_) => {}
    }
    for told in told {
        let is_told = |source: &Source| matches!(source, Source::Header { name } if reads_as(&told.header.value, name));
        if config.credentials.iter().any(|credentials| is_told(&credentials.source)) {
            problems.push(told.header.place.problem("is where callers send their credentials: choose another name"));
        }
    }
    problems
}
