//! What is known of the connection a request arrived on.

use std::fmt;
use std::net::IpAddr;

use http::HeaderValue;

/// The step between whoever connected and the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The address at the other end; `None` where the transport has none.
    pub peer: Option<IpAddr>,
    /// Whether what the peer says of the client is believed.
    pub trust: Trust,
    /// Whether the connection is encrypted.
    pub scheme: Scheme,
}

/// Whether a peer's word on who the client is counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The peer is nobody in particular: what it says of others is dropped.
    Stranger,
    /// The peer is one of the configured proxies.
    TrustedProxy,
}

/// Under which address clients know the gateway, where that is not the one it listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    /// Whether they reach it encrypted.
    pub scheme: Scheme,
    /// The host, and the port unless it is the scheme's own.
    pub authority: HeaderValue,
}

/// As clients write it, without a path.
impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority.to_str().unwrap_or_default())
    }
}

/// How the client reached the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The name as URLs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
