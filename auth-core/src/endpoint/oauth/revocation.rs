//! Taking tokens back (RFC 7009).

use crate::client::ClientRecord;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::rejection::{Outage, Rejection};
use crate::revocation::{Revocation, Target};

use super::error::OAuthError;
use super::own::claim;
use super::proof::{Claimed, Silence};
use super::{OAuthEndpoints, Parameters};

/// How much longer than the token lives it is remembered: clocks differ.
const MARGIN: std::time::Duration = std::time::Duration::from_mins(5);

impl OAuthEndpoints {
    /// Takes back an access token that was issued to the client who asks.
    ///
    /// What the hint says makes no difference. A token that is unknown, ended or taken back already is as good as taken back
    /// (RFC 7009 section 2.2); one of another client is refused.
    pub(super) async fn revoke(&self, request: &EndpointRequest) -> Result<Answer, OAuthError> {
        Parameters::refuse_in_query(request.query.as_deref())?;
        let parameters = Parameters::read(request.media_type.as_deref(), &request.content)?;
        let claimed = Claimed::read(request, &parameters, Silence::Unauthenticated)?;
        let client = self.client(&claimed, request).await?;
        let token = parameters.text("token");
        let token = token.ok_or_else(|| OAuthError::request("Missing required parameter: token"))?;
        let Some(identity) = self.bearer(token, request.now).await? else {
            return self.foreign(token, &client, request).await;
        };
        if claim(&identity, "client_id").as_deref() != Some(&*client.id) {
            return Err(OAuthError::not_yours());
        }
        let (Some(list), Some(id), Some(end)) = (&self.revocations, &identity.credential_id, identity.expires) else {
            return Err(OAuthError::unsupported_token_type());
        };
        let target = Target::credential(identity.issuer.clone(), &**id);
        let kept = list.revoke(&Revocation::new(target, end.saturating_add(MARGIN)), request.now).resolve().await;
        kept.map_err(|error| Rejection::Unavailable(Outage::new(format!("revocations: {error}"))))?;
        Ok(Answer::nothing(200))
    }

    /// What is no access token: a refresh token ends its session, access tokens included (RFC 7009 section 2.1), where it is
    /// the client's. Sessions of those who logged in by themselves are no client's.
    async fn foreign(
        &self,
        token: &str,
        client: &ClientRecord,
        request: &EndpointRequest,
    ) -> Result<Answer, OAuthError> {
        if let (Some(session), Some(accounts)) = (self.session(token).await?, &self.accounts) {
            if session.client.as_deref() != Some(&*client.id) {
                return Err(OAuthError::not_yours());
            }
            accounts.end_session(&session.id, request.now).await?;
            return Ok(Answer::nothing(200));
        }
        let is_known = self.other_bearer(token, request.now).await?.is_some();
        if is_known { Err(OAuthError::not_yours()) } else { Ok(Answer::nothing(200)) }
    }
}
