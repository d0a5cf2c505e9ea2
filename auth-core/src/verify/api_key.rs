//! From the text of an API key to the identity it stands for.

use std::fmt;
use std::sync::Arc;

use crate::api_key::{HeldKey, KeyDigest, KeyFormat, Peppers, Uses};
use crate::clock::Now;
use crate::error::StoreError;
use crate::outcome::{Outcome, Pending};
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Outage, Rejection};
use crate::store::{Answer, ApiKeyStore, Rehash};
use crate::verify::known::{Kept, Known, Mark, Memory, Span};
use crate::verify::{CacheCounts, CacheSize, Verified, Verifier};

/// Verifies API keys of one format against a store.
///
/// Form, checksum and environment are checked first, so that typing errors and scanners never reach the store. Then
/// the key is hashed with the current pepper and looked up, then with the older ones. The networks a key is bound to
/// go into the [`Identity`](crate::Identity); the gate, which knows the client's address, enforces them.
///
/// Clones share everything. The gate takes one; whoever owns a timer keeps another to call
/// [`flush_used`](Self::flush_used). What is not written when the last clone goes is written then.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::Secret;
/// use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
/// use auth_core::store::MemoryKeyStore;
/// use auth_core::verify::ApiKeyVerifier;
///
/// # let pepper = Secret::new(vec![7; 32]);
/// let peppers = Peppers::new(KeyHasher::new("2031-a", &pepper)?);
/// let format = KeyFormat::new("sk", ["live", "test"])?;
/// let verifier = ApiKeyVerifier::new(format, peppers, Arc::new(MemoryKeyStore::new())).for_environment("live")?;
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ApiKeyVerifier {
    format: Arc<KeyFormat>,
    /// The environment whose keys are taken; any where there is none.
    environment: Option<Arc<str>>,
    lookup: Arc<Lookup>,
    known: Option<Arc<Known<KnownKey>>>,
}

/// What a text comes to, once it was found to be a good key: it never changes.
struct KnownKey {
    mark: Mark,
    /// Under the current pepper.
    digest: KeyDigest,
    /// The one that the text names.
    environment: Option<Arc<str>>,
}

impl Kept for KnownKey {
    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn mark_mut(&mut self) -> &mut Mark {
        &mut self.mark
    }
}

/// What a look-up needs, also after the request head is gone.
struct Lookup {
    peppers: Peppers,
    store: Arc<dyn ApiKeyStore>,
    uses: Uses<HeldKey>,
}

/// A key, and its digest under the current pepper, whichever it was found under.
struct Found {
    key: Arc<HeldKey>,
    current: KeyDigest,
}

impl ApiKeyVerifier {
    /// A verifier that takes keys of every environment of the format.
    pub fn new(format: KeyFormat, peppers: Peppers, store: Arc<dyn ApiKeyStore>) -> Self {
        let lookup = Arc::new(Lookup { peppers, store, uses: Uses::new() });
        Self { format: Arc::new(format), environment: None, lookup, known: None }
    }

    /// Takes the keys of one environment alone; others are refused without a look-up.
    ///
    /// # Errors
    /// The format has no such environment.
    pub fn for_environment(mut self, environment: &str) -> Result<Self, crate::ConfigError> {
        if !self.format.environments().any(|known| known == environment) {
            return Err(crate::ConfigError::new(format!(
                "the format of keys has no environment `{environment}`: write one of those it lists"
            )));
        }
        self.environment = Some(environment.into());
        Ok(self)
    }

    /// Remembers what the texts of good keys come to, so that their checksum and keyed hash are worked out once.
    ///
    /// Nothing else is remembered: whether the key is in force is asked of the store on every request, as ever. A key
    /// that the store would have to fetch is not taken from memory either. Nothing is remembered unless this is called.
    #[must_use]
    pub fn remembering(self, size: CacheSize) -> Self {
        let known = Known::by_ending(size).map(Arc::new);
        if known.is_none() {
            tracing::warn!("there are no random bytes, so that no key is remembered");
        }
        Self { known, ..self }
    }

    /// What is remembered, and how often it helped; zeros where nothing is.
    pub fn cache_counts(&self) -> CacheCounts {
        self.known.as_deref().map(Known::counts).unwrap_or_default()
    }

    /// The form of the keys it takes.
    pub fn format(&self) -> &KeyFormat {
        &self.format
    }

    /// Writes down the uses since the last time, and the new digests of keys found under an older pepper.
    ///
    /// Call it every few seconds and when the service stops: what is not written when the process dies is lost. The
    /// store has the batch when this returns, even where the answer has to be waited for.
    ///
    /// # Errors
    /// The store could not write; the uses are kept for the next time.
    pub fn flush_used(&self) -> Answer<()> {
        let (batch, taken) = self.lookup.uses.take_keys();
        if batch.is_empty() {
            return Outcome::Done(Ok(()));
        }
        let lookup = Arc::clone(&self.lookup);
        self.lookup.store.record_used(batch).map(move |written| {
            if written.is_err() {
                lookup.uses.put_back(taken);
            }
            written
        })
    }

    /// Looks up a key that nobody has, as a request with an unknown key would: for readiness checks.
    ///
    /// # Errors
    /// The store cannot tell now; requests with keys that are not in memory are answered 503.
    pub fn ask_store(&self, now: Now) -> Answer<()> {
        self.lookup.store.find(&KeyDigest::from_bytes([0; 32]), now).map(|found| found.map(|_| ()))
    }
}

impl Verifier for ApiKeyVerifier {
    fn recognises(&self, text: &str) -> bool {
        self.format.recognises(text)
    }

    fn verify(&self, text: &str, now: Now) -> Outcome<Verified> {
        if let Some(identity) = self.remembered(text.as_bytes(), now) {
            return Outcome::Done(Ok(identity));
        }
        let environment = match self.environment_of(text) {
            Ok(environment) => environment,
            Err(fault) => return refused(fault),
        };
        self.count_miss();
        let verdict = self.conclude(self.lookup.find(text, now), environment, now);
        if matches!(verdict, Outcome::Done(Ok(_))) {
            self.remember(text, environment, now);
        }
        verdict
    }

    fn fetches_ahead(&self) -> bool {
        self.known.as_deref().is_some_and(Known::fetches_ahead)
    }

    fn fetch_ahead(&self, value: &[u8]) {
        if let Some(known) = &self.known {
            known.fetch_ahead(value);
        }
    }

    fn remembered(&self, credential: &[u8], now: Now) -> Option<Arc<Identity>> {
        let known = self.known.as_ref()?;
        let Memory::Holds(key) = known.recall(known.fingerprint(credential)?, now.wall)? else { return None };
        let KnownKey { digest, environment, .. } = &*key;
        // a clone for one environment alone shares the memory of one that takes all
        let is_taken = self.environment.is_none() || self.environment == *environment;
        if !is_taken || !self.lookup.store.holds(digest) {
            return None;
        }
        let Outcome::Done(found) = self.lookup.store.find(digest, now) else { return None };
        // what is wrong with it is found out the usual way
        let identity =
            self.lookup.judge(found.map(|key| Found::new(key, *digest)), environment.as_deref(), now).ok()?;
        known.count_hit();
        Some(identity)
    }

    fn recall(&self, text: &str, now: Now) -> Option<Outcome<Verified>> {
        if let Some(identity) = self.remembered(text.as_bytes(), now) {
            return Some(Outcome::Done(Ok(identity)));
        }
        let environment = match self.environment_of(text) {
            Ok(environment) => environment,
            Err(fault) => return Some(refused(fault)),
        };
        let current = self.lookup.peppers.current().digest(text);
        if self.lookup.store.holds(&current) {
            self.count_miss();
            let found = self.lookup.store.find(&current, now);
            let found = found.map(move |known| known.map(|key| Found::new(key, current)));
            let verdict = self.conclude(found, environment, now);
            if matches!(verdict, Outcome::Done(Ok(_))) {
                self.remember(text, environment, now);
            }
            return Some(verdict);
        }
        let mut older = self.lookup.peppers.older().map(|pepper| pepper.digest(text));
        // the key may be on its way from this digest to the current one, which the usual way copes with
        older.any(|digest| self.lookup.store.holds(&digest)).then(|| self.verify(text, now))
    }
}

impl ApiKeyVerifier {
    /// Counts a text that had to be looked at.
    fn count_miss(&self) {
        if let Some(known) = &self.known {
            known.count_miss();
        }
    }

    fn remember(&self, text: &str, environment: Option<&str>, now: Now) {
        let print = self.known.as_ref().and_then(|known| Some((known, known.fingerprint(text.as_bytes())?)));
        let Some((known, print)) = print else { return };
        let digest = self.lookup.peppers.current().digest(text);
        let key = KnownKey { mark: Mark::default(), digest, environment: environment.map(Arc::from) };
        known.keep(print, &mut Arc::new(key), Span::EVER, size_of::<KnownKey>(), now.wall);
    }

    /// The environment that a text names, where the form, the checksum and the environment are as they must be.
    fn environment_of<'a>(&'a self, text: &'a str) -> Result<Option<&'a str>, CredentialFault> {
        let environment = self.format.parse(text)?.environment;
        if self.environment.is_some() && self.environment.as_deref() != environment {
            return Err(CredentialFault::Environment);
        }
        Ok(environment)
    }

    fn conclude(&self, found: Answer<Option<Found>>, environment: Option<&str>, now: Now) -> Outcome<Verified> {
        match found {
            Outcome::Done(found) => Outcome::Done(self.lookup.judge(found, environment, now)),
            Outcome::Wait(pending) => {
                let lookup = Arc::clone(&self.lookup);
                let environment = environment.map(str::to_owned);
                Outcome::Wait(Box::pin(async move { lookup.judge(pending.await, environment.as_deref(), now) }))
            }
        }
    }
}

impl Lookup {
    /// Asks for the key under the current pepper, then under the older ones.
    ///
    /// Where there are older ones the current pepper is asked once more at the end: between two look-ups the key may
    /// have moved from the older digest to the current one, and it must not seem unknown for that moment.
    fn find(self: &Arc<Self>, text: &str, now: Now) -> Answer<Option<Found>> {
        let current = self.peppers.current().digest(text);
        let again = self.peppers.older().next().map(|_| current);
        let mut rest = self.peppers.older().map(|pepper| pepper.digest(text)).chain(again);
        let mut answer = self.store.find(&current, now);
        loop {
            match answer {
                Outcome::Done(Ok(None)) => match rest.next() {
                    Some(digest) => answer = self.store.find(&digest, now),
                    None => return Outcome::Done(Ok(None)),
                },
                Outcome::Done(known) => return Outcome::Done(known.map(|key| Found::new(key, current))),
                Outcome::Wait(pending) => {
                    let (lookup, rest) = (Arc::clone(self), rest.collect());
                    return Outcome::Wait(Box::pin(lookup.find_waiting(pending, rest, current, now)));
                }
            }
        }
    }

    /// The rest of [`find`](Self::find), once the store has to be waited for. Holds digests, not the key.
    async fn find_waiting(
        self: Arc<Self>,
        first: Pending<Result<Option<Arc<HeldKey>>, StoreError>>,
        rest: Vec<KeyDigest>,
        current: KeyDigest,
        now: Now,
    ) -> Result<Option<Found>, StoreError> {
        let mut known = first.await?;
        for digest in rest {
            if known.is_some() {
                break;
            }
            known = self.store.find(&digest, now).resolve().await?;
        }
        Ok(Found::new(known, current))
    }

    fn judge(&self, found: Result<Option<Found>, StoreError>, environment: Option<&str>, now: Now) -> Verified {
        let found =
            found.map_err(|error| Rejection::Unavailable(Outage::new(format!("looking up an API key: {error}"))))?;
        let Found { key, current } = found.ok_or(Rejection::InvalidCredential(CredentialFault::Unknown))?;
        // the key's text and its record agree unless somebody edited the store
        if key.environment.as_deref() != environment {
            return Err(Rejection::InvalidCredential(CredentialFault::Environment));
        }
        key.check(now.wall).map_err(Rejection::InvalidCredential)?;
        self.uses.note(&key, now.wall, || self.rehash(&key, current));
        Ok(Arc::clone(key.identity()))
    }

    fn rehash(&self, key: &HeldKey, current: KeyDigest) -> Option<Rehash> {
        let pepper = self.peppers.current().id();
        (key.digest != current).then(|| Rehash { digest: current, pepper: Arc::clone(pepper) })
    }
}

impl Found {
    fn new(key: Option<Arc<HeldKey>>, current: KeyDigest) -> Option<Self> {
        key.map(|key| Self { key, current })
    }
}

/// What was not written yet is handed to the store; nobody is left to wait for its answer.
impl Drop for Lookup {
    fn drop(&mut self) {
        let (batch, _) = self.uses.take_keys();
        if batch.is_empty() {
            return;
        }
        if let Outcome::Done(Err(error)) = self.store.record_used(batch) {
            tracing::warn!(%error, "when API keys were last used could not be written down");
        }
    }
}

impl fmt::Debug for ApiKeyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyVerifier")
            .field("format", &self.format)
            .field("environment", &self.environment)
            .field("peppers", &self.lookup.peppers)
            .finish_non_exhaustive()
    }
}

const fn refused(fault: CredentialFault) -> Outcome<Verified> {
    Outcome::Done(Err(Rejection::InvalidCredential(fault)))
}
