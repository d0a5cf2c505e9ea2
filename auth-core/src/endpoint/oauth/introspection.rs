//! What there is to know about a token (RFC 7662).

use serde_json::{Map, Value, json};

use crate::account::SessionRecord;
use crate::client::ClientRecord;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::names::Names;
use crate::principal::{Identity, Method};

use super::error::OAuthError;
use super::own::claim;
use super::proof::{Claimed, Silence};
use super::{OAuthEndpoints, Parameters};

impl OAuthEndpoints {
    /// Tells the client that a token was issued to, and whoever has the permission to ask, whether it is good and for what.
    ///
    /// Everybody else, and everybody about a token that is not good, is told that it is not active, and nothing else (RFC
    /// 7662 section 2.2): whether a token exists is nobody's business.
    pub(super) async fn introspect(&self, request: &EndpointRequest) -> Result<Answer, OAuthError> {
        Parameters::refuse_in_query(request.query.as_deref())?;
        let parameters = Parameters::read(request.media_type.as_deref(), &request.content)?;
        let claimed = Claimed::read(request, &parameters, Silence::Unauthenticated)?;
        let client = self.client(&claimed, request).await?;
        let token = parameters.text("token");
        let token = token.ok_or_else(|| OAuthError::request("Missing required parameter: token"))?;
        let told = self.told(token, &client, request).await?.unwrap_or_else(|| json!({ "active": false }));
        Ok(Answer::json(200, &told).field("pragma", "no-cache".to_owned()))
    }

    async fn told(
        &self,
        token: &str,
        client: &ClientRecord,
        request: &EndpointRequest,
    ) -> Result<Option<Value>, OAuthError> {
        let now = request.now;
        let may_ask = self.introspect.as_ref().is_some_and(|name| self.clients.grants_permission(client, name));
        if let Some(identity) = self.bearer(token, now).await? {
            let is_own = claim(&identity, "client_id").as_deref() == Some(&*client.id);
            return Ok((is_own || may_ask).then(|| of_access_token(&identity)));
        }
        if may_ask && let Some(identity) = self.other_bearer(token, now).await? {
            return Ok(Some(of_credential(&identity)));
        }
        let is_told = |session: &SessionRecord| may_ask || session.client.as_deref() == Some(&*client.id);
        let session = self.session(token).await?.filter(|session| is_told(session) && session.check(now.wall).is_ok());
        Ok(session.map(|session| {
            json!({
                "active": true,
                "token_type": "refresh_token",
                "sub": &*session.account,
                "iss": &**self.clients.issuer().issuer(),
                "iat": session.created.unix_seconds(),
                "exp": session.end().unix_seconds(),
            })
        }))
    }
}

/// What an access token says itself, under the names of the standard, which are its own.
fn of_access_token(identity: &Identity) -> Value {
    const TOLD: [&str; 12] =
        ["client_id", "exp", "iat", "nbf", "sub", "aud", "iss", "jti", "act", "tenant", "plan", "permissions"];
    let said: Map<String, Value> = serde_json::from_str(identity.claims.as_json()).unwrap_or_default();
    let mut told: Map<String, Value> = said.into_iter().filter(|(name, _)| TOLD.contains(&name.as_str())).collect();
    told.insert("active".to_owned(), true.into());
    told.insert("token_type".to_owned(), "Bearer".into());
    told.insert("scope".to_owned(), scope(&identity.permissions).into());
    Value::Object(told)
}

fn of_credential(identity: &Identity) -> Value {
    let mut told = json!({
        "active": true,
        "scope": scope(&identity.permissions),
        "sub": &*identity.subject,
        "iss": &*identity.issuer,
    });
    // of an API key there is no telling how it is to be shown
    if identity.method == Method::OpaqueToken {
        told["token_type"] = "Bearer".into();
    }
    let times = [("iat", identity.issued), ("exp", identity.expires)];
    for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        told[name] = at.unix_seconds().into();
    }
    if let Some(id) = &identity.credential_id {
        told["jti"] = Value::from(&**id);
    }
    if let Some(tenant) = &identity.tenant {
        told["tenant"] = Value::from(&**tenant);
    }
    told
}

fn scope(names: &Names) -> String {
    names.iter().collect::<Vec<_>>().join(" ")
}
