//! OAuth clients, as administrators see them.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{ClientRecord, ClientStatus, Grant, Grants};
use crate::clock::Timestamp;
use crate::endpoint::answer::Answer;
use crate::endpoint::object::{Named, Object};
use crate::issue::{FreshClient, NewClient};
use crate::rejection::Rejection;

use super::Query;
use super::keys::{OVERLAP, texts};
use super::{Action, Desk};

const CLIENT: [&str; 14] = [
    "client_id",
    "client_secret",
    "name",
    "tenant",
    "plan",
    "environment",
    "permissions",
    "networks",
    "grants",
    "status",
    "created_at",
    "expires_at",
    "last_used_at",
    "secrets",
];

impl Desk<'_> {
    pub(super) async fn clients(&self, action: Action) -> Result<Answer, Rejection> {
        let (acting, id) = (&self.acting, self.id);
        let changed = match action {
            Action::List => return self.list_clients().await,
            Action::Create => {
                let fresh = acting.create_client(self.wanted_client()?).await;
                return Ok(self.fresh_client(&fresh.map_err(|error| self.refused(error))?));
            }
            Action::Rotate => {
                let overlap = self.content.seconds("overlap")?.map_or(OVERLAP, Duration::from_secs);
                let fresh = acting.rotate_client(id, overlap).await;
                return Ok(self.fresh_client(&fresh.map_err(|error| self.refused(error))?));
            }
            Action::Revoke => {
                acting.delete_client(id).await.map_err(|error| self.refused(error))?;
                return Ok(Answer::nothing(204));
            }
            Action::Show => acting.client(id).await.map(|client| ClientRecord::clone(&client)),
            Action::Disable => acting.disable_client(id).await,
            Action::Enable => acting.enable_client(id).await,
            Action::SetPlan => acting.set_client_plan(id, self.plan()?).await,
            Action::SetPermissions => acting.set_client_permissions(id, self.permissions()?).await,
            Action::SetNetworks => acting.set_client_networks(id, self.networks()?).await,
            Action::SetGrants => {
                let grants = self.grants()?.ok_or_else(|| self.content.missing("grants"))?;
                acting.set_client_grants(id, grants).await
            }
            Action::SetKeys => {
                self.said("jwks")?;
                acting.set_client_keys(id, self.content.object("jwks")?.map(Arc::from)).await
            }
            Action::SetExpiry => {
                self.said("expires_at")?;
                acting.set_client_expiry(id, self.content.time("expires_at")?).await
            }
            Action::Find | Action::ResetPassword | Action::EndSessions | Action::RemoveSecondFactor => {
                return Err(Rejection::NotFound);
            }
        };
        let client = changed.map_err(|error| self.refused(error))?;
        Ok(Answer::object(200, &self.described_client(&client, None)))
    }

    async fn list_clients(&self) -> Result<Answer, Rejection> {
        let Query { limit, after, tenant, .. } = self.query(&["tenant"])?;
        let clients = self.acting.clients(tenant.as_deref(), after.as_deref(), limit + 1).await;
        let clients = clients.map_err(|error| self.refused(error))?;
        Ok(self.page("clients", clients, limit, |one| &one.id, |one| self.described_client(one, None)))
    }

    fn wanted_client(&self) -> Result<NewClient, Rejection> {
        let content = &self.content;
        let text = |member| Ok::<_, Rejection>(content.text(member)?.map(Arc::<str>::from));
        let mut wanted = NewClient::new(content.required("name")?);
        wanted.id = text("client_id")?;
        wanted.tenant = text("tenant")?;
        wanted.plan = text("plan")?;
        wanted.environment = text("environment")?;
        wanted.permissions = self.permissions()?;
        wanted.networks = self.networks_if_any()?;
        if let Some(grants) = self.grants()? {
            wanted.grants = grants;
        }
        let now = self.request.now.wall;
        let after = content.seconds("expires_in")?.map(|seconds| now.saturating_add(Duration::from_secs(seconds)));
        wanted.expires = content.time("expires_at")?.or(after);
        Ok(wanted)
    }

    fn grants(&self) -> Result<Option<Grants>, Rejection> {
        let Some(names) = self.content.texts("grants")? else { return Ok(None) };
        let grants: Option<Grants> = names.into_iter().map(Grant::from_name).collect();
        let rule = || {
            let known = Grant::ALL.map(Grant::as_str).join(", ");
            self.content.invalid("grants", format!("must be some of {known}"))
        };
        grants.map(Some).ok_or_else(rule)
    }

    fn fresh_client(&self, fresh: &FreshClient) -> Answer {
        Answer::object(201, &self.described_client(&fresh.record, fresh.secret.expose_text()))
    }

    /// Everything about a client; its secret where it was made just now.
    fn described_client(&self, record: &ClientRecord, secret: Option<&str>) -> Named {
        let (words, now) = (self.words, self.request.now.wall);
        let time = |at: Option<Timestamp>| at.map(|at| words.time(at));
        let mut client = Object::default();
        client.say("client_id", &*record.id);
        if let Some(secret) = secret {
            client.say("client_secret", secret);
        }
        client.say("name", &*record.name);
        client.say("tenant", record.tenant.as_deref());
        client.say("plan", record.plan.as_deref());
        client.say("environment", record.environment.as_deref());
        client.say("permissions", record.permissions.iter().collect::<Vec<_>>());
        client.say("networks", texts(record.networks.as_ref()));
        client.say("grants", record.grants.iter().map(Grant::as_str).collect::<Vec<_>>());
        client.say(
            "status",
            match record.status {
                ClientStatus::Disabled => "disabled",
                ClientStatus::Active if !record.is_usable(now) => "expired",
                ClientStatus::Active => "active",
            },
        );
        client.say("created_at", words.time(record.created));
        client.say("expires_at", time(record.expires));
        client.say("last_used_at", time(record.last_used));
        let secrets = record.secrets.iter().filter(|secret| secret.is_in_force(now)).map(|secret| {
            let mut one = Object::default();
            one.say("created_at", words.time(secret.created));
            one.say("expires_at", time(secret.ends));
            one.named(&["created_at", "expires_at"], words)
        });
        client.list("secrets", secrets.collect());
        client.named(&CLIENT, words)
    }
}
