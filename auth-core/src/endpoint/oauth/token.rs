//! The token endpoint (RFC 6749 section 3.2).

use serde::Serialize;

use crate::Secret;
use crate::client::{ClientRecord, Grant};
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::issue::{ClientError, MintedAccessToken};

use super::error::OAuthError;
use super::exchange::ACCESS_TOKEN;
use super::proof::{Claimed, Silence};
use super::{OAuthEndpoints, Parameters};

/// What is given (RFC 6749 section 5.1), in the order of its examples.
#[derive(Serialize)]
struct Given<'g> {
    access_token: &'g str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'g str>,
}

impl OAuthEndpoints {
    pub(super) async fn token(&self, request: &EndpointRequest) -> Result<Answer, OAuthError> {
        Parameters::refuse_in_query(request.query.as_deref())?;
        let parameters = Parameters::read(request.media_type.as_deref(), &request.content)?;
        let grant = parameters.text("grant_type");
        let grant = grant.ok_or_else(|| OAuthError::request("Missing required parameter: grant_type"))?;
        let grant = Grant::from_grant_type(grant).ok_or_else(OAuthError::unsupported_grant_type)?;
        let claimed = Claimed::read(request, &parameters, Silence::MissingParameter)?;
        if !self.grants(grant) {
            return Err(OAuthError::unsupported_grant_type());
        }
        let client = self.client(&claimed, request).await?;
        // all of it is given, or nothing: what was asked for is what is told
        let scope = parameters.text("scope");
        if matches!(grant, Grant::RefreshToken | Grant::JwtBearer) {
            return self.for_an_account(grant, &client, &parameters, request).await;
        }
        if grant == Grant::TokenExchange {
            let minted = self.exchange(&client, &parameters, request).await?;
            return Ok(given(&minted, scope, None, Some(ACCESS_TOKEN)));
        }
        let audience = self.target(&parameters)?;
        let minted = self.clients.grant_own(&client, scope, audience, request.now).await?;
        Ok(given(&minted, scope, None, None))
    }

    /// Tokens for an account: for a partner's assertion (RFC 7523 section 2.1), or for a refresh token that the client was
    /// given for one before (RFC 6749 section 6).
    async fn for_an_account(
        &self,
        grant: Grant,
        client: &ClientRecord,
        parameters: &Parameters,
        request: &EndpointRequest,
    ) -> Result<Answer, OAuthError> {
        let accounts = self.accounts.as_ref().ok_or_else(OAuthError::unsupported_grant_type)?;
        if !client.grants.contains(grant) {
            return Err(ClientError::Grant.into());
        }
        let scope = parameters.text("scope");
        // what is no scope at all is told before anything is used up
        let names = scope.map(|scope| self.clients.narrowed(scope, &client.permissions)).transpose()?;
        let (source, now) = (request.client, request.now);
        let needed = if grant == Grant::JwtBearer { "assertion" } else { "refresh_token" };
        let tokens = match (grant, parameters.text(needed)) {
            (Grant::JwtBearer, Some(assertion)) => {
                accounts.grant_by_assertion(assertion, client, names.as_ref(), source, now).await?
            }
            (Grant::JwtBearer, None) => return Err(OAuthError::request("Missing required parameter: assertion")),
            (_, Some(token)) => accounts.refresh_for(token, client, names.as_ref(), source, now).await?,
            (_, None) => return Err(OAuthError::request("Missing required parameter: refresh_token")),
        };
        Ok(given(&tokens.access, scope, tokens.refresh.as_ref(), None))
    }
}

fn given(
    minted: &MintedAccessToken,
    scope: Option<&str>,
    refresh: Option<&Secret>,
    issued_token_type: Option<&'static str>,
) -> Answer {
    let given = Given {
        access_token: minted.token.expose_text().unwrap_or_default(),
        token_type: "Bearer",
        expires_in: minted.lifetime.as_secs(),
        refresh_token: refresh.and_then(Secret::expose_text),
        issued_token_type,
        scope,
    };
    Answer::json(200, &given).field("pragma", "no-cache".to_owned())
}
