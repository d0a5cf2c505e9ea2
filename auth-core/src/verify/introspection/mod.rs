//! Opaque tokens of somebody else's authorization server, by asking it (RFC 7662).
//!
//! **What is asked.** A token of at most 8192 characters of RFC 6750's alphabet is posted to the introspection endpoint, as a client that
//! proves itself by HTTP Basic. Anything longer, or with other characters, is refused without a question. A verifier without
//! a prefix recognises every token, so it has to be the last of its source: what an earlier one recognises never leaves the
//! process.
//!
//! **What is believed.** An answer is believed if its status is 200, its media type `application/json` and its content one
//! JSON object of at most 64 KiB without duplicate members, in which `active` is `true` or `false`. Anything else is an outage,
//! 503, with the cause in the log: what cannot be understood is neither good nor bad. A token that is not active is refused.
//! An active one is checked like a JSON Web Token's claims, with the same [mapping](super::jwt::ClaimMapping):
//!
//! - `iss`, where it is there, must be the configured issuer. `aud` must name one of the audiences.
//! - `token_type`, where it is there, must be `Bearer`; a token bound to a key or certificate (`cnf`) is refused, and so is an
//!   answer that says that it is about a refresh or an ID token. Where no audience is asked for, it must say that it is
//!   about an access token: servers also answer for refresh tokens.
//! - `exp`, `nbf` and `iat` are checked as far as they are there: the server was asked just now, and is asked again soon.
//! - `sub` is needed. An answer with a `client_id` and neither `sub` nor `username` is about a client that speaks for itself.
//!
//! **What is remembered.** A token that was found good is good again until `exp`, without leeway, and for at most
//! [`believed_for`](IntrospectionServer::believed_for) after the question, by the monotonic clock: that is how long a token that
//! was taken back at the server may go on here. The gate's own list of [revocations](crate::revocation) acts at once, as
//! ever. Audience and times belong to the verifier that remembers, scopes and permissions are asked on every request. Refusals are
//! not remembered: a token that has just been made must work as soon as its server knows it, and guesses are
//! bounded by the budget of [failed attempts](crate::gate::FailedAttempts). For that budget a token that was found good the last
//! time is no stranger, so that it passes from an address that has none left.
//!
//! **What happens at the same time.** Equal tokens are asked about once, whoever of those who wait hangs up. Nobody gets an answer that is
//! older than the bound: with zero, whoever comes while a question is under way shares the next one. Different tokens
//! are asked about together up to [a number](IntrospectionServer::max_requests), and beyond it answered 503.
//!
//! - `server`: who is asked, and what its answers have to say
//! - `request`: the question; `answer`: the answer
//! - `single_flight`: one question for everybody who wants the same answer

mod answer;
mod request;
mod server;
mod single_flight;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clock::{Monotonic, Now};
use crate::error::ConfigError;
use crate::fetch::{Fetch, FetchRequest};
use crate::outcome::Outcome;
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Outage, Rejection};
use crate::verify::known::{Fingerprint, Kept, Known, Mark, Memory, Span};
use crate::verify::{CacheCounts, Verified, Verifier};
use answer::Told;
use server::Asked;
use single_flight::{Departed, Flights, Seat};

pub use server::IntrospectionServer;

/// The longest token: what common servers take as a whole header.
const MAX_LENGTH: usize = 8 * 1024;

/// Verifies opaque tokens by asking the server that issued them.
///
/// Clones share everything. Add it as the last verifier of a source, unless it has a
/// [prefix](IntrospectionServer::prefix).
///
/// ```
/// use std::sync::Arc;
/// use auth_core::fetch::{Fetch, FetchError, FetchRequest, Fetched};
/// use auth_core::verify::introspection::{IntrospectionServer, IntrospectionVerifier};
/// use auth_core::{ConfigError, Pending, Secret};
///
/// struct MyHttpClient;
///
/// impl Fetch for MyHttpClient {
///     fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>> {
///         Box::pin(async move {
///             let answer = br#"{"active":true,"sub":"ada","aud":"my-api","scope":"read"}"#;
///             Ok(Fetched::new(200, answer.to_vec()).content_type("application/json"))
///         })
///     }
/// }
///
/// let secret = Secret::from("of this service, at the server");
/// let server = IntrospectionServer::new(
///     "https://login.example",
///     ["my-api"],
///     "https://login.example/introspect",
///     "my-api",
///     secret,
/// );
/// let verifier = IntrospectionVerifier::new(server, Arc::new(MyHttpClient))?;
/// # let _ = verifier;
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone)]
pub struct IntrospectionVerifier(Arc<Inner>);

struct Inner {
    asked: Asked,
    fetch: Arc<dyn Fetch>,
    known: Known<Believed>,
    flights: Arc<Flights<Fingerprint, Answered>>,
    under_way: AtomicUsize,
}

/// What a question comes to, for everybody who waits for it.
type Answered = Result<Arc<Told>, Rejection>;

/// What is remembered of a token that was found good.
struct Believed {
    mark: Mark,
    told: Arc<Told>,
    until: Monotonic,
}

impl Kept for Believed {
    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn mark_mut(&mut self) -> &mut Mark {
        &mut self.mark
    }
}

/// How well a token is known.
enum Standing {
    /// It was found good, and that is believed.
    Good(Arc<Believed>),
    /// It was found good once, and has to be asked about again.
    Known,
    /// Nothing is known of it.
    Stranger,
}

impl IntrospectionVerifier {
    /// A verifier of that server's tokens.
    ///
    /// # Errors
    /// The server is put together wrongly: no audience, an endpoint that is not `https`, an empty id or secret, answers that
    /// are believed for more than five minutes. Or there are no random bytes.
    pub fn new(server: IntrospectionServer, fetch: Arc<dyn Fetch>) -> Result<Self, ConfigError> {
        let asked = server.checked()?;
        let known = Known::new(asked.cache).ok_or_else(|| ConfigError::new("there are no random bytes"))?;
        let panicked = || Err(Rejection::Unavailable(Outage::new("asking what a token is good for panicked")));
        let flights = Arc::new(Flights::new(panicked));
        Ok(Self(Arc::new(Inner { asked, fetch, known, flights, under_way: AtomicUsize::new(0) })))
    }

    /// What is remembered, and how often it helped.
    pub fn cache_counts(&self) -> CacheCounts {
        self.0.known.counts()
    }

    /// Refuses what is no token, or answers its fingerprint.
    fn print(&self, text: &str) -> Result<Fingerprint, CredentialFault> {
        if text.len() > MAX_LENGTH {
            return Err(CredentialFault::TooLong);
        }
        if !is_token(text) {
            return Err(CredentialFault::Malformed);
        }
        self.0.known.fingerprint(text.as_bytes()).ok_or(CredentialFault::TooLong)
    }

    fn ask(&self, text: &str, print: Fingerprint, now: Now) -> Outcome<Verified> {
        let inner = &self.0;
        inner.known.count_miss();
        let begin = |before, departed| {
            let question = Question { inner: Arc::clone(inner), print, now };
            Box::pin(question.ask(inner.asked.endpoint.question(text), before, departed)) as _
        };
        let seat = inner.flights.board(print, now.monotonic, inner.asked.believed_for, begin);
        Outcome::Wait(Box::pin(async move { seat.await?.at(now.wall) }))
    }
}

impl Verifier for IntrospectionVerifier {
    /// Every token that begins with the prefix; with none, every one at all.
    fn recognises(&self, text: &str) -> bool {
        text.starts_with(&*self.0.asked.prefix) && is_token(text)
    }

    fn verify(&self, text: &str, now: Now) -> Outcome<Verified> {
        let print = match self.print(text) {
            Ok(print) => print,
            Err(fault) => return Outcome::Done(Err(Rejection::InvalidCredential(fault))),
        };
        match self.0.standing(print, now) {
            Standing::Good(believed) => Outcome::Done(Ok(Arc::clone(&believed.told.identity))),
            Standing::Known | Standing::Stranger => self.ask(text, print, now),
        }
    }

    fn remembered(&self, credential: &[u8], now: Now) -> Option<Arc<Identity>> {
        match self.0.standing(self.0.known.fingerprint(credential)?, now) {
            Standing::Good(believed) => Some(Arc::clone(&believed.told.identity)),
            Standing::Known | Standing::Stranger => None,
        }
    }

    /// A token that was found good the last time is asked about again, whoever else fails from the same address: it is no guess.
    fn recall(&self, text: &str, now: Now) -> Option<Outcome<Verified>> {
        let print = match self.print(text) {
            Ok(print) => print,
            Err(fault) => return Some(Outcome::Done(Err(Rejection::InvalidCredential(fault)))),
        };
        match self.0.standing(print, now) {
            Standing::Good(believed) => Some(Outcome::Done(Ok(Arc::clone(&believed.told.identity)))),
            Standing::Known => Some(self.ask(text, print, now)),
            Standing::Stranger => None,
        }
    }
}

impl Inner {
    fn standing(&self, print: Fingerprint, now: Now) -> Standing {
        match self.known.recall(print, now.wall) {
            Some(Memory::Holds(believed)) if now.monotonic.nanos() < believed.until.nanos() => {
                self.known.count_hit();
                Standing::Good(believed)
            }
            Some(Memory::Holds(_) | Memory::Over) => Standing::Known,
            None => Standing::Stranger,
        }
    }

    /// Remembers a token until its end, and no longer than it is believed. `now` is before the question was sent.
    fn keep(&self, print: Fingerprint, told: &Arc<Told>, now: Now) {
        let bound = self.asked.believed_for;
        let nanos = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        let until = Monotonic::from_nanos(now.monotonic.nanos().saturating_add(nanos));
        let end = now.wall.saturating_add(bound);
        let span = Span { from: told.span.from, until: told.identity.expires.map_or(end, |expires| expires.min(end)) };
        let mut believed = Arc::new(Believed { mark: Mark::default(), told: Arc::clone(told), until });
        let bytes = size_of::<Believed>() + told.identity.weight();
        self.known.keep(print, &mut believed, span, bytes, now.wall);
    }

    /// A place among the questions that are under way.
    fn place(self: &Arc<Self>) -> Option<Place> {
        let max = self.asked.max_requests;
        let taken =
            self.under_way.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| (count < max).then_some(count + 1));
        taken.is_ok().then(|| Place(Arc::clone(self)))
    }
}

/// Given back when the answer is there, or nobody waits for it any more.
struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One token that the server is asked about.
struct Question {
    inner: Arc<Inner>,
    print: Fingerprint,
    now: Now,
}

impl Question {
    /// Asks, behind the question before it. Where that failed this would fail too, a while later.
    async fn ask(
        self,
        request: FetchRequest,
        before: Option<Seat<Fingerprint, Answered>>,
        departed: Departed,
    ) -> Answered {
        if let Some(before) = before
            && let Err(outage @ (Rejection::Unavailable(_) | Rejection::Overloaded(_))) = before.await
        {
            return Err(outage);
        }
        let Self { inner, print, now } = self;
        // somebody else's answer may have come since this one looked
        if let Standing::Good(believed) = inner.standing(print, now) {
            return Ok(Arc::clone(&believed.told));
        }
        let Some(_place) = inner.place() else {
            let issuer = &inner.asked.claims.name;
            let why = format!("too many questions to {issuer} what tokens are good for are under way");
            return Err(Rejection::Overloaded(Outage::new(why)));
        };
        departed.note();
        let fetched = inner.fetch.fetch(request).await;
        let fetched = fetched.map_err(|error| answer::outage(&inner.asked.claims, error.to_string()))?;
        let answered = answer::read(&fetched, &inner.asked.claims, now.wall);
        match &answered {
            Ok(told) => inner.keep(print, told, now),
            Err(Rejection::InvalidCredential(_)) => inner.known.forget(print, now.wall),
            Err(_) => {}
        }
        answered
    }
}

/// RFC 6750 section 2.1, which is also what every source takes.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_of_token)
}

const fn is_of_token(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Prints whom it asks and what it remembers, not as whom.
impl fmt::Debug for IntrospectionVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionVerifier")
            .field("issuer", &self.0.asked.claims.name)
            .field("cache", &self.cache_counts())
            .finish_non_exhaustive()
    }
}
