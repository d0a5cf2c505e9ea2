//! The axum application around the gateway.

use std::sync::Arc;

use auth_core::{Anonymous, Principal, Rejection};
use auth_tower::AuthLayer;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::Arrival;
use crate::forward::Answer;
use crate::gateway::{Admitted, Gateway};
use crate::tunnel;

/// The gateway as an axum router.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let gate = AuthLayer::new(gateway.gate().clone())
        .peer_from(|extensions| extensions.get::<Arrival>().map(|arrival| arrival.peer));
    Router::new().fallback(answer).with_state(gateway.clone()).layer(gate).layer(from_fn_with_state(gateway, around))
}

/// What happens before and after the gate.
async fn around(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let arrival = parts.extensions.get::<Arrival>().cloned();
    let (passage, early) = gateway.arrive(&parts);
    let early = match early {
        None => gateway.forward_auth(&parts, arrival.as_ref().map(|arrival| arrival.peer)).await,
        early => early,
    };
    let mut response = match early {
        Some(response) => response.map(Body::new),
        None => next.run(Request::from_parts(parts, body)).await,
    };
    // the gate leaves there whom it refused; whom it admitted is counted with the answer
    gateway.count(response.extensions().get::<Principal>(), response.status());
    let mut leaving = passage.leave(response.status(), response.extensions().get::<Rejection>());
    if arrival.is_some_and(|arrival| arrival.is_last()) {
        leaving = leaving.for_good();
    }
    leaving.apply(response.headers_mut());
    response
}

async fn answer(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    let arrival = request.extensions().get::<Arrival>().cloned();
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let extensions = request.extensions();
    let (principal, anonymous) = (extensions.get::<Principal>().cloned(), extensions.get::<Anonymous>().cloned());
    let admitted = Admitted::of(principal.as_ref(), anonymous.as_ref());
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    let (peer, scheme) = (arrival.as_ref().map(|arrival| arrival.peer), arrival.as_ref().map(|arrival| arrival.scheme));
    match gateway.answer(request, peer, scheme.unwrap_or_default(), admitted).await {
        Answer::Response(response) => response.map(Body::new),
        Answer::Upgraded(head, upstream) => {
            if let Some(client) = upgrade {
                tokio::spawn(async move {
                    // The seat is kept for as long as bytes go through.
                    let _arrival = arrival;
                    if let Ok(client) = client.await {
                        tunnel::carry(TokioIo::new(client), upstream).await;
                    }
                });
            }
            head.map(|()| Body::empty())
        }
    }
}
