//! One exchange with an upstream: the request as it was rewritten, and what of the answer goes back.

use std::sync::Arc;

use auth_core::{Rejection, RequestFault, UpstreamFault};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::begun::Begun;
use super::patience::{Download, Progress, Silent, Upload, awaited};
use super::upstream::{self, Connected};
use super::{Answer, hop_by_hop, identity, upgrade};
use crate::body::{RequestBody, whole};

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(
    upstream: &Connected,
    request: Request<RequestBody>,
    wants_upgrade: bool,
) -> Result<Answer, Rejection> {
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
    progress: Arc<Progress>,
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
    let patience = upstream.patience;
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
