//! Administration over HTTP: users, tenants, keys and OAuth clients under one prefix.
//!
//! | request | does |
//! |---|---|
//! | `GET users`, `GET tenants`, `GET keys`, `GET clients` | a page of them: `limit` (100, at most 1000), `after` an id; `tenant`, and for keys `owner` |
//! | `POST users`, `POST tenants`, `POST keys`, `POST clients` | makes one |
//! | `POST users/find` | the user with that `email` or `user_name` |
//! | `GET users/{id}` … | shows one |
//! | `POST users/{id}/disable`, `/enable`, also of tenants, keys and clients | switches it off and on |
//! | `PUT users/{id}/plan`, `/networks`, also of tenants, keys and clients | `{"plan": "pro"}`, `{"networks": ["192.0.2.0/24"]}`, or `null` |
//! | `PUT users/{id}/permissions`, also of keys and clients | `{"permissions": ["read"]}` |
//! | `POST users/{id}/reset-password` | gives the `password`, or one that is made up and told once |
//! | `POST users/{id}/end-sessions` | ends them |
//! | `POST users/{id}/remove-second-factor` | asks for none any more, and ends the sessions |
//! | `PUT clients/{id}/grants`, `/expiry` | `{"grants": ["client_credentials"]}`, `{"expires_at": …}` or `null` |
//! | `PUT clients/{id}/jwks` | `{"jwks": {"keys": […]}}`, the public keys that it signs with, or `null` |
//! | `DELETE keys/{id}`, `DELETE clients/{id}` | takes it back for good |
//! | `POST keys/{id}/rotate`, also of clients | gives a successor, or another secret; both work for `overlap` seconds |
//!
//! What is switched off once more stays off, and so on: everything but making and rotating can be asked again without harm.
//! What else happens with it is said at [`Administration`].
//!
//! **Who may.** Whoever holds the one permission, which is looked at here as well as by the gate. An administrator works on
//! everything; there is none of one tenant alone, and whoever may administrate may give what they do not hold themselves.
//!
//! - `operation`: what is asked
//! - `users`, `tenants`, `keys`, `clients`: doing it

mod clients;
mod keys;
mod operation;
mod tenants;
mod users;

use std::borrow::Cow;
use std::sync::Arc;

use crate::issue::{AccountError, Actor, Administering, Administration, AdministrationError, ClientError};
use crate::network::NetworkSet;
use crate::rejection::{MissingPermissions, Outage, Rejection};

use super::EndpointRequest;
use super::accounts::weak;
use super::answer::Answer;
use super::content::{Content, invalid};
use super::object::{Named, Object};
use super::query::{Others, Query};
use super::words::Words;
use operation::{Action, Kind};

pub(super) use operation::Operation;

/// Administration under one prefix, for whoever holds one permission.
#[derive(Clone, Debug)]
pub struct AdminEndpoints {
    administration: Administration,
    prefix: Arc<str>,
    permission: Arc<str>,
    environment: Option<Arc<str>>,
}

/// What every operation needs to know.
struct Desk<'d> {
    acting: Administering<'d>,
    content: Content<'d>,
    words: &'d Words,
    request: &'d EndpointRequest,
    id: &'d str,
    environment: Option<&'d Arc<str>>,
}

impl AdminEndpoints {
    /// Administration under this prefix, such as `/admin-api`, for whoever holds the permission.
    pub fn new(administration: Administration, prefix: impl Into<Arc<str>>, permission: impl Into<Arc<str>>) -> Self {
        Self { administration, prefix: prefix.into(), permission: permission.into(), environment: None }
    }

    /// Makes keys for this environment where the request names none.
    #[must_use]
    pub fn environment(self, environment: Option<Arc<str>>) -> Self {
        Self { environment, ..self }
    }

    /// What a request is for; everything below the prefix is for administration, whether there is such a thing or not.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<(Operation, String)> {
        Some(Operation::of(method, path.strip_prefix(&*self.prefix)?.strip_prefix('/')?))
    }

    pub(super) async fn answer(
        &self,
        operation: Operation,
        id: &str,
        request: &EndpointRequest,
        words: &Words,
    ) -> Result<Answer, Rejection> {
        let caller = request.caller.as_ref().ok_or(Rejection::MissingCredential)?;
        if !caller.has_permission(&self.permission) {
            let needed = Cow::Owned(self.permission.to_string());
            return Err(Rejection::InsufficientPermissions(MissingPermissions { needed }));
        }
        let Operation::Known(kind, action) = operation else { return Err(Rejection::NotFound) };
        let actor = Actor { subject: (&*caller.subject).into(), client: request.client };
        let read = if action.needs_content() { Content::read } else { Content::read_any };
        let desk = Desk {
            acting: self.administration.by(actor, request.now),
            content: read(request.media_type.as_deref(), &request.content, words)?,
            words,
            request,
            id,
            environment: self.environment.as_ref(),
        };
        match kind {
            Kind::Users => desk.users(action).await,
            Kind::Tenants => desk.tenants(action).await,
            Kind::Keys => desk.keys(action).await,
            Kind::Clients => desk.clients(action).await,
        }
    }
}

/// How many are on a page unless it is said.
const USUAL: usize = 100;

impl Desk<'_> {
    /// The page that is asked for, by these parameters besides those of every page.
    fn query(&self, more: &[&str]) -> Result<Query, Rejection> {
        let known: Vec<&str> = ["limit", "after"].iter().chain(more).copied().collect();
        Query::read(self.request.query.as_deref(), &known, Others::Refused, USUAL, self.words)
    }

    /// One page and where the next one begins.
    fn page<T>(
        &self,
        member: &'static str,
        mut all: Vec<T>,
        limit: usize,
        id: impl Fn(&T) -> &str,
        told: impl Fn(&T) -> Named,
    ) -> Answer {
        let is_more = all.len() > limit;
        all.truncate(limit);
        let mut answer = Object::default();
        answer.say("next", all.last().map(id).filter(|_| is_more));
        answer.list(member, all.iter().map(told).collect());
        Answer::object(200, &answer.named(&[member, "next"], self.words))
    }

    /// A plan that is said, be it `null`.
    fn plan(&self) -> Result<Option<Arc<str>>, Rejection> {
        self.said("plan")?;
        self.word("plan")
    }

    /// A text that names something and may be left out. Tokens and fields carry it, so that one which they cannot carry would
    /// lock its user out.
    fn word(&self, member: &str) -> Result<Option<Arc<str>>, Rejection> {
        let Some(text) = self.content.text(member)? else { return Ok(None) };
        if text.trim().is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err(self.content.invalid(member, "must have 1 to 200 characters, none of them control characters"));
        }
        Ok(Some(text.into()))
    }

    /// Networks that are said, be they `null`.
    fn networks(&self) -> Result<Option<Arc<NetworkSet>>, Rejection> {
        self.said("networks")?;
        self.networks_if_any()
    }

    fn networks_if_any(&self) -> Result<Option<Arc<NetworkSet>>, Rejection> {
        Ok(super::keys::allow_list(&self.content)?.map(Arc::new))
    }

    fn permissions(&self) -> Result<crate::Names, Rejection> {
        let names = self.content.texts("permissions")?.ok_or_else(|| self.content.missing("permissions"))?;
        self.names("permissions", names)
    }

    fn names(&self, member: &str, names: Vec<&str>) -> Result<crate::Names, Rejection> {
        if names
            .iter()
            .any(|name| name.is_empty() || name.contains(|char: char| char.is_whitespace() || char.is_control()))
        {
            return Err(self.content.invalid(member, "must be names without spaces"));
        }
        Ok(names.into_iter().collect())
    }

    /// What is left out by mistake must not take something away.
    fn said(&self, member: &str) -> Result<(), Rejection> {
        if self.content.names(member) { Ok(()) } else { Err(self.content.missing(member)) }
    }

    /// Why something was not done, as it is told.
    fn refused(&self, error: AdministrationError) -> Rejection {
        match error {
            AdministrationError::Absent(_) | AdministrationError::Missing(_) => Rejection::NotFound,
            AdministrationError::Taken(what) => Rejection::Conflict(what),
            AdministrationError::Invalid(rule) => invalid(self.words, "id", format!("cannot be taken: {rule}")),
            AdministrationError::State(why) => Rejection::Conflict(why),
            AdministrationError::Client(error) => match error {
                ClientError::Rotating => Rejection::Conflict("a second secret that has not ended yet"),
                _ => Rejection::Unavailable(Outage::new(format!("clients: {error}"))),
            },
            AdministrationError::Key(error) => super::keys::refused(&error, self.words),
            AdministrationError::Account(error) => match error {
                AccountError::Weak(faults) => weak(self.words, "password", &faults),
                AccountError::NameTaken => Rejection::Conflict("an account with this name"),
                AccountError::Name(error) => invalid(self.words, "email", format!("cannot be a name: {error}")),
                AccountError::State(rule) => invalid(self.words, "email", format!("cannot be taken: {rule}")),
                AccountError::Hashing(error) => error.into(),
                AccountError::Random | AccountError::Store(_) => {
                    Rejection::Unavailable(Outage::new(format!("accounts: {error}")))
                }
                _ => Rejection::Internal,
            },
        }
    }
}
