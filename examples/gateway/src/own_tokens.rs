//! The keys that sign the gateway's own tokens, in the data directory.
//!
//! They are made at the first start and lie in one file, readable to its owner alone.

use std::fmt;
use std::time::Duration;

use auth_core::issue::{AccessTokenIssuer, SigningError, SigningKey, SigningKeys};
use auth_core::{Secret, Timestamp};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::Tokens;
use crate::data_dir::{DataDir, DataDirError};

/// The file with the keys.
pub(crate) const FILE: &str = "signing-keys.json";

/// How much longer than its tokens live a replaced key verifies: clocks differ.
const MARGIN: Duration = Duration::from_mins(5);

/// Why there are no keys. Holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeysError {
    /// They cannot be kept.
    DataDir(DataDirError),
    /// They cannot be made, or what is kept cannot be read.
    Signing(SigningError),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            Self::Signing(SigningError::Unreadable) => {
                write!(f, "{FILE} in the data directory is damaged: restore it, or remove it to make new keys")
            }
            Self::Signing(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<DataDirError> for KeysError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

impl From<SigningError> for KeysError {
    fn from(error: SigningError) -> Self {
        Self::Signing(error)
    }
}

/// The gateway's own issuer, with the keys of the data directory; they are made where there are none yet.
///
/// Where the configuration names another algorithm than the current key has, a key of that algorithm takes over.
///
/// # Errors
/// The keys can be neither read nor made.
pub fn open(tokens: &Tokens, data_dir: &DataDir, now: Timestamp) -> Result<AccessTokenIssuer, KeysError> {
    let found = if let Some(found) = data_dir.read(FILE)? {
        found
    } else {
        let fresh = SigningKeys::generate(tokens.algorithm)?.to_text()?;
        data_dir.read_or_create(FILE, fresh.expose().to_vec())?
    };
    let mut keys = SigningKeys::from_text(&Secret::new(found))?;
    // a key that was replaced because somebody else had it must not verify until the next one is
    keys.forget_replaced_before(needed_since(tokens, now));
    if keys.current().algorithm() != tokens.algorithm {
        replace(&mut keys, tokens, data_dir, now)?;
    }
    Ok(issuer(tokens, keys))
}

/// Lets a new key sign from now on, and forgets those that no token needs any more.
///
/// # Errors
/// The keys can be neither read nor made.
pub fn rotate(tokens: &Tokens, data_dir: &DataDir, now: Timestamp) -> Result<AccessTokenIssuer, KeysError> {
    // of several at once, each goes on from what the one before wrote
    let _turn = data_dir.turn()?;
    let mut keys = open(tokens, data_dir, now)?.keys().clone();
    replace(&mut keys, tokens, data_dir, now)?;
    Ok(issuer(tokens, keys))
}

/// What was replaced before that signed no token that is still good.
fn needed_since(tokens: &Tokens, now: Timestamp) -> Timestamp {
    now.saturating_sub(tokens.lifetime.saturating_add(MARGIN))
}

fn replace(keys: &mut SigningKeys, tokens: &Tokens, data_dir: &DataDir, now: Timestamp) -> Result<(), KeysError> {
    keys.rotate(SigningKey::generate(tokens.algorithm)?, now);
    keys.forget_replaced_before(needed_since(tokens, now));
    data_dir.replace(FILE, keys.to_text()?.expose())?;
    Ok(())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::path::Path;

    use super::*;
    use crate::config::{self, Demo};
    use crate::data_dir::Owner;

    #[test]
    fn k11_a_replaced_key_verifies_as_long_as_its_tokens_live_and_no_longer() {
        let text = "[tokens]\nissuer = \"us\"\naudience = \"api\"\nlifetime = \"1h\"\n\
            [[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"jwt\"]\n\
            [[routes]]\npath = \"/\"\naccess = \"authenticated\"\n";
        let config = config::load(text, "gateway.toml", Path::new("")).unwrap();
        let tokens = config.tokens.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data_dir =
            DataDir::open(&folder.path().join("data"), Owner { profile: None, demo: Demo::Disabled }).unwrap();
        let at = |minutes: i64| Timestamp::from_unix_seconds(1_700_000_000 + 60 * minutes);
        let old = open(&tokens, &data_dir, at(0)).unwrap();
        rotate(&tokens, &data_dir, at(0)).unwrap();
        let has_old = |minutes| {
            let issuer = open(&tokens, &data_dir, at(minutes)).unwrap();
            issuer.keys().iter().any(|key| key.id() == old.keys().current().id())
        };
        assert!(has_old(0) && has_old(64));
        assert!(!has_old(66), "nothing that it signed is still good");
    }
}
