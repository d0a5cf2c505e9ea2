//! How a client says who it is (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;
use crate::client::ClientRecord;
use crate::endpoint::EndpointRequest;

use super::super::form::decoded;
use super::error::OAuthError;
use super::{OAuthEndpoints, Parameters};

/// Who a client says it is, and how it proves it.
pub(super) enum Claimed {
    /// By a secret.
    Secret { id: String, secret: Secret },
    /// By a signature.
    Assertion(Secret),
}

/// What is told where a client says nothing about itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Which parameter is missing: the token endpoint has no other callers.
    MissingParameter,
    /// That nobody is authenticated: others may come by.
    Unauthenticated,
}

/// The one kind of assertion that there is (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Claimed {
    /// Reads the one proof of a request.
    ///
    /// More than one is refused, whether they are good or not (T7). Schemes other than Basic count as absent.
    pub(super) fn read(
        request: &EndpointRequest,
        parameters: &Parameters,
        silence: Silence,
    ) -> Result<Self, OAuthError> {
        let id = parameters.text("client_id");
        let basic = match request.authorization.as_ref().and_then(basic) {
            Some(encoded) => Some(credentials(encoded).ok_or_else(OAuthError::client)?),
            None => None,
        };
        let assertion = parameters.secret("client_assertion");
        let assertion_type = parameters.text("client_assertion_type");
        let secret = parameters.secret("client_secret");
        if [basic.is_some(), secret.is_some(), assertion.is_some() || assertion_type.is_some()]
            .into_iter()
            .filter(|is_there| *is_there)
            .count()
            > 1
        {
            return Err(OAuthError::request("The request has more than one client authentication method"));
        }
        if let Some(kind) = assertion_type.or(assertion.map(|_| "")) {
            if kind != ASSERTION_TYPE {
                return Err(OAuthError::request("The client_assertion_type is missing or not supported"));
            }
            let assertion =
                assertion.ok_or_else(|| OAuthError::request("Missing required parameter: client_assertion"))?;
            return Ok(Self::Assertion(assertion.clone()));
        }
        match (basic, secret) {
            (Some((other, _)), _) if id.is_some_and(|id| id != other) => {
                Err(OAuthError::request("The client_id is not the one of the Authorization field"))
            }
            (Some((id, secret)), _) => Ok(Self::Secret { id, secret }),
            (None, Some(secret)) => {
                let id = id.ok_or_else(|| OAuthError::request("Missing required parameter: client_id"))?;
                Ok(Self::Secret { id: id.to_owned(), secret: secret.clone() })
            }
            (None, None) => Err(match (silence, id) {
                (Silence::Unauthenticated, _) => OAuthError::client(),
                (Silence::MissingParameter, None) => OAuthError::request("Missing required parameter: client_id"),
                (Silence::MissingParameter, Some(_)) => {
                    OAuthError::request("Missing required parameter: client_secret")
                }
            }),
        }
    }
}

impl OAuthEndpoints {
    /// The client, if it proves who it says it is.
    pub(super) async fn client(
        &self,
        claimed: &Claimed,
        request: &EndpointRequest,
    ) -> Result<Arc<ClientRecord>, OAuthError> {
        let (source, now) = (request.client, request.now);
        Ok(match claimed {
            Claimed::Secret { id, secret } => self.clients.authenticate(id, secret, source, now).await?,
            Claimed::Assertion(assertion) => self.clients.authenticate_by_assertion(assertion, source, now).await?,
        })
    }
}

/// What follows the scheme, where it is Basic, in whatever letter case (RFC 9110 section 11.1).
fn basic(field: &Secret) -> Option<&str> {
    let (scheme, rest) = field.expose_text()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest.trim_start_matches(' '))
}

/// Both parts are form-encoded before they are put together, so that either may hold a colon (RFC 6749 section 2.3.1, T8).
fn credentials(encoded: &str) -> Option<(String, Secret)> {
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    let (id, secret) = (decoded(id)?.into_owned(), Secret::from(decoded(secret)?.into_owned()));
    (!id.is_empty() && !secret.expose().is_empty()).then_some((id, secret))
}
