//! `[[issuers]]`: the others whose JSON Web Tokens are taken.

use std::path::PathBuf;
use std::time::Duration;

use auth_core::Secret;
use toml::de::DeValue;

use super::claims::ClaimNames;
use super::node::{FromNode, Node};
use super::section::Section;
use super::units::Span;
use super::values::{Content, OneOrMore, Text, choice};
use crate::problem::{Place, Placed};

/// An issuer that is trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issuer {
    /// Where it stands in the file.
    pub place: Place,
    /// The exact value of `iss`.
    pub issuer: String,
    /// The values of `aud` of which a token must have one.
    pub audience: Vec<String>,
    /// Where its keys come from.
    pub keys: Placed<IssuerKeys>,
    /// The algorithms its keys may be used with; `None` leaves it to the keys.
    pub algorithms: Option<Placed<Vec<String>>>,
    /// How tokens are checked and understood.
    pub rules: TokenRules,
}

/// Where the keys of an issuer come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IssuerKeys {
    /// A JSON Web Key Set in a file.
    JwksFile(PathBuf),
    /// One JSON Web Key in a file.
    JwkFile(PathBuf),
    /// A public key or certificate in PEM in a file.
    PemFile(PathBuf),
    /// A secret shared with the issuer.
    Secret(Secret),
}

/// How the tokens of an issuer are checked and understood.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenRules {
    /// How far the clocks of the issuer and the gateway may be apart; `None` leaves it to the library: 30 s.
    pub leeway: Option<Duration>,
    /// Which kind of token is taken.
    pub kind: TokenKind,
    /// How long from now a token may still be good at most; `None` does not ask.
    pub max_lifetime: Option<Duration>,
    /// Whether a token must end.
    pub expiry: Expiry,
    /// Whether clients may have the names of users.
    pub client_names: ClientNames,
    /// Which claims say what.
    pub claims: ClaimNames,
}

/// Which kind of token is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// Whatever does not say that it is of another kind. The default, since most issuers do not mark access tokens.
    #[default]
    AccessToken,
    /// Access tokens of the JWT profile alone (RFC 9068).
    Profile,
    /// Tokens of exactly this `typ`.
    Typ(String),
}

/// Whether a token must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It must, the default.
    Required,
    /// It need not: who stole one has it for good.
    Optional,
}

/// Whether clients may have the names of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientNames {
    /// Clients are marked as such, the default.
    Apart,
    /// They share one space of names.
    SharedWithUsers,
}

impl FromNode for Issuer {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required::<Text>("issuer");
            let audience = section.required::<OneOrMore<Text>>("audience");
            let keys = issuer_keys(section);
            let algorithms = section.placed::<OneOrMore<Text>>("algorithms");
            let rules = TokenRules::read(section);
            Some(Self {
                place: section.place(),
                issuer: issuer?.0,
                audience: audience?.0.into_iter().map(|Text(audience)| audience).collect(),
                keys: keys?,
                algorithms: algorithms
                    .map(|names| names.map(|OneOrMore(names)| names.into_iter().map(|n| n.0).collect())),
                rules,
            })
        })?
    }
}

fn issuer_keys(section: &mut Section<'_>) -> Option<Placed<IssuerKeys>> {
    const NOT_YET: &str = "is not supported yet: save the key set in a file and name it with `jwks_file`";
    section.refuse("jwks_url", NOT_YET);
    section.refuse("discovery", NOT_YET);
    let fetched = section.has("jwks_url") || section.has("discovery");
    let given = ["jwks_file", "jwk_file", "pem_file", "secret"].into_iter().filter(|key| section.has(key)).count();
    let keys = [
        section.placed::<Content>("jwks_file").map(|path| path.map(|Content(path)| IssuerKeys::JwksFile(path))),
        section.placed::<Content>("jwk_file").map(|path| path.map(|Content(path)| IssuerKeys::JwkFile(path))),
        section.placed::<Content>("pem_file").map(|path| path.map(|Content(path)| IssuerKeys::PemFile(path))),
        section.placed::<Secret>("secret").map(|secret| secret.map(IssuerKeys::Secret)),
    ];
    match given {
        0 if fetched => None,
        0 => section.problem("has no keys: write one of `jwks_file`, `jwk_file`, `pem_file`, `secret`"),
        1 => keys.into_iter().flatten().next(),
        _ => section.problem("has keys from several places: keep one of `jwks_file`, `jwk_file`, `pem_file`, `secret`"),
    }
}

impl TokenRules {
    fn read(section: &mut Section<'_>) -> Self {
        let expiry = section.read_or("danger_accept_missing_expiry", false);
        let shared = section.read_or("danger_clients_share_names_with_users", false);
        Self {
            leeway: section.read("leeway"),
            kind: section.read_or("token_kind", TokenKind::default()),
            max_lifetime: section.read::<Span>("max_lifetime").map(|Span(longest)| longest),
            expiry: if expiry { Expiry::Optional } else { Expiry::Required },
            client_names: if shared { ClientNames::SharedWithUsers } else { ClientNames::Apart },
            claims: section.nested("claims", ClaimNames::read),
        }
    }
}

impl FromNode for TokenKind {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        #[derive(Clone, Copy)]
        enum Known {
            AccessToken,
            Profile,
        }
        if let DeValue::Table(_) = node.value() {
            let Text(typ) = node.section(|section| section.required::<Text>("typ"))??;
            return Some(Self::Typ(typ));
        }
        choice(node, &[("access_token", Known::AccessToken), ("rfc9068", Known::Profile)]).map(|known| match known {
            Known::AccessToken => Self::AccessToken,
            Known::Profile => Self::Profile,
        })
    }
}
