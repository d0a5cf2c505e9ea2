//! Logging in and out, and refreshing.

use std::sync::Arc;

use crate::Secret;
use crate::clock::Now;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::endpoint::content::Content;
use crate::endpoint::keys::Call;
use crate::endpoint::object::Object;
use crate::issue::journal::Event;
use crate::issue::{AccountError, Login, Tokens};
use crate::principal::{Identity, Method, Principal};
use crate::rejection::{CredentialFault, Prohibition, Rejection};
use crate::verify::Verifier as _;

use super::AccountEndpoints;
use super::second_factor::second_factor;

/// What of an account may stand beside its tokens.
const ACCOUNT: [&str; 11] =
    ["id", "email", "user_name", "name", "tenant", "tenant_name", "plan", "type", "roles", "permissions", "usage"];

impl AccountEndpoints {
    pub(in crate::endpoint) async fn log_in(
        &self,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before a session is opened
        let refused = |error| self.refused(error, call.words);
        let tokens = if self.keys.is_some() && content.has("api_key") {
            let key = self.verified_key(content.required("api_key")?, request, call.now).await?;
            self.accounts.log_in_with_key(&key, call.client, call.now).await.map_err(refused)?
        } else {
            let mut login = Login::new(content.required(self.login_by.member())?, content.secret("password")?);
            login.second_factor = second_factor(content)?;
            login.source = request.client;
            self.accounts.log_in(login, call.now).await.map_err(refused)?
        };
        self.given(tokens, content, call).await
    }

    pub(in crate::endpoint) async fn log_in_by_assertion(
        &self,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before the assertion is used up
        let token = content.required("token")?;
        let tokens = self.accounts.log_in_with_assertion(token, call.client, call.now).await;
        self.given(tokens.map_err(|error| self.refused(error, call.words))?, content, call).await
    }

    /// The identity of a key that is logged in with, where it may be used from there.
    async fn verified_key(&self, key: &str, request: &EndpointRequest, now: Now) -> Result<Arc<Identity>, Rejection> {
        let verifier = self.keys.as_ref().ok_or(Rejection::Internal)?;
        let identity = verifier.verify(key, now).resolve().await?;
        let may_come = |set: &Arc<crate::NetworkSet>| request.client.is_some_and(|client| set.contains(client));
        if identity.networks.as_ref().is_none_or(may_come) {
            Ok(identity)
        } else {
            Err(Rejection::Forbidden(Prohibition::Network))
        }
    }

    pub(in crate::endpoint) async fn refresh(
        &self,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before the token is spent
        let token = content.required("refresh_token")?;
        let mut tokens = self.refreshed(self.accounts.refresh(token, call.client, call.now).await, None, call)?;
        // a client is told the token that is in force, also where it is the one it has
        tokens.refresh = tokens.refresh.or_else(|| Some(Secret::from(token)));
        self.given(tokens, content, call).await
    }

    pub(in crate::endpoint) async fn refresh_by_access_token(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        // whoever was lent a part of a session for an exchanged token must not get the whole of it
        let is_of_login = self.is_own(caller) && caller.method == Method::Jwt && caller.origins.is_none();
        let session = caller.session.as_deref().filter(|_| is_of_login);
        let session = session.ok_or(Rejection::InvalidCredential(CredentialFault::Kind))?;
        let tokens = self.accounts.refresh_session(session, call.client, call.now).await;
        self.given(self.refreshed(tokens, Some(caller), call)?, content, call).await
    }

    /// Tells what came of a refresh.
    fn refreshed(
        &self,
        tokens: Result<Tokens, AccountError>,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Tokens, Rejection> {
        match &tokens {
            Ok(tokens) => {
                let event = Event::of("refresh").account(&tokens.account.id).session(&tokens.session);
                event.client(call.client).tell();
            }
            Err(error) => {
                let (account, session) =
                    (caller.map(|caller| &*caller.subject), caller.and_then(|caller| caller.session.as_deref()));
                let event = Event { account, session, ..Event::of("refresh_failed") };
                event.cause(error.cause()).client(call.client).tell();
            }
        }
        tokens.map_err(|error| self.refused(error, call.words))
    }

    pub(in crate::endpoint) async fn log_out(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let refused = |error| self.refused(error, call.words);
        let session = caller.session.as_deref().filter(|_| self.is_own(caller));
        let session = session.ok_or(Rejection::InvalidCredential(CredentialFault::Kind))?;
        let token = content.text("refresh_token")?;
        self.accounts.end_session(session, call.now).await.map_err(refused)?;
        if let Some(token) = token {
            self.accounts.end_session_of(token, call.now).await.map_err(refused)?;
        }
        Event::of("logout").account(&caller.subject).session(session).client(call.client).tell();
        let answer = Answer::nothing(204);
        Ok(match &self.cookie {
            Some(cookie) => answer.field("set-cookie", cookie.removal()),
            None => answer,
        })
    }

    /// What a client is given for a login or a refresh.
    pub(super) async fn given(
        &self,
        tokens: Tokens,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let wants_cookie = content.flag("cookie")?;
        let mut answer = Object::default();
        answer.say("access_token", tokens.access.token.expose_text());
        answer.say("token_type", call.words.token_type());
        answer.say("expires_in", tokens.access.lifetime.as_secs());
        answer.say("expires_at", call.words.time(tokens.access.expires));
        answer.say("refresh_token", tokens.refresh.as_ref().and_then(Secret::expose_text));
        answer.say("session", &*tokens.session);
        let has_user = call.members.contains(&"user");
        if has_user || call.members.iter().any(|member| ACCOUNT.contains(member)) {
            let user = self.user(&tokens.account, tokens.tenant.as_ref(), None, call).await?;
            if has_user {
                answer.nest("user", self.shaped(user.clone(), call.words));
            }
            // some APIs tell who it is beside the token instead
            answer.join(user);
        }
        let mut members = call.members.to_vec();
        if tokens.refresh.is_none() {
            members.retain(|member| *member != "refresh_token");
        }
        let answer = Answer::object(200, &answer.named(&members, call.words));
        Ok(match self.cookie.as_ref().filter(|_| wants_cookie) {
            Some(cookie) => answer.field("set-cookie", cookie.of(&tokens.access)),
            None => answer,
        })
    }
}
