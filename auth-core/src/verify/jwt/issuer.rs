//! What is trusted: an issuer with its audiences, keys and rules.

use std::sync::Arc;
use std::time::Duration;

use super::claims::Registered;
use super::kind::TokenKind;
use super::mapping::ClaimMapping;
use super::time;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::json::Value;
use crate::keys::{Algorithm, KeySet};
use crate::principal::Method;
use crate::rejection::CredentialFault;
use crate::verify::known::Span;

/// The largest leeway: RFC 7519 section 4.1.4 speaks of "no more than a few minutes".
const MAX_LEEWAY: Duration = Duration::from_mins(5);

/// An issuer that is trusted, and how its tokens are checked.
///
/// What cannot be left out is an argument of [`Issuer::new`]; mistakes are reported by
/// [`JwtVerifier::new`](super::JwtVerifier::new).
#[derive(Clone, Debug)]
pub struct Issuer {
    name: Arc<str>,
    audiences: Vec<Box<str>>,
    keys: KeySet,
    algorithms: Option<Vec<Algorithm>>,
    leeway: Duration,
    kind: TokenKind,
    max_lifetime: Option<Duration>,
    max_age: Option<Duration>,
    expiry: Expiry,
    clients: Clients,
    mapping: ClaimMapping,
}

/// Whether a token must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Expiry {
    Required,
    Optional,
}

/// How the subject of a client's token is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Clients {
    /// `client:` and the id; no user can have such a name.
    Marked,
    /// Like a user of the same name.
    Unmarked,
}

impl Issuer {
    /// An issuer by the exact text of its `iss`, the audiences of which a token must name at least one, and the keys
    /// that are its own.
    ///
    /// A key belongs to its issuer: no other issuer's token is ever checked with it.
    pub fn new(
        name: impl Into<Arc<str>>,
        audiences: impl IntoIterator<Item = impl Into<String>>,
        keys: impl Into<KeySet>,
    ) -> Self {
        Self {
            name: name.into(),
            audiences: audiences.into_iter().map(|audience| audience.into().into_boxed_str()).collect(),
            keys: keys.into(),
            algorithms: None,
            leeway: Duration::from_secs(30),
            kind: TokenKind::AccessToken,
            max_lifetime: None,
            max_age: None,
            expiry: Expiry::Required,
            clients: Clients::Marked,
            mapping: ClaimMapping::default(),
        }
    }

    /// The exact text of its `iss`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The only algorithms that are accepted of this issuer.
    ///
    /// Left out, each key serves the one algorithm it stands for; see
    /// [`VerificationKey`](crate::keys::VerificationKey). A JWK's own `alg` still binds it.
    #[must_use]
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self { algorithms: Some(algorithms.into_iter().collect()), ..self }
    }

    /// How far the issuer's clock may differ from ours; applies to `exp`, `nbf` and `iat`.
    ///
    /// The default is 30 seconds: clocks kept by NTP differ by much less than one, a machine that has just woken up may
    /// need a little longer, and a token that was meant to end lives no longer than this.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Which kind of token is accepted; the default is [`TokenKind::AccessToken`].
    #[must_use]
    pub fn token_kind(self, kind: TokenKind) -> Self {
        Self { kind, ..self }
    }

    /// Refuses tokens that would still be good in more than this from now.
    ///
    /// There is no limit by default: how long its tokens live is the issuer's decision.
    #[must_use]
    pub fn max_lifetime(self, longest: Duration) -> Self {
        Self { max_lifetime: Some(longest), ..self }
    }

    /// Ends tokens so long after their `iat`, whatever their `exp` says; those without `iat` are refused.
    ///
    /// There is no limit by default. An issuer of one's own that is told to give its tokens a shorter life has given longer
    /// ones before: with this they end as early as the new ones, and so does the need to remember what was taken back.
    #[must_use]
    pub fn max_age(self, oldest: Duration) -> Self {
        Self { max_age: Some(oldest), ..self }
    }

    /// Where the principal's fields come from; see [`ClaimMapping`] for the default.
    #[must_use]
    pub fn claims(self, mapping: ClaimMapping) -> Self {
        Self { mapping, ..self }
    }

    /// Accepts tokens without `exp`.
    ///
    /// Security: such a token is good until its key is withdrawn, also for whoever stole it.
    #[must_use]
    pub fn danger_accept_missing_expiry(self) -> Self {
        Self { expiry: Expiry::Optional, ..self }
    }

    /// Leaves the subject of a client's token as it is, without `client:` before it.
    ///
    /// Security: where users can choose their `sub`, a user may take the name of a client and its rights.
    #[must_use]
    pub fn danger_clients_share_names_with_users(self) -> Self {
        Self { clients: Clients::Unmarked, ..self }
    }
}

/// An issuer that was found to be in order, prepared for use.
#[derive(Debug)]
pub(super) struct TrustedIssuer {
    pub(super) claims: Trusted,
    pub(super) keys: KeySet,
    pub(super) kind: TokenKind,
}

impl TrustedIssuer {
    pub(super) fn new(issuer: Issuer) -> Result<Self, ConfigError> {
        let claims = Trusted {
            method: Method::Jwt,
            name: issuer.name,
            clients: issuer.clients,
            mapping: issuer.mapping,
            audiences: Audiences::OneOf(issuer.audiences),
            leeway: issuer.leeway,
            max_lifetime: issuer.max_lifetime,
            max_age: issuer.max_age,
            expiry: issuer.expiry,
        };
        claims.check()?;
        let keys = match &issuer.algorithms {
            None => Some(issuer.keys.clone()),
            Some(algorithms) => issuer.keys.allowing(algorithms),
        };
        let Some(keys) = keys else {
            return Err(claims.mistake("none of its keys can be used with any of its algorithms"));
        };
        Ok(Self { claims, keys, kind: issuer.kind })
    }
}

/// What claims have to say, whoever vouches for them: a signature, or a server that was asked.
#[derive(Debug)]
pub(in crate::verify) struct Trusted {
    pub(in crate::verify) method: Method,
    pub(in crate::verify) name: Arc<str>,
    pub(in crate::verify) clients: Clients,
    pub(in crate::verify) mapping: ClaimMapping,
    pub(in crate::verify) audiences: Audiences,
    pub(in crate::verify) leeway: Duration,
    pub(in crate::verify) max_lifetime: Option<Duration>,
    pub(in crate::verify) max_age: Option<Duration>,
    pub(in crate::verify) expiry: Expiry,
}

/// Whom a token has to be meant for.
#[derive(Clone, Debug)]
pub(in crate::verify) enum Audiences {
    /// It has to name one of these.
    OneOf(Vec<Box<str>>),
    /// Nobody looks.
    Any,
}

/// The times of a token that was found good.
pub(in crate::verify) struct Times {
    pub(in crate::verify) issued: Option<Timestamp>,
    pub(in crate::verify) expires: Option<Timestamp>,
    /// When it is good.
    pub(in crate::verify) span: Span,
}

impl Trusted {
    /// Whether it can be met at all, and means something.
    pub(in crate::verify) fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(ConfigError::new("an issuer has an empty name; write what its tokens have as \"iss\""));
        }
        if let Audiences::OneOf(audiences) = &self.audiences
            && (audiences.is_empty() || audiences.iter().any(|audience| audience.is_empty()))
        {
            let missing = "an audience is missing or empty; name what the tokens for this service have as \"aud\"";
            return Err(self.mistake(missing));
        }
        if self.leeway > MAX_LEEWAY {
            return Err(self.mistake("the leeway is longer than five minutes; set the clocks instead"));
        }
        if self.max_lifetime.is_some_and(|longest| longest.is_zero()) {
            return Err(self.mistake("the longest lifetime is zero, so no token would be good"));
        }
        if self.max_age.is_some_and(|oldest| oldest.is_zero()) {
            return Err(self.mistake("the greatest age is zero, so no token would be good"));
        }
        if self.max_lifetime.is_some() && self.expiry == Expiry::Optional {
            return Err(self.mistake("a longest lifetime is set and so is leave to have no expiry; decide for one"));
        }
        Ok(())
    }

    pub(in crate::verify) fn mistake(&self, message: &str) -> ConfigError {
        ConfigError::new(message).at(format_args!("issuer \"{}\"", self.name))
    }

    /// Types, audience, times, in this order.
    pub(in crate::verify) fn check_claims(
        &self,
        claims: &Registered<'_>,
        now: Timestamp,
    ) -> Result<Times, CredentialFault> {
        let issued = time::numeric_date(claims.iat)?;
        let expires = self.end(time::numeric_date(claims.exp)?, issued)?;
        let starts = [time::numeric_date(claims.nbf)?, issued];
        if expires.is_none() && self.expiry == Expiry::Required {
            return Err(CredentialFault::Claims);
        }
        self.check_audience(claims)?;
        if starts.into_iter().flatten().any(|start| start > now.saturating_add(self.leeway)) {
            return Err(CredentialFault::NotYetValid);
        }
        let latest = self.max_lifetime.map(|longest| now.saturating_add(longest).saturating_add(self.leeway));
        if expires.zip(latest).is_some_and(|(expires, latest)| expires > latest) {
            return Err(CredentialFault::Claims);
        }
        // RFC 7519 section 4.1.4: on or after the expiration time the token must not be accepted
        if expires.is_some_and(|expires| now >= expires.saturating_add(self.leeway)) {
            return Err(CredentialFault::Expired);
        }
        Ok(Times { issued, expires, span: self.span(expires, starts) })
    }

    /// When a token ends: by what it says, or by its age.
    fn end(&self, says: Option<Timestamp>, issued: Option<Timestamp>) -> Result<Option<Timestamp>, CredentialFault> {
        let Some(oldest) = self.max_age else { return Ok(says) };
        let aged = issued.ok_or(CredentialFault::Claims)?.saturating_add(oldest);
        Ok(Some(says.map_or(aged, |says| says.min(aged))))
    }

    /// When the checks of the times come out as they did: on a clock that is set back they may not.
    fn span(&self, expires: Option<Timestamp>, starts: [Option<Timestamp>; 2]) -> Span {
        let begins = expires.zip(self.max_lifetime).map(|(expires, longest)| expires.saturating_sub(longest));
        // an instant comes after none
        let from = starts[0].max(starts[1]).max(begins);
        Span {
            from: from.map_or(Timestamp::MIN, |from| from.saturating_sub(self.leeway)),
            until: expires.map_or(Timestamp::MAX, |expires| expires.saturating_add(self.leeway)),
        }
    }

    /// RFC 7519 section 4.1.3: one string or an array of strings, of which one must be ours.
    fn check_audience(&self, claims: &Registered<'_>) -> Result<(), CredentialFault> {
        let Audiences::OneOf(known) = &self.audiences else { return Ok(()) };
        let audience = claims.aud.ok_or(CredentialFault::Audience)?;
        let ours = match audience.items() {
            Some(items) => {
                let mut ours = false;
                for item in items {
                    ours |= is_among(known, item)?;
                }
                ours
            }
            None => is_among(known, audience)?,
        };
        if ours { Ok(()) } else { Err(CredentialFault::Audience) }
    }
}

fn is_among(audiences: &[Box<str>], value: Value<'_>) -> Result<bool, CredentialFault> {
    let named = value.as_text().ok_or(CredentialFault::Claims)?;
    Ok(audiences.iter().any(|audience| named == **audience))
}
