//! Assertions of partners: signed statements that somebody is one of our accounts (RFC 7523 section 3).
//!
//! An assertion is a JSON Web Token with `iss`, the partner's registered name; `sub`, the login name of the account; `aud`,
//! this service alone; `exp`, soon; and `jti`, which is used once. Its `typ` is absent, `JWT` or `authorization-grant+jwt`: an
//! access token is no assertion.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::rejection::CredentialFault;
use crate::store::{OnceKey, OnceStore, Spending, TrustStore};
use crate::trust::{Reach, TrustStatus};
use crate::verify::Verifier as _;
use crate::verify::jwt::{Issuer, JwtVerifier, TokenKind};

/// How far a partner's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// The longest assertion.
const LONGEST: usize = 8 * 1024;

/// Takes assertions of registered partners.
#[derive(Clone)]
pub struct Assertions {
    partners: Arc<dyn TrustStore>,
    used: Arc<dyn OnceStore>,
    audience: Arc<str>,
    max_lifetime: Duration,
}

/// What an assertion says, found good.
#[derive(Debug)]
pub(crate) struct Asserted {
    /// The partner's id.
    pub(crate) partner: Arc<str>,
    /// What the partner signs with.
    issuer: Arc<str>,
    /// The login name of the account that it is about.
    pub(crate) name: Arc<str>,
    /// Whose accounts the partner may speak for.
    pub(crate) reach: Reach,
    /// What has to be used up before anything comes of it.
    once: OnceKey,
    /// For how long it could be shown again.
    until: Timestamp,
}

/// Why an assertion is not taken.
#[derive(Debug)]
pub(crate) enum AssertionError {
    Fault(CredentialFault),
    Store(StoreError),
}

impl Assertions {
    /// Assertions that are meant for that audience, the service's own name, of these partners. They may live for ten
    /// minutes: whoever finds one in a log some day finds nothing.
    pub fn new(partners: Arc<dyn TrustStore>, used: Arc<dyn OnceStore>, audience: impl Into<Arc<str>>) -> Self {
        Self { partners, used, audience: audience.into(), max_lifetime: Duration::from_mins(10) }
    }

    /// Takes none that could be shown for longer than that.
    #[must_use]
    pub fn max_lifetime(self, longest: Duration) -> Self {
        Self { max_lifetime: longest, ..self }
    }

    /// The partners.
    pub fn partners(&self) -> &Arc<dyn TrustStore> {
        &self.partners
    }

    /// Forgets the ids of assertions that have ended. Call it now and then.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_ended(&self, now: Now) -> Result<(), StoreError> {
        // a clock may be set back by a little
        let before = now.wall.saturating_sub(Duration::from_hours(1));
        while self.used.delete_ended(before).resolve().await? > 0 {}
        Ok(())
    }

    /// What an assertion says. It is not used up by this.
    pub(crate) async fn read(&self, token: &str, now: Now) -> Result<Asserted, AssertionError> {
        // whose keys to try is all that is believed of it before its signature was checked
        let issuer = claimed_issuer(token).ok_or(CredentialFault::Malformed)?;
        let partner = self.partners.by_issuer(&issuer).resolve().await?;
        let partner = partner.filter(|partner| partner.status == TrustStatus::Active).ok_or(CredentialFault::Issuer)?;
        let keys = partner.keys.set().map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let issuer = Issuer::new(Arc::clone(&partner.issuer), [&*self.audience], keys)
            .token_kind(TokenKind::Assertion("authorization-grant+jwt".into()))
            .max_lifetime(self.max_lifetime)
            .leeway(LEEWAY);
        let verifier = JwtVerifier::new([issuer]).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let identity = verifier.max_length(LONGEST).verify(token, now).resolve().await.map_err(|rejection| {
            let fault = match rejection {
                crate::Rejection::InvalidCredential(fault) => fault,
                _ => CredentialFault::Malformed,
            };
            AssertionError::Fault(fault)
        })?;
        // the kind of token has both
        let id = identity.credential_id.as_deref().ok_or(CredentialFault::Claims)?;
        let expires = identity.expires.ok_or(CredentialFault::Claims)?;
        Ok(Asserted {
            name: (&*identity.subject).into(),
            reach: partner.reach,
            once: OnceKey::new("assertion", &partner.issuer, id),
            until: expires.saturating_add(LEEWAY),
            issuer: partner.issuer,
            partner: partner.id,
        })
    }

    /// Uses it up. Of several that show it at once, one gets on.
    pub(crate) async fn use_up(&self, asserted: &Asserted) -> Result<(), AssertionError> {
        match self.used.use_once(&asserted.once, asserted.until).resolve().await? {
            Spending::Spent => Ok(()),
            Spending::Refused => Err(CredentialFault::Replayed.into()),
        }
    }
}

impl Assertions {
    /// Whether the partner of an assertion is still the one that it was.
    pub(crate) async fn still_knows(&self, asserted: &Asserted) -> Result<bool, AssertionError> {
        let partner = self.partners.by_issuer(&asserted.issuer).resolve().await?;
        Ok(partner.is_some_and(|partner| partner.id == asserted.partner && partner.status == TrustStatus::Active))
    }
}

/// The `iss` of a token whose signature nobody has checked.
fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    let (_, rest) = token.split_once('.').filter(|_| token.len() <= LONGEST)?;
    let (payload, _) = rest.split_once('.')?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.iss)
}

impl From<CredentialFault> for AssertionError {
    fn from(fault: CredentialFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for AssertionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions")
            .field("audience", &self.audience)
            .field("max_lifetime", &self.max_lifetime)
            .finish_non_exhaustive()
    }
}
