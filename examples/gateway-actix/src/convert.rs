//! Between actix-web's types, which are on `http` 0.2, and those of `http` 1.x, which the gateway speaks.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, http as old};
use auth_core::Rejection;
use bytes::Bytes;
use gateway::body::ResponseBody;
use gateway::passage::{Connection, Leaving};
use http::request::Parts;
use http::{Method, Request, Response, Version, header};
use http_body::Body as _;

/// The head of a request; `None` if it holds what `http` 1.x does not allow, which no server lets through.
pub(crate) fn parts(head: &RequestHead) -> Option<Parts> {
    let mut parts = Request::new(()).into_parts().0;
    parts.method = Method::from_bytes(head.method.as_str().as_bytes()).ok()?;
    parts.uri = head.uri.to_string().parse().ok()?;
    parts.version = version(head.version);
    for (name, value) in head.headers() {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        parts.headers.append(name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    Some(parts)
}

fn version(version: old::Version) -> Version {
    match version {
        old::Version::HTTP_10 => Version::HTTP_10,
        old::Version::HTTP_2 => Version::HTTP_2,
        _ => Version::HTTP_11,
    }
}

/// A response with its body streaming.
pub(crate) fn response(response: Response<ResponseBody>, to: &Method) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let size = size(&parts, &body, to);
    let refused = parts.extensions.get::<Rejection>().cloned();
    let mut converted = HttpResponse::with_body(status(parts.status), Passing { body, size });
    copy_fields(&parts.headers, &mut converted);
    if let Some(rejection) = refused {
        converted.extensions_mut().insert(rejection);
    }
    // actix writes the length that the body says, except where there is no body and the field alone says it.
    if size != BodySize::None {
        converted.headers_mut().remove(old::header::CONTENT_LENGTH);
    }
    converted.map_into_boxed_body()
}

/// How long the body is, or would be if the request were not HEAD.
fn size(parts: &http::response::Parts, body: &ResponseBody, to: &Method) -> BodySize {
    let field = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match (body.size_hint().exact(), field) {
        _ if parts.status == http::StatusCode::NOT_MODIFIED => BodySize::None,
        (Some(0), Some(length)) if *to == Method::HEAD => BodySize::Sized(length),
        (Some(0), None) if *to == Method::HEAD => BodySize::None,
        (Some(exact), _) => BodySize::Sized(exact),
        (None, _) => BodySize::Stream,
    }
}

pub(crate) fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn copy_fields<B>(from: &http::HeaderMap, to: &mut HttpResponse<B>) {
    for (name, value) in from {
        if let Some((name, value)) = field(name, value) {
            to.headers_mut().append(name, value);
        }
    }
}

fn field(name: &http::HeaderName, value: &http::HeaderValue) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_str().as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

/// Does to a response what is to be done before it leaves.
pub(crate) fn apply<B>(leaving: &Leaving, response: &mut HttpResponse<B>) {
    for (name, value) in &leaving.fields {
        let Some((name, value)) = field(name, value) else { continue };
        if name == old::header::VARY {
            response.headers_mut().append(name, value);
        } else {
            response.headers_mut().insert(name, value);
        }
    }
    if leaving.connection == Connection::Close {
        response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    }
}

/// A body on its way through.
struct Passing {
    body: ResponseBody,
    size: BodySize,
}

impl MessageBody for Passing {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn boxed(self) -> BoxBody {
        BoxBody::new(self)
    }
}
