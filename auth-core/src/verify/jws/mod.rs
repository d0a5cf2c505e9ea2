//! Signed bytes: the compact serialisation of RFC 7515, read strictly.
//!
//! [`verify`] takes the text and the keys and answers the signed payload, whatever it is; no claim is looked at. It is
//! the layer under [`jwt`](crate::verify::jwt), open so that published vectors can be run against it.
//!
//! A text is not the identity of a token: each ECDSA signature has a twin that is just as good, so the same claims can
//! come in two texts. What revokes or remembers tokens goes by their `jti` or their claims.
//!
//! - `compact`: three parts, one spelling each.
//! - `header`: the few header members that decide something, and those that are refused.
//! - `seen`: headers that were read before.

mod compact;
mod header;
mod seen;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::json::Members;
use crate::keys::{Algorithm, KeyFault, KeySet, VerificationKey};
use crate::rejection::CredentialFault;

pub(crate) use compact::{Compact, MAX_LENGTH, Scratch, decode};
pub(crate) use header::Header;
pub(crate) use seen::SeenHeaders;

/// Why bytes are not taken for signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwsFault {
    /// Longer than 8 KiB.
    TooLong,
    /// Not a compact JWS: parts, alphabet, padding, header. Five parts (an encrypted token) belong here.
    Malformed,
    /// The header demands an extension (RFC 7515 section 4.1.11); none is implemented.
    Critical,
    /// The algorithm is unknown, or not the one of the key.
    Algorithm,
    /// No key of the set fits.
    UnknownKey,
    /// The signature is not good.
    Signature,
}

impl From<JwsFault> for CredentialFault {
    fn from(fault: JwsFault) -> Self {
        match fault {
            JwsFault::TooLong => Self::TooLong,
            JwsFault::Malformed => Self::Malformed,
            JwsFault::Critical => Self::Critical,
            JwsFault::Algorithm => Self::Algorithm,
            JwsFault::UnknownKey => Self::UnknownKey,
            JwsFault::Signature => Self::Signature,
        }
    }
}

impl From<KeyFault> for JwsFault {
    fn from(fault: KeyFault) -> Self {
        match fault {
            KeyFault::Unknown => Self::UnknownKey,
            KeyFault::Algorithm => Self::Algorithm,
        }
    }
}

impl fmt::Display for JwsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CredentialFault::from(*self).cause())
    }
}

impl std::error::Error for JwsFault {}

/// A payload whose signature was good.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payload {
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// The algorithm of the signature.
    pub algorithm: Algorithm,
    /// The id of the key that the signature was good under, where the key has one.
    pub key_id: Option<String>,
}

/// Prints no payload: it may hold personal data.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Checks the signature of a compact JWS of at most 8 KiB, and answers what was signed.
///
/// The key decides the algorithm; the header's `alg` is compared with it and its `kid` looked up, and no other header
/// member chooses or supplies a key.
///
/// ```
/// use auth_core::Secret;
/// use auth_core::keys::{Algorithm, KeySet};
/// use auth_core::verify::jws::{self, JwsFault};
///
/// let keys = KeySet::shared_secret(Algorithm::Hs256, &Secret::from("an example of a secret, 32 bytes or more"))?;
/// let signed = "eyJhbGciOiJIUzI1NiJ9.aGVsbG8.caL69-vLnRKWFpBsFfUxjKJ1GnMro2orS9xnhi7szAM";
/// assert_eq!(jws::verify(signed, &keys)?.bytes, b"hello");
///
/// let unsigned = "eyJhbGciOiJub25lIn0.aGVsbG8.";
/// assert_eq!(jws::verify(unsigned, &keys), Err(JwsFault::Algorithm));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`JwsFault`].
pub fn verify(text: impl AsRef<[u8]>, keys: &KeySet) -> Result<Payload, JwsFault> {
    let mut scratch = Scratch::new();
    let token = Compact::split(text.as_ref(), MAX_LENGTH)?;
    let [header, payload, signature] = decode([token.header, token.payload, token.signature], &mut scratch)?;
    let header = Header::read(header, &mut Members::new())?;
    let (algorithm, key) = signer(token.signed, signature, &header, keys)?;
    Ok(Payload { bytes: payload.to_vec(), algorithm, key_id: key.id().map(str::to_owned) })
}

/// The key that signed, and how.
pub(crate) fn signer<'k>(
    signed: &[u8],
    signature: &[u8],
    header: &Header<'_>,
    keys: &'k KeySet,
) -> Result<(Algorithm, &'k VerificationKey), JwsFault> {
    let algorithm = header.algorithm.ok_or(JwsFault::Algorithm)?;
    let candidates = keys.candidates(header.key_id.as_deref(), algorithm)?;
    let key = candidates.accepting(signed, signature).ok_or(JwsFault::Signature)?;
    Ok((algorithm, key))
}
