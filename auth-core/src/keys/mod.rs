//! The keys that signatures are checked with.
//!
//! A key knows what it may be used for: its material decides the family of algorithms, its `alg` or the issuer's
//! allow-list decides which of them, and the token's header decides nothing. There is no function that takes bytes and
//! guesses what they are: a shared secret comes in by [`VerificationKey::shared_secret`] and refuses everything that
//! looks like a public key; a public key comes in by [`VerificationKey::from_pem`] or [`VerificationKey::from_jwk`] and
//! can never act as a shared secret (RFC 8725 section 3.1).
//!
//! Everything is parsed once, when the key is made. A check then costs the signature and nothing else.
//!
//! - [`Algorithm`]: the signature algorithms and their names (RFC 7518 section 3.1, RFC 8037, RFC 9864).
//! - [`VerificationKey`]: one key.
//! - [`KeySet`]: the keys of one issuer, found by `kid`; made from keys, PEM text, or a JWK Set (RFC 7517), of which
//!   it takes what it can use and says what it [skipped](KeySet::skipped).

mod algorithm;
mod der;
mod jwk;
mod key;
mod material;
mod pem;
mod set;
mod shared_secret;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
#[cfg(feature = "issue")]
pub(crate) use der::rsa_numbers;
pub use key::VerificationKey;
pub(crate) use set::KeyFault;
pub use set::{KeySet, SkippedKey};

/// The longest key id that is looked at. It bounds what an attacker can make us compare and remember; the ids of real
/// key sets are thumbprints or UUIDs of some forty characters.
pub(crate) const MAX_KEY_ID: usize = 256;
