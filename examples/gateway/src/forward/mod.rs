//! From an admitted request to the upstream's answer.
//!
//! The request that the upstream gets is built anew from parsed parts; nothing of the client's framing reaches it. In
//! this order:
//!
//! 1. `hop_by_hop`: the client's `Connection` list is obeyed and fields of one connection go, before anything is
//!    added that the list could remove.
//! 2. `identity` and `forwarded`: whatever claims to come from the gateway is dropped in every spelling.
//! 3. `credentials`: the caller's own credential is taken out.
//! 4. What the gateway knows of the caller and the connection is added, signed by `assertion` where the upstream is to
//!    have it, and the upstream's own `Host`.
//!
//! The path and the query go through as they were sent; the gate has refused whatever has two readings. Bodies stream
//! in both directions with back-pressure and without a limit (`patience` bounds silence instead). The upstream's
//! answer loses its fields of one connection and all `x-auth-` fields, which are a channel from the gateway to the
//! upstream; everything else, `WWW-Authenticate` included, is the upstream's to say (RFC 9110 section 11.6.1).
//!
//! | on the way to the upstream | happens |
//! |---|---|
//! | `Host` | the upstream's own; the client's is in `X-Forwarded-Host` |
//! | `Expect` | removed: the gateway answers `100 Continue` itself |
//! | `Via` | `1.1 gateway` is appended (RFC 9110 section 7.6.3) |
//! | `Cookie` | several lines of an HTTP/2 request become one (RFC 9113 section 8.2.3) |
//! | trailers | dropped, both ways |

mod assertion;
mod begun;
mod credentials;
mod echo;
mod exchange;
mod field_names;
mod forwarded;
mod hop_by_hop;
mod identity;
mod patience;
mod upgrade;
mod upstream;

use auth_core::{Now, Principal, Rejection, RequestFault};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use hyper::upgrade::OnUpgrade;

#[cfg(test)]
pub(crate) use assertion::Sign;
pub(crate) use assertion::Vouching;
pub use credentials::CredentialFields;
pub(crate) use field_names::reads_as;
pub(crate) use identity::is_of_gateway;
pub(crate) use upgrade::is_websocket;
pub use upgrade::mentions_websocket;

use crate::body::{RequestBody, ResponseBody, whole};
use crate::config::{PassCredentials, Target, Upstream};
use crate::connection::{Hop, PublicAddress};
use upstream::Connected;

const VIA: HeaderValue = HeaderValue::from_static("1.1 gateway");

/// Where requests go.
#[derive(Debug)]
pub struct Destination {
    kind: Kind,
    vouching: Option<Vouching>,
}

#[derive(Debug)]
enum Kind {
    Echo,
    Upstream(Box<Connected>),
}

impl Destination {
    /// The built-in upstream, which answers what it was sent.
    pub const ECHO: Self = Self { kind: Kind::Echo, vouching: None };

    /// What the configuration says.
    pub(crate) fn new(upstream: &Upstream, vouching: Option<Vouching>) -> Self {
        let kind = match &upstream.target {
            Target::Echo => Kind::Echo,
            Target::Url(url) => Kind::Upstream(Box::new(Connected::new(url, upstream))),
        };
        Self { kind, vouching }
    }

    /// Adds what the upstream is told of the caller.
    pub(crate) fn introduce(&self, headers: &mut HeaderMap, caller: &Principal, now: Now) -> Result<(), Rejection> {
        identity::attach(headers, caller);
        if let Some(vouching) = &self.vouching {
            let (name, value) = vouching.field(caller, now)?;
            headers.insert(name, value);
        }
        Ok(())
    }
}

/// What an upstream answered.
#[derive(Debug)]
pub enum Answer {
    /// A response to pass on.
    Response(Response<ResponseBody>),
    /// The upstream agreed to a WebSocket: the head to pass on, and its side of the connection.
    Upgraded(Response<()>, OnUpgrade),
}

/// Passes admitted requests on.
#[derive(Debug, Default)]
pub struct Forwarder {
    fields: CredentialFields,
    public: Option<PublicAddress>,
}

impl Forwarder {
    /// A forwarder that takes credentials out of these places, of a gateway that clients know under that address.
    pub const fn new(fields: CredentialFields, public: Option<PublicAddress>) -> Self {
        Self { fields, public }
    }

    /// Sends a request to its destination and waits for the head of the answer.
    ///
    /// `caller` is `None` on a route that needs no credential.
    ///
    /// # Errors
    /// [`Rejection::Upstream`] where the upstream fails, [`Rejection::InvalidRequest`] where the client breaks off,
    /// [`Rejection::Unavailable`] where what the upstream is to be told cannot be signed.
    pub async fn forward(
        &self,
        request: Request<RequestBody>,
        to: &Destination,
        hop: Hop,
        caller: Option<&Principal>,
        now: Now,
    ) -> Result<Answer, Rejection> {
        let (mut parts, body) = request.into_parts();
        let wants_upgrade = upgrade::is_wanted(&parts);
        // What follows such a request is no body, whatever the framework makes of it.
        let body = if mentions_websocket(&parts.headers) { whole("") } else { body };
        let credentials = match &to.kind {
            Kind::Echo => PassCredentials::Remove,
            Kind::Upstream(upstream) => upstream.credentials,
        };
        let query = self.rewrite(&mut parts, hop, credentials);
        if let Some(caller) = caller {
            to.introduce(&mut parts.headers, caller, now)?;
        }
        match &to.kind {
            Kind::Echo => {
                parts.headers.insert(header::HOST, echo::HOST);
                set_query(&mut parts, query.as_deref())?;
                let answered = echo::answer(Request::from_parts(parts, body)).await;
                answered.map(Answer::Response).map_err(|error| {
                    tracing::info!(error = &*error, "the request body cannot be echoed");
                    Rejection::InvalidRequest(RequestFault::Body)
                })
            }
            Kind::Upstream(upstream) => {
                parts.uri = upstream.target(parts.uri.path(), query.as_deref()).map_err(|_| bad_target())?;
                parts.headers.insert(header::HOST, upstream.host().map_err(|_| bad_target())?);
                if wants_upgrade {
                    upgrade::ask(&mut parts.headers);
                }
                exchange::send(upstream, Request::from_parts(parts, body), wants_upgrade).await
            }
        }
    }

    /// Makes the client's head the gateway's own; answers the query that is left.
    fn rewrite(&self, parts: &mut Parts, hop: Hop, credentials: PassCredentials) -> Option<String> {
        let host = addressed_host(parts);
        let headers = &mut parts.headers;
        hop_by_hop::remove(headers);
        identity::strip(headers, |name| credentials == PassCredentials::Keep && self.fields.names(name));
        forwarded::rewrite(headers, hop, host.as_ref(), self.public.as_ref());
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::EXPECT);
        let query = parts.uri.query();
        let query = match credentials {
            PassCredentials::Remove => {
                self.fields.remove(headers);
                query.and_then(|query| self.fields.strip_query(query))
            }
            PassCredentials::Keep => query.map(str::to_owned),
        };
        join_cookies(headers);
        headers.append(header::VIA, VIA);
        parts.version = Version::HTTP_11;
        query
    }
}

/// What the request was addressed to: `:authority` or an absolute target before `Host` (RFC 9112 section 3.2.2).
fn addressed_host(parts: &Parts) -> Option<HeaderValue> {
    match parts.uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => parts.headers.get(header::HOST).cloned(),
    }
}

fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

fn set_query(parts: &mut Parts, query: Option<&str>) -> Result<(), Rejection> {
    let path = parts.uri.path();
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    parts.uri = target.parse().map_err(|_| bad_target())?;
    Ok(())
}

const fn bad_target() -> Rejection {
    Rejection::InvalidRequest(RequestFault::Target)
}
