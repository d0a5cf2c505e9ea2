//! Users, as administrators see them.

use crate::Secret;
use crate::account::{AccountRecord, AccountStatus, LoginName, SecondFactor};
use crate::endpoint::answer::Answer;
use crate::endpoint::object::{Named, Object};
use crate::issue::{Administration, NewAccount, TenantFor};
use crate::rejection::{Outage, Rejection};

use super::{Action, Desk, Query};

const USER: [&str; 16] = [
    "id",
    "email",
    "user_name",
    "name",
    "tenant",
    "plan",
    "type",
    "roles",
    "permissions",
    "networks",
    "status",
    "email_verified",
    "second_factor",
    "created_at",
    "last_login_at",
    "password",
];

impl Desk<'_> {
    pub(super) async fn users(&self, action: Action) -> Result<Answer, Rejection> {
        let (acting, id) = (&self.acting, self.id);
        let changed = match action {
            Action::List => {
                let Query { limit, after, tenant, .. } = self.query(&["tenant"])?;
                let users = acting.users(tenant.as_deref(), after.as_deref(), limit + 1).await;
                let users = users.map_err(|error| self.refused(error))?;
                return Ok(self.page("users", users, limit, |user| &user.id, |user| self.user(user, None)));
            }
            Action::Create => return self.create_user().await,
            Action::ResetPassword => return self.reset_password().await,
            Action::Find => return self.found_user().await,
            Action::Disable => acting.disable_user(id).await,
            Action::Enable => acting.enable_user(id).await,
            Action::EndSessions => acting.end_sessions(id).await,
            Action::RemoveSecondFactor => acting.remove_second_factor(id).await,
            Action::SetPlan => acting.set_user_plan(id, self.plan()?).await,
            Action::SetPermissions => acting.set_user_permissions(id, self.permissions()?).await,
            Action::SetNetworks => acting.set_user_networks(id, self.networks()?).await,
            Action::Show => acting.user(id).await.map(|user| (*user).clone()),
            Action::Revoke | Action::Rotate | Action::SetGrants | Action::SetExpiry | Action::SetKeys => {
                return Err(Rejection::NotFound);
            }
        };
        let user = changed.map_err(|error| self.refused(error))?;
        Ok(Answer::object(200, &self.user(&user, None)))
    }

    async fn create_user(&self) -> Result<Answer, Rejection> {
        let content = &self.content;
        let text = |member| self.word(member);
        let names = |member| self.names(member, content.texts(member)?.unwrap_or_default());
        let (password, made_up) = if content.flag("no_password")? { (None, None) } else { self.password()? };
        let mut wanted = NewAccount::new();
        wanted.email = content.text("email")?.map(str::to_owned);
        wanted.user_name = content.text("user_name")?.map(str::to_owned);
        wanted.password = password;
        wanted.name = text("name")?;
        wanted.tenant = text("tenant")?.map_or(TenantFor::Nobody, TenantFor::Existing);
        wanted.plan = text("plan")?;
        wanted.kind = text("type")?;
        wanted.roles = names("roles")?;
        wanted.permissions = names("permissions")?;
        wanted.networks = self.networks_if_any()?;
        let user = self.acting.create_user(wanted).await.map_err(|error| self.refused(error))?;
        Ok(Answer::object(201, &self.user(&user, made_up.as_ref())))
    }

    async fn reset_password(&self) -> Result<Answer, Rejection> {
        let (password, made_up) = self.password()?;
        let password = password.ok_or(Rejection::Internal)?;
        let user = self.acting.reset_password(self.id, password).await.map_err(|error| self.refused(error))?;
        Ok(Answer::object(200, &self.user(&user, made_up.as_ref())))
    }

    /// By content and not by query: names do not belong into logs of addresses.
    async fn found_user(&self) -> Result<Answer, Rejection> {
        let member = if self.content.has("user_name") { "user_name" } else { "email" };
        let user = self.acting.user_by_login(self.content.required(member)?).await;
        let user = user.map_err(|error| self.refused(error))?;
        Ok(Answer::object(200, &self.user(&user, None)))
    }

    /// The password that is asked for, or one that is made up and has to be told.
    fn password(&self) -> Result<(Option<Secret>, Option<Secret>), Rejection> {
        if self.content.has("password") {
            return Ok((Some(self.content.secret("password")?), None));
        }
        let made_up = Administration::fresh_password();
        let made_up = made_up.map_err(|error| Rejection::Unavailable(Outage::new(error.to_string())))?;
        Ok((Some(made_up.clone()), Some(made_up)))
    }

    /// Everything about a user; a password where it was made up just now.
    fn user(&self, user: &AccountRecord, password: Option<&Secret>) -> Named {
        let words = self.words;
        let text = |name: &Option<LoginName>| name.as_ref().map(|name| name.written().to_string());
        let mut told = Object::default();
        told.say("id", &*user.id);
        told.say("email", text(&user.email));
        told.say("user_name", text(&user.user_name));
        told.say("name", user.name.as_deref());
        told.say("tenant", user.tenant.as_deref());
        told.say("plan", user.plan.as_deref());
        told.say("type", user.kind.as_deref());
        told.say("roles", user.roles.iter().collect::<Vec<_>>());
        told.say("permissions", user.permissions.iter().collect::<Vec<_>>());
        told.say("networks", super::keys::texts(user.networks.as_ref()));
        told.say("status", if user.status == AccountStatus::Active { "active" } else { "disabled" });
        told.say("email_verified", user.email_verified.map(|at| words.time(at)));
        told.say(
            "second_factor",
            match user.second_factor {
                SecondFactor::None => "none",
                SecondFactor::Enrolling { .. } => "enrolling",
                SecondFactor::Confirmed { .. } => "confirmed",
            },
        );
        told.say("created_at", words.time(user.created));
        told.say("last_login_at", user.last_login.map(|at| words.time(at)));
        if let Some(password) = password {
            told.say("password", password.expose_text());
        }
        told.named(&USER, words)
    }
}
