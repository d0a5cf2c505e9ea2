//! The two kinds of body that pass through the gateway, and how an answer of its own becomes a response.

use std::error::Error;

use auth_core::reply::Reply;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};

/// What can go wrong while a body is passed on.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// A body on its way to the upstream.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body on its way to the client.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is there as a whole.
pub fn whole(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A reply of the gate's as a response.
pub fn response(reply: Reply) -> Response<ResponseBody> {
    let mut response = Response::new(whole(Bytes::from(reply.body.into_owned())));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.fields {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
