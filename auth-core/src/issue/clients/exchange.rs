//! Tokens for tokens (RFC 8693): rights only shrink.
//!
//! Whoever shows somebody's token gets one that says the same of whom it is about, and of itself as who acts. Each right is
//! the smaller one: permissions that both have, the tenant that the token had, its end if that comes first, and no roles,
//! which no client has. So no chain of exchanges gains anything, whoever takes part in it.
//!
//! It ends with everything that it came of: the token that was shown, that of the actor, the clients that asked, and what those
//! came of. All of them are written into it, each with the time of its issue, so that the gate asks about them as it asks about
//! the token itself, and nobody has to keep account of what became of what.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::account::TenantStatus;
use crate::client::{ClientRecord, Grant};
use crate::clock::{Now, Timestamp};
use crate::issue::journal::Event;
use crate::issue::{MintedAccessToken, NewAccessToken};
use crate::network::NetworkSet;
use crate::origin::Origin;
use crate::principal::Identity;

use super::origins::origins;
use super::subject::Subject;
use super::token::may;
use super::{ClientError, Clients};

/// How many may act behind each other: more is a circle, or somebody who wants long tokens.
const MOST_ACTORS: usize = 8;

/// What a client wants to be exchanged. The tokens were verified, and nobody took them back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// Whom the new token is about: of this service, or of an issuer of which this client may exchange tokens. Whoever
    /// comes from another issuer is called `external:`, the issuer, `#` and its own subject, so that it is nobody of this
    /// service.
    pub subject: Arc<Identity>,
    /// Who acts, by a token of this service; `None` for the client itself.
    pub actor: Option<Arc<Identity>>,
    /// What is wanted of what is possible; `None` for all of it.
    pub scope: Option<Arc<str>>,
    /// Which service the token is for; `None` for this one.
    pub audience: Option<Arc<str>>,
}

impl Exchange {
    /// Of everything that is possible; set the fields for less.
    pub fn new(subject: Arc<Identity>) -> Self {
        Self { subject, actor: None, scope: None, audience: None }
    }
}

impl Clients {
    /// A token with which a client acts for somebody, after it was [authenticated](Self::authenticate).
    ///
    /// # Errors
    /// [`ClientError::Grant`] and [`ClientError::Scope`]; [`ClientError::Exchange`] where the tokens do not go with the client
    /// or with each other; [`ClientError::Random`].
    pub async fn exchange(
        &self,
        client: &ClientRecord,
        exchange: &Exchange,
        now: Now,
    ) -> Result<MintedAccessToken, ClientError> {
        may(client, Grant::TokenExchange)?;
        let subject = &*exchange.subject;
        if client.tenant.is_some() && client.tenant.as_deref() != subject.tenant.as_deref() {
            return Err(ClientError::Exchange("the token acts in another tenant than the client"));
        }
        let Some(end) = subject.expires else { return Err(ClientError::Exchange("the token has no end")) };
        // clocks are given a leeway where a token is shown, and none where one is made of it
        if [Some(end), exchange.actor.as_ref().and_then(|actor| actor.expires)]
            .into_iter()
            .flatten()
            .any(|end| end <= now.wall)
        {
            return Err(ClientError::Exchange("the token has ended"));
        }
        self.check_tenant(subject.tenant.as_deref()).await?;
        let actor = Actor::of(client, exchange)?;
        let about = Subject::of(subject, self.0.issuer.issuer())?;
        if !actor.may_act(&about, self.0.issuer.issuer()) {
            return Err(ClientError::Exchange("the token names somebody else who may act"));
        }
        let model = &self.0.permissions;
        let mut permissions = model.meet(&subject.permissions, &client.permissions);
        if let Some(actor) = &exchange.actor {
            permissions = model.meet(&permissions, &actor.permissions);
        }
        if let Some(scope) = &exchange.scope {
            permissions = self.narrowed(scope, &permissions)?;
        }
        // a client that is acted for is still marked as one (RFC 9068 section 5)
        let holder = if about.is_client { &about.name } else { &client.id };
        if !about.is_client && *holder == about.name {
            return Err(ClientError::Exchange("the client has the name of whom the token is about"));
        }
        let mut wanted = NewAccessToken::new(Arc::clone(&about.name), Arc::clone(holder));
        wanted.tenant = subject.tenant.as_deref().map(Arc::from);
        wanted.plan = subject.plan.as_deref().map(Arc::from);
        let networks = NetworkSet::meet(subject.networks.as_ref(), client.networks.as_ref());
        let actor_networks = exchange.actor.as_ref().and_then(|actor| actor.networks.as_ref());
        wanted.networks = NetworkSet::meet(networks.as_ref(), actor_networks);
        // the name of a session elsewhere could be that of one here
        wanted.session = subject.session.as_deref().filter(|_| about.is_own()).map(Arc::from);
        wanted.scope = Some(permissions.clone());
        wanted.permissions = permissions;
        wanted.audience.clone_from(&exchange.audience);
        wanted.ends = [Some(end), actor.expires, client.expires].into_iter().flatten().min();
        wanted.act = actor.acting(&about)?;
        wanted.may_act.clone_from(&about.may_act);
        // not before what it is made of, and not before the tokens of this client that were taken back
        let made_of = std::iter::once(subject).chain(exchange.actor.as_deref());
        wanted.later_than = made_of.clone().map(|one| one.issued).chain([client.tokens_from]).flatten().max();
        let mut asked = Origin::new(Arc::clone(self.0.issuer.issuer()), format!("client:{}", client.id));
        asked.issued = Some(wanted.issued_at(now));
        wanted.origins = origins(made_of, asked)?;
        let minted = self.0.issuer.mint(&wanted, now).map_err(|_| ClientError::Random)?;
        self.note_use(client, now).await;
        Event { client_id: Some(&client.id), ..Event::of("client_exchange") }.account(&about.bearer).tell();
        Ok(minted)
    }

    /// A tenant that is switched off is acted in by nobody, whoever says so.
    async fn check_tenant(&self, tenant: Option<&str>) -> Result<(), ClientError> {
        let (Some(tenants), Some(tenant)) = (&self.0.tenants, tenant) else { return Ok(()) };
        match tenants.tenant(tenant).resolve().await? {
            Some(tenant) if tenant.status == TenantStatus::Disabled => {
                Err(ClientError::Exchange("the tenant of the token is switched off"))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn claims(identity: &Identity) -> Map<String, Value> {
    serde_json::from_str(identity.claims.as_json()).unwrap_or_default()
}

/// Who acts.
struct Actor {
    /// The name in its own token.
    name: Arc<str>,
    /// The same for the gate: a client of the name of a user is somebody else.
    subject: Arc<str>,
    kind: ActorKind,
    /// Until when it may.
    expires: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ActorKind {
    Client,
    User,
}

impl Actor {
    fn of(client: &ClientRecord, exchange: &Exchange) -> Result<Self, ClientError> {
        let Some(actor) = &exchange.actor else {
            let (name, subject) = (Arc::clone(&client.id), format!("client:{}", client.id).into());
            return Ok(Self { name, subject, kind: ActorKind::Client, expires: None });
        };
        if actor.tenant != exchange.subject.tenant {
            return Err(ClientError::Exchange("the actor acts in another tenant"));
        }
        let said = claims(actor);
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let name = text("sub").ok_or(ClientError::Exchange("the actor is nobody"))?;
        let kind = if text("client_id") == Some(name) { ActorKind::Client } else { ActorKind::User };
        Ok(Self { name: name.into(), subject: (&*actor.subject).into(), kind, expires: actor.expires })
    }

    /// Whether a token lets this one act (RFC 8693 section 4.4). What cannot be read lets nobody.
    ///
    /// A name without an issuer is one of the issuer of the token, and there is nobody of another issuer here.
    fn may_act(&self, about: &Subject, issuer: &str) -> bool {
        let Some(claim) = &about.may_act else { return true };
        let member = |name: &str| claim.get(name).and_then(Value::as_str);
        let named = member("sub").is_some_and(|sub| *sub == *self.name || *sub == *self.subject);
        named && if claim.get("iss").is_none() { about.is_own() } else { member("iss") == Some(issuer) }
    }

    /// Who acts now, and behind it who acted before (RFC 8693 section 4.1). Nobody acts for themselves.
    fn acting(&self, about: &Subject) -> Result<Option<Value>, ClientError> {
        let before = about.act.as_ref();
        if self.subject == about.bearer {
            return Ok(before.cloned());
        }
        let chain = std::iter::successors(before, |actor| actor.get("act"));
        if chain.count() >= MOST_ACTORS {
            return Err(ClientError::Exchange("too many act behind each other"));
        }
        let mut act = json!({ "sub": &*self.name });
        if self.kind == ActorKind::Client {
            act["client_id"] = Value::from(&*self.name);
        }
        if let Some(before) = before {
            act["act"] = before.clone();
        }
        Ok(Some(act))
    }
}
