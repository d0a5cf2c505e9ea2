//! One-time codes and recovery codes.

use std::sync::Arc;

use crate::Secret;
use crate::account::AccountRecord;
use crate::endpoint::answer::Answer;
use crate::endpoint::content::Content;
use crate::endpoint::keys::Call;
use crate::endpoint::object::Object;
use crate::issue::SecondFactorProof;
use crate::principal::{Method, Principal};
use crate::rejection::{Outage, Prohibition, Rejection};
use crate::store::SessionKey;

use super::AccountEndpoints;

impl AccountEndpoints {
    pub(in crate::endpoint) async fn enrol(&self, caller: &Principal, call: &Call<'_>) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let begun = self.accounts.enrol_second_factor(&account.id, call.now).await;
        let begun = begun.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("secret", begun.secret.expose_text());
        answer.say("otpauth_uri", begun.uri.expose_text());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    pub(in crate::endpoint) async fn confirm(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let codes = self.accounts.confirm_second_factor(&account.id, &content.secret("code")?, call.now).await;
        let codes = codes.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("recovery_codes", codes.iter().map(Secret::expose_text).collect::<Vec<_>>());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
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
        disabled.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(204))
    }

    /// The account of a caller who is logged in. Whoever has a key alone must not change what its owner logs in with: a
    /// second factor that a thief confirms locks the owner out.
    async fn person(&self, caller: &Principal, call: &Call<'_>) -> Result<Arc<AccountRecord>, Rejection> {
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
