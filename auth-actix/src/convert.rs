//! Between the core's types and actix-web's.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Extensions;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use auth_core::gate::{Admission, Caller, Existing, Refusal, ResponseFields};
use auth_core::reply::Reply;
use auth_core::{Anonymous, FieldNames, Headers, Principal, RequestHead};

/// A header map as the core reads it.
pub(crate) struct Fields<'a>(pub(crate) &'a HeaderMap);

impl Headers for Fields<'_> {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        let values = match well_known(name) {
            Some(name) => self.0.get_all(name),
            None => self.0.get_all(name),
        };
        for value in values {
            visit(value.as_bytes());
        }
    }

    fn has_any(&self, names: &FieldNames) -> bool {
        self.0.keys().any(|key| names.contains(key.as_str()))
    }
}

/// The typed name of a field that nearly every gate reads; looking a field up by text parses the name every time, and
/// allocates one that is not among HTTP's own.
fn well_known(name: &str) -> Option<&'static HeaderName> {
    static AUTHORIZATION: HeaderName = header::AUTHORIZATION;
    static COOKIE: HeaderName = header::COOKIE;
    static API_KEY: HeaderName = HeaderName::from_static("x-api-key");
    match name {
        "authorization" => Some(&AUTHORIZATION),
        "cookie" => Some(&COOKIE),
        "x-api-key" => Some(&API_KEY),
        _ => None,
    }
}

/// The borrowed view of a request. The principal is passed in, because actix lends extensions out behind a guard.
pub(crate) fn head<'a>(
    request: &'a HttpRequest,
    fields: &'a Fields<'a>,
    known: Option<&'a Principal>,
    anonymous: Option<&'a Anonymous>,
) -> RequestHead<'a> {
    RequestHead {
        query: request.uri().query(),
        peer: request.peer_addr().map(|peer| peer.ip()),
        known,
        anonymous,
        ..RequestHead::new(request.method().as_str(), request.uri().path(), fields)
    }
}

/// Attaches what the gate says of an admitted request; answers the fields that its response gets.
pub(crate) fn attach(admission: Admission, request: &mut actix_web::dev::ServiceRequest) -> ResponseFields {
    put(admission.caller, &mut request.extensions_mut());
    if let Some(request_id) = admission.request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        request.headers_mut().insert(REQUEST_ID, request_id);
    }
    admission.response_fields
}

/// Adds fields to those of the service's own response.
pub(crate) fn add(fields: ResponseFields, headers: &mut HeaderMap) {
    if fields.is_empty() {
        return;
    }
    let (text, fields) = fields.into_parts();
    let text = Bytes::from(text);
    for (name, place, existing) in fields {
        // The core writes printable ASCII alone.
        let Ok(value) = HeaderValue::from_maybe_shared(text.slice(place)) else { continue };
        let name = HeaderName::from_static(name);
        match existing {
            Existing::Replaced => drop(headers.insert(name, value)),
            Existing::Kept => headers.append(name, value),
        }
    }
}

/// Leaves one of the two there: whom this gate calls anonymous is nobody, whoever a gate outside saw.
fn put(caller: Caller, extensions: &mut Extensions) {
    match caller {
        Caller::Principal(principal) => {
            extensions.remove::<Anonymous>();
            extensions.insert(principal);
        }
        Caller::Anonymous(anonymous) => {
            extensions.remove::<Principal>();
            extensions.insert(anonymous);
        }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A refusal as a response, with the typed reason in its extensions, and who it was where that is known.
pub(crate) fn response(refusal: Refusal) -> HttpResponse {
    let mut response = reply(refusal.reply);
    response.extensions_mut().insert(refusal.rejection);
    if let Some(caller) = refusal.caller {
        response.extensions_mut().insert(*caller);
    }
    response
}

/// A reply as a response.
pub(crate) fn reply(reply: Reply) -> HttpResponse {
    let Reply { status, fields, body } = reply;
    // The core answers statuses and fields that exist; what could not be expressed must not become a pass.
    let mut response = HttpResponse::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    let mut length_for_head = None;
    for (name, value) in fields {
        if name == "content-length" {
            length_for_head = value.parse().ok();
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_ref()), HeaderValue::try_from(value.as_ref())) {
            response.headers_mut().append(name, value);
        }
    }
    let body = RefusalBody { bytes: bytes(body), length_for_head };
    response.set_body(body).map_into_boxed_body()
}

fn bytes(body: Cow<'static, [u8]>) -> Bytes {
    match body {
        Cow::Borrowed(constant) => Bytes::from_static(constant),
        Cow::Owned(rendered) => Bytes::from(rendered),
    }
}

/// The bytes of a refusal. In answer to HEAD there are none, but actix writes `content-length` from what the body says
/// of itself, so it must say what GET would have got.
struct RefusalBody {
    bytes: Bytes,
    length_for_head: Option<u64>,
}

impl MessageBody for RefusalBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length_for_head.unwrap_or(self.bytes.len() as u64))
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let all = std::mem::take(&mut self.bytes);
        Poll::Ready((!all.is_empty()).then_some(Ok(all)))
    }
}
