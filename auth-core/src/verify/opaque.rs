//! From the text of an opaque token to the identity it stands for.

use std::fmt;
use std::sync::Arc;

use crate::api_key::{KeyDigest, Peppers, Uses};
use crate::clock::Now;
use crate::error::StoreError;
use crate::opaque::{HeldToken, TokenFormat};
use crate::outcome::{Outcome, Pending};
use crate::rejection::{CredentialFault, Outage, Rejection};
use crate::store::{Answer, TokenStore, TokenUse};
use crate::verify::{Verified, Verifier};

/// Verifies opaque tokens of one format against a store.
///
/// Form and checksum are checked first, so that typing errors and scanners never reach the store. Then the token is
/// hashed with the current pepper and looked up, then with the older ones. A token that is found and good is thereby
/// used: its idle end moves at once for every request to this process, and in the store with the next
/// [`flush_used`](Self::flush_used).
///
/// The [`Identity`](crate::Identity) has the session of the token, and ends at the earlier of its absolute and its idle
/// end, to the second.
///
/// Clones share everything. The gate takes one; whoever owns a timer keeps another. What is not written when the last
/// clone goes is written then.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::Secret;
/// use auth_core::api_key::{KeyHasher, Peppers};
/// use auth_core::opaque::TokenFormat;
/// use auth_core::store::MemoryTokenStore;
/// use auth_core::verify::{OpaqueTokenVerifier, Verifier};
///
/// # let pepper = Secret::new(vec![7; 32]);
/// let peppers = Peppers::new(KeyHasher::new("2031-a", &pepper)?);
/// let store = Arc::new(MemoryTokenStore::new());
/// let verifier = OpaqueTokenVerifier::new(TokenFormat::new("at")?, peppers, store);
/// assert!(!verifier.recognises("eyJhbGciOiJIUzI1NiJ9.e30."));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct OpaqueTokenVerifier {
    format: Arc<TokenFormat>,
    lookup: Arc<Lookup>,
}

/// What a look-up needs, also after the request head is gone.
struct Lookup {
    peppers: Peppers,
    store: Arc<dyn TokenStore>,
    uses: Uses<HeldToken>,
}

impl OpaqueTokenVerifier {
    /// A verifier of the tokens in that store.
    pub fn new(format: TokenFormat, peppers: Peppers, store: Arc<dyn TokenStore>) -> Self {
        Self { format: Arc::new(format), lookup: Arc::new(Lookup { peppers, store, uses: Uses::new() }) }
    }

    /// The form of the tokens it takes.
    pub fn format(&self) -> &TokenFormat {
        &self.format
    }

    /// Writes down the uses since the last time.
    ///
    /// Call it every few seconds and when the service stops: what is not written when the process dies is lost, and other
    /// processes take a token that was only used here for unused until it is written. The store has the batch when this
    /// returns, even where the answer has to be waited for.
    ///
    /// # Errors
    /// The store could not write; the uses are kept for the next time.
    pub fn flush_used(&self) -> Answer<()> {
        let (batch, taken) = self.lookup.uses.take(to_write);
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

    /// Looks up a token that nobody has, as a request with an unknown token would: for readiness checks.
    ///
    /// # Errors
    /// The store cannot tell now; requests with tokens that are not in memory are answered 503.
    pub fn ask_store(&self, now: Now) -> Answer<()> {
        self.lookup.store.find(&KeyDigest::from_bytes([0; 32]), now).map(|found| found.map(|_| ()))
    }
}

impl Verifier for OpaqueTokenVerifier {
    fn recognises(&self, text: &str) -> bool {
        self.format.recognises(text)
    }

    fn verify(&self, text: &str, now: Now) -> Outcome<Verified> {
        if let Err(fault) = self.format.check(text) {
            return Outcome::Done(Err(Rejection::InvalidCredential(fault)));
        }
        self.conclude(self.lookup.find(text, now), now)
    }

    fn recall(&self, text: &str, now: Now) -> Option<Outcome<Verified>> {
        if let Err(fault) = self.format.check(text) {
            return Some(Outcome::Done(Err(Rejection::InvalidCredential(fault))));
        }
        let mut digests = self.lookup.peppers.iter().map(|pepper| pepper.digest(text));
        let held = digests.find(|digest| self.lookup.store.holds(digest))?;
        Some(self.conclude(self.lookup.store.find(&held, now), now))
    }
}

impl OpaqueTokenVerifier {
    fn conclude(&self, found: Outcome<Found>, now: Now) -> Outcome<Verified> {
        match found {
            Outcome::Done(found) => Outcome::Done(self.lookup.judge(found, now)),
            Outcome::Wait(pending) => {
                let lookup = Arc::clone(&self.lookup);
                Outcome::Wait(Box::pin(async move { lookup.judge(pending.await, now) }))
            }
        }
    }
}

type Found = Result<Option<Arc<HeldToken>>, StoreError>;

impl Lookup {
    /// Asks for the token under the current pepper, then under the older ones. Tokens are never hashed anew, so that none
    /// can move from one digest to another meanwhile.
    fn find(self: &Arc<Self>, text: &str, now: Now) -> Outcome<Found> {
        let mut digests = self.peppers.iter().map(|pepper| pepper.digest(text));
        while let Some(digest) = digests.next() {
            match self.store.find(&digest, now) {
                Outcome::Done(Ok(None)) => {}
                Outcome::Done(settled) => return Outcome::Done(settled),
                Outcome::Wait(pending) => {
                    let (lookup, rest) = (Arc::clone(self), digests.collect());
                    return Outcome::Wait(Box::pin(lookup.find_waiting(pending, rest, now)));
                }
            }
        }
        Outcome::Done(Ok(None))
    }

    /// The rest of [`find`](Self::find), once the store has to be waited for. Holds digests, not the token.
    async fn find_waiting(self: Arc<Self>, first: Pending<Found>, rest: Vec<KeyDigest>, now: Now) -> Found {
        let mut known = first.await?;
        for digest in rest {
            if known.is_some() {
                break;
            }
            known = self.store.find(&digest, now).resolve().await?;
        }
        Ok(known)
    }

    fn judge(&self, found: Found, now: Now) -> Verified {
        let found = found
            .map_err(|error| Rejection::Unavailable(Outage::new(format!("looking up an opaque token: {error}"))))?;
        let token = found.ok_or(Rejection::InvalidCredential(CredentialFault::Unknown))?;
        token.check(now.wall).map_err(Rejection::InvalidCredential)?;
        self.uses.note(&token, now.wall, || None);
        Ok(token.identity())
    }
}

fn to_write(token: &HeldToken, at: crate::Timestamp, _rehash: Option<crate::store::Rehash>) -> TokenUse {
    TokenUse { id: Arc::clone(&token.id), at }
}

/// What was not written yet is handed to the store; nobody is left to wait for its answer.
impl Drop for Lookup {
    fn drop(&mut self) {
        let (batch, _) = self.uses.take(to_write);
        if batch.is_empty() {
            return;
        }
        if let Outcome::Done(Err(error)) = self.store.record_used(batch) {
            tracing::warn!(%error, "when opaque tokens were last used could not be written down");
        }
    }
}

impl fmt::Debug for OpaqueTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueTokenVerifier")
            .field("format", &self.format)
            .field("peppers", &self.lookup.peppers)
            .finish_non_exhaustive()
    }
}
