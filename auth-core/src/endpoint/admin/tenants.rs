//! Tenants, as administrators see them.

use crate::account::{TenantRecord, TenantStatus};
use crate::endpoint::answer::Answer;
use crate::endpoint::object::{Named, Object};
use crate::rejection::Rejection;

use super::{Action, Desk, Query};

impl Desk<'_> {
    pub(super) async fn tenants(&self, action: Action) -> Result<Answer, Rejection> {
        let (acting, id) = (&self.acting, self.id);
        let mut status = 200;
        let changed = match action {
            Action::List => {
                let Query { limit, after, .. } = self.query(&[])?;
                let tenants = acting.tenants(after.as_deref(), limit + 1).await.map_err(|error| self.refused(error))?;
                return Ok(self.page("tenants", tenants, limit, |tenant| &tenant.id, |tenant| self.tenant(tenant)));
            }
            Action::Create => {
                status = 201;
                let plan = self.word("plan")?;
                let (id, name) = (self.content.required("id")?, self.content.text("name")?);
                acting.create_tenant(id, name, plan, self.networks_if_any()?).await
            }
            Action::Show => acting.tenant(id).await,
            Action::Disable => acting.disable_tenant(id).await,
            Action::Enable => acting.enable_tenant(id).await,
            Action::SetPlan => acting.set_tenant_plan(id, self.plan()?).await,
            Action::SetNetworks => acting.set_tenant_networks(id, self.networks()?).await,
            _ => return Err(Rejection::NotFound),
        };
        let tenant = changed.map_err(|error| self.refused(error))?;
        Ok(Answer::object(status, &self.tenant(&tenant)))
    }

    fn tenant(&self, tenant: &TenantRecord) -> Named {
        let mut told = Object::default();
        told.say("id", &*tenant.id);
        told.say("name", &*tenant.name);
        told.say("plan", tenant.plan.as_deref());
        told.say("networks", super::keys::texts(tenant.networks.as_ref()));
        told.say("status", if tenant.status == TenantStatus::Active { "active" } else { "disabled" });
        told.say("created_at", self.words.time(tenant.created));
        told.named(&["id", "name", "plan", "networks", "status", "created_at"], self.words)
    }
}
