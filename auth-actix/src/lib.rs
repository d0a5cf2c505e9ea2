//! The gate of [`auth_core`] as an actix-web middleware.
//!
//! [`Auth`] wraps an `App`, a `Scope` or a `Resource`. It asks the gate before anything of the inner service runs,
//! attaches the caller to the request's extensions, and answers refusals itself, so that middleware wrapped outside
//! it — CORS, logging, compression — sees them like any other response.
//!
//! ```
//! use actix_web::http::StatusCode;
//! use actix_web::test::{TestRequest, call_service, init_service};
//! use actix_web::{App, web};
//! use auth_actix::{Auth, MaybeAuthenticated};
//! use auth_core::gate::Gate;
//! use auth_core::policy::{Policy, authenticated, public};
//!
//! # #[actix_web::main]
//! # async fn main() {
//! let gate = Gate::builder()
//!     .policy(Policy::new().get("/", public()).get("/account", authenticated()))
//!     .build()
//!     .unwrap();
//! let app = App::new()
//!     .route("/", web::get().to(|caller: MaybeAuthenticated| async move { caller.0.is_some().to_string() }))
//!     .route("/account", web::get().to(|| async { "never without a credential" }))
//!     .wrap(Auth::new(gate));
//! let app = init_service(app).await;
//!
//! let open = call_service(&app, TestRequest::get().uri("/").to_request()).await;
//! assert_eq!(open.status(), StatusCode::OK);
//! let closed = call_service(&app, TestRequest::get().uri("/account").to_request()).await;
//! assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
//! # }
//! ```
//!
//! # Where to wrap
//!
//! `App::wrap` covers every route and the default service, whether added before or after it: nothing is reachable around
//! it. A scope or resource may be wrapped alone; what lies outside it is then open. Scopes see the whole path, so the
//! same table serves them; a gate made by [`Gate::requiring`](auth_core::gate::Gate::requiring) gives one scope a
//! requirement of its own.
//!
//! `NormalizePath` belongs outside the gate (wrapped after it), so that both see the same path. Inside, the gate refuses
//! what `NormalizePath` would mend.
//!
//! Where a service inside answers with an [`Error`](actix_web::Error), as middleware may, its response has the gate's fields
//! too. Where there are any, the error is wrapped: it renders and prints as it was, but whoever asks for its type outside the
//! gate, by `as_error`, does not find it any more.

mod convert;
#[cfg(feature = "endpoints")]
mod endpoints;
mod error;
mod extract;
mod middleware;
mod transform;

#[cfg(feature = "endpoints")]
pub use endpoints::{EndpointsMiddleware, OwnEndpoints};
pub use extract::{Authenticated, MaybeAuthenticated, Permitted, Refused};
pub use middleware::{AuthMiddleware, ResponseFuture};
pub use transform::Auth;
