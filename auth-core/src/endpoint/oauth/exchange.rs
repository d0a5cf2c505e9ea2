//! Tokens for tokens (RFC 8693).

use crate::client::ClientRecord;
use crate::endpoint::EndpointRequest;
use crate::issue::{Exchange, MintedAccessToken};

use super::error::OAuthError;
use super::{OAuthEndpoints, Parameters};

/// What is given, and what is taken.
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

impl OAuthEndpoints {
    /// A token with which a client acts for somebody: with no more than both may do, no longer than the token that it showed,
    /// in the same tenant.
    pub(super) async fn exchange(
        &self,
        client: &ClientRecord,
        parameters: &Parameters,
        request: &EndpointRequest,
    ) -> Result<MintedAccessToken, OAuthError> {
        let token = |name, missing, kind, kind_missing| {
            let token = parameters.text(name).ok_or_else(|| OAuthError::request(missing))?;
            match parameters.text(kind).ok_or_else(|| OAuthError::request(kind_missing))? {
                ACCESS_TOKEN | JWT => Ok(token),
                _ => Err(OAuthError::request("The type of a token is none that can be exchanged")),
            }
        };
        let subject = token(
            "subject_token",
            "Missing required parameter: subject_token",
            "subject_token_type",
            "Missing required parameter: subject_token_type",
        )?;
        let actor = match (parameters.text("actor_token"), parameters.text("actor_token_type")) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(OAuthError::request("The parameter actor_token_type needs an actor_token"));
            }
            (Some(_), _) => Some(token(
                "actor_token",
                "Missing required parameter: actor_token",
                "actor_token_type",
                "Missing required parameter: actor_token_type",
            )?),
        };
        if parameters.text("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
            return Err(OAuthError::request("The requested type of token is not issued here"));
        }
        let invalid = || OAuthError::request("The subject_token or the actor_token is not good");
        let subject = match self.bearer(subject, request.now).await? {
            Some(own) => own,
            None => self.external_bearer(subject, client, request.now).await?.ok_or_else(invalid)?,
        };
        let actor = match actor {
            Some(actor) => Some(self.bearer(actor, request.now).await?.ok_or_else(invalid)?),
            None => None,
        };
        let audience = self.target(parameters)?;
        let mut exchange = Exchange::new(subject);
        exchange.actor = actor;
        exchange.scope = parameters.text("scope").map(Into::into);
        exchange.audience = audience;
        Ok(self.clients.exchange(client, &exchange, request.now).await?)
    }

    /// Which service a token is to be for: one that is known, or none in particular (RFC 8707 section 2, T18).
    pub(super) fn target(&self, parameters: &Parameters) -> Result<Option<std::sync::Arc<str>>, OAuthError> {
        let mut wanted = parameters.all("resource").chain(parameters.all("audience"));
        let Some(first) = wanted.next() else { return Ok(None) };
        if wanted.any(|other| other != first) {
            return Err(OAuthError::target());
        }
        let own = self.clients.issuer().audience();
        let known = std::iter::once(own).chain(&self.targets).find(|known| ***known == *first);
        known.map(|known| Some(known.clone())).ok_or_else(OAuthError::target)
    }
}
