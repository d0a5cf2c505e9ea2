//! Resetting passwords and verifying addresses.

use crate::endpoint::answer::Answer;
use crate::endpoint::content::Content;
use crate::endpoint::keys::Call;
use crate::issue::AccountError;
use crate::principal::Principal;
use crate::rejection::Rejection;

use super::{AccountEndpoints, weak};

impl AccountEndpoints {
    /// Whether there is such an account is not told: 202 says that it was heard.
    pub(in crate::endpoint) async fn request_password_reset(
        &self,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let name = content.required(self.login_by.member())?;
        let requested = self.accounts.request_password_reset(name, call.client, call.now).await;
        requested.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(202))
    }

    pub(in crate::endpoint) async fn reset_password(
        &self,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let (ticket, new) = (content.secret("ticket")?, content.secret("new_password")?);
        let reset = self.accounts.reset_password_by(&ticket, new, call.client, call.now).await;
        reset.map_err(|error| match error {
            AccountError::Weak(faults) => weak(call.words, "new_password", &faults),
            other => self.refused(other, call.words),
        })?;
        Ok(Answer::nothing(204))
    }

    pub(in crate::endpoint) async fn request_email_verification(
        &self,
        caller: Option<&Principal>,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let requested = if let Some(caller) = caller {
            let account = self.person(caller, call).await?;
            self.accounts.request_email_verification(&account, call.client, call.now).await
        } else {
            let login = self.by_password(None, content, call).await?;
            self.accounts.request_email_verification_by_password(login, call.now).await
        };
        requested.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(202))
    }

    pub(in crate::endpoint) async fn verify_email(
        &self,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let verified = self.accounts.verify_email(&content.secret("ticket")?, call.client, call.now).await;
        verified.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(204))
    }
}
