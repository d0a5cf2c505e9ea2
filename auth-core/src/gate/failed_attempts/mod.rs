//! Bounding guesses: a budget of failed attempts for each address, asked before anything costly is done.
//!
//! - `attempt`: asking for leave to verify a credential, verifying it, and charging its failure
//! - `in_flight`: attempts under way, which may yet fail

mod attempt;
mod in_flight;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::{Clock, Now};
use crate::error::ConfigError;
use crate::gate::DuringOutage;
use crate::gate::pending::recall_guarded;
use crate::limit::{Limit, Network, Quota, Scope};
use crate::outcome::Outcome;
use crate::secret::Secret;
use crate::store::LimitStore;
use crate::verify::{Verified, Verifier};
use attempt::Asking;
use in_flight::InFlight;

/// The limits' names. No limit of a plan can have one of them, which keeps their budgets apart in a shared store.
const FAILURES: &str = "\u{1}failures";
const TRICKLE: &str = "\u{1}trickle";

/// How many credentials from one address may fail before the gate stops looking at more of them.
///
/// A credential that fails is charged to the network it came from: an IPv4 address, or an IPv6 /64. Once that budget is
/// spent, unknown credentials from there are answered 429 before any cryptography and before any store is asked. Good
/// callers behind the same address are not locked out:
///
/// - What the verifier [knows](Verifier::recall) passes always: remembered tokens, keys held in memory.
/// - What its form or checksum condemns is refused as ever, for free: a typing error is no guess.
/// - Success costs nothing, and of many attempts at the same moment, each that may yet fail is counted until it ends;
///   those for which there is no room wait for it.
/// - A [trickle](Self::trickle) of further verifications remains, so that a good caller who is not known yet gets in
///   and is known from then on.
///
/// Callers without an address, and those whose proxies hide it, share one budget: whoever could lose its address would
/// otherwise guess without bound.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::gate::{Clients, FailedAttempts, Gate};
/// use auth_core::store::MemoryLimitStore;
///
/// let budgets = Arc::new(MemoryLimitStore::new());
/// let guard = FailedAttempts::new("30/minute".parse()?, Clients::Direct, budgets);
/// let gate = Gate::builder().failed_attempts(guard).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Security: the count is exact among guards that are [counted together](Self::counted_in); others that share a store,
/// as those of other processes do, may each have as many attempts under way as the budget still holds.
#[derive(Clone)]
pub struct FailedAttempts {
    failures: Limit,
    trickle: Limit,
    clients: Clients,
    during_outage: DuringOutage,
    store: Arc<dyn LimitStore>,
    in_flight: Arc<InFlight>,
    /// Whether somebody said where attempts under way are counted.
    is_told_where: bool,
}

/// Attempts under way at this moment, counted for all guards that are [told to](FailedAttempts::counted_in) count there;
/// clones are the same count.
#[derive(Clone, Default)]
pub struct AttemptsUnderWay(Arc<InFlight>);

impl fmt::Debug for AttemptsUnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptsUnderWay")
    }
}

/// How clients reach the gate. Behind a proxy that is not named all of them have the proxy's address, and the failures
/// of one would be those of all; so somebody has to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// They connect to this process themselves.
    Direct,
    /// They come through the proxies that the gate [trusts](crate::gate::GateBuilder::trusted_proxies).
    BehindTrustedProxies,
}

impl FailedAttempts {
    /// A budget of that many failures, kept in a store that others may use too.
    pub fn new(quota: Quota, clients: Clients, store: Arc<dyn LimitStore>) -> Self {
        let (during_outage, in_flight) = (DuringOutage::default(), Arc::default());
        let failures = Limit::new(FAILURES, quota, Scope::NETWORK);
        let trickle = Limit::new(TRICKLE, Quota::ONE_A_SECOND, Scope::NETWORK);
        Self { failures, trickle, clients, during_outage, store, in_flight, is_told_where: false }
    }

    /// How many verifications an address whose budget is spent has left, whether they fail or not.
    ///
    /// One a second unless this is called: a good caller who is new behind such an address is asked to wait for a
    /// second at most, and a guesser gains 86,400 guesses a day, which is nothing against a secret of 128 bits.
    #[must_use]
    pub fn trickle(mut self, quota: Quota) -> Self {
        self.trickle = Limit::new(TRICKLE, quota, Scope::NETWORK);
        self
    }

    /// Says what happens to unknown credentials while the store cannot tell how many have failed: they are refused
    /// with 503 unless this is called.
    #[must_use]
    pub fn during_outage(mut self, answer: DuringOutage) -> Self {
        self.during_outage = answer;
        self
    }

    /// Counts attempts under way together with those of other guards: of the one that a gate built anew takes over from,
    /// whose slow attempts would otherwise leave room for as many again. [`Gate::replace`](crate::gate::Gate::replace) does
    /// so by itself.
    #[must_use]
    pub fn counted_in(mut self, attempts: &AttemptsUnderWay) -> Self {
        self.in_flight = Arc::clone(&attempts.0);
        self.is_told_where = true;
        self
    }

    /// How clients reach the gate, as far as this knows.
    pub(super) fn check(&self, trusts_proxies: bool) -> Result<(), ConfigError> {
        if self.clients == Clients::BehindTrustedProxies && !trusts_proxies {
            return Err(ConfigError::new(
                "failed attempts are counted by address, and no trusted proxy says whose that is: name the proxies, or \
                 say that clients connect directly",
            ));
        }
        Ok(())
    }

    /// Counts the attempts under way together with those of the guard that this one replaces, unless somebody said where
    /// they count.
    pub(super) fn go_on_from(&mut self, earlier: &Self) {
        if !self.is_told_where {
            self.in_flight = Arc::clone(&earlier.in_flight);
        }
    }

    /// Verifies a credential, unless too many from that address have failed.
    pub(super) fn verify(
        &self,
        verifier: &Arc<dyn Verifier>,
        text: &str,
        client: Option<IpAddr>,
        now: Now,
        clock: &Arc<dyn Clock>,
    ) -> Outcome<Verified> {
        if let Some(known) = recall_guarded(&**verifier, text, now) {
            return known;
        }
        let asking = Asking { guard: self.clone(), origin: client.map(Network::of), clock: Arc::clone(clock) };
        match asking.ask(now) {
            Outcome::Done(Ok(attempt)) => attempt.make(&**verifier, text, now),
            Outcome::Done(Err(rejection)) => Outcome::Done(Err(rejection)),
            Outcome::Wait(pending) => {
                let (verifier, text) = (Arc::clone(verifier), Secret::from(text));
                let clock = Arc::clone(clock);
                Outcome::Wait(Box::pin(async move {
                    let attempt = pending.await?;
                    let text = text.expose_text().unwrap_or_default();
                    attempt.make(&*verifier, text, clock.now()).resolve().await
                }))
            }
        }
    }
}

impl fmt::Debug for FailedAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedAttempts")
            .field("quota", self.failures.quota())
            .field("trickle", self.trickle.quota())
            .field("clients", &self.clients)
            .field("during_outage", &self.during_outage)
            .finish_non_exhaustive()
    }
}
