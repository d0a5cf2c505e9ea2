//! Single sign-on: where to send a person, and the code that it comes back with.

use std::borrow::Cow;

use crate::Secret;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::endpoint::content::{Content, invalid};
use crate::endpoint::keys::Call;
use crate::endpoint::object::Object;
use crate::endpoint::words::Words;
use crate::issue::{CodeLogin, SsoFault};
use crate::rejection::{CredentialFault, Outage, Rejection};

use super::AccountEndpoints;

impl AccountEndpoints {
    /// Whether there is a provider, and where to send a person who wants to log in there.
    pub(in crate::endpoint) async fn show_sso(
        &self,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let redirect_uri = parameter(request.query.as_deref(), "redirect_uri", call.words)?;
        let begun = self.accounts.begin_sso(redirect_uri.as_deref(), call.client, call.now).await;
        let begun = begun.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("enabled", begun.is_some());
        if let Some(attempt) = begun {
            answer.say("authorization_url", attempt.authorization_url);
            answer.say("client_id", &*attempt.client_id);
            answer.say("scopes", attempt.scopes.iter().map(|scope| &**scope).collect::<Vec<_>>());
            answer.say("state", attempt.state);
        }
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    /// Opens a session for a code. What it takes may stand in the query or in the content, not in both.
    pub(in crate::endpoint) async fn log_in_by_code(
        &self,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before the code is used up
        let given = |member: &str| -> Result<Option<String>, Rejection> {
            match (parameter(request.query.as_deref(), member, call.words)?, content.text(member)?) {
                (Some(_), Some(_)) => {
                    Err(content.invalid(member, "must stand in the query or in the content, not in both"))
                }
                (query, content) => Ok(query.or_else(|| content.map(str::to_owned))),
            }
        };
        let code = given("code")?.ok_or_else(|| content.missing("code"))?;
        let redirect_uri = given("redirect_uri")?.ok_or_else(|| content.missing("redirect_uri"))?;
        let mut login = CodeLogin::new(Secret::from(code), redirect_uri);
        login.state = given("state")?;
        login.issuer = given("iss")?;
        let tokens = self.accounts.log_in_with_code(login, call.client, call.now).await;
        self.given(tokens.map_err(|error| self.refused(error, call.words))?, content, call).await
    }
}

/// Why single sign-on came to nothing, as it is told.
pub(super) fn refused(fault: SsoFault, words: &Words) -> Rejection {
    let wrong = |member, rule| invalid(words, member, Cow::Borrowed(rule));
    match fault {
        SsoFault::RedirectUri => wrong("redirect_uri", "must be one that is registered, and the attempt's"),
        SsoFault::State => wrong("state", "must be that of an attempt that is open"),
        SsoFault::Issuer => wrong("iss", "must be the provider's"),
        SsoFault::IdToken(fault) => Rejection::InvalidCredential(fault),
        SsoFault::Code | SsoFault::Stranger => Rejection::InvalidCredential(CredentialFault::Unknown),
        SsoFault::Userinfo => Rejection::InvalidCredential(CredentialFault::Claims),
        SsoFault::Provider(why) => Rejection::Unavailable(Outage::new(format!("the OpenID provider: {why}"))),
        SsoFault::Store(_) | SsoFault::Random => Rejection::Unavailable(Outage::new("single sign-on")),
    }
}

/// A parameter of the query by the name that the API gives it; nothing where it is empty.
fn parameter(query: Option<&str>, member: &str, words: &Words) -> Result<Option<String>, Rejection> {
    let name = words.name(member);
    let mut found = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(known, _)| known == name);
    let first = found.next().map(|(_, value)| value.into_owned());
    if found.next().is_some() {
        return Err(invalid(words, member, "must be there once"));
    }
    Ok(first.filter(|value| !value.is_empty()))
}
