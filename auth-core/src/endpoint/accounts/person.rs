//! Registering, the account itself, and its password.

use std::sync::Arc;

use crate::account::AccountChange;
use crate::endpoint::EndpointRequest;
use crate::endpoint::answer::Answer;
use crate::endpoint::content::Content;
use crate::endpoint::keys::Call;
use crate::issue::journal::Event;
use crate::issue::{AccountError, Login, NewAccount};
use crate::principal::Principal;
use crate::rejection::Rejection;

use super::second_factor::second_factor;
use super::{AccountEndpoints, LoginBy, Registration, weak};

/// What a new account is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoint) enum Welcome {
    /// A ticket that verifies its address, where messages are delivered.
    WithTicket,
    /// Nothing.
    Silent,
}

impl AccountEndpoints {
    pub(in crate::endpoint) async fn register(
        &self,
        content: &Content<'_>,
        welcome: Welcome,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let mut wanted = NewAccount::new();
        let name = content.required(self.login_by.member())?.to_owned();
        match self.login_by {
            LoginBy::Email if !is_address(&name) => {
                return Err(content.invalid("email", "must be an address such as ada@example.com"));
            }
            LoginBy::Email => wanted.email = Some(name),
            LoginBy::UserName => {
                wanted.user_name = Some(name);
                wanted.email = content.text("email")?.map(str::to_owned);
                if wanted.email.as_deref().is_some_and(|email| !is_address(email)) {
                    return Err(content.invalid("email", "must be an address such as ada@example.com"));
                }
            }
        }
        wanted.password = Some(content.secret("password")?);
        wanted.name = called(content)?;
        let Registration { tenant, plan, kind, roles, permissions } = self.registration.clone();
        wanted.tenant = tenant;
        wanted.plan = plan;
        wanted.kind = kind;
        wanted.roles = roles;
        wanted.permissions = permissions;
        let account = self.accounts.create(wanted, call.now).await.map_err(|error| self.refused(error, call.words))?;
        Event::of("register").account(&account.id).client(call.client).tell();
        if welcome == Welcome::WithTicket {
            self.accounts.welcome(&account, call.client, call.now).await;
        }
        let user = self.told(&account, None, call).await?;
        Ok(Answer::object(201, &user.named(call.members, call.words)))
    }

    pub(in crate::endpoint) async fn change_password(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let name = account.login_names().next().map(|name| name.written().to_string()).unwrap_or_default();
        self.change_password_of(name, content, request, call).await
    }

    pub(in crate::endpoint) async fn change_password_by_name(
        &self,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let name = content.required(self.login_by.member())?.to_owned();
        self.change_password_of(name, content, request, call).await
    }

    async fn change_password_of(
        &self,
        name: String,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let mut login = Login::new(name, content.secret("old_password")?);
        login.second_factor = second_factor(content)?;
        login.source = request.client;
        let new = content.secret("new_password")?;
        let changed = self.accounts.change_password(login, new, call.now).await;
        changed.map_err(|error| match error {
            AccountError::Weak(faults) => weak(call.words, "new_password", &faults),
            other => self.refused(other, call.words),
        })?;
        Ok(Answer::nothing(204))
    }

    pub(in crate::endpoint) async fn show(&self, caller: &Principal, call: &Call<'_>) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let user = self.told(&account, Some(caller), call).await?;
        Ok(Answer::object(200, &user.named(call.members, call.words)))
    }

    pub(in crate::endpoint) async fn change(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let refused = |error| self.refused(error, call.words);
        let name = called(content)?;
        // whoever has a key or a stolen token must not be able to take the account over; sending back what was shown is fine
        if let Some(email) = content.text("email")?
            && account.email.as_ref().map(|own| &**own.written()) != Some(email)
        {
            return Err(content.invalid("email", "cannot be changed here"));
        }
        let mut changed = account;
        if let Some(name) = name {
            let change = AccountChange::Name(Some(name));
            changed = Arc::new(self.accounts.change(&changed.id, change, call.now).await.map_err(refused)?);
        }
        let user = self.told(&changed, Some(caller), call).await?;
        Ok(Answer::object(200, &user.named(call.members, call.words)))
    }
}

/// What a person wants to be called.
fn called(content: &Content<'_>) -> Result<Option<Arc<str>>, Rejection> {
    let name = content.text("name")?;
    if name.is_some_and(|name| name.chars().count() > 200 || name.chars().any(char::is_control)) {
        return Err(content.invalid("name", "must have at most 200 characters, none of them control characters"));
    }
    Ok(name.map(Arc::from))
}

/// Whether a text can be an e-mail address; whether there is such a mailbox only a mail can tell.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.trim().rsplit_once('@') else { return false };
    let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    is_word(local) && is_word(domain) && !domain.contains('@') && !domain.starts_with('.') && !domain.ends_with('.')
}
