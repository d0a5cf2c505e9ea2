//! Keys that sign, each ring of them in a file of the data directory that is readable to its owner alone.
//!
//! They are made at the first start. What access tokens are signed with signs nothing else.

use std::fmt;
use std::time::Duration;

use auth_core::issue::{SigningAlgorithm, SigningError, SigningKey, SigningKeys};
use auth_core::{Secret, Timestamp};

use crate::config::{Assertions, Tokens};
use crate::data_dir::{DataDir, DataDirError};

/// How much longer than its tokens live a replaced key verifies: clocks differ.
const MARGIN: Duration = Duration::from_mins(5);

/// A file with keys that sign.
#[derive(Clone, Copy, Debug)]
pub struct KeyFile {
    name: &'static str,
    algorithm: SigningAlgorithm,
    /// For how long what they sign is good.
    lifetime: Duration,
}

/// Why there are no keys. Holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeysError {
    /// They cannot be kept.
    DataDir(DataDirError),
    /// They cannot be made, or what is kept in that file cannot be read.
    Signing(&'static str, SigningError),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataDir(error) => error.fmt(f),
            Self::Signing(file, SigningError::Unreadable) => {
                write!(f, "{file} in the data directory is damaged: restore it, or remove it to make new keys")
            }
            Self::Signing(_, error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<DataDirError> for KeysError {
    fn from(error: DataDirError) -> Self {
        Self::DataDir(error)
    }
}

impl KeyFile {
    /// The names of all such files.
    pub(crate) const NAMES: [&'static str; 2] = ["signing-keys.json", "upstream-keys.json"];

    /// What signs the gateway's own access tokens.
    pub fn of_tokens(tokens: &Tokens) -> Self {
        Self { name: Self::NAMES[0], algorithm: tokens.algorithm, lifetime: tokens.lifetime }
    }

    /// What signs assertions to upstreams.
    pub fn of_assertions(_: &Assertions) -> Self {
        let lifetime = auth_core::issue::UpstreamAssertions::LONGEST;
        Self { name: Self::NAMES[1], algorithm: SigningAlgorithm::Es256, lifetime }
    }

    /// The keys; they are made where there are none yet.
    ///
    /// Where the configuration names another algorithm than the current key has, a key of that algorithm takes over.
    ///
    /// # Errors
    /// The keys can be neither read nor made.
    pub fn open(&self, data_dir: &DataDir, now: Timestamp) -> Result<SigningKeys, KeysError> {
        let found = if let Some(found) = data_dir.read(self.name)? {
            found
        } else {
            let fresh = self.signing(SigningKeys::generate(self.algorithm).and_then(|keys| keys.to_text()))?;
            data_dir.read_or_create(self.name, fresh.expose().to_vec())?
        };
        let mut keys = self.signing(SigningKeys::from_text(&Secret::new(found)))?;
        // a key that was replaced because somebody else had it must not verify until the next one is
        keys.forget_replaced_before(self.needed_since(now));
        if keys.current().algorithm() != self.algorithm {
            self.replace(&mut keys, data_dir, now)?;
        }
        Ok(keys)
    }

    /// Lets a new key sign from now on, and forgets those that no token needs any more.
    ///
    /// # Errors
    /// The keys can be neither read nor made.
    pub fn rotate(&self, data_dir: &DataDir, now: Timestamp) -> Result<SigningKeys, KeysError> {
        // of several at once, each goes on from what the one before wrote
        let _turn = data_dir.turn()?;
        let mut keys = self.open(data_dir, now)?;
        self.replace(&mut keys, data_dir, now)?;
        Ok(keys)
    }

    /// What was replaced before that signed no token that is still good.
    fn needed_since(&self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.lifetime.saturating_add(MARGIN))
    }

    fn replace(&self, keys: &mut SigningKeys, data_dir: &DataDir, now: Timestamp) -> Result<(), KeysError> {
        keys.rotate(self.signing(SigningKey::generate(self.algorithm))?, now);
        keys.forget_replaced_before(self.needed_since(now));
        data_dir.replace(self.name, self.signing(keys.to_text())?.expose())?;
        Ok(())
    }

    fn signing<T>(&self, made: Result<T, SigningError>) -> Result<T, KeysError> {
        made.map_err(|error| KeysError::Signing(self.name, error))
    }
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
        let file = KeyFile::of_tokens(&tokens);
        let old = file.open(&data_dir, at(0)).unwrap();
        file.rotate(&data_dir, at(0)).unwrap();
        let has_old = |minutes| {
            let keys = file.open(&data_dir, at(minutes)).unwrap();
            keys.iter().any(|key| key.id() == old.current().id())
        };
        assert!(has_old(0) && has_old(64));
        assert!(!has_old(66), "nothing that it signed is still good");
    }
}
