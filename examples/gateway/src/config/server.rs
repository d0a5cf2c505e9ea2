//! `[server]`, `[tls]`, `[request_id]`, `[log]`: how the gateway is reached and what it says of itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use auth_core::NetworkSet;
use http::HeaderValue;

use super::node::{FromNode, Node};
use super::section::Section;
use super::units::{Size, Span};
use super::values::{Positive, choice};
use crate::connection::{PublicAddress, Scheme};
use crate::host::is_host;
use crate::problem::Placed;

/// How the gateway is reached, and what a connection may cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Server {
    /// Where it listens; `127.0.0.1:8080` by default, so that nothing is open to a network by accident.
    pub listen: SocketAddr,
    /// Under which address clients know the gateway, where that is another than what it sees: scheme, host and port.
    /// Upstreams are told it; a trusted proxy that says otherwise is believed.
    pub public_url: Option<PublicAddress>,
    /// The networks whose `Forwarded` and `X-Forwarded-For` are believed; none by default.
    pub trusted_proxies: NetworkSet,
    /// How many connections are open at once; more wait to be accepted. 10,000 by default: some 200 MB at worst.
    pub max_connections: usize,
    /// How long a client may take over the head of a request, and leave a connection idle; 10 s by default.
    pub header_read_timeout: Duration,
    /// How large the head of a request may be; 64 KiB by default.
    pub max_header_size: usize,
    /// How many requests an HTTP/2 connection may have in flight; 100 by default, the least that RFC 9113 recommends.
    /// The axum gateway announces it and resets streams beyond; actix cannot announce a limit, so its gateway lets
    /// further requests wait, up to ten times as many, and answers 503 beyond.
    pub max_concurrent_streams: usize,
    /// How long requests in flight may take after the signal to stop; 8 s by default, within the 10 s that most
    /// supervisors wait before they kill.
    pub shutdown_grace: Duration,
}

impl Server {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            listen: section.read_or("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            public_url: section.parse("public_url", public_url),
            trusted_proxies: section.read_or("trusted_proxies", NetworkSet::default()),
            max_connections: section.read_or("max_connections", Positive(10_000)).0,
            header_read_timeout: section.read_or("header_read_timeout", Span(Duration::from_secs(10))).0,
            max_header_size: section.read_or("max_header_size", Size(64 << 10)).0,
            max_concurrent_streams: section.read_or("max_concurrent_streams", Positive(100)).0,
            shutdown_grace: section.read_or("shutdown_grace", Duration::from_secs(8)),
        }
    }
}

fn public_url(text: &str) -> Result<PublicAddress, String> {
    let bad = |why: &str| format!("`{}` {why}: write one such as https://api.example.com", text.escape_debug());
    let uri: http::Uri = text.parse().map_err(|_| bad("is not an address"))?;
    let scheme = match uri.scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        _ => return Err(bad("has neither http nor https")),
    };
    if uri.query().is_some() || !matches!(uri.path(), "" | "/") || text.contains(['#', '@']) {
        return Err(bad("has more than scheme, host and port"));
    }
    let authority = uri.authority().filter(|authority| is_host(authority.as_str().as_bytes()));
    let authority = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    Ok(PublicAddress { scheme, authority: authority.ok_or_else(|| bad("has no host"))? })
}

/// The certificate that the gateway shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate chain in PEM, the gateway's own first.
    pub cert_file: Placed<PathBuf>,
    /// Its private key in PEM.
    pub key_file: Placed<PathBuf>,
}

impl FromNode for Tls {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let (cert_file, key_file) = node.section(|section| {
            (section.required_placed::<PathBuf>("cert_file"), section.required_placed::<PathBuf>("key_file"))
        })?;
        let (cert_file, key_file) = (cert_file?, key_file?);
        let is_readable = |file: &Placed<PathBuf>| match std::fs::File::open(&file.value) {
            Ok(_) => true,
            Err(error) => {
                node.problem_at(&file.place, format!("cannot read {}: {error}", file.value.display()));
                false
            }
        };
        let readable = [&cert_file, &key_file].map(is_readable);
        (readable == [true, true]).then_some(Self { cert_file, key_file })
    }
}

/// Which requests the upstream sees an `x-request-id` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestIds {
    /// Every request carries one, the default.
    #[default]
    Always,
    /// Refusals alone carry one.
    OnRefusal,
}

impl RequestIds {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        section.read_or("attach", Self::default())
    }
}

impl FromNode for RequestIds {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("always", Self::Always), ("on_refusal", Self::OnRefusal)])
    }
}

/// What is logged, to standard error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Log {
    /// From which level on: `error`, `warn`, `info`, `debug` or `trace`; `info` by default.
    pub level: &'static str,
    /// In which form.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people, the default.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Log {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        const LEVELS: [(&str, &str); 5] =
            [("error", "error"), ("warn", "warn"), ("info", "info"), ("debug", "debug"), ("trace", "trace")];
        let level = section.node("level").and_then(|node| choice(&node, &LEVELS)).unwrap_or("info");
        Self { level, format: section.read_or("format", LogFormat::default()) }
    }
}

impl FromNode for LogFormat {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("text", Self::Text), ("json", Self::Json)])
    }
}
