//! Minting, listing and revoking opaque tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::api_key::Peppers;
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::names::Names;
use crate::opaque::{TokenFormat, TokenRecord};
use crate::store::{TokenScope, TokenStore};
use crate::verify::OpaqueTokenVerifier;

use super::mint;

/// The shortest idle limit: uses are written down every few seconds, and other processes and a restart know of no later
/// ones.
const LEAST_IDLE: Duration = Duration::from_mins(1);

/// For how long ended tokens are kept, so that uses that are being written can still save one.
const KEPT_AFTER_END: Duration = Duration::from_hours(1);

/// The opaque tokens of one service: what endpoints work with.
///
/// Clones share everything.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use auth_core::api_key::{KeyHasher, Peppers};
/// use auth_core::issue::{NewToken, OpaqueTokens};
/// use auth_core::opaque::TokenFormat;
/// use auth_core::store::{MemoryTokenStore, TokenScope};
/// use auth_core::{Clock, Secret, SystemClock};
///
/// # #[derive(Debug)] struct Failed; impl<E: std::error::Error> From<E> for Failed { fn from(_: E) -> Self { Self } }
/// # async fn login() -> Result<(), Failed> {
/// # let pepper = Secret::new(vec![7; 32]);
/// let peppers = Peppers::new(KeyHasher::new("2031-a", &pepper)?);
/// let store = Arc::new(MemoryTokenStore::new());
/// let tokens = OpaqueTokens::new(TokenFormat::new("at")?, peppers, store, "https://login.example");
///
/// let now = SystemClock.now();
/// let mut wanted = NewToken::new("ada", now.wall.saturating_add(Duration::from_secs(8 * 3_600)));
/// wanted.idle_limit = Some(Duration::from_secs(1_800));
/// let minted = tokens.mint(wanted, now).await?; // minted.token goes to the client, and is never seen again
///
/// tokens.revoke(&TokenScope::Id(minted.record.id)).await?; // logout
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OpaqueTokens {
    format: TokenFormat,
    peppers: Peppers,
    store: Arc<dyn TokenStore>,
    issuer: Arc<str>,
}

/// What somebody wants of a new token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewToken {
    /// Whose token it is.
    pub subject: Arc<str>,
    /// The tenant the bearer acts in.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses the bearer's limits.
    pub plan: Option<Arc<str>>,
    /// What the bearer may do.
    pub permissions: Names,
    /// What the bearer is.
    pub roles: Names,
    /// The OAuth scopes it was given; they grant nothing by themselves.
    pub scopes: Names,
    /// The session or family it belongs to.
    pub session: Option<Arc<str>>,
    /// From when on it is refused, however much it is used.
    pub ends: Timestamp,
    /// How long it may lie unused: at least a minute.
    pub idle_limit: Option<Duration>,
}

impl NewToken {
    /// A token without permissions, session or idle limit; set the fields for more.
    pub fn new(subject: impl Into<Arc<str>>, ends: Timestamp) -> Self {
        Self {
            subject: subject.into(),
            tenant: None,
            plan: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            scopes: Names::EMPTY,
            session: None,
            ends,
            idle_limit: None,
        }
    }
}

/// A token that was just made: the only time its text is there.
#[derive(Debug)]
pub struct MintedToken {
    /// The token itself, to be handed to its bearer and forgotten.
    pub token: Secret,
    /// What is kept of it.
    pub record: TokenRecord,
}

/// Why a token could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Something about the wanted token is not as it must be; says what.
    Invalid(&'static str),
    /// The operating system gave no random bytes.
    Random,
    /// The store could not do it.
    Store(StoreError),
}

impl OpaqueTokens {
    /// Tokens of one format, whose subjects this issuer vouches for.
    pub fn new(format: TokenFormat, peppers: Peppers, store: Arc<dyn TokenStore>, issuer: impl Into<Arc<str>>) -> Self {
        Self { format, peppers, store, issuer: issuer.into() }
    }

    /// The form of the tokens.
    pub fn format(&self) -> &TokenFormat {
        &self.format
    }

    /// A verifier of these tokens.
    pub fn verifier(&self) -> OpaqueTokenVerifier {
        OpaqueTokenVerifier::new(self.format.clone(), self.peppers.clone(), Arc::clone(&self.store))
    }

    /// Makes a token with 190 random bits. Its text is in the answer, and nowhere else ever after.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] where the wish cannot be granted, otherwise what went wrong on the way; then there is no
    /// token.
    pub async fn mint(&self, wanted: NewToken, now: Now) -> Result<MintedToken, TokenError> {
        check(&wanted, now)?;
        let token = self.format.as_keys().mint(None).map_err(|_| TokenError::Random)?;
        let id = mint::id("tok_").map_err(|_| TokenError::Random)?;
        let pepper = self.peppers.current();
        // a key is made of ASCII, so the text is always there
        let digest = pepper.digest(token.expose_text().unwrap_or_default());
        let bearer = (Arc::clone(&self.issuer), wanted.subject);
        let mut record = TokenRecord::new(id, digest, Arc::clone(pepper.id()), bearer, now.wall, wanted.ends);
        record.tenant = wanted.tenant;
        record.plan = wanted.plan;
        record.permissions = wanted.permissions;
        record.roles = wanted.roles;
        record.scopes = wanted.scopes;
        record.session = wanted.session;
        record.idle_limit = wanted.idle_limit;
        self.store.insert(record.clone()).resolve().await?;
        Ok(MintedToken { token, record })
    }

    /// A name for a new session, random and never used before, to be given to the tokens of one login.
    ///
    /// # Errors
    /// [`TokenError::Random`].
    pub fn new_session(&self) -> Result<Arc<str>, TokenError> {
        mint::id("ses_").map(Arc::from).map_err(|_| TokenError::Random)
    }

    /// Takes back every token in scope for good; answers how many were not revoked before. From when this has answered,
    /// they are refused.
    ///
    /// # Errors
    /// What went wrong in the store; then the tokens are as they were.
    pub async fn revoke(&self, scope: &TokenScope) -> Result<u64, StoreError> {
        self.store.revoke(scope).resolve().await
    }

    /// The tokens in scope, revoked ones too, the oldest first.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn list(&self, scope: &TokenScope) -> Result<Vec<TokenRecord>, StoreError> {
        self.store.list(scope).resolve().await
    }

    /// Removes tokens that ended more than an hour ago; answers how many. Call it now and then.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_ended(&self, now: Now) -> Result<u64, StoreError> {
        let before = now.wall.saturating_sub(KEPT_AFTER_END);
        let mut removed = 0;
        loop {
            match self.store.delete_ended(before).resolve().await? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }
}

fn check(wanted: &NewToken, now: Now) -> Result<(), TokenError> {
    if wanted.subject.is_empty() || wanted.subject.chars().any(char::is_control) {
        return Err(TokenError::Invalid("the subject is not empty and has no control characters"));
    }
    if wanted.session.as_deref().is_some_and(|session| session.is_empty() || session.chars().any(char::is_control)) {
        return Err(TokenError::Invalid("the session is not empty and has no control characters"));
    }
    if wanted.ends <= now.wall {
        return Err(TokenError::Invalid("the end lies in the future"));
    }
    if wanted.idle_limit.is_some_and(|limit| limit < LEAST_IDLE) {
        return Err(TokenError::Invalid("the idle limit is at least a minute"));
    }
    Ok(())
}

impl fmt::Debug for OpaqueTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueTokens")
            .field("format", &self.format)
            .field("peppers", &self.peppers)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => f.write_str(what),
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TokenError {}
