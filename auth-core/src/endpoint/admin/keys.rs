//! API keys, as administrators see them.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::ApiKeyRecord;
use crate::endpoint::answer::Answer;
use crate::endpoint::keys::{Call, LONGEST_OVERLAP, described};
use crate::endpoint::object::Named;
use crate::issue::{MintedKey, NewKey};
use crate::network::NetworkSet;
use crate::rejection::Rejection;
use crate::store::KeyScope;

use super::{Action, Desk, Query};

/// For how long a rotated key works beside its successor unless the request says otherwise.
pub(super) const OVERLAP: Duration = Duration::from_hours(24);

const KEY: [&str; 18] = [
    "id",
    "name",
    "description",
    "key",
    "starts_with",
    "owner",
    "tenant",
    "plan",
    "environment",
    "permissions",
    "roles",
    "networks",
    "status",
    "created_at",
    "expires_at",
    "last_used_at",
    "rotated_from",
    "replaced_by",
];

impl Desk<'_> {
    pub(super) async fn keys(&self, action: Action) -> Result<Answer, Rejection> {
        let (acting, id) = (&self.acting, self.id);
        let changed = match action {
            Action::List => return self.list_keys().await,
            Action::Create => {
                let minted = acting.create_key(self.wanted()?).await.map_err(|error| self.refused(error))?;
                return Ok(self.minted(&minted));
            }
            Action::Rotate => {
                let overlap = self.content.seconds("overlap")?.map_or(OVERLAP, Duration::from_secs);
                if overlap > LONGEST_OVERLAP {
                    return Err(self.content.invalid("overlap", "must be at most 90 days, in seconds"));
                }
                let minted = acting.rotate_key(id, overlap).await.map_err(|error| self.refused(error))?;
                return Ok(self.minted(&minted));
            }
            Action::Show => acting.key(id).await,
            Action::Disable => acting.disable_key(id).await,
            Action::Enable => acting.enable_key(id).await,
            Action::Revoke => acting.revoke_key(id).await,
            Action::SetPlan => acting.set_key_plan(id, self.plan()?).await,
            Action::SetPermissions => acting.set_key_permissions(id, self.permissions()?).await,
            Action::SetNetworks => acting.set_key_networks(id, self.networks()?).await,
            Action::Find
            | Action::ResetPassword
            | Action::EndSessions
            | Action::RemoveSecondFactor
            | Action::SetGrants
            | Action::SetExpiry
            | Action::SetKeys => {
                return Err(Rejection::NotFound);
            }
        };
        let key = changed.map_err(|error| self.refused(error))?;
        Ok(Answer::object(200, &self.key(&key, None)))
    }

    async fn list_keys(&self) -> Result<Answer, Rejection> {
        let Query { limit, after, tenant, owner } = self.query(&["tenant", "owner"])?;
        let scope = match (tenant, owner) {
            (None, None) => KeyScope::All,
            (Some(tenant), None) => KeyScope::Tenant(tenant.into()),
            (None, Some(owner)) => self.acting.keys_owned_by(&owner).map_err(|error| self.refused(error))?,
            (Some(_), Some(_)) => return Err(self.content.invalid("owner", "goes with no tenant: leave one out")),
        };
        let keys = self.acting.keys(&scope, after.as_deref(), limit + 1).await.map_err(|error| self.refused(error))?;
        Ok(self.page("keys", keys, limit, |key| &key.id, |key| self.key(key, None)))
    }

    fn wanted(&self) -> Result<NewKey, Rejection> {
        let content = &self.content;
        let text = |member| self.word(member);
        let mut wanted = NewKey::new(content.required("name")?, content.required("owner")?);
        wanted.description = content.text("description")?.map(Arc::from);
        wanted.tenant = text("tenant")?;
        wanted.plan = text("plan")?;
        wanted.permissions = self.permissions()?;
        wanted.roles = self.names("roles", content.texts("roles")?.unwrap_or_default())?;
        wanted.environment = text("environment")?.or_else(|| self.environment.cloned());
        wanted.networks = self.networks_if_any()?;
        let now = self.request.now.wall;
        let after = content.seconds("expires_in")?.map(|seconds| now.saturating_add(Duration::from_secs(seconds)));
        let at = content.time("expires_at")?;
        if at.is_some() && after.is_some() {
            return Err(content.invalid("expires_in", "says the same as expires_at: leave one out"));
        }
        wanted.expires = at.or(after);
        if wanted.expires.is_some_and(|end| end <= now) {
            return Err(content.invalid("expires_at", "must lie in the future"));
        }
        Ok(wanted)
    }

    fn minted(&self, minted: &MintedKey) -> Answer {
        Answer::object(201, &self.key(&minted.record, minted.key.expose_text()))
    }

    /// Everything about a key; the key itself where it was made just now.
    fn key(&self, record: &ApiKeyRecord, text: Option<&str>) -> Named {
        let call = Call { words: self.words, members: &KEY, client: self.request.client, now: self.request.now };
        let mut told = described(record, &call);
        if let Some(text) = text {
            told.say("key", text);
        }
        told.say("owner", &*record.owner);
        told.say("tenant", record.tenant.as_deref());
        told.say("plan", record.plan.as_deref());
        told.say("roles", record.roles.iter().collect::<Vec<_>>());
        told.named(&KEY, self.words)
    }
}

/// Networks as texts; none where any is good.
pub(super) fn texts(set: Option<&Arc<NetworkSet>>) -> Option<Vec<String>> {
    set.map(|set| set.iter().map(|network| network.to_string()).collect())
}
