//! Forward authentication: what the gate says of a request that another proxy keeps to itself.
//!
//! The answer is 204 with the fields that the upstream is to get, or the refusal as the client is to get it, with status, challenge
//! and body. nginx throws the body of a refusal away, so it is told it in a field as well, [`REFUSAL`].

use std::net::IpAddr;

use auth_core::gate::{Admission, Decision, Refusal};
use auth_core::{OriginalBy, OriginalRequest, Rejection, RequestFault, RequestHead};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};

use crate::body::{ResponseBody, response, whole};
use crate::gate_view::{Fields, head, refuse};
use crate::gateway::Gateway;

/// The body of a refusal, for proxies that pass on no other.
const REFUSAL: HeaderName = HeaderName::from_static("x-auth-refusal");

impl Gateway {
    /// Answers a proxy that asks about a request, if this is where it does. Asked between [`Gateway::arrive`] and the gate.
    pub async fn forward_auth(&self, parts: &Parts, peer: Option<IpAddr>) -> Option<Response<ResponseBody>> {
        if self.forward_auth_path()? != parts.uri.path() {
            return None;
        }
        Some(match self.original(parts, peer) {
            Ok((original, by)) => self.decided(original, by, peer).await,
            Err(rejection) => refuse(self.context(), rejection, parts),
        })
    }

    /// The request that is asked about, with the fields of the one that came.
    fn original(&self, parts: &Parts, peer: Option<IpAddr>) -> Result<(Parts, OriginalBy), Rejection> {
        let fields = Fields(&parts.headers);
        let asked = RequestHead { peer, ..head(parts, &fields) };
        let read = OriginalRequest::of(&asked, self.trusted_proxies())?;
        // whom it comes from decides on networks and budgets, so it must be known
        let bad = || Rejection::InvalidRequest(RequestFault::Target);
        self.context().client(&asked).ok_or_else(bad)?;
        let target = read.query.map_or_else(|| read.path.to_owned(), |query| format!("{}?{query}", read.path));
        let mut original = Request::new(()).into_parts().0;
        original.method = read.method.parse::<Method>().map_err(|_| bad())?;
        original.uri = target.parse::<Uri>().map_err(|_| bad())?;
        original.version = parts.version;
        original.headers = parts.headers.clone();
        Ok((original, read.by))
    }

    async fn decided(&self, original: Parts, by: OriginalBy, peer: Option<IpAddr>) -> Response<ResponseBody> {
        let now = self.gate().now();
        let outcome = {
            let fields = Fields(&original.headers);
            self.gate().decide(&RequestHead { peer, ..head(&original, &fields) }, now)
        };
        match outcome.resolve().await {
            Decision::Admit(admission) => self.admitted(&original, by, &admission),
            Decision::Refuse(refusal) => {
                let status = StatusCode::from_u16(refusal.reply.status).unwrap_or_default();
                self.count(refusal.caller.as_deref(), status);
                refused(*refusal, by)
            }
        }
    }

    fn admitted(&self, original: &Parts, by: OriginalBy, admission: &Admission) -> Response<ResponseBody> {
        let mut response = Response::new(whole(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let principal = admission.caller.principal();
        if let Some(caller) = principal
            && let Err(rejection) = self.destination_of(original).introduce(headers, caller, self.gate().now())
        {
            let fields = Fields(&original.headers);
            return refused(self.context().refusal(rejection, &head(original, &fields)), by);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value, _) in admission.response_fields.iter() {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        self.count(principal, StatusCode::NO_CONTENT);
        response
    }
}

/// A refusal as the proxy is told it.
fn refused(refusal: Refusal, by: OriginalBy) -> Response<ResponseBody> {
    let body = HeaderValue::from_bytes(&refusal.reply.body).ok();
    let mut response = response(refusal.reply);
    if by == OriginalBy::Original {
        for_nginx(response.headers_mut(), body.filter(|body| !body.is_empty()));
    }
    response.extensions_mut().insert(refusal.rejection);
    response
}

/// What nginx does not pass on by itself: the body, and of several challenges all but the first, which may stand in one line as
/// well (RFC 9110 section 11.6.1).
fn for_nginx(headers: &mut HeaderMap, body: Option<HeaderValue>) {
    let challenges: Vec<&[u8]> =
        headers.get_all(header::WWW_AUTHENTICATE).into_iter().map(HeaderValue::as_bytes).collect();
    if challenges.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&challenges.join(&b", "[..]))
    {
        headers.insert(header::WWW_AUTHENTICATE, joined);
    }
    if let Some(body) = body {
        headers.insert(REFUSAL, body);
    }
}
