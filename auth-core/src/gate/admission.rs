//! What the gate says of one request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::gate::ResponseFields;
use crate::principal::{Anonymous, Principal};
use crate::rejection::Rejection;
use crate::reply::Reply;

/// What the gate says of one request.
#[derive(Debug)]
pub enum Decision {
    /// The request goes on, with what the adapter has to attach.
    Admit(Admission),
    /// The request ends here, with the answer the client gets.
    Refuse(Box<Refusal>),
}

/// An admitted request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admission {
    /// Who it comes from.
    pub caller: Caller,
    /// The address of the client, as far as it is known and trusted.
    pub client: Option<IpAddr>,
    /// The identifier of the request, where the gate attaches one to admitted requests too; the response has it among
    /// its fields.
    pub request_id: Option<Arc<str>>,
    /// Fields that the response must have beside those of the service.
    pub response_fields: ResponseFields,
}

/// Who an admitted request comes from: what adapters insert into its extensions.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A verified principal.
    Principal(Principal),
    /// Nobody in particular, on a route that allows it.
    Anonymous(Anonymous),
}

impl Caller {
    /// The principal, where there is one.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Principal(principal) => Some(principal),
            Self::Anonymous(_) => None,
        }
    }
}

/// A refused request.
#[derive(Debug)]
pub struct Refusal {
    /// Why, for the response's extensions, logs and metrics.
    pub rejection: Rejection,
    /// What the client is told.
    pub reply: Reply,
    /// Who was refused, where that is known: adapters insert it into the response's extensions, for whoever counts.
    pub caller: Option<Box<Principal>>,
}
