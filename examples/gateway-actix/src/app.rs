//! The actix application around the gateway.

use std::sync::Arc;

use actix_service::{Service as _, Transform as _};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Version;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use auth_actix::Auth;
use auth_core::{Anonymous, Principal, Rejection};
use gateway::connection::Scheme;
use gateway::forward::{Answer, mentions_websocket};
use gateway::framing::BrokenBody;
use gateway::gateway::{Admitted, Gateway};
use http::Request;

use crate::closing::Watching;
use crate::streams::{DuringTurn, Streams, Turn};
use crate::{convert, upgrade, upload};

/// What happens before and after the gate.
pub(crate) async fn around(
    gateway: Arc<Gateway>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let Some(parts) = convert::parts(request.head()) else {
        return Ok(request.into_response(HttpResponse::BadRequest().finish()));
    };
    let (passage, early) = gateway.arrive(&parts);
    let counting = Arc::clone(&gateway);
    let turn = turn(&request).await;
    let early = match (early, &turn) {
        (None, Ok(_)) => gateway.forward_auth(&parts, request.peer_addr().map(|peer| peer.ip())).await,
        (early, _) => early,
    };
    let mut response = match (early, &turn) {
        (Some(early), _) => request.into_response(convert::response(early, &parts.method)),
        (None, Err(TooMany)) => request.into_response(convert::response(gateway.overloaded(&parts), &parts.method)),
        (None, Ok(_)) => behind_gate(gateway, request, next).await?.map_into_boxed_body(),
    };
    if let Ok(Some(turn)) = turn {
        response = response.map_body(|_, body| BoxBody::new(DuringTurn { body, turn }));
    }
    let status = http::StatusCode::from_u16(response.status().as_u16()).unwrap_or_default();
    // the gate leaves there whom it refused; whom it admitted is counted with the answer
    counting.count(response.response().extensions().get::<Principal>(), status);
    let mut leaving = passage.leave(status, response.response().extensions().get::<Rejection>());
    if response.request().conn_data::<Watching>().is_some_and(Watching::is_last) {
        leaving = leaving.for_good();
    }
    convert::apply(&leaving, response.response_mut());
    Ok(response)
}

/// Asks the gate of this very gateway, which [`answer`] finds among the request's extensions.
async fn behind_gate<B: MessageBody + 'static>(
    gateway: Arc<Gateway>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let Ok(gated) = Auth::new(gateway.gate().clone()).new_transform(next).await else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()).map_into_right_body());
    };
    request.extensions_mut().insert(gateway);
    gated.call(request).await
}

/// Too many requests of the connection wait already.
struct TooMany;

/// The turn of a request over HTTP/2. HTTP/1 has one request at a time by itself.
async fn turn(request: &ServiceRequest) -> Result<Option<Turn>, TooMany> {
    let streams = request.request().conn_data::<Streams>().filter(|_| request.version() == Version::HTTP_2).cloned();
    match streams {
        Some(streams) => streams.turn().await.map(Some).ok_or(TooMany),
        None => Ok(None),
    }
}

/// Answers what the gate admitted.
pub(crate) async fn answer(request: ServiceRequest) -> Result<ServiceResponse, Error> {
    let gateway = request.extensions_mut().remove::<Arc<Gateway>>();
    let Some(gateway) = gateway else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let (request, payload) = request.into_parts();
    let Some(parts) = convert::parts(request.head()) else {
        return Ok(ServiceResponse::new(request, HttpResponse::BadRequest().finish()));
    };
    let method = parts.method.clone();
    let (body, opaque) = if mentions_websocket(&parts.headers) {
        (upload::nothing(), Some(payload))
    } else {
        (upload::body(payload, &parts, request.conn_data::<BrokenBody>().cloned()), None)
    };
    let peer = request.peer_addr().map(|peer| peer.ip());
    let scheme = request.conn_data::<Scheme>().copied().unwrap_or_default();
    let (principal, anonymous) = {
        let extensions = request.extensions();
        (extensions.get::<Principal>().cloned(), extensions.get::<Anonymous>().cloned())
    };
    let admitted = Admitted::of(principal.as_ref(), anonymous.as_ref());
    let answer = gateway.answer(Request::from_parts(parts, body), peer, scheme, admitted).await;
    let response = match (answer, opaque) {
        (Answer::Response(response), _) => convert::response(response, &method),
        (Answer::Upgraded(head, upstream), Some(client)) => upgrade::response(&head, upstream, client),
        // An upgrade that the request did not ask for is refused before it comes here.
        (Answer::Upgraded(..), None) => HttpResponse::BadGateway().finish(),
    };
    Ok(ServiceResponse::new(request, response))
}
