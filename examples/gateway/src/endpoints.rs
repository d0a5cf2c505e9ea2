//! What the gateway answers itself instead of an upstream.

use std::net::IpAddr;
use std::time::Duration;

use auth_core::endpoint::{Asked, Endpoints, MAX_CONTENT, Received};
use auth_core::gate::{Attached, Context};
use auth_core::{Outage, Rejection, RequestHead};
use http::Response;
use http::request::Parts;
use http_body_util::BodyExt as _;

use crate::body::{RequestBody, ResponseBody, response};
use crate::gate_view::{Fields, head, refuse};

/// For how long the content of a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a request asks of the endpoints, if it is for one of them.
pub(crate) fn asked(
    endpoints: &Endpoints,
    parts: &Parts,
    peer: Option<IpAddr>,
    attached: Attached<'_>,
) -> Option<Asked> {
    let fields = Fields(&parts.headers);
    let head = RequestHead { peer, ..head(parts, &fields) };
    // the gate was asked, which is all that could be amiss
    endpoints.asked(&head, attached)?.ok()
}

/// Reads the content and lets the endpoint answer.
///
/// What was begun is finished even if the client goes away: the work is done in a task of its own.
pub(crate) async fn answer(
    asked: Asked,
    body: RequestBody,
    context: &Context,
    parts: &Parts,
) -> Response<ResponseBody> {
    let received = tokio::time::timeout(PATIENCE, received(body)).await.unwrap_or(Received::Broken);
    match tokio::spawn(async move { asked.answer(received).await }).await {
        Ok(answered) => {
            let mut response = response(answered.reply);
            if let Some(rejection) = answered.rejection {
                response.extensions_mut().insert(rejection);
            }
            response
        }
        // a panic over there was reported over there
        Err(_) => refuse(context, Rejection::Unavailable(Outage::new("an endpoint panicked")), parts),
    }
}

async fn received(mut body: RequestBody) -> Received {
    let mut content = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Received::Broken };
        let Ok(data) = frame.into_data() else { continue };
        if content.len() + data.len() > MAX_CONTENT {
            return Received::TooLong;
        }
        content.extend_from_slice(&data);
    }
    Received::Whole(content)
}
