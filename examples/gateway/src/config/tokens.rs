//! `[tokens]`: the gateway's own JSON Web Tokens.

use std::time::Duration;

use super::node::{FromNode, Node};
use super::units::Span;
use super::values::{Text, choice};
use crate::problem::Place;

/// The gateway's own issuer: it signs, and takes what it signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// Where it stands in the file.
    pub place: Place,
    /// The value of `iss`; the name of the gateway by default.
    pub issuer: String,
    /// The value of `aud`.
    pub audience: String,
    /// How tokens are signed.
    pub algorithm: SigningAlgorithm,
    /// How long a token lives; 15 minutes by default, since a signed token cannot be taken back before.
    pub lifetime: Duration,
}

/// How the gateway signs its own tokens. The key is made at the first start and lies in the data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256: whoever can verify can also sign.
    Hs256,
    /// ECDSA on P-256 with SHA-256, the default: others can verify with the public key.
    #[default]
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// The name in a token's header (RFC 7518 section 3.1, RFC 8037).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromNode for SigningAlgorithm {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("HS256", Self::Hs256), ("ES256", Self::Es256), ("EdDSA", Self::EdDsa)])
    }
}

impl FromNode for Tokens {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required::<Text>("issuer");
            let audience = section.required::<Text>("audience");
            let algorithm = section.read_or("algorithm", SigningAlgorithm::default());
            let lifetime = section.read_or("lifetime", Span(Duration::from_mins(15))).0;
            Some(Self { place: section.place(), issuer: issuer?.0, audience: audience?.0, algorithm, lifetime })
        })?
    }
}
