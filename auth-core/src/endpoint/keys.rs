//! API keys over HTTP: making, listing, showing, replacing and taking back.
//!
//! Everybody works on keys of their own alone: another's key is not there. Nobody gives a key more than they hold, and a
//! key that is made with a key ends no later than that.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::api_key::{ApiKeyRecord, KeyStatus};
use crate::clock::{Now, Timestamp};
use crate::issue::{ApiKeys, KeyError, MintedKey, NewKey};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::principal::{Method, Principal};
use crate::rejection::{MissingPermissions, Outage, Prohibition, Rejection};
use crate::store::KeyScope;
use crate::usage::UsageCounts;

use super::answer::Answer;
use super::content::{Content, invalid};
use super::object::{Named, Object};
use super::query::{self, Others, Query};
use super::words::Words;

/// API keys as endpoints hand them out.
#[derive(Clone, Debug)]
pub struct KeyEndpoints {
    pub(super) keys: ApiKeys,
    environment: Option<Arc<str>>,
    /// Every permission that a key may be given by name.
    permissions: Vec<Arc<str>>,
    lifetime: Option<Duration>,
    overlap: Duration,
    usage: Option<UsageCounts>,
    /// What a key needs to manage keys.
    keys_need: Option<Arc<str>>,
}

/// For how long a rotated key works beside its successor, unless the request says otherwise: time to bring the new one to
/// every place that uses it.
const OVERLAP: Duration = Duration::from_hours(24);

/// The longest overlap that a request may ask for.
pub(super) const LONGEST_OVERLAP: Duration = Duration::from_hours(24 * 90);

impl KeyEndpoints {
    /// Hands out these keys, with any of these permissions.
    pub fn new(keys: ApiKeys, permissions: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        let permissions = permissions.into_iter().map(Into::into).collect();
        Self { keys, environment: None, permissions, lifetime: None, overlap: OVERLAP, usage: None, keys_need: None }
    }

    /// Makes keys for this environment alone.
    #[must_use]
    pub fn environment(self, environment: Option<impl Into<Arc<str>>>) -> Self {
        Self { environment: environment.map(Into::into), ..self }
    }

    /// Ends keys after that time where the request names no end; without it they have none.
    #[must_use]
    pub fn lifetime(self, lifetime: Option<Duration>) -> Self {
        Self { lifetime, ..self }
    }

    /// Lets a rotated key work for so long beside its successor where the request does not say; 24 hours by default.
    #[must_use]
    pub fn overlap(self, overlap: Duration) -> Self {
        Self { overlap, ..self }
    }

    /// Lets API keys manage keys only where they hold this permission; people who are logged in need nothing more than the
    /// rule says. Without it, whoever steals a key could make another one that outlives the first.
    #[must_use]
    pub fn keys_need(self, permission: Option<impl Into<Arc<str>>>) -> Self {
        Self { keys_need: permission.map(Into::into), ..self }
    }

    /// Tells from these counts how much a key is used.
    #[must_use]
    pub fn usage_from(self, counts: Option<UsageCounts>) -> Self {
        Self { usage: counts, ..self }
    }

    pub(super) fn counts_usage(&self) -> bool {
        self.usage.is_some()
    }

    /// The last 30 days, by hour and status; hours without a request are left out.
    pub(super) async fn usage(&self, caller: &Principal, id: &str, call: &Call<'_>) -> Result<Answer, Rejection> {
        let counts = self.usage.as_ref().ok_or(Rejection::Internal)?;
        let record = self.own(caller, id, call.words).await?;
        let since = call.now.wall.saturating_sub(Duration::from_hours(30 * 24));
        let found = counts.of(id, since).await;
        let found = found.map_err(|error| Rejection::Unavailable(Outage::new(format!("usage: {error}"))))?;
        let mut usage = Object::default();
        usage.say("id", id);
        usage.say("last_used_at", record.last_used.map(|at| call.words.time(at)));
        usage.say("total", found.iter().map(|count| count.requests).sum::<u64>());
        let mut by_status = BTreeMap::<u16, u64>::new();
        let mut by_hour = Vec::new();
        for count in &found {
            *by_status.entry(count.status).or_default() += count.requests;
            let mut hour = Object::default();
            hour.say("hour", call.words.time(count.hour));
            hour.say("status", count.status);
            hour.say("requests", count.requests);
            by_hour.push(hour.named(&["hour", "status", "requests"], call.words));
        }
        let by_status = by_status.into_iter().map(|(status, requests)| {
            let mut one = Object::default();
            one.say("status", status);
            one.say("requests", requests);
            one.named(&["status", "requests"], call.words)
        });
        usage.list("by_status", by_status.collect());
        usage.list("by_hour", by_hour);
        Ok(Answer::object(200, &usage.named(call.members, call.words)))
    }

    pub(super) async fn create(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        self.is_own(caller)?;
        let wanted = self.wanted(caller, content, call.now)?;
        let minted = self.keys.mint(wanted, call.now).await.map_err(|error| refused(&error, call.words))?;
        Ok(Answer::object(201, &fresh(&minted, call)))
    }

    /// One page, and where the next one begins where there is one.
    pub(super) async fn list(
        &self,
        caller: &Principal,
        query: Option<&str>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        self.is_own(caller)?;
        // guides know nothing of pages, so that nobody gets one before there is a great deal to tell
        let Query { limit, after, .. } =
            Query::read(query, &["limit", "after"], Others::PassedOver, query::MOST, call.words)?;
        let scope = KeyScope::Owner { issuer: Arc::clone(&caller.issuer), subject: (&*caller.subject).into() };
        let records = self.keys.page(&scope, after.as_deref(), limit + 1).await;
        let mut records = records.map_err(|error| refused(&error, call.words))?;
        let is_more = records.len() > limit;
        records.truncate(limit);
        let mut answer = Object::default();
        if let Some(last) = records.last().filter(|_| is_more) {
            answer.say("next", &*last.id);
        }
        answer.list(
            "keys",
            records.iter().map(|record| described(record, call).named(call.members, call.words)).collect(),
        );
        Ok(Answer::object(200, &answer.named(&["keys", "next"], call.words)))
    }

    pub(super) async fn show(&self, caller: &Principal, id: &str, call: &Call<'_>) -> Result<Answer, Rejection> {
        let record = self.own(caller, id, call.words).await?;
        Ok(Answer::object(200, &described(&record, call).named(call.members, call.words)))
    }

    pub(super) async fn revoke(&self, caller: &Principal, id: &str, call: &Call<'_>) -> Result<Answer, Rejection> {
        self.own(caller, id, call.words).await?;
        self.keys.revoke(id).await.map_err(|error| refused(&error, call.words))?;
        Ok(Answer::nothing(204))
    }

    pub(super) async fn rotate(
        &self,
        caller: &Principal,
        id: &str,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<(Answer, Duration), Rejection> {
        let overlap = content.seconds("overlap")?.map_or(self.overlap, Duration::from_secs);
        if overlap > LONGEST_OVERLAP {
            return Err(content.invalid("overlap", "must be at most 90 days, in seconds"));
        }
        let record = self.own(caller, id, call.words).await?;
        // whoever holds a lesser key of the same owner must not get at a greater one
        holds_all(caller, &record.permissions)?;
        if !is_within(caller, &record) {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        let minted = self.keys.rotate(id, overlap, call.now).await.map_err(|error| refused(&error, call.words))?;
        Ok((Answer::object(201, &fresh(&minted, call)), overlap))
    }

    /// Keys belong to subjects of our own. One that another issuer vouches for may have the name of one of ours.
    fn is_own(&self, caller: &Principal) -> Result<(), Rejection> {
        if caller.issuer != *self.keys.issuer() {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        match &self.keys_need {
            Some(needed) if caller.method != Method::Jwt && !caller.has_permission(needed) => {
                Err(Rejection::InsufficientPermissions(MissingPermissions { needed: needed.to_string().into() }))
            }
            _ => Ok(()),
        }
    }

    /// The key, if it is the caller's: that of somebody else is not there.
    async fn own(&self, caller: &Principal, id: &str, words: &Words) -> Result<ApiKeyRecord, Rejection> {
        self.is_own(caller)?;
        let record = self.keys.find(id).await.map_err(|error| refused(&error, words))?;
        let is_own = record.issuer == caller.issuer && *record.owner == *caller.subject;
        is_own.then_some(record).ok_or(Rejection::NotFound)
    }

    fn wanted(&self, caller: &Principal, content: &Content<'_>, now: Now) -> Result<NewKey, Rejection> {
        let mut wanted = NewKey::new(content.required("name")?, &*caller.subject);
        wanted.description = content.text("description")?.map(Arc::from);
        wanted.tenant = caller.tenant.as_deref().map(Arc::from);
        wanted.plan = caller.plan.as_deref().map(Arc::from);
        wanted.permissions = self.permissions(content)?;
        holds_all(caller, &wanted.permissions)?;
        wanted.environment = self.chosen_environment(content)?;
        wanted.networks = networks(caller, content)?;
        wanted.expires = self.end(caller, content, now)?;
        Ok(wanted)
    }

    fn permissions(&self, content: &Content<'_>) -> Result<Names, Rejection> {
        let names = content.texts("permissions")?.ok_or_else(|| content.missing("permissions"))?;
        if let Some(unknown) = names.iter().find(|name| !self.permissions.iter().any(|known| &**known == **name)) {
            let known = self.permissions.join(", ");
            let shown: String = unknown.chars().filter(|char| !char.is_control()).take(64).collect();
            return Err(content.invalid("permissions", format!("names {shown}, which is none of {known}")));
        }
        Ok(names.into_iter().collect())
    }

    fn chosen_environment(&self, content: &Content<'_>) -> Result<Option<Arc<str>>, Rejection> {
        match (content.text("environment")?, &self.environment) {
            (None, own) => Ok(own.clone()),
            (Some(asked), Some(own)) if *asked == **own => Ok(Some(Arc::clone(own))),
            (Some(_), Some(own)) => Err(content.invalid("environment", format!("must be {own} here"))),
            (Some(_), None) => Err(content.invalid("environment", "must be left out: keys have no environments here")),
        }
    }

    fn end(&self, caller: &Principal, content: &Content<'_>, now: Now) -> Result<Option<Timestamp>, Rejection> {
        let at = content.time("expires_at")?;
        let after = content.seconds("expires_in")?.map(|seconds| now.wall.saturating_add(Duration::from_secs(seconds)));
        if at.is_some() && after.is_some() {
            return Err(content.invalid("expires_in", "says the same as expires_at: leave one out"));
        }
        let asked = at.or(after);
        if asked.is_some_and(|end| end <= now.wall) {
            let member = if at.is_some() { "expires_at" } else { "expires_in" };
            return Err(content.invalid(member, "must lie in the future"));
        }
        let usual = self.lifetime.map(|lifetime| now.wall.saturating_add(lifetime));
        match (asked, latest_end(caller)) {
            (Some(asked), Some(latest)) if asked > latest => {
                Err(content.invalid("expires_at", "must not be later than the end of the key that asks"))
            }
            (Some(asked), _) => Ok(Some(asked)),
            (None, Some(latest)) => Ok(Some(usual.map_or(latest, |usual| usual.min(latest)))),
            (None, None) => Ok(usual),
        }
    }
}

/// Nobody gives what they do not hold.
fn holds_all(caller: &Principal, permissions: &Names) -> Result<(), Rejection> {
    if permissions.iter().all(|name| caller.has_permission(name)) {
        return Ok(());
    }
    let needed = permissions.iter().collect::<Vec<_>>().join(" ").into();
    Err(Rejection::InsufficientPermissions(MissingPermissions { needed }))
}

/// Whether a key is no more than its caller may make: neither its roles nor its networks nor its end.
fn is_within(caller: &Principal, key: &ApiKeyRecord) -> bool {
    let networks = |own: &Arc<NetworkSet>| key.allowed_networks().is_some_and(|set| own.covers(&set));
    let end = |latest: Timestamp| key.end().is_some_and(|end| end <= latest);
    key.roles.iter().all(|role| caller.has_role(role))
        && caller.networks.as_ref().is_none_or(networks)
        && latest_end(caller).is_none_or(end)
}

/// When the keys end at the latest that a caller makes. People who are logged in come back, and so may make keys that
/// outlive their token; a key that is to live on would make its maker's end mean nothing.
fn latest_end(caller: &Principal) -> Option<Timestamp> {
    caller.expires.filter(|_| caller.method != Method::Jwt)
}

/// The networks of a new key: those that are asked for, or those of the key that asks. Those of a person hold for all their
/// keys anyway.
fn networks(caller: &Principal, content: &Content<'_>) -> Result<Option<Arc<NetworkSet>>, Rejection> {
    let Some(set) = allow_list(content)? else {
        return Ok(caller.networks.clone().filter(|_| caller.method != Method::Jwt));
    };
    if caller.networks.as_ref().is_some_and(|own| !own.covers(&set)) {
        return Err(content.invalid("networks", "must lie within the networks of the credential that asks"));
    }
    Ok(Some(Arc::new(set)))
}

/// The allow-list that a request names, if any.
pub(super) fn allow_list(content: &Content<'_>) -> Result<Option<NetworkSet>, Rejection> {
    let Some(asked) = content.texts("networks")? else { return Ok(None) };
    let set = NetworkSet::parse(asked).map_err(|_| {
        content.invalid("networks", "must be addresses or networks such as 192.0.2.0/24 or 2001:db8::/32")
    })?;
    if set.is_too_long() {
        return Err(content.invalid("networks", "must be at most 32 addresses or networks"));
    }
    Ok(Some(set))
}

/// What every operation needs to know of the request and of the configured answer.
pub(super) struct Call<'c> {
    pub(super) words: &'c Words,
    pub(super) members: &'c [&'static str],
    pub(super) client: Option<IpAddr>,
    pub(super) now: Now,
}

/// Everything about a key that is no secret.
pub(super) fn described(record: &ApiKeyRecord, call: &Call<'_>) -> Object {
    let words = call.words;
    let time = |at: Option<Timestamp>| at.map(|at| words.time(at));
    let mut key = Object::default();
    key.say("id", &*record.id);
    key.say("name", &*record.name);
    key.say("description", record.description.as_deref());
    key.say("starts_with", &*record.shown);
    key.say("environment", record.environment.as_deref());
    key.say("permissions", record.permissions.iter().collect::<Vec<_>>());
    key.say("networks", record.networks.as_ref().map(|set| set.iter().map(|net| net.to_string()).collect::<Vec<_>>()));
    key.say("status", status(record, call.now));
    key.say("created_at", words.time(record.created));
    key.say("expires_at", time(record.end()));
    key.say("last_used_at", time(record.last_used));
    key.say("rotated_from", record.rotated_from.as_deref());
    key.say("replaced_by", record.succession.as_ref().map(|succession| &*succession.successor));
    key
}

fn status(record: &ApiKeyRecord, now: Now) -> &'static str {
    match record.status {
        KeyStatus::Revoked => "revoked",
        KeyStatus::Disabled => "disabled",
        KeyStatus::Suspended => "suspended",
        KeyStatus::Active if record.check(now.wall).is_err() => "expired",
        KeyStatus::Active if record.succession.is_some() => "rotated",
        KeyStatus::Active => "active",
    }
}

/// A key that was just made, with the key itself: the only time that it is told.
fn fresh(minted: &MintedKey, call: &Call<'_>) -> Named {
    let mut key = described(&minted.record, call);
    key.say("key", minted.key.expose_text());
    key.named(call.members, call.words)
}

pub(super) fn refused(error: &KeyError, words: &Words) -> Rejection {
    match error {
        KeyError::Missing => Rejection::NotFound,
        KeyError::Ended => Rejection::Conflict("this key has a successor or an end already"),
        KeyError::Environment(_) => invalid(words, "environment", "is not one that keys have"),
        KeyError::Invalid(rule) => invalid(words, "name", format!("cannot be taken: {rule}")),
        KeyError::OwnerOff => Rejection::Conflict("the owner or the tenant is switched off"),
        KeyError::TooMany(_) => Rejection::Conflict("there are as many keys as may be: revoke one first"),
        KeyError::Random | KeyError::Store(_) => Rejection::Unavailable(Outage::new(format!("API keys: {error}"))),
    }
}
