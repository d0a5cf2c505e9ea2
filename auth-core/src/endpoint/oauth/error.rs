//! Refusals (RFC 6749 section 5.2).

use serde::Serialize;

use crate::endpoint::answer::Answer;
use crate::endpoint::{Endpoint, EndpointRequest};
use crate::issue::{AccountError, ClientError};
use crate::rejection::{Outage, Rejection, RetryAfter};

/// Why nothing was given. The description is ASCII without quotes and backslashes, and holds nothing that the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    status: u16,
    code: &'static str,
    description: &'static str,
    retry_after: Option<RetryAfter>,
    /// For the log alone.
    cause: Option<String>,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

/// The challenge of every 401: the one method that has a scheme (RFC 6749 section 2.3.1).
const CHALLENGE: &str = "Basic realm=\"api\"";

impl OAuthError {
    fn new(status: u16, code: &'static str, description: &'static str) -> Self {
        Self { status, code, description, retry_after: None, cause: None }
    }

    /// The request is not as it must be.
    pub(super) fn request(description: &'static str) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// Nobody proved to be a client.
    pub(super) fn client() -> Self {
        Self::new(401, "invalid_client", "Client authentication failed")
    }

    /// The grant is none of those that there are.
    pub(super) fn unsupported_grant_type() -> Self {
        Self::new(400, "unsupported_grant_type", "The grant type is not supported")
    }

    /// The token was given to somebody else (RFC 7009 section 2.1).
    pub(super) fn not_yours() -> Self {
        Self::new(400, "unauthorized_client", "The token was not issued to this client")
    }

    /// Tokens of this kind cannot be taken back (RFC 7009 section 2.2.1).
    pub(super) fn unsupported_token_type() -> Self {
        Self::new(400, "unsupported_token_type", "Tokens of this kind cannot be revoked here")
    }

    /// There is no such service to be had a token for (RFC 8707 section 2).
    pub(super) fn target() -> Self {
        Self::new(400, "invalid_target", "The requested resource or audience is unknown or not allowed")
    }

    pub(super) fn tell(&self, endpoint: Endpoint, request: &EndpointRequest) {
        tracing::info!(
            target: "auth::endpoint",
            endpoint = endpoint.as_str(),
            status = self.status,
            cause = self.code,
            why = self.cause.as_deref().unwrap_or(self.description),
            client = request.client.map(tracing::field::display),
        );
    }

    pub(super) fn into_answer(self) -> Answer {
        let body = Body { error: self.code, error_description: self.description };
        let mut answer = Answer::json(self.status, &body).field("pragma", "no-cache".to_owned());
        if let Some(wait) = self.retry_after {
            answer = answer.field("retry-after", wait.seconds().to_string());
        }
        if self.status == 401 {
            answer = answer.field("www-authenticate", CHALLENGE.to_owned());
        }
        answer
    }
}

impl From<ClientError> for OAuthError {
    fn from(error: ClientError) -> Self {
        let cause = Some(error.to_string());
        match error {
            ClientError::Grant => {
                Self::new(400, "unauthorized_client", "The client is not authorized to use this grant type")
            }
            ClientError::Scope => Self::new(400, "invalid_scope", "The requested scope is invalid or not granted"),
            ClientError::TooMany(wait) => {
                Self { retry_after: Some(wait), ..Self::new(429, "rate_limit_exceeded", "Too many token requests") }
            }
            ClientError::Exchange(_) => {
                Self { cause, ..Self::request("The tokens cannot be exchanged by this client") }
            }
            ClientError::Random | ClientError::Store(_) => {
                let outage = Outage::new(error.to_string());
                Self { cause, ..Self::from(Rejection::Unavailable(outage)) }
            }
            _ => Self { cause, ..Self::client() },
        }
    }
}

impl From<AccountError> for OAuthError {
    fn from(error: AccountError) -> Self {
        let cause = Some(error.to_string());
        match error {
            AccountError::Scope => Self::from(ClientError::Scope),
            AccountError::Refused(rejection) => Self::from(rejection),
            AccountError::Random | AccountError::Store(_) => {
                Self::from(Rejection::Unavailable(Outage::new(format!("accounts: {error}"))))
            }
            _ => Self {
                cause,
                ..Self::new(
                    400,
                    "invalid_grant",
                    "The grant is invalid, expired, revoked or was issued to another client",
                )
            },
        }
    }
}

impl From<Rejection> for OAuthError {
    fn from(rejection: Rejection) -> Self {
        let (status, code) = match &rejection {
            // the standard has one status for requests that are not as they must be
            Rejection::InvalidContent(_) | Rejection::InvalidRequest(_) => (400, "invalid_request"),
            Rejection::RateLimited(_) | Rejection::TooManyFailures(_) => (429, "rate_limit_exceeded"),
            Rejection::Unavailable(_) | Rejection::Overloaded(_) => (503, "temporarily_unavailable"),
            Rejection::Internal => (500, "server_error"),
            other => (other.status(), other.code()),
        };
        let cause = match &rejection {
            Rejection::Unavailable(outage) | Rejection::Overloaded(outage) => outage.cause.to_string(),
            other => other.cause().to_owned(),
        };
        Self {
            retry_after: rejection.retry_after(),
            cause: Some(cause),
            ..Self::new(status, code, rejection.message())
        }
    }
}
