//! API keys: what they look like, how they are kept, and what is known about each.
//!
//! A key is random text with a checksum at its end, so that a mistyped one is refused without a look-up
//! ([`KeyFormat`]). A store never sees it: it keeps a keyed hash ([`KeyDigest`]), made with a pepper that lies
//! elsewhere and can be changed ([`Peppers`]). Since the key is random, a fast hash is enough (ASVS 6.5.2).
//!
//! - `format`: prefix, environment, random part, checksum; reading and describing them
//! - `base62`: the alphabet, the checksum's digits, unbiased random characters
//! - `checksum`: CRC-32
//! - `pepper`: keyed hashes, and several peppers at once while one replaces another
//! - `record`: what a store knows about one key
//! - `usage`: noting when keys were last used without writing on the request's path
//!
//! Keys are verified by [`ApiKeyVerifier`](crate::verify::ApiKeyVerifier), kept in an
//! [`ApiKeyStore`](crate::store::ApiKeyStore), and minted, listed, rotated and revoked by `issue::ApiKeys` (feature
//! `issue`).

mod base62;
mod checksum;
mod format;
mod pepper;
mod record;
mod usage;

#[cfg(feature = "issue")]
pub(crate) use base62::{checksum_digits, derived_text, random_text};
pub use format::{KeyFormat, ParsedKey};
pub use pepper::{KeyDigest, KeyHasher, Peppers};
pub use record::{ApiKeyRecord, KeyStatus, Succession};
pub use usage::HeldKey;
pub(crate) use usage::{Activity, Used, Uses};
