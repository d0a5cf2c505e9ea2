//! The router that the benches compare with and without a layer, and the way they call it.
#![allow(dead_code, reason = "no bench needs all of it")]

use auth_core::gate::Gate;
use auth_tower::AuthLayer;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use tower::Service;

use crate::workload::measure::drive;
use crate::workload::{PATH, PATTERN};

/// With its state, as `axum::serve` gives it to every router before the first request: without, each handler and each
/// layer is put together anew for each request.
pub(crate) fn bare() -> Router {
    let routes = Router::new().route("/v1/orders", get(|| async { "orders" }));
    routes.route(PATTERN, get(|| async { "an order" })).with_state(())
}

pub(crate) fn layered(gate: Gate) -> Router {
    bare().layer(AuthLayer::new(gate))
}

/// A request as a client's HTTP library sends it.
pub(crate) fn request((name, value): &(&'static str, String)) -> Request<Body> {
    let request = Request::get(PATH)
        .header("host", "api.example.com")
        .header("user-agent", "example-client/2.4 (linux)")
        .header("accept", "application/json")
        .header("accept-encoding", "gzip, br")
        .header(*name, value);
    request.body(Body::empty()).unwrap_or_default()
}

/// As a server does it: a clone of the router per connection, here per request on both sides.
pub(crate) fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    let mut app = app.clone();
    match drive(app.call(request)) {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}
