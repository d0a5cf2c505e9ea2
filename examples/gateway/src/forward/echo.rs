//! The built-in upstream: answers what it was sent.
//!
//! It stands behind the same header rewriting as a real upstream, so that what it shows is what an upstream would get.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::body::{BodyError, RequestBody, ResponseBody, whole};

/// Bodies are shown as one text, so this upstream, unlike the proxy, has to hold them: 16 MiB at most.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// The name under which the echo upstream is addressed.
pub(super) const HOST: HeaderValue = HeaderValue::from_static("echo");

#[derive(Serialize)]
struct Echo<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: BTreeMap<&'a str, Vec<String>>,
    body: String,
}

/// Answers `200` with what the request holds.
///
/// # Errors
/// The body breaks off or is longer than 16 MiB.
pub(super) async fn answer(request: Request<RequestBody>) -> Result<Response<ResponseBody>, BodyError> {
    let (mut parts, body) = request.into_parts();
    name_framing(&mut parts, &body);
    let body = collect(body).await?;
    let echo = Echo {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: headers(&parts),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let text = serde_json::to_vec(&echo)?;
    let length = text.len();
    let mut response = Response::new(whole(if parts.method == Method::HEAD { Vec::new() } else { text }));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// On a connection the client writes one of these two fields in front of a body.
fn name_framing(parts: &mut Parts, body: &RequestBody) {
    match body.size_hint().exact() {
        Some(0) => {}
        Some(length) => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        None => {
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

fn headers(parts: &Parts) -> BTreeMap<&str, Vec<String>> {
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        headers.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    headers
}

async fn collect(mut body: RequestBody) -> Result<Bytes, BodyError> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if collected.len() + data.len() > LONGEST_BODY {
            return Err("the echo upstream takes bodies of at most 16 MiB".into());
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}
