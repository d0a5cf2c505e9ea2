//! From an admitted request to the upstream's answer.
//!
//! The request that the upstream gets is built anew from parsed parts; nothing of the client's framing reaches it. In
//! this order:
//!
//! 1. [`hop_by_hop`]: the client's `Connection` list is obeyed and fields of one connection go, before anything is
//!    added that the list could remove.
//! 2. [`identity`] and [`forwarded`]: whatever claims to come from the gateway is dropped in every spelling.
//! 3. [`credentials`]: the caller's own credential is taken out.
//! 4. What the gateway knows of the caller and the connection is added, and the upstream's own `Host`.
//!
//! The path and the query go through as they were sent; the gate has refused whatever has two readings. Bodies stream
//! in both directions with back-pressure and without a limit ([`patience`] bounds silence instead). The upstream's
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

mod begun;
mod credentials;
mod echo;
mod field_names;
mod forwarded;
mod hop_by_hop;
mod identity;
mod patience;
mod upgrade;
mod upstream;

use auth_core::{Principal, Rejection, RequestFault, UpstreamFault};
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

pub use credentials::CredentialFields;
pub(crate) use upgrade::is_websocket;
pub use upgrade::mentions_websocket;

use crate::body::{RequestBody, ResponseBody, whole};
use crate::config::{PassCredentials, Target, Upstream};
use crate::connection::{Hop, PublicAddress};
use begun::Begun;
use patience::{Download, Patience, Progress, Silent, Upload, awaited};
use upstream::Connected;

const VIA: HeaderValue = HeaderValue::from_static("1.1 gateway");

/// Where requests go.
#[derive(Debug)]
pub struct Destination(Kind);

#[derive(Debug)]
enum Kind {
    Echo,
    Upstream(Box<Connected>),
}

impl Destination {
    /// The built-in upstream, which answers what it was sent.
    pub const ECHO: Self = Self(Kind::Echo);

    /// What the configuration says.
    pub fn new(upstream: &Upstream) -> Self {
        Self(match &upstream.target {
            Target::Echo => Kind::Echo,
            Target::Url(url) => Kind::Upstream(Box::new(Connected::new(url, upstream))),
        })
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
    /// [`Rejection::Upstream`] where the upstream fails, [`Rejection::InvalidRequest`] where the client breaks off.
    pub async fn forward(
        &self,
        request: Request<RequestBody>,
        to: &Destination,
        hop: Hop,
        caller: Option<&Principal>,
    ) -> Result<Answer, Rejection> {
        let (mut parts, body) = request.into_parts();
        let wants_upgrade = upgrade::is_wanted(&parts);
        // What follows such a request is no body, whatever the framework makes of it.
        let body = if mentions_websocket(&parts.headers) { whole("") } else { body };
        let credentials = match &to.0 {
            Kind::Echo => PassCredentials::Remove,
            Kind::Upstream(upstream) => upstream.credentials,
        };
        let query = self.rewrite(&mut parts, hop, caller, credentials);
        match &to.0 {
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
                send(upstream, Request::from_parts(parts, body), wants_upgrade).await
            }
        }
    }

    /// Makes the client's head the gateway's own; answers the query that is left.
    fn rewrite(
        &self,
        parts: &mut Parts,
        hop: Hop,
        caller: Option<&Principal>,
        credentials: PassCredentials,
    ) -> Option<String> {
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
        if let Some(caller) = caller {
            identity::attach(headers, caller);
        }
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

async fn send(upstream: &Connected, request: Request<RequestBody>, wants_upgrade: bool) -> Result<Answer, Rejection> {
    let progress = Progress::new();
    let request = request.map(|body| Upload::new(body, progress.clone()).boxed_unsync());
    let request = with_explicit_emptiness(request);
    let response = match awaited(upstream.send(request), &progress, upstream.patience).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) | Err(Silent::Client) if progress.client_failed() => {
            return Err(Rejection::InvalidRequest(RequestFault::Body));
        }
        Ok(Err(error)) => {
            let fault = upstream::fault(&error);
            tracing::warn!(upstream = ?upstream, error = &error as &dyn std::error::Error, "the upstream cannot be reached");
            return Err(Rejection::Upstream(fault));
        }
        Err(Silent::Client) => return Err(Rejection::InvalidRequest(RequestFault::Body)),
        Err(Silent::Upstream) => {
            tracing::warn!(upstream = ?upstream, "the upstream does not answer");
            return Err(Rejection::Upstream(UpstreamFault::TooSlow));
        }
    };
    receive(upstream, response, wants_upgrade, progress)
}

/// Methods whose requests have a body as a rule say so when it is empty: some servers answer 411 otherwise.
fn with_explicit_emptiness(mut request: Request<RequestBody>) -> Request<RequestBody> {
    let has_body_as_a_rule = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if has_body_as_a_rule && request.body().is_end_stream() {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    request
}

fn receive(
    upstream: &Connected,
    mut response: Response<Incoming>,
    wants_upgrade: bool,
    progress: std::sync::Arc<Progress>,
) -> Result<Answer, Rejection> {
    let unreadable = |what: &str| {
        tracing::warn!(upstream = ?upstream, what, "the upstream's answer cannot be read in one way only");
        Rejection::Upstream(UpstreamFault::Unreachable)
    };
    // Dropping the response closes its connection: whatever follows on it could be taken for the next answer.
    let headers = response.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(unreadable("both Transfer-Encoding and Content-Length"));
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if !wants_upgrade || !upgrade::is_agreed(response.status(), headers) {
            return Err(unreadable("a switch to a protocol nobody asked for"));
        }
        let upgraded = hyper::upgrade::on(&mut response);
        let mut head = response.map(|_| ());
        tidy(head.headers_mut());
        upgrade::ask(head.headers_mut());
        return Ok(Answer::Upgraded(head, upgraded));
    }
    tidy(response.headers_mut());
    let patience = Patience { ..upstream.patience };
    *response.version_mut() = Version::HTTP_11;
    // Without a body there is nothing to wait for, and the length of what HEAD or 304 leave out stays in its field.
    if response.body().is_end_stream() {
        return Ok(Answer::Response(response.map(|_| whole(""))));
    }
    // What came together with the head and breaks at once can still be answered; nothing is waited for.
    let first = match response.body_mut().frame().now_or_never().flatten().transpose() {
        Ok(first) => first,
        Err(error) => {
            tracing::warn!(upstream = ?upstream, error = &error as &dyn std::error::Error, "the upstream's answer breaks off");
            return Err(Rejection::Upstream(UpstreamFault::Unreachable));
        }
    };
    Ok(Answer::Response(response.map(|rest| Download::new(Begun { first, rest }, progress, patience).boxed_unsync())))
}

/// What an upstream's answer must not bring along.
fn tidy(headers: &mut HeaderMap) {
    hop_by_hop::remove(headers);
    identity::strip(headers, |_: &HeaderName| false);
}
