//! One-time codes and recovery codes.

use std::sync::Arc;

use crate::Secret;
use crate::account::AccountRecord;
use crate::endpoint::answer::Answer;
use crate::endpoint::content::Content;
use crate::endpoint::keys::Call;
use crate::endpoint::object::Object;
use crate::issue::journal::Event;
use crate::issue::{AccountError, Login, SecondFactorProof};
use crate::principal::{Method, Principal};
use crate::rejection::{Outage, Prohibition, Rejection};
use crate::store::SessionKey;

use super::AccountEndpoints;

impl AccountEndpoints {
    pub(in crate::endpoint) async fn enrol(
        &self,
        caller: Option<&Principal>,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.enrolling(caller, content, call).await?;
        let begun = self.accounts.enrol_second_factor(&account.id, call.now).await;
        let begun = begun.map_err(|error| self.refused(error, call.words))?;
        Event::of("second_factor_enrol").account(&account.id).client(call.client).tell();
        let mut answer = Object::default();
        answer.say("secret", begun.secret.expose_text());
        answer.say("otpauth_uri", begun.uri.expose_text());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    pub(in crate::endpoint) async fn confirm(
        &self,
        caller: Option<&Principal>,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        self.knock(caller, content)?;
        let code = content.secret("code")?; // what is wrong is told before a password is hashed
        let account = self.enrolling(caller, content, call).await?;
        let codes = self.accounts.confirm_second_factor(&account.id, &code, call.now).await;
        tell(&account, "second_factor_confirm", "second_factor_confirm_failed", &codes, call);
        let codes = codes.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("recovery_codes", codes.iter().map(Secret::expose_text).collect::<Vec<_>>());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    /// Whose second factor begins: whoever knows the password, be they logged in or not. A stolen token must not be able to
    /// lock the owner out, and who has to have a second factor has no token yet.
    async fn enrolling(
        &self,
        caller: Option<&Principal>,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Arc<AccountRecord>, Rejection> {
        let login = self.by_password(caller, content, call).await?;
        self.accounts.check_enrolling(login, call.now).await.map_err(|error| self.refused(error, call.words))
    }

    pub(in crate::endpoint) async fn disable(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let proof = second_factor(content)?;
        let disabled = self.accounts.disable_second_factor(&account.id, proof, call.now).await;
        tell(&account, "second_factor_disable", "second_factor_disable_failed", &disabled, call);
        disabled.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(204))
    }

    /// Who shows a password: the account of the caller, or of the name beside the password.
    pub(super) async fn by_password(
        &self,
        caller: Option<&Principal>,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Login, Rejection> {
        self.knock(caller, content)?;
        let name = match caller {
            Some(caller) => {
                let account = self.person(caller, call).await?;
                account.login_names().next().map(|name| name.written().to_string()).unwrap_or_default()
            }
            None => content.required(self.login_by.member())?.to_owned(),
        };
        let mut login = Login::new(name, content.secret("password")?);
        login.source = call.client;
        Ok(login)
    }

    /// Whoever neither has a credential nor says who they are is told that they need one.
    fn knock(&self, caller: Option<&Principal>, content: &Content<'_>) -> Result<(), Rejection> {
        let is_known = caller.is_some() || content.has(self.login_by.member());
        if is_known { Ok(()) } else { Err(Rejection::MissingCredential) }
    }

    /// The account of a caller who is logged in. Whoever has a key alone must not change what its owner logs in with: a
    /// second factor that a thief confirms locks the owner out.
    pub(super) async fn person(&self, caller: &Principal, call: &Call<'_>) -> Result<Arc<AccountRecord>, Rejection> {
        if caller.method != Method::Jwt || self.key_of_session(caller).await?.is_some() {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        self.own(caller, call).await
    }

    /// The key that the caller's session was opened with; `None` for people, and for callers without a session here.
    pub(in crate::endpoint) async fn key_of_session(&self, caller: &Principal) -> Result<Option<Arc<str>>, Rejection> {
        let session = caller.session.as_deref().filter(|_| self.is_own(caller) && caller.method == Method::Jwt);
        let Some(session) = session else { return Ok(None) };
        let found = self.accounts.store().session(&SessionKey::Id(session.into())).resolve().await;
        let found = found.map_err(|error| Rejection::Unavailable(Outage::new(format!("accounts: {error}"))))?;
        Ok(found.and_then(|session| session.key))
    }
}

/// Tells what came of something that is done to a second factor.
fn tell<T>(
    account: &AccountRecord,
    done: &'static str,
    failed: &'static str,
    outcome: &Result<T, AccountError>,
    call: &Call<'_>,
) {
    let event = match outcome {
        Ok(_) => Event::of(done),
        Err(error) => Event::of(failed).cause(error.cause()),
    };
    event.account(&account.id).client(call.client).tell();
}

/// What is shown besides a password.
pub(super) fn second_factor(content: &Content<'_>) -> Result<Option<SecondFactorProof>, Rejection> {
    if content.has("code") {
        return Ok(Some(SecondFactorProof::Code(content.secret("code")?)));
    }
    if content.has("recovery_code") {
        return Ok(Some(SecondFactorProof::RecoveryCode(content.secret("recovery_code")?)));
    }
    Ok(None)
}
