//! A request for an endpoint: what adapters carry from a framework's request to its response.

use std::fmt;
use std::sync::Arc;

use crate::Secret;
use crate::gate::share::Share;
use crate::gate::{Attached, Refusal, request_id};
use crate::rejection::{ContentFault, Rejection, RequestFault};
use crate::reply::Reply;
use crate::request::{Field, RequestHead};

use super::{EndpointRequest, Endpoints, Found, MAX_CONTENT, oauth};

/// A request for an endpoint, behind a gate, whose content is still to come. It owns what it needs.
#[must_use = "nothing is done before it is answered"]
pub struct Asked {
    endpoints: Endpoints,
    found: Found,
    request: EndpointRequest,
    /// Why it will be refused whatever its content is.
    fault: Option<Rejection>,
    context: Arc<Share>,
    path: String,
    request_id: Arc<str>,
}

/// What arrived of a request's content.
#[derive(Clone, PartialEq, Eq)]
pub enum Received {
    /// All of it.
    Whole(Vec<u8>),
    /// More than [`MAX_CONTENT`] bytes, of which the rest was not read.
    TooLong,
    /// It broke off, or could not be read.
    Broken,
}

/// What an endpoint answers.
#[derive(Debug)]
pub struct Answered {
    /// What the client is told.
    pub reply: Reply,
    /// Why nothing was done, where that is so: for the response's extensions.
    pub rejection: Option<Rejection>,
}

impl Endpoints {
    /// What a request asks for, if it is for one of the endpoints.
    ///
    /// # Errors
    /// 500 where no gate stands in front of it.
    pub fn asked(&self, head: &RequestHead<'_>, attached: Attached<'_>) -> Option<Result<Asked, Box<Refusal>>> {
        let found = self.find(head.method, head.path)?;
        if let Err(refusal) = attached.optional(head) {
            return Some(Err(Box::new(refusal)));
        }
        let principal = attached.principal.map(|principal| Arc::clone(principal.share()));
        let anonymous = attached.anonymous.map(|anonymous| Arc::clone(anonymous.share()));
        let context = principal.or(anonymous)?;
        let mut request = EndpointRequest::new(head.method, context.now());
        request.query = head.query.map(str::to_owned);
        let mut fault = None;
        match head.field("content-type") {
            Field::Absent => {}
            Field::Once(value) => match std::str::from_utf8(value) {
                Ok(text) => request.media_type = Some(text.to_owned()),
                Err(_) => fault = Some(Rejection::InvalidContent(ContentFault::MediaType)),
            },
            Field::Repeated => fault = Some(Rejection::InvalidRequest(RequestFault::RepeatedField)),
        }
        if self.is_oauth(&found) {
            match head.field("authorization") {
                Field::Absent => {}
                Field::Once(value) => match std::str::from_utf8(value) {
                    Ok(text) => request.authorization = Some(Secret::from(text)),
                    Err(_) => fault = Some(Rejection::InvalidRequest(RequestFault::RepeatedField)),
                },
                Field::Repeated => fault = Some(Rejection::InvalidRequest(RequestFault::RepeatedField)),
            }
        }
        request.caller = attached.principal.cloned();
        request.client = context.client(head);
        let (path, request_id) = (head.path.to_owned(), request_id(head));
        Some(Ok(Asked { endpoints: self.clone(), found, request, fault, context, path, request_id }))
    }
}

impl Asked {
    /// Does what is asked for, and answers it, or words the refusal like the gate's own.
    ///
    /// Let it end once it was begun, also where the client goes away: run it in a task of its own.
    pub async fn answer(mut self, content: Received) -> Answered {
        let rejection = match (self.fault.take(), content) {
            (Some(fault), _) => fault,
            (None, Received::TooLong) => Rejection::InvalidContent(ContentFault::TooLarge(MAX_CONTENT)),
            (None, Received::Broken) => Rejection::InvalidRequest(RequestFault::Body),
            (None, Received::Whole(content)) => {
                // a client that sends slowly must not be judged by the time at which it began
                self.request.now = self.context.now();
                self.request.content = content;
                match self.endpoints.answer(self.found.clone(), self.request.clone()).await {
                    Ok(reply) => return Answered { reply, rejection: None },
                    Err(rejection) => rejection,
                }
            }
        };
        let reply = if self.endpoints.is_oauth(&self.found) {
            oauth::refused(&rejection).into_reply(&self.request.method)
        } else {
            let caller = self.request.caller.as_ref().filter(|_| self.endpoints.is_resource(&self.found));
            self.context.refuse_caller(&rejection, caller, &self.request.method, &self.path, &self.request_id)
        };
        tracing::info!(
            target: "auth::endpoint",
            status = reply.status,
            cause = rejection.cause(),
            path = ?self.path,
            request_id = &*self.request_id,
        );
        Answered { reply, rejection: Some(rejection) }
    }
}

/// Prints no content: it may hold a password.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(content) => write!(f, "Whole({} bytes)", content.len()),
            Self::TooLong => f.write_str("TooLong"),
            Self::Broken => f.write_str("Broken"),
        }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("request", &self.request).field("path", &self.path).finish_non_exhaustive()
    }
}
