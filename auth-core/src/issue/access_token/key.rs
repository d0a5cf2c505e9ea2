//! One key, as it is made, kept and published.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Secret;
use crate::api_key::random_text;
use crate::keys::rsa_numbers;

use super::SigningAlgorithm;
use super::pem;

/// Random characters of a fresh shared secret: 381 bits.
const SECRET_CHARS: usize = 64;

/// The fewest bytes of a shared secret for HS256 (RFC 7518 section 3.2).
const LEAST_SECRET: usize = 32;

/// A key that signs tokens. Cloning copies pointers, and `Debug` prints no part of the key.
///
/// Its id follows from the key: the thumbprint of the public key (RFC 7638), or a keyed hash where there is none. So a
/// key that is kept as text has the same id wherever it is read.
///
/// ```
/// use auth_core::issue::{SigningAlgorithm, SigningKey};
///
/// let key = SigningKey::generate(SigningAlgorithm::Es256)?;
/// let again = SigningKey::from_material(SigningAlgorithm::Es256, key.material().clone())?;
/// assert_eq!(key.id(), again.id());
/// # Ok::<(), auth_core::issue::SigningError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: Arc<str>,
    algorithm: SigningAlgorithm,
    material: Secret,
    pair: Arc<Pair>,
}

enum Pair {
    Shared(Box<hmac::Key>),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why there is no key or no signature. Holds no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningError {
    /// The material is no key for the algorithm.
    NoKey(SigningAlgorithm),
    /// The operating system gave no random bytes.
    Random,
    /// What is kept of the keys cannot be read.
    Unreadable,
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey(algorithm) => {
                let form = if algorithm.is_symmetric() {
                    "a secret of 32 bytes or more"
                } else {
                    "a private key in PEM (PKCS #8) of that algorithm"
                };
                write!(f, "this is no key for {algorithm}: give {form}")
            }
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Unreadable => {
                f.write_str("the signing keys are damaged: restore them, or remove them to make new ones")
            }
        }
    }
}

impl std::error::Error for SigningError {}

impl SigningKey {
    /// A new key from the operating system's generator.
    ///
    /// # Errors
    /// [`SigningError::Random`] where the generator fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, SigningError> {
        let pkcs8 = match algorithm {
            SigningAlgorithm::Hs256 => {
                let mut text = String::with_capacity(SECRET_CHARS);
                random_text(&SystemRandom::new(), SECRET_CHARS, &mut text).map_err(|_| SigningError::Random)?;
                return Self::from_material(algorithm, Secret::from(text));
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der())
                .map(|der: aws_lc_rs::encoding::Pkcs8V1Der<'_>| pem::encode(der.as_ref())),
            // version 1, since older tools cannot read version 2 (RFC 5958)
            SigningAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|der| pem::encode(der.as_ref())),
            SigningAlgorithm::EdDsa => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map(|der| pem::encode(der.as_ref()))
            }
        };
        Self::from_material(algorithm, pkcs8.map_err(|_| SigningError::Random)?)
    }

    /// A key that is kept as text: a private key in PEM (PKCS #8), or the shared secret itself for HS256.
    ///
    /// # Errors
    /// [`SigningError::NoKey`] where it is no key for the algorithm, or a shared secret of less than 32 bytes.
    pub fn from_material(algorithm: SigningAlgorithm, material: Secret) -> Result<Self, SigningError> {
        let no_key = || SigningError::NoKey(algorithm);
        let pair = match algorithm {
            SigningAlgorithm::Hs256 => {
                let secret =
                    Some(material.expose()).filter(|secret| secret.len() >= LEAST_SECRET).ok_or_else(no_key)?;
                Pair::Shared(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
            }
            asymmetric => {
                let der = pem::decode(&material).ok_or_else(no_key)?;
                match asymmetric {
                    SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(&der).map(Pair::Rsa),
                    SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(&der).map(Pair::Ed25519),
                    _ => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Pair::P256),
                }
                .map_err(|_| no_key())?
            }
        };
        let id = pair.id().ok_or_else(no_key)?.into();
        Ok(Self { id, algorithm, material, pair: Arc::new(pair) })
    }

    /// What tokens name the key by, in their `kid`.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// How it signs.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key itself as text, to be kept where nobody else can read it.
    pub fn material(&self) -> &Secret {
        &self.material
    }

    /// The public key as a JWK (RFC 7517); `None` for a shared secret, which is never published.
    pub fn public_jwk(&self) -> Option<Value> {
        let mut jwk = self.pair.public_members()?;
        jwk["kid"] = json!(&*self.id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.as_str());
        Some(jwk)
    }

    /// Signs.
    ///
    /// # Errors
    /// [`SigningError::Random`] where the operating system gives no random bytes, which some algorithms need.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Shared(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SigningError::Random),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| SigningError::Random)?;
                Ok(signature)
            }
        }
    }

    /// A token with these claims in its compact form (RFC 7515 section 7.1).
    pub(in crate::issue) fn compact(&self, typ: &str, claims: &str) -> Result<String, SigningError> {
        // written by hand for the order of its members, which some guides show in their examples
        let header = format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#, self.algorithm, self.id);
        let payload = URL_SAFE_NO_PAD.encode(claims);
        let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }
}

impl Pair {
    /// The members that a thumbprint is made of (RFC 7638 section 3.2), and no others.
    fn public_members(&self) -> Option<Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Shared(_) => None,
            Self::Rsa(pair) => {
                let (n, e) = rsa_numbers(pair.public_key().as_ref())?;
                Some(json!({ "e": text(e), "kty": "RSA", "n": text(n) }))
            }
            Self::P256(pair) => {
                // an uncompressed point: a byte that says so, then both coordinates (SEC 1 section 2.3.3)
                let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
                Some(json!({ "crv": "P-256", "kty": "EC", "x": text(x), "y": text(y) }))
            }
            Self::Ed25519(pair) => {
                Some(json!({ "crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref()) }))
            }
        }
    }

    fn id(&self) -> Option<String> {
        let hash = match self {
            Self::Shared(key) => hmac::sign(key, b"the id of this key").as_ref().get(..12).map(<[u8]>::to_vec),
            // serde_json writes members in the order of their names, as the thumbprint wants them
            other => Some(digest(&SHA256, other.public_members()?.to_string().as_bytes()).as_ref().to_vec()),
        };
        hash.map(|hash| URL_SAFE_NO_PAD.encode(hash))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
