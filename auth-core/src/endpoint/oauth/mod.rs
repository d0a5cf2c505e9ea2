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
//! - `token`: the token endpoint

mod error;
mod parameters;
mod proof;
mod token;

use crate::issue::Clients;
use crate::rejection::Rejection;

use super::answer::Answer;
use super::{Endpoint, EndpointRequest};
use error::OAuthError;
use parameters::Parameters;

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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OAuthEndpoints {
    /// The clients.
    pub clients: Clients,
}

impl OAuthEndpoints {
    /// Endpoints for these clients.
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }

    pub(super) async fn answer(&self, endpoint: Endpoint, request: &EndpointRequest) -> Answer {
        let answered = match endpoint {
            Endpoint::Token => self.token(request).await,
            _ => Err(OAuthError::from(Rejection::Internal)),
        };
        answered.unwrap_or_else(|error| {
            error.tell(endpoint, request);
            error.into_answer()
        })
    }
}

/// A refusal by whatever stands in front of the endpoints, told as OAuth tells it.
pub(super) fn refused(rejection: &Rejection) -> Answer {
    OAuthError::from(rejection.clone()).into_answer()
}
