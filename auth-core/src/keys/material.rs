//! What a key is made of, and the prepared check for each algorithm that it can serve.

use std::ops::RangeInclusive;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use aws_lc_rs::{error::Unspecified, hmac};

use super::algorithm::Algorithm;
use crate::secret::Secret;

/// The sizes of RSA keys that are taken, in bits. Smaller ones can be factored (RFC 7518 section 3.3), larger ones make
/// every check a burden.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The key itself, in the one form that its family allows.
#[derive(Clone)]
pub(super) enum Material {
    Shared(Secret),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    /// A point on P-256, uncompressed.
    P256(Box<[u8]>),
    /// A point on P-384, uncompressed.
    P384(Box<[u8]>),
    Ed25519(Box<[u8]>),
}

impl Material {
    /// An RSA key, unless it is one that nobody should trust.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if bits < *RSA_BITS.start() {
            return Err("the RSA key is smaller than 2048 bits");
        }
        if bits > *RSA_BITS.end() {
            return Err("the RSA key is larger than 8192 bits");
        }
        if n.last().is_none_or(|low| low % 2 == 0) {
            return Err("the RSA modulus is even");
        }
        // an exponent of 1 lets anybody sign, an even one nobody
        if e.last().is_none_or(|low| low % 2 == 0) || e == [1] {
            return Err("the RSA exponent is even or below 3");
        }
        Ok(Self::Rsa { n: n.into(), e: e.into() })
    }

    /// The algorithms that the material can serve at all.
    pub(super) fn possible(&self) -> &'static [Algorithm] {
        match self {
            // RFC 7518 section 3.2: a key shorter than the hash must not be used
            Self::Shared(secret) => match secret.expose().len() {
                0..32 => &[],
                32..48 => &[Algorithm::Hs256],
                48..64 => &[Algorithm::Hs256, Algorithm::Hs384],
                _ => &[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512],
            },
            Self::Rsa { .. } => &[
                Algorithm::Rs256,
                Algorithm::Rs384,
                Algorithm::Rs512,
                Algorithm::Ps256,
                Algorithm::Ps384,
                Algorithm::Ps512,
            ],
            Self::P256(_) => &[Algorithm::Es256],
            Self::P384(_) => &[Algorithm::Es384],
            Self::Ed25519(_) => &[Algorithm::EdDsa],
        }
    }

    /// The prepared check, or nothing where the material cannot serve the algorithm or is not a valid key.
    pub(super) fn check(&self, algorithm: Algorithm) -> Option<Check> {
        if !self.possible().contains(&algorithm) {
            return None;
        }
        let with = match self {
            Self::Shared(secret) => Primitive::Hmac(hmac::Key::new(hmac_of(algorithm)?, secret.expose()).into()),
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_of(algorithm)?).ok()?;
                Primitive::Signature(key)
            }
            Self::P256(point) => {
                Primitive::Signature(ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).ok()?)
            }
            Self::P384(point) => {
                Primitive::Signature(ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).ok()?)
            }
            Self::Ed25519(key) => Primitive::Signature(ParsedPublicKey::new(&signature::ED25519, key).ok()?),
        };
        Some(Check { algorithm, with })
    }
}

/// Some libraries put a zero in front of a modulus although RFC 7518 section 6.3.1.1 asks them not to; it is the same
/// number.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn hmac_of(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::Hs256 => Some(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Some(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn rsa_of(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// A key bound to one algorithm.
#[derive(Clone)]
pub(super) struct Check {
    pub(super) algorithm: Algorithm,
    with: Primitive,
}

#[derive(Clone)]
enum Primitive {
    Hmac(Box<hmac::Key>),
    Signature(ParsedPublicKey),
}

impl Check {
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
        match &self.with {
            Primitive::Hmac(key) => hmac::verify(key, message, signature),
            Primitive::Signature(key) => key.verify_sig(message, signature),
        }
    }
}
