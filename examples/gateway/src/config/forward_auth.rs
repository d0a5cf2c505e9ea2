//! `[forward_auth]`: where other proxies ask what the gate says of a request.

use super::Config;
use super::needs::Access;
use super::node::{FromNode, Node};
use super::routes::{self, Route, RouteCors, SeveralCredentials};
use crate::problem::{Place, Problem};

/// Where other proxies ask.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ForwardAuth {
    /// Where it stands in the file.
    pub place: Place,
    /// The path; in the route table it is nobody's, since it is answered before.
    pub route: Route,
}

impl FromNode for ForwardAuth {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let path = routes::path(section);
            let place = section.place();
            let path = path?;
            if path.value.contains(['{', '}']) {
                return section.problem("is one path: write it without parameters, such as \"/forward-auth\"");
            }
            let route = Route {
                place: place.clone(),
                path,
                methods: None,
                access: Access::Denied,
                tenant: None,
                networks: None,
                cors: RouteCors::SameOrigin,
                credentials: None,
                several_credentials: SeveralCredentials::Refused,
                cost: None,
                upstream: None,
            };
            Some(Self { place, route })
        })?
    }
}

/// What nobody could ask.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let asked = config.forward_auth.iter().filter(|_| config.server.trusted_proxies.is_empty());
    let message = "only trusted proxies may ask, and there are none: name them in `trusted_proxies` of [server]";
    asked.map(|asked| asked.place.problem(message)).collect()
}
