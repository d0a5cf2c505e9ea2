//! Where in an axum router the layer has to stand, so that no handler is reachable around it.
//!
//! What is a matter of order in axum is written down in the crate's documentation; here it is shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_core::credential::Source;
use auth_core::gate::Gate;
use auth_core::policy::{Policy, authenticated, permission, public};
use auth_tower::{AuthLayer, Authenticated};
use axum::Router;
use axum::body::Body;
use axum::routing::{MethodRouter, any_service, get};
use http::{Request, Response};
use tower::{Layer, ServiceExt};

use crate::stand_in::Credulous;

/// Handlers that say that they were reached.
#[derive(Clone, Default)]
struct Handlers(Arc<AtomicUsize>);

impl Handlers {
    fn get(&self) -> MethodRouter {
        let reached = Arc::clone(&self.0);
        get(move || async move {
            reached.fetch_add(1, Ordering::SeqCst);
            "reached"
        })
    }

    fn reached(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn layer() -> AuthLayer {
    AuthLayer::new(gate(Policy::new().get("/ruled", authenticated()).get("/api/ruled", permission("read"))))
}

fn gate(policy: Policy) -> Gate {
    Gate::builder().accept(Source::bearer(), Credulous::default()).policy(policy).build().unwrap()
}

#[tokio::test]
async fn layer_covers_every_route_and_the_fallback() {
    let handlers = Handlers::default();
    let app = Router::new()
        .route("/ruled", handlers.get())
        .route("/forgotten", handlers.get())
        .nest("/api", Router::new().route("/ruled", handlers.get()).route("/forgotten", handlers.get()))
        .nest_service("/files", any_service(handlers.get()))
        .merge(Router::new().route("/merged", handlers.get()))
        .fallback_service(handlers.get())
        .layer(layer());
    for path in ["/ruled", "/forgotten", "/api/ruled", "/api/forgotten", "/api", "/files/x", "/merged", "/none", "/"] {
        assert_eq!(ask(&app, "GET", path, None).await.status(), 401, "{path}");
        assert_eq!(ask(&app, "GET", path, Some("bad")).await.status(), 401, "{path}");
        let status = ask(&app, "GET", path, Some("alice")).await.status();
        assert_eq!(status, if path == "/ruled" { 200 } else { 403 }, "{path}");
    }
    assert_eq!(handlers.reached(), 1);
    assert_eq!(ask(&app, "GET", "/api/ruled", Some("alice+read")).await.status(), 200, "the whole path is matched");
}

#[tokio::test]
async fn the_404_and_the_405_of_axum_itself_are_behind_the_layer() {
    let app = Router::new().route("/ruled", get(|| async { "reached" })).layer(layer());
    assert_eq!(ask(&app, "GET", "/none", None).await.status(), 401);
    assert_eq!(ask(&app, "POST", "/ruled", None).await.status(), 401);
    assert_eq!(ask(&app, "POST", "/ruled", Some("alice")).await.status(), 403);
}

#[tokio::test]
async fn route_layer_covers_every_route_but_not_the_fallback() {
    let handlers = Handlers::default();
    let app = Router::new()
        .route("/ruled", handlers.get())
        .route("/forgotten", handlers.get())
        .nest("/api", Router::new().route("/forgotten", handlers.get()))
        .route_layer(layer());
    for path in ["/ruled", "/forgotten", "/api/forgotten"] {
        assert_eq!(ask(&app, "GET", path, None).await.status(), 401, "{path}");
    }
    assert_eq!(ask(&app, "GET", "/forgotten", Some("alice")).await.status(), 403);
    assert_eq!(ask(&app, "GET", "/none", None).await.status(), 404);
    assert_eq!(ask(&app, "POST", "/ruled", None).await.status(), 401, "the 405 belongs to the route");
    assert_eq!(handlers.reached(), 0);
}

/// The layer wraps what is there when it is added. What comes later stands beside it, and only an extractor notices.
#[tokio::test]
async fn what_is_added_after_the_layer_is_not_covered() {
    async fn whoami(_: Authenticated) {}
    let handlers = Handlers::default();
    let app = Router::new()
        .route("/ruled", handlers.get())
        .layer(layer())
        .route("/later", handlers.get())
        .route("/later-but-asking", get(whoami))
        .merge(Router::new().route("/merged-later", handlers.get()))
        .fallback_service(handlers.get());
    for path in ["/later", "/merged-later", "/none"] {
        assert_eq!(ask(&app, "GET", path, None).await.status(), 200, "{path}");
    }
    assert_eq!(ask(&app, "GET", "/later-but-asking", None).await.status(), 500);
    assert_eq!(ask(&app, "GET", "/ruled", None).await.status(), 401);
}

/// A router with a layer keeps it when it is merged into another, whose own routes stay outside.
#[tokio::test]
async fn a_merged_router_brings_its_own_layer_alone() {
    let handlers = Handlers::default();
    let covered = Router::new().route("/ruled", handlers.get()).route("/forgotten", handlers.get()).layer(layer());
    let app = Router::new().route("/open", handlers.get()).merge(covered);
    assert_eq!(ask(&app, "GET", "/open", None).await.status(), 200);
    assert_eq!(ask(&app, "GET", "/ruled", None).await.status(), 401);
    assert_eq!(ask(&app, "GET", "/forgotten", Some("alice")).await.status(), 403);
}

/// Services inside `nest` see the path without the prefix, and so does a gate whose layer stands inside.
#[tokio::test]
async fn a_layer_inside_nest_matches_the_path_without_the_prefix() {
    let handlers = Handlers::default();
    let inner = |gate| Router::new().route("/ruled", handlers.get()).layer(AuthLayer::new(gate));
    let whole = Router::new().nest("/api", inner(gate(Policy::new().get("/api/ruled", public()))));
    assert_eq!(ask(&whole, "GET", "/api/ruled", None).await.status(), 401, "no rule is found, so nobody passes");
    let rest = Router::new().nest("/api", inner(gate(Policy::new().get("/ruled", public()))));
    assert_eq!(ask(&rest, "GET", "/api/ruled", None).await.status(), 200);
    let single = gate(Policy::new()).requiring(permission("read")).unwrap();
    let single = Router::new().nest("/api", inner(single));
    assert_eq!(ask(&single, "GET", "/api/ruled", Some("alice")).await.status(), 403);
    assert_eq!(ask(&single, "GET", "/api/ruled", Some("alice+read")).await.status(), 200);
}

/// Around the router as a whole, the layer decides before axum routes at all.
#[tokio::test]
async fn around_the_router_nothing_of_axum_is_told_to_strangers() {
    let handlers = Handlers::default();
    let router = || Router::new().route("/ruled", handlers.get()).route("/forgotten", handlers.get());
    let around = layer().layer(router());
    let within = router().layer(layer());
    for path in ["/ruled", "/forgotten", "/none"] {
        let request = Request::post(path).body(Body::empty()).unwrap();
        let answer = around.clone().oneshot(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("allow")), (401, false), "{path}");
        // axum adds `Allow` to whatever the layer answers on a path that it knows.
        let answer = ask(&within, "POST", path, None).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers().contains_key("allow")),
            (401, path != "/none"),
            "{path}"
        );
    }
    assert_eq!(handlers.reached(), 0);
}

async fn ask(app: &Router, method: &str, path: &str, credential: Option<&str>) -> Response<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = match credential {
        Some(credential) => request.header("authorization", format!("Bearer {credential}")),
        None => request,
    };
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}
