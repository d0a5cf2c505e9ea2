//! Verifiers: from the text of one credential to the identity it stands for.
//!
//! - [`jwt`]: signed tokens of trusted issuers.
//! - [`introspection`]: opaque tokens of somebody else's, by asking whoever issued them.
//! - [`jws`]: the signature layer below, without rules for claims.

pub mod introspection;
pub mod jws;
pub mod jwt;

mod api_key;
pub(crate) mod known;
mod opaque;

pub use api_key::ApiKeyVerifier;
pub use known::{CacheCounts, CacheSize};
pub use opaque::OpaqueTokenVerifier;

use std::sync::Arc;

use crate::clock::Now;
use crate::outcome::Outcome;
use crate::principal::Identity;
use crate::rejection::Rejection;

/// Verifies one kind of credential.
///
/// Several verifiers may serve one [`Source`](crate::credential::Source); the gate asks each, in the order in which
/// they were added, whether it [recognises](Verifier::recognises) the text, and the first that does decides alone. A
/// credential that it then refuses is refused: it is never tried on another verifier, nor taken for anonymous.
pub trait Verifier: Send + Sync + 'static {
    /// Whether a text has the form of this verifier's kind. Looks at the form alone, so it is cheap and total.
    fn recognises(&self, text: &str) -> bool;

    /// Verifies the credential.
    ///
    /// # Errors
    /// [`Rejection::InvalidCredential`] where the credential is at fault, [`Rejection::Unavailable`] where it cannot
    /// be decided now. Nothing else, and never a pass in doubt.
    fn verify(&self, text: &str, now: Now) -> Outcome<Verified>;

    /// The identity of a credential that was found good with exactly these bytes, and still is; `None` where nothing is
    /// remembered of it.
    ///
    /// The gate asks this first, of the first verifier of a source, and before it has looked at the form of the bytes:
    /// they may be anything. What was good once has the right form, and this verifier recognised it, so nothing is left
    /// out by not asking again. The default remembers nothing.
    fn remembered(&self, credential: &[u8], now: Now) -> Option<Arc<Identity>> {
        let _ = (credential, now);
        None
    }

    /// Whether the gate should tell this verifier of credentials [ahead](Self::fetch_ahead) of everything else.
    ///
    /// Asked of the first verifier of each source when a gate is built or [replaced](crate::gate::Gate::replace). The
    /// default is not to be told, which costs requests nothing. Verifiers of JSON Web Tokens and API keys want to be told
    /// where they may remember more than 57,344 credentials: so many lie beyond the caches of a processor.
    fn fetches_ahead(&self) -> bool {
        false
    }

    /// Begins to fetch from memory what is remembered of a credential, without waiting for it.
    ///
    /// The gate calls this first of all, so that it can look for the route meanwhile. `value` is that of the one header
    /// field of the source as it came, with whatever scheme it has; of several such fields, and of what travels in cookies
    /// or queries, nothing is told, nor where an outer layer has attached the principal already. The default does nothing.
    ///
    /// Security: any bytes of any stranger come here, also on public routes and where the request is refused, and nothing
    /// was charged for them. Do as much work for all of them, never wait, keep nothing. A panic costs the request nothing
    /// but the time.
    fn fetch_ahead(&self, value: &[u8]) {
        let _ = value;
    }

    /// Verifies a credential of whose form nobody has made sure: the bytes may be anything. `None` where they have to be
    /// looked at first.
    ///
    /// The gate asks this of the first verifier of a source, instead of [`remembered`](Self::remembered) and before the
    /// form is looked at, so that a long credential is not read twice. Answer only for bytes that are of this verifier's
    /// form beyond doubt, and consist of nothing but letters, digits, `-`, `.`, `_` and `~`, which every source takes;
    /// and answer what [`verify`](Self::verify) would. Anything else is `None`, and refused where the gate looks at its
    /// form, or by [`verify`](Self::verify). A gate that counts [failed attempts](crate::gate::FailedAttempts) does not
    /// ask. The default answers what is remembered.
    fn verify_bytes(&self, credential: &[u8], now: Now) -> Option<Outcome<Verified>> {
        self.remembered(credential, now).map(|identity| Outcome::Done(Ok(identity)))
    }

    /// Verifies a credential that is no stranger, or whose form alone condemns it; `None` where only the costly way
    /// can tell.
    ///
    /// A gate that counts [failed attempts](crate::gate::FailedAttempts) asks this first: what is answered here always
    /// passes or fails by itself, whoever else fails from the same address, and is never counted. So answer only what
    /// is remembered, what has a wrong form or checksum, and what is held at hand under this very text; work for these
    /// may be waited for. What is answered must be what [`verify`](Self::verify) would answer. The default knows
    /// nobody.
    fn recall(&self, text: &str, now: Now) -> Option<Outcome<Verified>> {
        let _ = (text, now);
        None
    }
}

/// What a verifier makes of a credential. The identity is shared, so that one that is known already costs no copy.
pub type Verified = Result<Arc<Identity>, Rejection>;
