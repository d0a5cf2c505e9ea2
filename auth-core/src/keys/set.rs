//! The keys of one issuer.

use std::borrow::Cow;
use std::fmt;

use super::MAX_KEY_ID;
use super::algorithm::Algorithm;
use super::key::VerificationKey;
use super::{jwk, pem};
use crate::error::ConfigError;
use crate::json::{Repeats, Value, check};
use crate::secret::Secret;

/// How many keys a token may be tried on when it does not say which one it means. More would let every bad token cost
/// that many signature checks.
const MAX_TRIES: usize = 4;

/// The longest text of a JWK Set that is read. Real ones have a few kilobytes.
const MAX_JWKS: usize = 512 * 1024;

/// The keys of one issuer, found by the `kid` that a token names.
///
/// - A token with a `kid` is tried on the key of that id; where there is none, on the keys that have no id.
/// - A token without a `kid` is tried on every key that serves its algorithm, if those are at most four; with more it
///   is refused, because the issuer has to say which one it used (OpenID Connect Core section 10.1).
/// - Ids are compared as opaque text; longer than 256 bytes are unknown.
///
/// ```
/// use auth_core::keys::KeySet;
///
/// let keys = KeySet::from_jwks(r#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"quantum","kid":"b"}
/// ]}"#)?;
/// assert_eq!(keys.len(), 1);
/// assert_eq!(keys.skipped()[0].to_string(), r#"key 2 (kid "b"): its kty is not supported"#);
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeySet {
    /// Sorted by id.
    named: Vec<VerificationKey>,
    unnamed: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
}

/// A key of a JWK Set that is not used, and why; for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// The key's place in the set, counted from 1.
    pub position: usize,
    /// The key's id as far as it could be read.
    pub id: Option<String>,
    /// Why the key is not used.
    pub reason: &'static str,
}

/// One line, with control characters of the id escaped so that it cannot forge another.
impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => {
                let id: String = id.chars().take(64).collect();
                write!(f, "key {} (kid \"{}\"): {}", self.position, id.escape_debug(), self.reason)
            }
            None => write!(f, "key {}: {}", self.position, self.reason),
        }
    }
}

/// Why a set has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// No key has the id.
    Unknown,
    /// There is a key, but not for that algorithm.
    Algorithm,
}

impl KeySet {
    /// A set of keys that were made one by one.
    ///
    /// # Errors
    /// There is no key; two have the same id; or shared secrets are mixed with public keys, so that one could be taken
    /// for the other.
    pub fn new(keys: impl IntoIterator<Item = VerificationKey>) -> Result<Self, ConfigError> {
        let numbered = keys.into_iter().enumerate().map(|(index, key)| (index + 1, Ok(key)));
        let set = Self::sorted(numbered.collect());
        match set.skipped.first() {
            Some(skipped) => Err(ConfigError::new(skipped.to_string())),
            None => set.usable("there is no key in the key set"),
        }
    }

    /// A set that consists of one shared secret; see [`VerificationKey::shared_secret`].
    ///
    /// # Errors
    /// See [`VerificationKey::shared_secret`].
    pub fn shared_secret(algorithm: Algorithm, secret: &Secret) -> Result<Self, ConfigError> {
        Self::new([VerificationKey::shared_secret(algorithm, secret)?])
    }

    /// The public keys of a PEM text, one or more; see [`VerificationKey::from_pem`].
    ///
    /// # Errors
    /// See [`VerificationKey::from_pem`]. One bad block makes the whole text bad: it was written by hand.
    pub fn from_pem(text: &str) -> Result<Self, ConfigError> {
        Self::new(pem::read(text)?)
    }

    /// The keys of a JWK Set (RFC 7517 section 5).
    ///
    /// Keys that cannot be used are [skipped](Self::skipped) and the rest still works: unknown or broken ones, those
    /// meant for encryption, RSA below 2048 bits, private ones, all keys that share their `kid` with another, and
    /// shared secrets beside public keys.
    ///
    /// # Errors
    /// The text is larger than 512 KiB or not a JWK Set, or no key in it can be used.
    pub fn from_jwks(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX_JWKS {
            return Err(ConfigError::new("the JWK Set is larger than 512 KiB"));
        }
        let keys = check(text, Repeats::Allow).ok().and_then(|set| set.member("keys")?.items());
        let keys = keys.ok_or_else(|| ConfigError::new("the text is not a JWK Set: {\"keys\":[…]}"))?;
        let read = |(index, key): (usize, Value<'_>)| {
            let unusable = |reason| {
                let id = key.member("kid").and_then(Value::as_str).map(Cow::into_owned);
                SkippedKey { position: index + 1, id, reason }
            };
            (index + 1, jwk::read(key.raw()).map_err(unusable))
        };
        let set = Self::sorted(keys.enumerate().map(read).collect());
        let reasons: Vec<_> = set.skipped.iter().take(5).map(ToString::to_string).collect();
        set.usable(&format!("no key of the JWK Set can be used; {}", reasons.join("; ")))
    }

    /// Which keys of the JWK Set are not used, and why.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The keys in use.
    pub fn iter(&self) -> impl Iterator<Item = &VerificationKey> {
        self.named.iter().chain(&self.unnamed)
    }

    /// How many keys are in use; at least one.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.named.len() + self.unnamed.len()
    }

    /// Leaves out what would make the set ambiguous, and sorts the rest.
    fn sorted(keys: Vec<(usize, Result<VerificationKey, SkippedKey>)>) -> Self {
        let mut set = Self { named: Vec::new(), unnamed: Vec::new(), skipped: Vec::new() };
        let good = || keys.iter().filter_map(|(_, key)| key.as_ref().ok());
        let mixed = good().any(|key| !key.is_symmetric()) && good().any(VerificationKey::is_symmetric);
        let mut ids: Vec<_> = good().filter_map(VerificationKey::id).map(str::to_owned).collect();
        ids.sort_unstable();
        let repeated = |id: &str| {
            let first = ids.partition_point(|other| other.as_str() < id);
            ids.get(first + 1).is_some_and(|next| next == id)
        };
        for (position, key) in keys {
            let skip = |key: &VerificationKey, reason| SkippedKey { position, id: key.id().map(str::to_owned), reason };
            match key {
                Err(skipped) => set.skipped.push(skipped),
                Ok(key) if key.id().is_some_and(repeated) => {
                    set.skipped.push(skip(&key, "another key has the same kid"));
                }
                Ok(key) if mixed && key.is_symmetric() => {
                    set.skipped.push(skip(&key, "a shared secret does not belong among public keys"));
                }
                Ok(key) if key.id().is_some() => set.named.push(key),
                Ok(key) => set.unnamed.push(key),
            }
        }
        set.named.sort_by(|a, b| a.id().cmp(&b.id()));
        set
    }

    fn usable(self, otherwise: &str) -> Result<Self, ConfigError> {
        if self.len() == 0 {
            return Err(ConfigError::new(otherwise));
        }
        if self.unnamed.len() > MAX_TRIES {
            return Err(ConfigError::new(
                "more than four keys have no id; give them ids, so that tokens can name them",
            ));
        }
        Ok(self)
    }

    /// The same set with each key for those of the algorithms that it can serve; nothing where no key is left.
    pub(crate) fn allowing(&self, algorithms: &[Algorithm]) -> Option<Self> {
        let allowing = |keys: &[VerificationKey]| keys.iter().filter_map(|key| key.allowing(algorithms)).collect();
        let set =
            Self { named: allowing(&self.named), unnamed: allowing(&self.unnamed), skipped: self.skipped.clone() };
        (set.len() > 0).then_some(set)
    }

    /// The key that a token with that `kid` and algorithm is checked with, as far as it can be told before checking.
    pub(crate) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Candidates<'_>, KeyFault> {
        let named = match kid {
            Some(kid) if kid.len() > MAX_KEY_ID => return Err(KeyFault::Unknown),
            Some(kid) => {
                let found = self.named.binary_search_by(|key| key.id().unwrap_or_default().cmp(kid));
                found.ok().and_then(|at| self.named.get(at..=at)).unwrap_or_default()
            }
            None => self.named.as_slice(),
        };
        let unnamed = if kid.is_some() && !named.is_empty() { &[] } else { self.unnamed.as_slice() };
        let candidates = Candidates { named, unnamed, algorithm };
        match candidates.iter().take(MAX_TRIES + 1).count() {
            0 if named.is_empty() && unnamed.is_empty() => Err(KeyFault::Unknown),
            0 => Err(KeyFault::Algorithm),
            1..=MAX_TRIES => Ok(candidates),
            _ => Err(KeyFault::Unknown),
        }
    }
}

impl From<VerificationKey> for KeySet {
    fn from(key: VerificationKey) -> Self {
        let (named, unnamed) = if key.id().is_some() { (vec![key], Vec::new()) } else { (Vec::new(), vec![key]) };
        Self { named, unnamed, skipped: Vec::new() }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The few keys that a token may have been signed with.
#[derive(Debug)]
pub(crate) struct Candidates<'k> {
    named: &'k [VerificationKey],
    unnamed: &'k [VerificationKey],
    algorithm: Algorithm,
}

impl<'k> Candidates<'k> {
    fn iter(&self) -> impl Iterator<Item = &'k VerificationKey> {
        self.named.iter().chain(self.unnamed).filter(|key| key.serves(self.algorithm))
    }

    /// The key under which the signature of the message is good.
    pub(crate) fn accepting(&self, message: &[u8], signature: &[u8]) -> Option<&'k VerificationKey> {
        self.iter().find(|key| key.accepts(self.algorithm, message, signature))
    }
}
