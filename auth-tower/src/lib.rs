//! The gate of [`auth_core`] as a tower layer, for axum and everything else on tower.
//!
//! [`AuthLayer`] goes around a whole router, one route, or any `tower::Service` over HTTP requests (with
//! [`any_body`](AuthLayer::any_body) where its response bodies are not `From<Bytes>`, as axum's are). It asks the gate
//! before anything of the inner service runs, attaches the caller to the request's extensions, and answers refusals
//! itself, so that layers outside it — CORS, tracing, compression — see them like any other response.
//!
//! ```
//! use auth_core::gate::Gate;
//! use auth_core::policy::{Policy, authenticated, public};
//! use auth_tower::{AuthLayer, MaybeAuthenticated};
//! use axum::{Router, routing::get};
//! use axum::http::{Request, StatusCode};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let gate = Gate::builder()
//!     .policy(Policy::new().get("/", public()).get("/account", authenticated()))
//!     .build()
//!     .unwrap();
//! let app = Router::new()
//!     .route("/", get(|caller: MaybeAuthenticated| async move { format!("{}", caller.0.is_some()) }))
//!     .route("/account", get(|| async { "never without a credential" }))
//!     .layer(AuthLayer::new(gate));
//!
//! let status = |path: &str| {
//!     let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
//!     let app = app.clone();
//!     async move { app.oneshot(request).await.unwrap().status() }
//! };
//! assert_eq!(status("/").await, StatusCode::OK);
//! assert_eq!(status("/account").await, StatusCode::UNAUTHORIZED);
//! # }
//! ```
//!
//! # Where to put the layer
//!
//! A layer wraps what is there when it is added, so it comes last:
//!
//! | where | what it covers |
//! |---|---|
//! | around the router: `layer.layer(router)`, or in a `ServiceBuilder` | everything, before axum routes at all |
//! | `Router::layer` | every route added before it, nested and merged ones too, and the fallback |
//! | `Router::route_layer` | every route added before it; the fallback answers 404 without asking the gate |
//! | `MethodRouter::layer`, `Handler::layer` | that route or handler |
//!
//! A route or fallback that is added later, or merged in later, stands beside the layer: only an extractor notices, by
//! answering 500. Around the router, strangers learn nothing of axum's own; within, axum adds `Allow` to refusals of
//! methods that a route does not have, which tells that there is a route.
//!
//! Inside `Router::nest`, services see the path without the prefix, and so does the gate: put the layer on the outermost
//! router, where the table can name whole paths, or give the inner routes a requirement of their own with
//! [`Gate::requiring`](auth_core::gate::Gate::requiring).

mod body;
mod convert;
#[cfg(feature = "endpoints")]
mod endpoints;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;
mod peer;
mod service;

pub use body::{Bodies, ResponseBody, Unchanged, Wrapped};
#[cfg(feature = "endpoints")]
pub use endpoints::{EndpointsFuture, EndpointsLayer, EndpointsService};
#[cfg(feature = "axum")]
pub use extract::{Authenticated, MaybeAuthenticated, Permitted, Refused};
pub use future::ResponseFuture;
pub use layer::AuthLayer;
pub use peer::PeerAddress;
pub use service::AuthService;
