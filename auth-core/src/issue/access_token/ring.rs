//! The current key and those before it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Secret;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::keys::{Algorithm, KeySet, VerificationKey};

use super::{SigningAlgorithm, SigningError, SigningKey};

/// The keys of one issuer: the one that signs, and those that signed before it.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    current: SigningKey,
    /// The newest first, each with when it was replaced.
    replaced: Vec<(SigningKey, Timestamp)>,
}

/// How keys are kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    algorithm: String,
    key: Zeroizing<String>,
    /// Microseconds since the epoch; the current key has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced: Option<i64>,
}

impl SigningKeys {
    /// One key, which nothing came before.
    pub fn new(current: SigningKey) -> Self {
        Self { current, replaced: Vec::new() }
    }

    /// One key, made anew.
    ///
    /// # Errors
    /// [`SigningError::Random`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, SigningError> {
        SigningKey::generate(algorithm).map(Self::new)
    }

    /// The key that signs.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Lets another key sign from now on. The one before it goes on verifying.
    ///
    /// A shared secret and public keys do not stand beside each other, where one could be taken for the other: a change
    /// between the two forgets every key before it, and with them all tokens that they signed.
    pub fn rotate(&mut self, next: SigningKey, at: Timestamp) {
        let keep = next.algorithm().is_symmetric() == self.current.algorithm().is_symmetric();
        let last = std::mem::replace(&mut self.current, next);
        if keep {
            self.replaced.insert(0, (last, at));
        } else {
            self.replaced.clear();
        }
    }

    /// Forgets the keys that were replaced before that: the longest life of a token ago, or earlier.
    pub fn forget_replaced_before(&mut self, before: Timestamp) {
        self.replaced.retain(|(_, at)| *at >= before);
    }

    /// Every key, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(self.replaced.iter().map(|(key, _)| key))
    }

    /// Every key with when it was replaced, the current one first: that one never was.
    pub fn ages(&self) -> impl Iterator<Item = (&SigningKey, Option<Timestamp>)> {
        let replaced = self.replaced.iter().map(|(key, at)| (key, Some(*at)));
        std::iter::once((&self.current, None)).chain(replaced)
    }

    /// What verifies the tokens, of the current key and of those before it.
    ///
    /// # Errors
    /// Never, for keys that sign; the error of the set is handed on.
    pub fn verification(&self) -> Result<KeySet, ConfigError> {
        if !self.current.algorithm().is_symmetric() {
            return KeySet::from_jwks(&self.jwks());
        }
        let shared = |key: &SigningKey| {
            Ok(VerificationKey::shared_secret(Algorithm::Hs256, key.material())?.named(Arc::clone(key.id())))
        };
        KeySet::new(self.iter().map(shared).collect::<Result<Vec<_>, ConfigError>>()?)
    }

    /// The public keys as a JWK Set (RFC 7517 section 5), empty where the key is a shared secret: what may be published.
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.iter().filter_map(SigningKey::public_jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Everything, private keys and all, as text to be kept where nobody else can read it.
    ///
    /// # Errors
    /// [`SigningError::Unreadable`] for material that is no text, which no key here has.
    pub fn to_text(&self) -> Result<Secret, SigningError> {
        let kept = |key: &SigningKey, replaced: Option<Timestamp>| {
            let text = key.material().expose_text().ok_or(SigningError::Unreadable)?;
            let algorithm = key.algorithm().as_str().to_owned();
            Ok(Kept { algorithm, key: Zeroizing::new(text.to_owned()), replaced: replaced.map(Timestamp::unix_micros) })
        };
        let current = std::iter::once(kept(&self.current, None));
        let replaced = self.replaced.iter().map(|(key, at)| kept(key, Some(*at)));
        let all = current.chain(replaced).collect::<Result<Vec<Kept>, SigningError>>()?;
        serde_json::to_vec_pretty(&all).map(Secret::new).map_err(|_| SigningError::Unreadable)
    }

    /// What was kept by [`to_text`](Self::to_text).
    ///
    /// # Errors
    /// [`SigningError::Unreadable`] where it is something else; [`SigningError::NoKey`] for a damaged key.
    pub fn from_text(text: &Secret) -> Result<Self, SigningError> {
        let all: Vec<Kept> = serde_json::from_slice(text.expose()).map_err(|_| SigningError::Unreadable)?;
        let mut current = None;
        let mut replaced = Vec::new();
        for kept in all {
            let algorithm = SigningAlgorithm::from_name(&kept.algorithm).ok_or(SigningError::Unreadable)?;
            let key = SigningKey::from_material(algorithm, Secret::from(kept.key.as_str()))?;
            match kept.replaced {
                Some(at) => replaced.push((key, Timestamp::from_unix_micros(at))),
                None if current.is_none() => current = Some(key),
                None => return Err(SigningError::Unreadable),
            }
        }
        Ok(Self { current: current.ok_or(SigningError::Unreadable)?, replaced })
    }
}
