//! The gateway's own issuer of access tokens, with its keys of the data directory.

use auth_core::Timestamp;
use auth_core::issue::{AccessTokenIssuer, SigningError, SigningKeys};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::Tokens;
use crate::data_dir::DataDir;
use crate::key_file::{KeyFile, KeysError};

/// The gateway's own issuer, with the keys of the data directory.
///
/// # Errors
/// The keys can be neither read nor made.
pub fn open(tokens: &Tokens, data_dir: &DataDir, now: Timestamp) -> Result<AccessTokenIssuer, KeysError> {
    KeyFile::of_tokens(tokens).open(data_dir, now).map(|keys| issuer(tokens, keys))
}

/// The gateway's own issuer, with a key that nobody else has and that ends with this value.
///
/// # Errors
/// There are no random bytes.
pub fn ephemeral(tokens: &Tokens) -> Result<AccessTokenIssuer, SigningError> {
    SigningKeys::generate(tokens.algorithm).map(|keys| issuer(tokens, keys))
}

/// The gateway's own issuer, with these keys.
pub fn issuer(tokens: &Tokens, keys: SigningKeys) -> AccessTokenIssuer {
    AccessTokenIssuer::new(tokens.issuer.as_str(), tokens.audience.as_str(), tokens.lifetime, keys)
        .token_type(tokens.token_type)
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
