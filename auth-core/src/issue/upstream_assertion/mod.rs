//! Telling an upstream who the caller is in a way that nobody else can: a short-lived token for that upstream alone.
//!
//! Header fields about the caller can be written by whoever reaches the upstream past the gate. An assertion cannot: it
//! is signed, names the one upstream that it is for, and ends within minutes. Its keys sign nothing else and its type is
//! its own, so that it is no access token anywhere, and no access token is an assertion (RFC 8725 section 3.11, 3.12).
//!
//! | claim | says |
//! |---|---|
//! | `iss`, `aud` | the gate, the upstream |
//! | `sub` | who the caller is, unique within whoever vouches for it |
//! | `sub_id` | the same with who vouches for it: `format` `iss_sub`, `iss`, `sub` (RFC 9493 section 3.2.4) |
//! | `iat`, `exp`, `jti` | since when, until when, and the name of the assertion |
//! | `method` | how the caller authenticated: `jwt`, `api_key`, `opaque_token` or another kind's name |
//! | `permissions`, `roles` | what the caller may do and is, as arrays |
//! | `tenant`, `plan`, `credential_id` | left out where there is none |
//!
//! Signing costs more than everything else that is done for a request whose caller is known already. So requests of one
//! caller share an assertion for some seconds: its `jti` names the assertion, not the request, and is no protection
//! against replays. What is remembered goes by everything that is said and when the credential ends: as soon as
//! anything about the caller changes, the next request brings another.
//!
//! - `recent`: what was signed in the last seconds

mod recent;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::clock::{Now, Timestamp};
use crate::error::ConfigError;
use crate::issue::mint;
use crate::names::Names;
use crate::principal::Identity;
use crate::secret::Secret;
use crate::verify::jwt::{Issuer, TokenKind};

use super::{SigningError, SigningKeys};
use recent::{Kept, Recent};

/// For how long requests of one caller share an assertion.
const SHARED_FOR: Duration = Duration::from_secs(5);

/// What an assertion lives at least, even where the credential ends sooner: the gate has let the caller pass, some clocks'
/// difference after the end perhaps, and the upstream still has to read it.
const LEAST: Duration = Duration::from_secs(10);

/// Signs who the caller is, for one upstream. Cloning copies pointers.
///
/// ```
/// use std::time::Duration;
/// use auth_core::issue::{SigningAlgorithm, SigningKeys, UpstreamAssertions};
/// use auth_core::verify::jwt::JwtVerifier;
/// use auth_core::verify::Verifier as _;
/// use auth_core::{Clock as _, Identity, Method, Outcome, SystemClock};
///
/// let keys = SigningKeys::generate(SigningAlgorithm::Es256)?;
/// let assertions = UpstreamAssertions::new("https://gate.example", "orders", Duration::from_secs(60), keys);
/// let now = SystemClock.now();
/// let assertion = assertions.sign(&Identity::new(Method::ApiKey, "https://gate.example", "ada"), now)?;
///
/// // what the upstream does, with the public keys that the gate publishes
/// let verifier = JwtVerifier::new([assertions.trusted()?])?;
/// let Outcome::Done(Ok(caller)) = verifier.verify(assertion.expose_text().unwrap(), now) else { panic!() };
/// assert_eq!(&*caller.subject, "ada");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UpstreamAssertions {
    issuer: Arc<str>,
    audience: Arc<str>,
    lifetime: Duration,
    keys: Arc<SigningKeys>,
    recent: Arc<Recent>,
}

impl UpstreamAssertions {
    /// The type in their headers, which is no other token's.
    pub const TYPE: &'static str = "upstream-assertion+jwt";

    /// What an assertion lives at most: what is passed on with a request has no use once that is answered.
    pub const LONGEST: Duration = Duration::from_mins(5);

    /// Assertions of this issuer to this upstream. The keys should sign nothing else; a lifetime is cut to what lies
    /// between 10 seconds and [`LONGEST`](Self::LONGEST).
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<Arc<str>>,
        lifetime: Duration,
        keys: impl Into<Arc<SigningKeys>>,
    ) -> Self {
        let (issuer, audience, keys) = (issuer.into(), audience.into(), keys.into());
        Self { issuer, audience, lifetime: lifetime.clamp(LEAST, Self::LONGEST), keys, recent: Arc::default() }
    }

    /// What verifies them: of their own type alone, with the keys of this moment.
    ///
    /// # Errors
    /// None of the keys can verify.
    pub fn trusted(&self) -> Result<Issuer, ConfigError> {
        let issuer = Issuer::new(&*self.issuer, [&*self.audience], self.keys.verification()?);
        Ok(issuer.token_kind(TokenKind::Typ(Self::TYPE.into())).max_lifetime(Self::LONGEST))
    }

    /// Says who the caller is.
    ///
    /// It ends when the caller's credential does, if that is sooner, but never within the next 5 seconds.
    ///
    /// # Errors
    /// [`SigningError::Random`] where there are no random bytes.
    pub fn sign(&self, caller: &Identity, now: Now) -> Result<Secret, SigningError> {
        let claims = self.claims(caller);
        // what is said, and how long it may be said for
        let ends = caller.expires.map_or(Timestamp::MAX.unix_micros(), Timestamp::unix_micros);
        let said = format!("{ends} {}", Value::Object(claims.clone()));
        if let Some(assertion) = self.recent.find(&said, now.wall) {
            return Ok(assertion);
        }
        let (assertion, until) = self.fresh(claims, caller.expires, now)?;
        self.recent.keep(said, Kept { assertion: assertion.clone(), since: now.wall, until }, now.wall);
        Ok(assertion)
    }

    /// Everything but what differs from one assertion to the next.
    fn claims(&self, caller: &Identity) -> Map<String, Value> {
        let names = |names: &Names| names.iter().map(Value::from).collect::<Vec<_>>();
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", json!(&*self.issuer));
        say("aud", json!(&*self.audience));
        say("sub", json!(&*caller.subject));
        say("sub_id", json!({ "format": "iss_sub", "iss": &*caller.issuer, "sub": &*caller.subject }));
        say("method", json!(caller.method.as_str()));
        say("permissions", json!(names(&caller.permissions)));
        say("roles", json!(names(&caller.roles)));
        for (name, text) in
            [("tenant", &caller.tenant), ("plan", &caller.plan), ("credential_id", &caller.credential_id)]
        {
            if let Some(text) = text {
                say(name, json!(&**text));
            }
        }
        claims
    }

    /// An assertion, and until when other requests may share it.
    fn fresh(
        &self,
        mut claims: Map<String, Value>,
        ends: Option<Timestamp>,
        now: Now,
    ) -> Result<(Secret, Timestamp), SigningError> {
        // whole seconds, as everybody else writes them
        let issued = Timestamp::from_unix_seconds(now.wall.unix_seconds());
        let latest = issued.saturating_add(self.lifetime);
        let expires = ends.map_or(latest, |ends| ends.min(latest)).max(issued.saturating_add(LEAST));
        let id = mint::id("").map_err(|_| SigningError::Random)?;
        claims.insert("iat".to_owned(), json!(issued.unix_seconds()));
        claims.insert("exp".to_owned(), json!(expires.unix_seconds()));
        claims.insert("jti".to_owned(), json!(id));
        let text = self.keys.current().compact(Self::TYPE, &Value::Object(claims).to_string())?;
        Ok((Secret::from(text), issued.saturating_add(SHARED_FOR)))
    }
}
