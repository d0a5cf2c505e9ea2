//! What the gateway answers itself instead of an upstream.

use std::net::IpAddr;
use std::time::Duration;

use auth_core::endpoint::{EndpointRequest, Endpoints, Found, MAX_CONTENT};
use auth_core::{ContentFault, Now, Principal, Rejection, RequestFault};
use http::request::Parts;
use http::{Response, header};
use http_body_util::BodyExt as _;

use crate::body::{RequestBody, ResponseBody, response};

/// For how long the content of a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who asks for what.
pub(crate) struct Asked<'r> {
    pub(crate) parts: &'r Parts,
    pub(crate) client: Option<IpAddr>,
    pub(crate) caller: Option<Principal>,
    pub(crate) now: Now,
}

/// Reads the content and lets the endpoint answer.
///
/// What was begun is finished even if the client goes away: the work is done in a task of its own.
pub(crate) async fn answer_at(
    endpoints: &Endpoints,
    found: Found,
    asked: Asked<'_>,
    body: RequestBody,
) -> Result<Response<ResponseBody>, Rejection> {
    let mut request = EndpointRequest::new(asked.parts.method.as_str(), asked.now);
    request.query = asked.parts.uri.query().map(str::to_owned);
    request.media_type = media_type(asked.parts)?;
    request.content = content(body).await?;
    request.caller = asked.caller;
    request.client = asked.client;
    let endpoints = endpoints.clone();
    let answering = tokio::spawn(async move { endpoints.answer(found, request).await });
    // a panic over there was reported over there
    answering.await.unwrap_or(Err(Rejection::Internal)).map(response)
}

fn media_type(parts: &Parts) -> Result<Option<String>, Rejection> {
    let mut values = parts.headers.get_all(header::CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| Rejection::InvalidContent(ContentFault::MediaType))?;
            Ok(Some(text.to_owned()))
        }
        (Some(_), Some(_)) => Err(Rejection::InvalidRequest(RequestFault::RepeatedField)),
    }
}

async fn content(mut body: RequestBody) -> Result<Vec<u8>, Rejection> {
    let broken = || Rejection::InvalidRequest(RequestFault::Body);
    let collecting = async {
        let mut content = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
            if content.len() + data.len() > MAX_CONTENT {
                return Err(Rejection::InvalidContent(ContentFault::TooLarge(MAX_CONTENT)));
            }
            content.extend_from_slice(&data);
        }
        Ok(content)
    };
    tokio::time::timeout(PATIENCE, collecting).await.unwrap_or_else(|_| Err(broken()))
}
