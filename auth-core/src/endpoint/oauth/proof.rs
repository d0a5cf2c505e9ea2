//! How a client says who it is (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;
use crate::client::ClientRecord;
use crate::endpoint::EndpointRequest;

use super::error::OAuthError;
use super::parameters::decoded;
use super::{OAuthEndpoints, Parameters};

/// Who a client says it is, and how it proves it.
pub(super) struct Claimed {
    id: String,
    secret: Secret,
}

/// What is told where a client says nothing about itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Which parameter is missing: the token endpoint has no other callers.
    MissingParameter,
}

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
        match (basic, parameters.secret("client_secret")) {
            (Some(_), Some(_)) => {
                Err(OAuthError::request("The request has more than one client authentication method"))
            }
            (Some(basic), None) if id.is_some_and(|id| id != basic.id) => {
                Err(OAuthError::request("The client_id is not the one of the Authorization field"))
            }
            (Some(basic), None) => Ok(basic),
            (None, Some(secret)) => {
                let id = id.ok_or_else(|| OAuthError::request("Missing required parameter: client_id"))?;
                Ok(Self { id: id.to_owned(), secret: secret.clone() })
            }
            (None, None) => Err(match (silence, id) {
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
        Ok(self.clients.authenticate(&claimed.id, &claimed.secret, request.client, request.now).await?)
    }
}

/// What follows the scheme, where it is Basic, in whatever letter case (RFC 9110 section 11.1).
fn basic(field: &Secret) -> Option<&str> {
    let (scheme, rest) = field.expose_text()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest.trim_start_matches(' '))
}

/// Both parts are form-encoded before they are put together, so that either may hold a colon (RFC 6749 section 2.3.1, T8).
fn credentials(encoded: &str) -> Option<Claimed> {
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    let (id, secret) = (decoded(id)?.into_owned(), Secret::from(decoded(secret)?.into_owned()));
    (!id.is_empty() && !secret.expose().is_empty()).then_some(Claimed { id, secret })
}
