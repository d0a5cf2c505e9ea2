//! The OAuth 2.0 endpoints: what other people's clients talk to.
//!
//! Requests are forms (`application/x-www-form-urlencoded`) or JSON objects of texts; either is read strictly: nothing is
//! there twice, an empty value counts as left out, and what nobody asks for is passed over (RFC 6749 section 3.2). Names of
//! parameters and members are those of the standards, whatever the API calls its own. Refusals have the body of RFC 6749
//! section 5.2, whatever the API's refusals look like elsewhere.
//!
//! **Secrets in the query** are refused, right or wrong: they are in somebody's log by then.
//!
//! - `parameters`: reading requests
//! - `proof`: how a client says who it is
//! - `error`: refusals
//! - `token`: the token endpoint; `exchange`: tokens for tokens; `subjects`: whose, besides the service's own
//! - `revocation`: taking tokens back; `introspection`: what there is to know about one; `own`: which of them are good
//! - `metadata`: what there is, for clients to find out by themselves

mod error;
mod exchange;
mod introspection;
mod metadata;
mod own;
mod parameters;
mod proof;
mod revocation;
mod subjects;
mod token;

use std::fmt;
use std::sync::Arc;

use crate::account::SessionRecord;
use crate::client::Grant;
use crate::error::ConfigError;
use crate::issue::{Accounts, Clients};
use crate::rejection::{Outage, Rejection};
use crate::revocation::Revocations;
use crate::verify::Verifier;
use crate::verify::jwt::JwtVerifier;

use super::answer::Answer;
use super::{Endpoint, EndpointRequest};
use error::OAuthError;
use parameters::Parameters;

pub use subjects::SubjectIssuers;

/// Every parameter that some request may have; others are passed over.
const KNOWN: [&str; 17] = [
    "actor_token",
    "actor_token_type",
    "assertion",
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "refresh_token",
    "requested_token_type",
    "resource",
    "scope",
    "subject_token",
    "subject_token_type",
    "token",
    "token_type_hint",
];

/// OAuth 2.0 as endpoints speak it.
#[derive(Clone)]
#[non_exhaustive]
pub struct OAuthEndpoints {
    /// The clients.
    pub clients: Clients,
    /// What verifies the service's other credentials, which may be asked about: API keys, opaque tokens.
    pub others: Vec<Arc<dyn Verifier>>,
    /// The list that tokens are put on that are taken back.
    pub revocations: Option<Revocations>,
    /// The accounts whose refresh tokens may be asked about.
    pub accounts: Option<Accounts>,
    /// The permission to ask about tokens of others; without it, clients ask about their own alone.
    pub introspect: Option<Arc<str>>,
    /// Whose tokens may be exchanged besides the service's own; nobody's by default.
    pub subjects: Option<SubjectIssuers>,
    /// The other services that tokens may be had for.
    pub targets: Vec<Arc<str>>,
    /// Scheme, host and port at which clients reach the service; those of the issuer's name by default.
    pub base_url: Option<Arc<str>>,
    /// What verifies the service's own access tokens.
    own: Arc<dyn Verifier>,
}

impl OAuthEndpoints {
    /// Endpoints for these clients; set the fields for more.
    ///
    /// # Errors
    /// None of the issuer's keys can verify.
    pub fn new(clients: Clients) -> Result<Self, ConfigError> {
        let issuer = clients.issuer();
        let own = Arc::new(JwtVerifier::new([issuer.trusted()?])?);
        Ok(Self {
            clients,
            others: Vec::new(),
            revocations: None,
            accounts: None,
            introspect: None,
            subjects: None,
            targets: Vec::new(),
            base_url: None,
            own,
        })
    }

    pub(super) async fn answer(&self, endpoint: Endpoint, request: &EndpointRequest) -> Answer {
        let answered = match endpoint {
            Endpoint::Token => self.token(request).await,
            Endpoint::RevokeToken => self.revoke(request).await,
            Endpoint::IntrospectToken => self.introspect(request).await,
            _ => Err(OAuthError::from(Rejection::Internal)),
        };
        answered.unwrap_or_else(|error| {
            error.tell(endpoint, request);
            error.into_answer()
        })
    }

    /// Whether tokens are really given for this here.
    fn grants(&self, grant: Grant) -> bool {
        match grant {
            Grant::ClientCredentials | Grant::TokenExchange => true,
            Grant::RefreshToken => self.accounts.as_ref().is_some_and(Accounts::has_refresh_tokens),
            Grant::JwtBearer => self.accounts.as_ref().is_some_and(Accounts::takes_assertions),
        }
    }

    /// The session that a refresh token belongs to, spent or not.
    async fn session(&self, token: &str) -> Result<Option<SessionRecord>, OAuthError> {
        let Some(accounts) = &self.accounts else { return Ok(None) };
        let found = accounts.session_of(token).await;
        Ok(found.map_err(|error| Rejection::Unavailable(Outage::new(format!("accounts: {error}"))))?)
    }
}

/// A refusal by whatever stands in front of the endpoints, told as OAuth tells it.
pub(super) fn refused(rejection: &Rejection) -> Answer {
    OAuthError::from(rejection.clone()).into_answer()
}

impl fmt::Debug for OAuthEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthEndpoints").field("clients", &self.clients).finish_non_exhaustive()
    }
}
