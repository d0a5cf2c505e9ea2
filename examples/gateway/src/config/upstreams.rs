//! `[upstream]` and `[[upstreams]]`: where admitted requests go.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use rustls::ClientConfig;

use super::assertions::Assertion;
use super::node::{FromNode, Node};
use super::section::Section;
use super::units::Span;
use super::values::{Content, Text};
use crate::problem::Placed;
use crate::tls::client;

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
    /// How an `https` upstream proves who it is; nothing for the others.
    pub tls: Option<Arc<ClientConfig>>,
    /// Who the caller is in a form that nobody else can write; `None` where the fields alone say so.
    pub assertion: Option<Assertion>,
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
        let url = section.placed::<UpstreamUrl>("url");
        let keep = section.read_or("pass_credentials", false);
        Self {
            tls: tls(section, url.as_ref()),
            target: url.map_or(Target::Echo, |url| Target::Url(url.value)),
            connect_timeout: section.read_or("connect_timeout", Span(Duration::from_secs(5))).0,
            timeout: section.read_or("timeout", Span(Duration::from_secs(30))).0,
            credentials: if keep { PassCredentials::Keep } else { PassCredentials::Remove },
            assertion: section.read("assertion"),
        }
    }
}

/// Certificates are checked, always: against the authorities that the system trusts, or against those of `ca_file`
/// alone.
fn tls(section: &mut Section<'_>, url: Option<&Placed<UpstreamUrl>>) -> Option<Arc<ClientConfig>> {
    let authorities = section.node("ca_file");
    let url = url?;
    if url.value.scheme != Scheme::HTTPS {
        return authorities?.problem("is for an https upstream: write an https URL, or leave it out");
    }
    let trusting = match &authorities {
        Some(node) => {
            client::trusting_file(&Content::from_node(node)?.0).or_else(|error| node.problem(error).ok_or(()))
        }
        None => client::trusting_system().or_else(|error| section.problem(error).ok_or(())),
    };
    trusting.ok().map(Arc::new)
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
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return node.problem(format!("`{scheme}` is not supported: write an http or https URL"));
        }
        let prefix = path.map_or_else(String::new, |path| path.path().trim_end_matches('/').to_owned());
        Some(Self { scheme, authority, prefix })
    }
}
