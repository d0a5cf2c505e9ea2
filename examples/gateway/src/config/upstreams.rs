//! `[upstream]` and `[[upstreams]]`: where admitted requests go.

use std::fmt;
use std::time::Duration;

use http::uri::{Authority, Scheme};

use super::node::{FromNode, Node};
use super::section::Section;
use super::units::Span;
use super::values::Text;
use crate::problem::Placed;

/// One service behind the gateway.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upstream {
    /// Where it is.
    pub target: Target,
    /// How long connecting may take; 5 s by default.
    pub connect_timeout: Duration,
    /// How long it may stay silent once it has the request, before its answer and within it; 30 s by default.
    pub timeout: Duration,
    /// Whether it sees the credential that the caller sent.
    pub credentials: PassCredentials,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into the gateway itself, which answers what it would have sent.
    Echo,
    /// To a server.
    Url(UpstreamUrl),
}

/// Scheme, host, port and the path in front of every request's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
    /// Begins with `/` and does not end with one, or is empty.
    pub prefix: String,
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

/// Whether the caller's credential travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassCredentials {
    /// It ends at the gateway, the default: an upstream that never sees credentials cannot lose them.
    Remove,
    /// It travels on as it came.
    Keep,
}

impl Upstream {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let target = section.read("url").map_or(Target::Echo, Target::Url);
        let keep = section.read_or("pass_credentials", false);
        Self {
            target,
            connect_timeout: section.read_or("connect_timeout", Span(Duration::from_secs(5))).0,
            timeout: section.read_or("timeout", Span(Duration::from_secs(30))).0,
            credentials: if keep { PassCredentials::Keep } else { PassCredentials::Remove },
        }
    }
}

/// An upstream that routes name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedUpstream {
    /// What routes call it.
    pub name: Placed<String>,
    /// The upstream.
    pub upstream: Upstream,
}

impl FromNode for NamedUpstream {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let name = section.required_placed::<Text>("name");
            if !section.has("url") {
                section.missing::<()>("url");
            }
            let upstream = Upstream::read(section);
            Some(Self { name: name?.map(|Text(name)| name), upstream })
        })?
    }
}

impl FromNode for UpstreamUrl {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        // the text may hold a password, so it is not repeated
        if text.contains('@') {
            return node.problem("must not name a user or a password");
        }
        if text.contains(['#', '?']) {
            return node.problem("must not have a query or a fragment");
        }
        let parts = text.parse::<http::Uri>().ok().map(http::Uri::into_parts);
        let Some((Some(scheme), Some(authority), path)) = parts.map(|p| (p.scheme, p.authority, p.path_and_query))
        else {
            return node.problem("is not a URL: write one such as http://127.0.0.1:9000");
        };
        if scheme == Scheme::HTTPS {
            return node.problem("`https` upstreams are not supported yet: write an http URL within your own network");
        }
        if scheme != Scheme::HTTP {
            return node.problem(format!("`{scheme}` is not supported: write an http URL"));
        }
        let prefix = path.map_or_else(String::new, |path| path.path().trim_end_matches('/').to_owned());
        Some(Self { scheme, authority, prefix })
    }
}
