//! Between the core's types and those of `http` 1.x.

use auth_core::gate::{Admission, Caller, Existing, Refusal, ResponseFields};
use auth_core::reply::Reply;
use auth_core::{Anonymous, FieldNames, Headers, Principal, RequestHead};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method, Request, Response, StatusCode, Uri};

use crate::body::bytes;

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

/// The typed name of a field that nearly every gate reads; looking a field up by text parses the name every time.
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

/// The borrowed view of a request; who its peer is, the service alone knows.
pub(crate) fn head<'a>(
    method: &'a Method,
    uri: &'a Uri,
    fields: &'a Fields<'a>,
    extensions: &'a Extensions,
) -> RequestHead<'a> {
    RequestHead {
        query: uri.query(),
        known: extensions.get::<Principal>(),
        anonymous: extensions.get::<Anonymous>(),
        ..RequestHead::new(method.as_str(), uri.path(), fields)
    }
}

/// Attaches what the gate says of an admitted request; answers the fields that its response gets.
pub(crate) fn attach<B>(admission: Admission, request: &mut Request<B>) -> ResponseFields {
    let extensions = request.extensions_mut();
    // One of the two is there afterwards: whom this gate calls anonymous is nobody, whoever a gate outside saw.
    match admission.caller {
        Caller::Principal(principal) => {
            extensions.remove::<Anonymous>();
            extensions.insert(principal);
        }
        Caller::Anonymous(anonymous) => {
            extensions.remove::<Principal>();
            extensions.insert(anonymous);
        }
    }
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
    headers.reserve(fields.size_hint().1.unwrap_or_default());
    for (name, place, existing) in fields {
        // The core writes printable ASCII alone.
        let Ok(value) = HeaderValue::from_maybe_shared(text.slice(place)) else { continue };
        let name = field_name(name).unwrap_or_else(|| HeaderName::from_static(name));
        match existing {
            Existing::Replaced => drop(headers.insert(name, value)),
            Existing::Kept => drop(headers.append(name, value)),
        }
    }
}

/// The names that answers have most often, read by the compiler instead of for each response.
fn field_name(name: &str) -> Option<HeaderName> {
    Some(match name {
        "x-request-id" => REQUEST_ID,
        "x-ratelimit-limit" => const { HeaderName::from_static("x-ratelimit-limit") },
        "x-ratelimit-remaining" => const { HeaderName::from_static("x-ratelimit-remaining") },
        "x-ratelimit-reset" => const { HeaderName::from_static("x-ratelimit-reset") },
        "ratelimit-policy" => const { HeaderName::from_static("ratelimit-policy") },
        "ratelimit" => const { HeaderName::from_static("ratelimit") },
        _ => return None,
    })
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A refusal as a response, with the typed reason in its extensions, and who it was where that is known.
pub(crate) fn response(refusal: Refusal) -> Response<Bytes> {
    let mut response = reply(refusal.reply);
    response.extensions_mut().insert(refusal.rejection);
    if let Some(caller) = refusal.caller {
        response.extensions_mut().insert(*caller);
    }
    response
}

/// A reply as a response.
pub(crate) fn reply(reply: Reply) -> Response<Bytes> {
    let Reply { status, fields, body } = reply;
    let mut response = Response::new(bytes(body));
    // The core answers statuses and fields that exist; what could not be expressed must not become a pass.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_ref()), HeaderValue::try_from(value.as_ref())) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
