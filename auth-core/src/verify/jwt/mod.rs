//! Signed tokens of trusted issuers (RFC 7519), verified strictly.
//!
//! The order of the checks is the order of what may be believed:
//!
//! 1. form: length, three parts, one spelling, one reading of the JSON; no `crit`;
//! 2. the issuer: `iss` as an exact string among those configured, before any key is touched;
//! 3. the key: one of that issuer, by `kid`, for that algorithm; then the signature;
//! 4. the kind: an access token and not another sort of token with a good signature;
//! 5. the claims: types, audience, `nbf` and `iat`, and `exp` last.
//!
//! The first fault found is the one reported. Expiry comes last, so that a client which is told that its token has
//! expired knows that a fresh one would be good.
//!
//! Decisions where the standards leave a choice:
//!
//! - `exp` is required; at or after `exp` plus leeway the token is refused. A token "from the future", by `nbf` or by
//!   `iat`, is refused beyond the leeway.
//! - Times may have fractions, must be numbers from 0 to the end of the year 9999, and are refused otherwise.
//! - `sub` is required. A token whose `sub` equals its `client_id` speaks for a client: its subject is `client:` and the
//!   id. A user whose `sub` begins with `client:` is refused, so the two can never meet (RFC 9068 section 5).
//! - A token bound to a key or a certificate (`cnf`) is refused: taken as a bearer token it would lose what its binding
//!   is for (RFC 9449 section 7.2).
//! - An audience, tenant, plan, `jti` or `client_id` of the wrong type is refused; lists of permissions, roles and
//!   scopes of the wrong type are ignored, which grants nothing. `null` is the same as absent for what is mapped.
//!
//! Parts: `issuer` what is trusted; `mapping` where the principal's fields come from; `kind` which sort of token;
//! `claims` and `time` the registered claims; `identity` what is made of them; `origins` what the token was made of.

mod claims;
mod identity;
mod issuer;
mod kind;
mod mapping;
mod origins;
#[cfg(test)]
mod tests;
mod time;

use std::sync::Arc;

use crate::clock::Now;
use crate::error::ConfigError;
use crate::json::{Members, Object};
use crate::outcome::Outcome;
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Rejection};
use crate::search;
use crate::verify::jws::{self, Compact, Header, Scratch, SeenHeaders};
use crate::verify::known::{Known, Memory, Span};
use crate::verify::{CacheCounts, CacheSize, Verified, Verifier};
use issuer::TrustedIssuer;

pub(super) use claims::Registered;
pub use issuer::Issuer;
pub(super) use issuer::{Audiences, Clients, Expiry, Trusted};
pub use kind::TokenKind;
pub(super) use kind::check_introspected;
pub use mapping::{ClaimMapping, ClaimPath, ScopeShape, ScopeUse};

/// Verifies tokens of the issuers it was given.
///
/// ```
/// use auth_core::keys::{Algorithm, KeySet};
/// use auth_core::verify::jwt::{Issuer, JwtVerifier};
/// use auth_core::{ConfigError, Secret};
///
/// let ours = KeySet::shared_secret(Algorithm::Hs256, &Secret::from("an example of a secret, 32 bytes or more"))?;
/// let verifier = JwtVerifier::new([Issuer::new("https://login.example", ["my-api"], ours.clone())])?;
///
/// // an issuer without an audience would accept tokens that were made for others
/// assert!(JwtVerifier::new([Issuer::new("https://login.example", [] as [&str; 0], ours)]).is_err());
/// # Ok::<(), ConfigError>(())
/// ```
///
/// Security: verifying never waits, never takes a lock and never reaches out; nothing in a token can make it do so.
#[derive(Debug)]
pub struct JwtVerifier {
    issuers: Vec<TrustedIssuer>,
    max_length: usize,
    headers: SeenHeaders,
    known: Option<Known<Identity>>,
}

impl JwtVerifier {
    /// A verifier for the tokens of these issuers.
    ///
    /// # Errors
    /// There is no issuer, the same one occurs twice, or one of them is put together wrongly: no audience, no key that
    /// its algorithms fit, a leeway of more than five minutes.
    pub fn new(issuers: impl IntoIterator<Item = Issuer>) -> Result<Self, ConfigError> {
        let mut trusted: Vec<TrustedIssuer> = Vec::new();
        for issuer in issuers {
            let issuer = TrustedIssuer::new(issuer)?;
            if trusted.iter().any(|other| other.claims.name == issuer.claims.name) {
                let twice = "the issuer is configured twice; give one entry all its audiences and keys";
                return Err(ConfigError::new(twice).at(&issuer.claims.name));
            }
            trusted.push(issuer);
        }
        if trusted.is_empty() {
            return Err(ConfigError::new("there is no issuer to trust; name at least one"));
        }
        Ok(Self { issuers: trusted, max_length: jws::MAX_LENGTH, headers: SeenHeaders::default(), known: None })
    }

    /// Refuses tokens of more than so many bytes before anything of them is decoded.
    ///
    /// The default is 8192, the limit that common servers put on a whole header.
    #[must_use]
    pub fn max_length(self, bytes: usize) -> Self {
        Self { max_length: bytes, ..self }
    }

    /// Remembers tokens that were found good, so that their signatures are checked once.
    ///
    /// A token that is known still has to be within its times on every request, and the gate still asks whether it was
    /// revoked. Refusals are never remembered, nor are tokens of more than 8 KiB. Keys belong to the verifier: one with
    /// other keys remembers nothing of this one. Nothing is remembered unless this is called.
    #[must_use]
    pub fn remembering(self, size: CacheSize) -> Self {
        let known = Known::by_ending(size);
        if known.is_none() {
            tracing::warn!("there are no random bytes, so that no token is remembered");
        }
        Self { known, ..self }
    }

    /// What is remembered, and how often it helped; zeros where nothing is.
    pub fn cache_counts(&self) -> CacheCounts {
        self.known.as_ref().map(Known::counts).unwrap_or_default()
    }

    fn verify_unless_known(&self, text: &[u8], now: Now) -> Result<Arc<Identity>, CredentialFault> {
        let place = self.known.as_ref().and_then(|known| Some((known, known.fingerprint(text)?)));
        let Some((known, print)) = place else {
            return self.identify(text, now).map(|(identity, _)| identity);
        };
        if let Some(Memory::Holds(identity)) = known.recall(print, now.wall) {
            known.count_hit();
            return Ok(identity);
        }
        let identified = self.identify(text, now);
        if !identified.as_ref().is_err_and(|fault| is_of_form(*fault)) {
            known.count_miss();
        }
        let (mut identity, span) = identified?;
        let weight = identity.weight();
        known.keep(print, &mut identity, span, weight, now.wall);
        Ok(identity)
    }

    fn identify(&self, text: &[u8], now: Now) -> Result<(Arc<Identity>, Span), CredentialFault> {
        let mut scratch = Scratch::new();
        let token = Compact::split(text, self.max_length)?;
        if let Some(header) = self.headers.find(token.header) {
            let [payload, signature] = jws::decode([token.payload, token.signature], &mut scratch)?;
            return self.judge(header, token.signed, payload, signature, now);
        }
        let [header, payload, signature] = jws::decode([token.header, token.payload, token.signature], &mut scratch)?;
        let mut members = Members::new();
        let header = Header::read(header, &mut members)?;
        let identified = self.judge(&header, token.signed, payload, signature, now)?;
        self.headers.keep(token.header, &header);
        Ok(identified)
    }

    fn judge(
        &self,
        header: &Header<'_>,
        signed: &[u8],
        payload: &[u8],
        signature: &[u8],
        now: Now,
    ) -> Result<(Arc<Identity>, Span), CredentialFault> {
        let payload = str::from_utf8(payload).map_err(|_| CredentialFault::Malformed)?;
        let mut members = Members::new();
        let members = Object::read(payload, &mut members).map_err(|_| CredentialFault::Malformed)?;
        let claims = Registered::among(members);

        let issuer = self.issuer(&claims)?;
        jws::signer(signed, signature, header, &issuer.keys)?;
        issuer.kind.check(header, &claims)?;
        let times = issuer.claims.check_claims(&claims, now.wall)?;
        Ok((issuer.claims.identity(payload, members, &claims, &times)?, times.span))
    }

    /// RFC 7519 section 4.1.1: a case-sensitive string, compared as it is.
    fn issuer(&self, claims: &Registered<'_>) -> Result<&TrustedIssuer, CredentialFault> {
        let name = claims.iss.and_then(crate::json::Value::as_text).ok_or(CredentialFault::Issuer)?;
        self.issuers.iter().find(|issuer| name == *issuer.claims.name).ok_or(CredentialFault::Issuer)
    }
}

/// Whether the form of a token is at fault, and so perhaps that of any credential.
fn is_of_form(fault: CredentialFault) -> bool {
    matches!(fault, CredentialFault::Malformed | CredentialFault::TooLong)
}

impl Verifier for JwtVerifier {
    /// Three or five parts, or the beginning that every JSON header in base64url has: what is meant to be a token is
    /// refused here, with the reason, rather than anywhere else.
    fn recognises(&self, text: &str) -> bool {
        if text.starts_with("eyJ") {
            return search::first(b'.', text.as_bytes()).is_some();
        }
        matches!(text.matches('.').take(5).count(), 2 | 4)
    }

    fn verify(&self, text: &str, now: Now) -> Outcome<Verified> {
        Outcome::Done(self.verify_unless_known(text.as_bytes(), now).map_err(Rejection::InvalidCredential))
    }

    /// Three parts in base64url, decoded strictly, consist of letters, digits, `-`, `_` and two dots. So whatever has any
    /// other fault than that of its form has been looked at more closely than the gate would.
    fn verify_bytes(&self, credential: &[u8], now: Now) -> Option<Outcome<Verified>> {
        let verdict = self.verify_unless_known(credential, now);
        if verdict.as_ref().is_err_and(|fault| is_of_form(*fault)) {
            return None;
        }
        Some(Outcome::Done(verdict.map_err(Rejection::InvalidCredential)))
    }

    fn fetches_ahead(&self) -> bool {
        self.known.as_ref().is_some_and(Known::fetches_ahead)
    }

    fn fetch_ahead(&self, value: &[u8]) {
        if let Some(known) = &self.known {
            known.fetch_ahead(value);
        }
    }

    fn remembered(&self, credential: &[u8], now: Now) -> Option<Arc<Identity>> {
        let known = self.known.as_ref()?;
        match known.recall(known.fingerprint(credential)?, now.wall)? {
            Memory::Holds(identity) => {
                known.count_hit();
                Some(identity)
            }
            Memory::Over => None,
        }
    }

    /// A token that was good and has ended since is known to have ended, without a look at its signature.
    fn recall(&self, text: &str, now: Now) -> Option<Outcome<Verified>> {
        let fault = |fault| Err(Rejection::InvalidCredential(fault));
        if text.len() > self.max_length {
            return Some(Outcome::Done(fault(CredentialFault::TooLong)));
        }
        let known = self.known.as_ref()?;
        Some(Outcome::Done(match known.recall(known.fingerprint(text.as_bytes())?, now.wall)? {
            Memory::Holds(identity) => {
                known.count_hit();
                Ok(identity)
            }
            Memory::Over => fault(CredentialFault::Expired),
        }))
    }
}
