//! The token endpoint (RFC 6749 section 3.2).

use serde::Serialize;

use crate::client::Grant;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::issue::MintedAccessToken;

use super::error::OAuthError;
use super::proof::{Claimed, Silence};
use super::{OAuthEndpoints, Parameters};

/// What is given (RFC 6749 section 5.1), in the order of its examples.
#[derive(Serialize)]
struct Given<'g> {
    access_token: &'g str,
    token_type: &'static str,
    expires_in: u64,
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
        let client = match grant {
            Grant::ClientCredentials => self.client(&claimed, request).await?,
            Grant::RefreshToken | Grant::JwtBearer | Grant::TokenExchange => {
                return Err(OAuthError::unsupported_grant_type());
            }
        };
        // all of it is given, or nothing: what was asked for is what is told
        let scope = parameters.text("scope");
        let minted = self.clients.grant_own(&client, scope, request.now).await?;
        Ok(given(&minted, scope))
    }
}

fn given(minted: &MintedAccessToken, scope: Option<&str>) -> Answer {
    let given = Given {
        access_token: minted.token.expose_text().unwrap_or_default(),
        token_type: "Bearer",
        expires_in: minted.lifetime.as_secs(),
        scope,
    };
    Answer::json(200, &given).field("pragma", "no-cache".to_owned())
}
