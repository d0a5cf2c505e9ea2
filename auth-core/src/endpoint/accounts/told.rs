//! What an answer tells of an account.

use std::sync::Arc;

use crate::account::{AccountRecord, LoginName, TenantRecord};
use crate::endpoint::keys::Call;
use crate::endpoint::object::{Named, Object};
use crate::endpoint::words::Words;
use crate::issue::Accounts;
use crate::principal::{Identity, Method, Principal};
use crate::rejection::{Outage, Rejection};

use super::{AccountEndpoints, Usage};

/// The members of a user unless others are configured.
const USER: [&str; 4] = ["id", "email", "name", "tenant"];

/// What is told of a usage unless other members are configured.
const USAGE: [&str; 3] = ["limit", "remaining", "reset_at"];

impl AccountEndpoints {
    pub(super) fn shaped(&self, user: Object, words: &Words) -> Named {
        user.named(self.user.as_deref().unwrap_or(&USER), words)
    }

    pub(super) async fn told(
        &self,
        account: &AccountRecord,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Object, Rejection> {
        let tenant = self.accounts.tenant_of(account).await.map_err(|error| self.refused(error, call.words))?;
        self.user(account, tenant.as_ref(), caller, call).await
    }

    /// Everything that an answer may tell of an account.
    pub(super) async fn user(
        &self,
        account: &AccountRecord,
        tenant: Option<&TenantRecord>,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Object, Rejection> {
        let text = |name: &Option<LoginName>| name.as_ref().map(|name| name.written().to_string());
        let plan = Accounts::plan_of(account, tenant);
        let mut user = Object::default();
        user.say("id", &*account.id);
        user.say("email", text(&account.email));
        user.say("email_verified", account.email_verified.is_some());
        user.say("user_name", text(&account.user_name));
        user.say("name", account.name.as_deref());
        user.say("tenant", account.tenant.as_deref());
        user.say("tenant_name", tenant.map(|tenant| &*tenant.name));
        user.say("plan", plan.as_deref());
        user.say("type", account.kind.as_deref());
        user.say("roles", account.roles.iter().collect::<Vec<_>>());
        user.say("permissions", self.accounts.permissions_of(account).iter().collect::<Vec<_>>());
        user.say("created_at", call.words.time(account.created));
        if let Some(usage) = &self.usage {
            let mut of = Identity::new(Method::Jwt, Arc::clone(self.accounts.issuer()), Arc::clone(&account.id));
            of.tenant = account.tenant.as_ref().map(Into::into);
            of.plan = plan.as_ref().map(Into::into);
            let of = caller.map_or(&of, |caller| &**caller);
            user.nest("usage", usage.told(of, call).await?);
        }
        Ok(user)
    }
}

impl Usage {
    /// What is left of the budget; nothing of it is spent.
    async fn told(&self, of: &Identity, call: &Call<'_>) -> Result<Named, Rejection> {
        let balance = self.gate.remaining(of, &self.limit).resolve().await;
        let balance = balance.map_err(|error| Rejection::Unavailable(Outage::new(format!("budgets: {error}"))))?;
        let mut usage = Object::default();
        if let Some(balance) = balance {
            usage.say("limit", balance.quota().count());
            usage.say("remaining", balance.remaining());
            usage.say("reset_at", call.words.time(balance.resets(call.now.wall)));
        }
        Ok(usage.named(self.members.as_deref().unwrap_or(&USAGE), call.words))
    }
}
