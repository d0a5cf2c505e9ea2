//! The gateway's own tokens: the key that signs them, and signing.
//!
//! The key is made at the first start and lies in the data directory, readable to its owner alone.

use std::fmt;
use std::time::Duration;

use auth_core::{Now, Secret};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, EncodingKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

use crate::config::{SigningAlgorithm, Tokens};
use crate::data_dir::{DataDir, DataDirError};

/// Signs the gateway's own tokens.
#[derive(Clone)]
pub struct OwnTokens {
    tokens: Tokens,
    /// A shared secret as text, or a private key in PEM (PKCS #8).
    material: Secret,
}

/// What verifies the tokens.
#[derive(Clone, Debug)]
pub enum Verification {
    /// The shared secret itself.
    Shared(Secret),
    /// The public key in PEM.
    PublicPem(String),
}

/// Why the gateway cannot sign. Holds no secret.
#[derive(Debug)]
pub enum SigningError {
    /// The key cannot be kept.
    DataDir(DataDirError),
    /// What is kept is no key for the algorithm.
    NoKey(SigningAlgorithm),
    /// The operating system gave no random bytes.
    Random,
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            Self::NoKey(algorithm) => {
                write!(f, "{} in the data directory is not a key for {}", file_name(*algorithm), algorithm.as_str())
            }
            Self::Random => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for SigningError {}

impl From<DataDirError> for SigningError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

fn file_name(algorithm: SigningAlgorithm) -> String {
    format!("token-key-{}", algorithm.as_str())
}

impl OwnTokens {
    /// The tokens of the configuration, with the key of the data directory; it is made where there is none yet.
    ///
    /// # Errors
    /// The key can be neither read nor made, or what is there is no key for the algorithm.
    pub fn open(tokens: &Tokens, data_dir: &DataDir) -> Result<Self, SigningError> {
        let name = file_name(tokens.algorithm);
        let material = match data_dir.read(&name)? {
            Some(found) => found,
            None => data_dir.read_or_create(&name, fresh_key(tokens.algorithm)?.into_bytes())?,
        };
        Self::with_key(tokens, Secret::new(material))
    }

    /// The tokens of the configuration, with a key that nobody else has and that ends with this value.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn ephemeral(tokens: &Tokens) -> Result<Self, SigningError> {
        Self::with_key(tokens, Secret::from(fresh_key(tokens.algorithm)?))
    }

    /// The tokens of the configuration, with this key: a private key in PEM (PKCS #8), or the secret itself for HS256.
    ///
    /// # Errors
    /// It is no key for the algorithm.
    pub fn with_key(tokens: &Tokens, material: Secret) -> Result<Self, SigningError> {
        let own = Self { tokens: tokens.clone(), material };
        own.signature(b"")?;
        own.verification()?;
        Ok(own)
    }

    /// What the configuration says of the tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The key itself as text, for `demo.json` alone.
    pub fn material(&self) -> &Secret {
        &self.material
    }

    /// What verifies the tokens.
    ///
    /// # Errors
    /// The key is none for the algorithm.
    pub fn verification(&self) -> Result<Verification, SigningError> {
        let no_key = || SigningError::NoKey(self.tokens.algorithm);
        let public = match self.tokens.algorithm {
            SigningAlgorithm::Hs256 => return Ok(Verification::Shared(self.material.clone())),
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8()?);
                let pair = pair.map_err(|_| no_key())?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| no_key())?;
                pem("PUBLIC KEY", public.as_ref())
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&self.pkcs8()?).map_err(|_| no_key())?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| no_key())?;
                pem("PUBLIC KEY", public.as_ref())
            }
        };
        Ok(Verification::PublicPem(public))
    }

    /// Signs an access token (RFC 9068) with these claims, besides `iss`, `aud`, `iat`, `exp` and `jti`.
    ///
    /// # Errors
    /// There are no random bytes, or the key is none for the algorithm.
    pub fn sign(&self, mut claims: Map<String, Value>, lifetime: Duration, now: Now) -> Result<String, SigningError> {
        let issued = now.wall.unix_seconds();
        let expires = now.wall.saturating_add(lifetime).unix_seconds();
        for (name, value) in [
            ("iss", json!(self.tokens.issuer)),
            ("aud", json!(self.tokens.audience)),
            ("iat", json!(issued)),
            ("exp", json!(expires)),
            ("jti", json!(random_text(16)?)),
        ] {
            claims.insert(name.to_owned(), value);
        }
        let header = json!({ "alg": self.tokens.algorithm.as_str(), "typ": "at+jwt" });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }

    /// `jsonwebtoken::encode` would go through a provider that is chosen for the whole process, and panic where two
    /// dependencies switched on two of them; this asks the one we mean.
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let no_key = |_| SigningError::NoKey(self.tokens.algorithm);
        let (algorithm, key) = match self.tokens.algorithm {
            SigningAlgorithm::Hs256 => (Algorithm::HS256, EncodingKey::from_secret(self.material.expose())),
            SigningAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_der(&self.pkcs8()?)),
            SigningAlgorithm::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_der(&self.pkcs8()?)),
        };
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&algorithm, &key).map_err(no_key)?;
        signer.try_sign(message).map_err(|_| SigningError::NoKey(self.tokens.algorithm))
    }

    fn pkcs8(&self) -> Result<Vec<u8>, SigningError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.material.expose());
        let key = key.map_err(|_| SigningError::NoKey(self.tokens.algorithm))?;
        Ok(key.secret_pkcs8_der().to_vec())
    }
}

/// Prints no key.
impl fmt::Debug for OwnTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnTokens").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

/// So many random bytes as text over `[A-Za-z0-9_-]`.
///
/// # Errors
/// There are no random bytes.
pub fn random_text(bytes: usize) -> Result<String, SigningError> {
    let mut random = vec![0; bytes];
    SystemRandom::new().fill(&mut random).map_err(|_| SigningError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// PKCS #8 of version 1, since older tools cannot read version 2 (RFC 5958).
fn fresh_key(algorithm: SigningAlgorithm) -> Result<String, SigningError> {
    let document = match algorithm {
        SigningAlgorithm::Hs256 => return random_text(48),
        SigningAlgorithm::Es256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).and_then(|pair| pair.to_pkcs8v1())
        }
        SigningAlgorithm::EdDsa => Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()),
    };
    document.map(|document| pem("PRIVATE KEY", document.as_ref())).map_err(|_| SigningError::Random)
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        lines.extend(line.iter().copied().map(char::from));
        lines.push('\n');
    }
    lines + &format!("-----END {label}-----\n")
}
