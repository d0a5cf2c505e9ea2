//! What may be a shared secret and what may not.
//!
//! The classic forgery takes a verifier's RSA public key, which everybody has, and signs with it as if it were an HMAC
//! secret. It needs a verifier that was given the public key where a secret belongs, so nothing that looks like a key in
//! any customary form gets past this file, with whatever stands in front of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::Algorithm;
use super::der;
use crate::error::ConfigError;
use crate::secret::Secret;

/// Refuses what must not be used as a shared secret.
pub(super) fn check(algorithm: Algorithm, secret: &Secret) -> Result<(), ConfigError> {
    let least = match algorithm {
        Algorithm::Hs256 => 32,
        Algorithm::Hs384 => 48,
        Algorithm::Hs512 => 64,
        other => {
            let message =
                format!("{other} is not used with a shared secret; give its public key as PEM or JWK instead");
            return Err(ConfigError::new(message));
        }
    };
    let bytes = secret.expose();
    if let Some(what) = key_form(bytes) {
        return Err(ConfigError::new(format!(
            "the shared secret is {what}: anybody who has that key could sign; give it as a public key instead"
        )));
    }
    // RFC 7518 section 3.2: a key of the size of the hash output or larger must be used
    if bytes.len() < least {
        let have = bytes.len();
        return Err(ConfigError::new(format!(
            "the shared secret has {have} bytes, {algorithm} needs {least} random ones (openssl rand -base64 {least})"
        )));
    }
    Ok(())
}

/// The customary form of a key that these bytes have, if any.
pub(super) fn key_form(bytes: &[u8]) -> Option<&'static str> {
    if der::is_key(bytes) {
        return Some("a key in DER form");
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c.is_control());
    if text.contains("-----BEGIN") {
        return Some("a key or certificate in PEM form");
    }
    if ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"].iter().any(|prefix| text.starts_with(prefix)) {
        return Some("an SSH public key");
    }
    if text.starts_with('{') && (text.contains("\"kty\"") || text.contains("\"keys\"")) {
        return Some("a JWK or a set of them");
    }
    let compact: String = text.split_whitespace().collect();
    let decoded = STANDARD.decode(compact).unwrap_or_default();
    der::is_key(&decoded).then_some("a key in DER form, in base64")
}
