//! Budgets through both adapters: exact under concurrency, charged once, told alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use actix_web::HttpResponse;
use actix_web::test::{TestRequest, call_service, init_service};
use auth_core::credential::Source;
use auth_core::gate::{Gate, Limits};
use auth_core::limit::{Plan, Plans, Scope};
use auth_core::policy::{Policy, Rule, authenticated, optional, permission, public};
use auth_core::store::MemoryLimitStore;
use auth_core::{LimitExceeded, Rejection, SimulatedClock};
use auth_tower::AuthLayer;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use tower::ServiceExt as _;

use crate::stand_in::Credulous;

const QUOTA: usize = 137;
const THREADS: usize = 4;
const EACH: usize = 250;

fn gate() -> Gate {
    let plan = Plan::new("plan").limit("hour", format!("{QUOTA}/hour").parse().unwrap(), Scope::PRINCIPAL);
    let strangers = Plan::new("strangers").limit("address", "3/hour".parse().unwrap(), Scope::NETWORK);
    let plans = Plans::builder().plan(plan).default_plan("plan").anonymous(strangers).build().unwrap();
    let policy = Policy::new()
        .get("/me", authenticated())
        .get("/songs", permission("read"))
        .get("/dear", Rule::new(authenticated()).cost(100))
        .get("/optional", optional())
        .get("/public", public());
    Gate::builder()
        .accept(Source::bearer(), Credulous::default())
        .clock(SimulatedClock::at_unix_seconds(1_700_000_000))
        .limits(Limits::new(plans, MemoryLimitStore::new()))
        .policy(policy)
        .build()
        .unwrap()
}

fn asking(path: &str, token: Option<&str>) -> http::Request<Body> {
    let request = http::Request::get(path);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

fn asking_actix(path: &str, token: Option<&str>) -> actix_http::Request {
    let request = TestRequest::get().uri(path);
    let request = match token {
        Some(token) => request.insert_header(("authorization", format!("Bearer {token}"))),
        None => request,
    };
    request.to_request()
}

/// A runtime of several threads, on which tasks of one request each run at once.
#[test]
fn l16_a_thousand_requests_at_once_pass_exactly_as_often_as_the_quota_says() {
    let app = Router::new().route("/me", get(|| async {})).layer(AuthLayer::new(gate()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).build().unwrap();
    let admitted = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..THREADS * EACH {
            let app = app.clone();
            tasks.spawn(async move { app.oneshot(asking("/me", Some("alice"))).await.unwrap().status().as_u16() });
        }
        let statuses = tasks.join_all().await;
        assert!(statuses.iter().all(|status| matches!(status, 200 | 429)));
        statuses.iter().filter(|status| **status == 200).count()
    });
    assert_eq!(admitted, QUOTA);

    // Workers of actix share nothing but the gate.
    let (gate, admitted) = (gate(), Arc::new(AtomicUsize::new(0)));
    let worker = || {
        let (gate, admitted) = (gate.clone(), Arc::clone(&admitted));
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let ok = || std::future::ready(HttpResponse::Ok());
                let app = actix_web::App::new().route("/me", actix_web::web::get().to(ok));
                let app = init_service(app.wrap(auth_actix::Auth::new(gate))).await;
                for _ in 0..EACH {
                    let status = call_service(&app, asking_actix("/me", Some("alice"))).await.status().as_u16();
                    assert!(matches!(status, 200 | 429), "{status}");
                    admitted.fetch_add(usize::from(status == 200), Ordering::SeqCst);
                }
            });
        })
    };
    let workers: Vec<_> = (0..THREADS).map(|_| worker()).collect();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(admitted.load(Ordering::SeqCst), QUOTA);
}

/// Status, what remains, and the limit lists, in the order of their lines.
type Told = (u16, Vec<String>, Vec<String>);

async fn told_by_tower(app: &Router, path: &str, token: Option<&str>) -> Told {
    let response = app.clone().oneshot(asking(path, token)).await.unwrap();
    let lines = |name: &str| response.headers().get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), lines("x-ratelimit-remaining"), lines("ratelimit"))
}

macro_rules! told_by_actix {
    ($app:expr, $path:expr, $token:expr) => {{
        let response = call_service($app, asking_actix($path, $token)).await;
        let lines = |name: &str| -> Vec<String> {
            response.headers().get_all(name).map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        (response.status().as_u16(), lines("x-ratelimit-remaining"), lines("ratelimit"))
    }};
}

/// A layer around everything and a layer around one route, of one gate.
#[actix_web::test]
async fn l24_layers_charge_once_on_both_adapters() {
    let around = |gate: &Gate| gate.requiring(permission("write")).unwrap();
    let (outer, reader) = (gate(), Some("alice+read"));
    let app = Router::new()
        .route("/me", get(|| async {}).layer(AuthLayer::new(around(&outer))))
        .route("/optional", get(|| async {}).layer(AuthLayer::new(around(&outer))))
        .layer(AuthLayer::new(outer));
    let outer = gate();
    let ok = || std::future::ready(HttpResponse::Ok());
    let inner = |path| {
        let resource = actix_web::web::resource(path).wrap(auth_actix::Auth::new(around(&outer)));
        resource.route(actix_web::web::get().to(ok))
    };
    let actix = actix_web::App::new().service(inner("/me")).service(inner("/optional"));
    let actix = init_service(actix.wrap(auth_actix::Auth::new(outer.clone()))).await;

    for (path, token, status, left) in [
        ("/me", reader, 403, 136),
        ("/me", Some("alice+write"), 200, 135),
        ("/optional", reader, 403, 134),
        ("/optional", None, 401, 2),
        ("/optional", None, 401, 1),
        ("/optional", None, 401, 0),
        ("/optional", None, 429, 0),
    ] {
        let tower = told_by_tower(&app, path, token).await;
        assert_eq!((tower.0, &tower.1), (status, &vec![left.to_string()]), "{path} {token:?}");
        let actix: Told = told_by_actix!(&actix, path, token);
        assert_eq!(actix, tower, "{path} {token:?}");
    }
}

/// What a service behind says of limits of its own.
#[actix_web::test]
async fn l6_the_lists_of_a_service_behind_stay_and_its_custom_fields_go() {
    let behind = || async {
        let response = Response::builder().header("x-ratelimit-remaining", "9").header("x-ratelimit-used", "1");
        response.header("ratelimit", "\"theirs\";r=9;t=1").body(Body::empty()).unwrap()
    };
    let app = Router::new().route("/me", get(behind)).layer(AuthLayer::new(gate()));
    let ok = || async {
        let mut response = HttpResponse::Ok();
        response.insert_header(("x-ratelimit-remaining", "9")).insert_header(("x-ratelimit-used", "1"));
        response.insert_header(("ratelimit", "\"theirs\";r=9;t=1")).finish()
    };
    let actix = actix_web::App::new().route("/me", actix_web::web::get().to(ok));
    let actix = init_service(actix.wrap(auth_actix::Auth::new(gate()))).await;
    let lists = vec!["\"theirs\";r=9;t=1".to_owned(), "\"hour\";r=136;t=27".to_owned()];
    let expected = (200, vec!["136".to_owned()], lists);
    assert_eq!(told_by_tower(&app, "/me", Some("alice")).await, expected);
    let told: Told = told_by_actix!(&actix, "/me", Some("alice"));
    assert_eq!(told, expected);
}

#[actix_web::test]
async fn l1_the_typed_reason_lies_in_the_extensions_of_both() {
    let app = Router::new().route("/dear", get(|| async {})).layer(AuthLayer::new(gate()));
    let actix = actix_web::App::new().wrap(auth_actix::Auth::new(gate()));
    let actix = init_service(actix).await;
    app.clone().oneshot(asking("/dear", Some("alice"))).await.unwrap();
    call_service(&actix, asking_actix("/dear", Some("alice"))).await;

    let response = app.oneshot(asking("/dear", Some("alice"))).await.unwrap();
    let reason = response.extensions().get::<Rejection>().cloned();
    let Some(Rejection::RateLimited(LimitExceeded { retry_after: Some(after), policies })) = reason.clone() else {
        panic!("{reason:?}");
    };
    assert_eq!((policies, after.seconds()), (vec!["hour".to_owned()], 1656));
    let response = call_service(&actix, asking_actix("/dear", Some("alice"))).await;
    assert_eq!(response.response().extensions().get::<Rejection>().cloned(), reason);
}
