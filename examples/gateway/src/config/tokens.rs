//! `[tokens]`: the gateway's own JSON Web Tokens.

use std::time::Duration;

use auth_core::issue::{SigningAlgorithm, TokenType};

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
    /// How tokens are signed; ES256 by default. The key is made at the first start and lies in the data directory.
    pub algorithm: SigningAlgorithm,
    /// What the header calls them; `at+jwt` by default.
    pub token_type: TokenType,
    /// How long a token lives; 15 minutes by default, since a signed token cannot be taken back before.
    pub lifetime: Duration,
}

impl FromNode for SigningAlgorithm {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &Self::ALL.map(|algorithm| (algorithm.as_str(), algorithm)))
    }
}

impl FromNode for TokenType {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("at+jwt", Self::AccessToken), ("JWT", Self::Jwt)])
    }
}

impl FromNode for Tokens {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required::<Text>("issuer");
            let audience = section.required::<Text>("audience");
            let algorithm = section.read_or("algorithm", SigningAlgorithm::default());
            let token_type = section.read_or("token_type", TokenType::default());
            let lifetime = section.read_or("lifetime", Span(Duration::from_mins(15))).0;
            let (issuer, audience) = (issuer?.0, audience?.0);
            Some(Self { place: section.place(), issuer, audience, algorithm, token_type, lifetime })
        })?
    }
}
