//! One key and what it may be used for.

use std::fmt;
use std::sync::Arc;

use super::MAX_KEY_ID;
use super::algorithm::Algorithm;
use super::material::{Check, Material};
use super::{jwk, pem, shared_secret};
use crate::error::ConfigError;
use crate::secret::Secret;

/// A key that signatures are checked with, parsed once.
///
/// Each key serves the algorithms that it was made for and no others:
///
/// - a shared secret serves the one algorithm it was configured with;
/// - a JWK with an `alg` serves that one (RFC 7517 section 4.4);
/// - P-256, P-384 and Ed25519 keys have only one algorithm each;
/// - an RSA key without an `alg` serves `RS256`, the algorithm that every issuer with RSA keys must support (OpenID
///   Connect Core section 15.1), unless the issuer's [allow-list](crate::verify::jwt::Issuer::algorithms) names others.
///
/// ```
/// use auth_core::Secret;
/// use auth_core::keys::{Algorithm, VerificationKey};
///
/// let secret = Secret::from("an example of a secret, 32 bytes or more");
/// let key = VerificationKey::shared_secret(Algorithm::Hs256, &secret)?.named("2026-01");
/// assert_eq!(key.algorithms().collect::<Vec<_>>(), [Algorithm::Hs256]);
///
/// let public_key = Secret::from("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA…");
/// assert!(VerificationKey::shared_secret(Algorithm::Hs256, &public_key).is_err());
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct VerificationKey {
    id: Option<Arc<str>>,
    material: Material,
    alg: Option<Algorithm>,
    checks: Vec<Check>,
}

impl VerificationKey {
    /// A secret that the issuer shares with us, for that one HMAC algorithm.
    ///
    /// # Errors
    /// The algorithm is not an HMAC; the secret is shorter than the hash (RFC 7518 section 3.2: 32, 48 or 64 bytes);
    /// or the text is a public key, a private key, a certificate or a JWK. Public keys are public: whoever took one
    /// for a secret would let anybody sign.
    pub fn shared_secret(algorithm: Algorithm, secret: &Secret) -> Result<Self, ConfigError> {
        shared_secret::check(algorithm, secret)?;
        Self::new(None, Material::Shared(secret.clone()), Some(algorithm)).map_err(ConfigError::new)
    }

    /// The public key of a PEM text that holds exactly one: `PUBLIC KEY` (RFC 7468 section 13), `RSA PUBLIC KEY`
    /// (PKCS #1), or `CERTIFICATE`, of which only the key is taken; neither its dates nor its issuer are looked at.
    ///
    /// # Errors
    /// The text is not PEM, holds no or several keys, or a key of an unsupported kind or size. Private keys are
    /// refused: a verifier has no use for them, and a file that holds one belongs elsewhere.
    pub fn from_pem(text: &str) -> Result<Self, ConfigError> {
        let mut keys = pem::read(text)?;
        match (keys.pop(), keys.pop()) {
            (Some(key), None) => Ok(key),
            _ => Err(ConfigError::new("the PEM text holds several keys; use a key set for them")),
        }
    }

    /// The public key or shared secret of a JWK (RFC 7517 section 4), with its `kid` and `alg`.
    ///
    /// # Errors
    /// The text is not one strict JSON object; the key is of an unsupported kind, weak, meant for something else (`use`,
    /// `key_ops`), or private.
    pub fn from_jwk(text: &str) -> Result<Self, ConfigError> {
        jwk::read(text).map_err(|reason| ConfigError::new(format!("the JWK cannot be used: {reason}")))
    }

    /// Gives the key an id, which tokens name as `kid`.
    ///
    /// A key without an id is tried on tokens with any `kid` and on tokens without.
    #[must_use]
    pub fn named(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The key's id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The algorithms that the key is used with.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.checks.iter().map(|check| check.algorithm)
    }

    pub(super) fn new(id: Option<&str>, material: Material, alg: Option<Algorithm>) -> Result<Self, &'static str> {
        if id.is_some_and(|id| id.len() > MAX_KEY_ID) {
            return Err("the key id is longer than 256 bytes");
        }
        let possible = material.possible();
        let chosen = alg.or(possible.first().copied()).ok_or("the key is too short for any algorithm")?;
        if !possible.contains(&chosen) {
            return Err("the algorithm does not fit the key");
        }
        let check = material.check(chosen).ok_or("the key is not valid")?;
        Ok(Self { id: id.map(Arc::from), material, alg, checks: vec![check] })
    }

    /// The same key for those of the algorithms that it can serve; nothing where that is none of them.
    pub(crate) fn allowing(&self, algorithms: &[Algorithm]) -> Option<Self> {
        let allowed = |algorithm: &Algorithm| self.alg.is_none_or(|alg| alg == *algorithm);
        let checks: Vec<_> =
            algorithms.iter().copied().filter(allowed).filter_map(|algorithm| self.material.check(algorithm)).collect();
        (!checks.is_empty()).then(|| Self { checks, ..self.clone() })
    }

    pub(crate) fn is_symmetric(&self) -> bool {
        matches!(self.material, Material::Shared(_))
    }

    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.checks.iter().any(|check| check.algorithm == algorithm)
    }

    /// Whether the signature of the message is good under this key, used with that algorithm.
    pub(crate) fn accepts(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let check = self.checks.iter().find(|check| check.algorithm == algorithm);
        check.is_some_and(|check| check.verify(message, signature).is_ok())
    }
}

/// Prints the id and the algorithms, nothing of the key itself.
impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
