//! The way of a request through the gateway, the same for both frameworks.
//!
//! A framework calls, in this order:
//!
//! 1. [`Gateway::arrive`], which answers what is not for the gate: requests that the [guard](crate::framing) refused,
//!    and the health of the process;
//! 2. the gate, through its own adapter;
//! 3. [`Gateway::answer`] for what the gate admitted, which forwards it or answers a preflight;
//! 4. [`Passage::leave`] for every response, whoever made it.
//!
//! Everything here speaks `http` 1.x. A framework on other types converts heads and bodies and decides nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use auth_core::{Anonymous, NetworkSet, Principal, Rejection, RequestFault};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::body::{RequestBody, ResponseBody, response};
use crate::connection::{Hop, Scheme, Trust};
use crate::cross_origin::{CrossOrigin, Fields, is_preflight, silence_upstream};
use crate::forward::{Answer, Destination, Forwarder, mentions_websocket};
use crate::framing::fault_of;
use crate::gate_view::GateView;
use crate::health::Health;

/// What stands between the gate and the upstreams.
#[derive(Debug)]
pub struct Gateway {
    /// What the gate says beside its decisions.
    pub gate: GateView,
    /// Who may read responses across origins.
    pub cross_origin: CrossOrigin,
    /// Passes requests on.
    pub forwarder: Forwarder,
    /// Where a route leads that names no other destination.
    pub destination: Destination,
    /// Where the routes of these names lead.
    pub by_route: HashMap<String, Arc<Destination>>,
    /// Whose word on the client counts.
    pub trusted_proxies: NetworkSet,
    /// The parts in trouble.
    pub health: Arc<Health>,
}

/// What a response needs to know of the request it answers.
#[derive(Debug)]
pub struct Passage {
    fields: Fields,
    wants_websocket: bool,
    is_refused: bool,
}

/// What the adapter attached to an admitted request.
#[derive(Clone, Copy, Debug)]
pub enum Admitted<'a> {
    /// A verified caller.
    Principal(&'a Principal),
    /// Nobody in particular, on a route that allows it.
    Anonymous,
}

impl<'a> Admitted<'a> {
    /// What is among a request's extensions; `None` means that no gate was asked.
    pub fn of(principal: Option<&'a Principal>, anonymous: Option<&Anonymous>) -> Option<Self> {
        principal.map(Self::Principal).or(anonymous.map(|_| Self::Anonymous))
    }

    const fn caller(self) -> Option<&'a Principal> {
        match self {
            Self::Principal(principal) => Some(principal),
            Self::Anonymous => None,
        }
    }
}

impl Gateway {
    /// Takes a request in: what its response will need, and the response itself where the gate is not to be asked.
    pub fn arrive(&self, parts: &Parts) -> (Passage, Option<Response<ResponseBody>>) {
        let mut passage = Passage {
            fields: self.cross_origin_fields(parts),
            wants_websocket: mentions_websocket(&parts.headers),
            is_refused: false,
        };
        if let Some(fault) = fault_of(&parts.headers).or_else(|| fault_in(parts)) {
            passage.is_refused = true;
            return (passage, Some(self.refuse(Rejection::InvalidRequest(fault), parts)));
        }
        (passage, self.health.answer(&parts.method, parts.uri.path()))
    }

    /// Answers what the gate admitted.
    pub async fn answer(
        &self,
        request: Request<RequestBody>,
        peer: Option<IpAddr>,
        scheme: Scheme,
        admitted: Option<Admitted<'_>>,
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let Some(admitted) = admitted else {
            tracing::error!("a request reached the upstreams without a gate: the server is put together wrongly");
            return Answer::Response(self.refuse(Rejection::Internal, &parts));
        };
        let is_shared = parts.headers.contains_key(header::ORIGIN) && self.gate.is_shared(&parts);
        if is_shared && is_preflight(&parts) {
            return Answer::Response(self.cross_origin.preflight(&parts));
        }
        // What refusals need survives the request, which is consumed.
        let remembered = head_of(&parts);
        let request = Request::from_parts(parts, body);
        let destination = self.destination_of(&remembered);
        let hop = self.hop(peer, scheme);
        match self.forwarder.forward(request, destination, hop, admitted.caller()).await {
            Ok(Answer::Response(mut response)) => {
                if is_shared {
                    silence_upstream(response.headers_mut());
                }
                Answer::Response(response)
            }
            Ok(upgraded) => upgraded,
            Err(rejection) => Answer::Response(self.refuse(rejection, &remembered)),
        }
    }

    fn destination_of(&self, parts: &Parts) -> &Destination {
        if self.by_route.is_empty() {
            return &self.destination;
        }
        let named = self.gate.route(parts).and_then(|route| self.by_route.get(&route));
        named.map_or(&self.destination, Arc::as_ref)
    }

    fn hop(&self, peer: Option<IpAddr>, scheme: Scheme) -> Hop {
        let trusted = peer.is_some_and(|peer| self.trusted_proxies.contains(peer));
        Hop { peer, scheme, trust: if trusted { Trust::TrustedProxy } else { Trust::Stranger } }
    }

    fn cross_origin_fields(&self, parts: &Parts) -> Fields {
        if parts.headers.contains_key(header::ORIGIN) && self.gate.is_shared(parts) {
            self.cross_origin.on_response(&parts.headers)
        } else {
            Fields::new()
        }
    }

    fn refuse(&self, rejection: Rejection, parts: &Parts) -> Response<ResponseBody> {
        let mut response = response(self.gate.refuse(&rejection, parts));
        response.extensions_mut().insert(rejection);
        response
    }
}

/// Method, target and fields, for rendering a refusal afterwards.
fn head_of(parts: &Parts) -> Parts {
    let mut head = Request::new(()).into_parts().0;
    head.method = parts.method.clone();
    head.uri = parts.uri.clone();
    head.version = parts.version;
    head.headers = parts.headers.clone();
    head
}

/// What the guard of HTTP/1 cannot see in HTTP/2, where `:authority` and `Host` may differ and `CONNECT` opens a tunnel.
fn fault_in(parts: &Parts) -> Option<RequestFault> {
    let hosts = parts.headers.get_all(header::HOST);
    let disagrees = parts.uri.authority().is_some_and(|authority| {
        hosts.iter().any(|host| !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()))
    });
    (disagrees || hosts.iter().count() > 1 || parts.method == Method::CONNECT).then_some(RequestFault::Target)
}

impl Passage {
    /// What is to be done to a response before it leaves.
    pub fn leave(self, status: StatusCode) -> Leaving {
        // Behind a refused request, and behind a request for a WebSocket that came to nothing, there may be bytes that
        // nobody has judged.
        let closes = self.is_refused || (self.wants_websocket && status != StatusCode::SWITCHING_PROTOCOLS);
        Leaving { fields: self.fields, connection: if closes { Connection::Close } else { Connection::Keep } }
    }
}

/// What is to be done to a response before it leaves.
#[derive(Debug)]
pub struct Leaving {
    /// Fields to set; `vary` is added to what is there.
    pub fields: Fields,
    /// Whether the connection goes on.
    pub connection: Connection,
}

/// Whether a connection goes on after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It takes further requests.
    Keep,
    /// It ends.
    Close,
}

impl Leaving {
    /// Does it to a header map of `http` 1.x.
    pub fn apply(self, headers: &mut HeaderMap) {
        for (name, value) in self.fields {
            if name == header::VARY {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        if self.connection == Connection::Close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}
