//! The way of a request through the gateway, the same for both frameworks.
//!
//! A framework calls, in this order:
//!
//! 1. [`Gateway::arrive`], which answers what is not for the gate: requests that the [guard](crate::framing) refused,
//!    and the health of the process;
//! 2. [`Gateway::forward_auth`], which answers other proxies that ask about requests of theirs;
//! 3. the gate, through its own adapter;
//! 4. [`Gateway::answer`] for what the gate admitted, which forwards it or answers a preflight;
//! 5. [`Passage::leave`] for every response, whoever made it.
//!
//! Everything here speaks `http` 1.x. A framework on other types converts heads and bodies and decides nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use auth_core::endpoint::Endpoints;
use auth_core::gate::{Attached, Context, Gate};
use auth_core::issue::SigningKeys;
use auth_core::usage::UsageCounts;
use auth_core::{Anonymous, NetworkSet, Outage, Principal, Rejection, RequestFault};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};

use crate::body::{RequestBody, ResponseBody};
use crate::config::{Config, Upstream};
use crate::connection::{Hop, Scheme, Trust};
use crate::cross_origin::{CrossOrigin, Fields, silence_upstream};
use crate::endpoints;
use crate::forward::{Answer, CredentialFields, Destination, Forwarder, Vouching};
use crate::framing::fault_of;
use crate::gate_view::{Sharing, refuse, route};
use crate::health::Health;
use crate::host::is_host;
use crate::passage::Passage;
use crate::published::Published;

/// What stands between the gate and the upstreams.
#[derive(Debug)]
pub struct Gateway {
    gate: Gate,
    context: Arc<Context>,
    cross_origin: CrossOrigin,
    forwarder: Forwarder,
    /// Where a route leads that names no other destination.
    destination: Destination,
    /// Where the routes of these names lead.
    by_route: HashMap<String, Arc<Destination>>,
    trusted_proxies: NetworkSet,
    endpoints: Endpoints,
    published: Option<Published>,
    forward_auth: Option<String>,
    usage: Option<UsageCounts>,
    health: Arc<Health>,
    longest_head: usize,
}

/// What the adapter attached to an admitted request.
#[derive(Clone, Copy, Debug)]
pub enum Admitted<'a> {
    /// A verified caller.
    Principal(&'a Principal),
    /// Nobody in particular, on a route that allows it.
    Anonymous(&'a Anonymous),
}

impl<'a> Admitted<'a> {
    /// What is among a request's extensions; `None` means that no gate was asked.
    pub fn of(principal: Option<&'a Principal>, anonymous: Option<&'a Anonymous>) -> Option<Self> {
        principal.map(Self::Principal).or(anonymous.map(Self::Anonymous))
    }

    const fn caller(self) -> Option<&'a Principal> {
        match self {
            Self::Principal(principal) => Some(principal),
            Self::Anonymous(_) => None,
        }
    }

    /// What was attached, as the core reads it.
    const fn attached(self) -> Attached<'a> {
        match self {
            Self::Principal(principal) => Attached { principal: Some(principal), anonymous: None },
            Self::Anonymous(anonymous) => Attached { principal: None, anonymous: Some(anonymous) },
        }
    }
}

impl Gateway {
    /// What the configuration says, around a gate of the same configuration.
    ///
    /// `keys` sign for the upstreams who the caller is, where the configuration has assertions.
    pub fn new(
        config: &Config,
        gate: Gate,
        endpoints: Endpoints,
        health: Arc<Health>,
        keys: Option<Arc<SigningKeys>>,
    ) -> Self {
        let signer = config.assertions.as_ref().zip(keys);
        let vouching = |upstream: &Upstream| {
            let (from, keys) = signer.as_ref()?;
            Some(Vouching::new(from, upstream.assertion.as_ref()?, keys))
        };
        let named: HashMap<&str, Arc<Destination>> = config
            .upstreams
            .iter()
            .map(|named| {
                (named.name.value.as_str(), Arc::new(Destination::new(&named.upstream, vouching(&named.upstream))))
            })
            .collect();
        let by_route = config.routes.iter().filter_map(|route| {
            let upstream = route.upstream.as_ref()?;
            Some((route.name(), Arc::clone(named.get(upstream.value.as_str())?)))
        });
        Self {
            cross_origin: CrossOrigin::new(&config.cors),
            forwarder: Forwarder::new(
                CredentialFields::new(config.credentials.iter().map(|from| &from.source)),
                config.server.public_url.clone(),
            ),
            destination: Destination::new(&config.upstream, vouching(&config.upstream)),
            by_route: by_route.collect(),
            trusted_proxies: config.server.trusted_proxies.clone(),
            endpoints,
            published: signer.as_ref().map(|(settings, keys)| Published::new(settings, keys)),
            forward_auth: config.forward_auth.as_ref().map(|settings| settings.route.path.value.clone()),
            usage: None,
            health,
            longest_head: config.server.max_header_size,
            context: gate.context(),
            gate,
        }
    }

    /// The same, and counts how much keys are used.
    #[must_use]
    pub fn counting(self, usage: Option<UsageCounts>) -> Self {
        Self { usage, ..self }
    }

    /// Counts a response to somebody who is known by an API key; `caller` is what is among its extensions.
    pub fn count(&self, caller: Option<&Principal>, status: StatusCode) {
        if let (Some(usage), Some(caller)) = (&self.usage, caller)
            && caller.method == auth_core::Method::ApiKey
            && let Some(key) = &caller.credential_id
        {
            usage.count(key, status.as_u16(), self.gate.now().wall);
        }
    }

    /// The gate that decides before [`Gateway::answer`].
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Takes a request in: what its response will need, and the response itself where the gate is not to be asked.
    pub fn arrive(&self, parts: &Parts) -> (Passage, Option<Response<ResponseBody>>) {
        let passage = Passage::new(parts, self.cross_origin_fields(parts));
        if let Some(fault) = fault_of(&parts.headers).or_else(|| fault_in(parts, self.longest_head)) {
            return (passage, Some(refuse(&self.context, Rejection::InvalidRequest(fault), parts)));
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
        let caller = admitted.and_then(Admitted::caller);
        let answer = self.answered(request, peer, scheme, admitted).await;
        match &answer {
            Answer::Response(response) => self.count(caller, response.status()),
            Answer::Upgraded(head, _) => self.count(caller, head.status()),
        }
        answer
    }

    async fn answered(
        &self,
        request: Request<RequestBody>,
        peer: Option<IpAddr>,
        scheme: Scheme,
        admitted: Option<Admitted<'_>>,
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let Some(admitted) = admitted else {
            tracing::error!("a request reached the upstreams without a gate: the server is put together wrongly");
            return Answer::Response(refuse(&self.context, Rejection::Internal, &parts));
        };
        let sharing = self.sharing(&parts);
        if sharing == Sharing::Preflight {
            return Answer::Response(self.cross_origin.preflight(&parts));
        }
        if let Some(keys) = self.published.as_ref().and_then(|all| all.answer(&parts.method, parts.uri.path())) {
            return Answer::Response(keys);
        }
        if let Some(asked) = endpoints::asked(&self.endpoints, &parts, peer, admitted.attached()) {
            return Answer::Response(endpoints::answer(asked, body, &self.context, &parts).await);
        }
        // What refusals need survives the request, which is consumed.
        let remembered = head_of(&parts);
        let request = Request::from_parts(parts, body);
        let destination = self.destination_of(&remembered);
        let hop = self.hop(peer, scheme);
        match self.forwarder.forward(request, destination, hop, admitted.caller(), self.gate.now()).await {
            Ok(Answer::Response(mut response)) => {
                if sharing == Sharing::Shared {
                    silence_upstream(response.headers_mut());
                }
                Answer::Response(response)
            }
            Ok(upgraded) => upgraded,
            Err(rejection) => Answer::Response(refuse(&self.context, rejection, &remembered)),
        }
    }

    /// Answers a request that there is no room for.
    pub fn overloaded(&self, parts: &Parts) -> Response<ResponseBody> {
        refuse(&self.context, Rejection::Overloaded(Outage::new("too many requests wait on one connection")), parts)
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn trusted_proxies(&self) -> &NetworkSet {
        &self.trusted_proxies
    }

    /// Where other proxies ask, if they may.
    pub(crate) fn forward_auth_path(&self) -> Option<&str> {
        self.forward_auth.as_deref()
    }

    pub(crate) fn destination_of(&self, parts: &Parts) -> &Destination {
        if self.by_route.is_empty() {
            return &self.destination;
        }
        let named = route(&self.context, parts).and_then(|route| self.by_route.get(route.name));
        named.map_or(&self.destination, Arc::as_ref)
    }

    /// Only browsers name an origin, so most requests are not looked up for it.
    fn sharing(&self, parts: &Parts) -> Sharing {
        let route = if parts.headers.contains_key(header::ORIGIN) { route(&self.context, parts) } else { None };
        route.map_or(Sharing::SameOrigin, |route| route.sharing)
    }

    fn hop(&self, peer: Option<IpAddr>, scheme: Scheme) -> Hop {
        let trusted = peer.is_some_and(|peer| self.trusted_proxies.contains(peer));
        Hop { peer, scheme, trust: if trusted { Trust::TrustedProxy } else { Trust::Stranger } }
    }

    fn cross_origin_fields(&self, parts: &Parts) -> Fields {
        match self.sharing(parts) {
            Sharing::Shared | Sharing::Preflight => self.cross_origin.on_response(&parts.headers),
            Sharing::SameOrigin => Fields::new(),
        }
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

/// What the guard of HTTP/1 cannot see in HTTP/2, where `:authority` and `Host` may differ or both be missing, `CONNECT`
/// opens a tunnel, and one of the servers sets no limit to the fields.
///
/// Two things are gone before anybody here could see them: what follows a `#` in `:path`, which nobody acts upon then,
/// and the `:scheme` of a request without `:authority`.
fn fault_in(parts: &Parts, longest_head: usize) -> Option<RequestFault> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let is_bad = |host: &[u8]| !is_host(host);
    let disagree = |host: &HeaderValue, authority| !host.as_bytes().eq_ignore_ascii_case(authority);
    if hosts.next().is_some()
        || parts.method == Method::CONNECT
        || authority.is_some_and(is_bad)
        || host.is_some_and(|host| is_bad(host.as_bytes()))
        || host.zip(authority).is_some_and(|(host, authority)| disagree(host, authority))
        || parts.uri.scheme_str().is_some_and(|scheme| scheme != "http" && scheme != "https")
    {
        return Some(RequestFault::Target);
    }
    if parts.version < Version::HTTP_2 {
        return None;
    }
    let lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter().count();
    // Counted as in RFC 9113 section 10.5.1.
    let size: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    let is_addressed = authority.is_some() || host.is_some();
    (!is_addressed || lengths > 1 || size > longest_head).then_some(RequestFault::Framing)
}

#[cfg(test)]
mod tests;
