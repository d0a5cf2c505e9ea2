//! `[[issuers]]` and `[tokens]`: whose JSON Web Tokens are taken.

use std::path::PathBuf;
use std::time::Duration;

use auth_core::Secret;

use super::reader::{FromNode, Node, Section};
use super::values::{OneOrMore, Span, Text, choice};
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
    /// How far the clocks of the issuer and the gateway may be apart; 30 s by default.
    pub leeway: Duration,
    /// Which kinds of tokens are taken.
    pub kind: TokenKind,
    /// How long a token may live from `iat` to `exp`; `None` does not ask.
    pub max_lifetime: Option<Duration>,
    /// Which claims say what.
    pub claims: ClaimNames,
}

/// Which kind of token an issuer's access tokens are marked as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// `typ` is `at+jwt` (RFC 9068), and nothing else is taken.
    AccessTokenOnly,
    /// `typ` is `at+jwt`, `JWT` or missing, and nothing in the token says that it is of another kind. The default,
    /// since most issuers do not mark their access tokens.
    #[default]
    Unmarked,
}

/// Which claims say what; nested names are parted by dots. `None` leaves it to the default.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClaimNames {
    /// Who the caller is; `sub` by default.
    pub subject: Option<Placed<String>>,
    /// What the caller may do.
    pub permissions: Option<Vec<Placed<String>>>,
    /// What the caller is.
    pub roles: Option<Vec<Placed<String>>>,
    /// The tenant the caller acts in.
    pub tenant: Option<Placed<String>>,
    /// The plan of the caller.
    pub plan: Option<Placed<String>>,
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
        section.placed::<PathBuf>("jwks_file").map(|path| path.map(IssuerKeys::JwksFile)),
        section.placed::<PathBuf>("jwk_file").map(|path| path.map(IssuerKeys::JwkFile)),
        section.placed::<PathBuf>("pem_file").map(|path| path.map(IssuerKeys::PemFile)),
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
        Self {
            leeway: section.read_or("leeway", Duration::from_secs(30)),
            kind: section.read_or("token_kind", TokenKind::default()),
            max_lifetime: section.read::<Span>("max_lifetime").map(|Span(longest)| longest),
            claims: section.nested("claims", ClaimNames::read).unwrap_or_default(),
        }
    }
}

impl FromNode for TokenKind {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("at+jwt", Self::AccessTokenOnly), ("unmarked", Self::Unmarked)])
    }
}

impl ClaimNames {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            subject: one_claim(section, "subject"),
            permissions: several_claims(section, "permissions"),
            roles: several_claims(section, "roles"),
            tenant: one_claim(section, "tenant"),
            plan: one_claim(section, "plan"),
        }
    }
}

fn one_claim(section: &mut Section<'_>, key: &'static str) -> Option<Placed<String>> {
    section.placed::<Text>(key).map(|claim| claim.map(|Text(name)| name))
}

fn several_claims(section: &mut Section<'_>, key: &'static str) -> Option<Vec<Placed<String>>> {
    let claims = section.placed::<OneOrMore<Text>>(key)?;
    let place = claims.place;
    Some(claims.value.0.into_iter().map(|Text(value)| Placed { value, place: place.clone() }).collect())
}

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
            let lifetime = section.read_or("lifetime", Span(Duration::from_secs(900))).0;
            Some(Self { place: section.place(), issuer: issuer?.0, audience: audience?.0, algorithm, lifetime })
        })?
    }
}
