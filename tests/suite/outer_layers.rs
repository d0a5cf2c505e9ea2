//! Refusals on their way out: through the framework's outer middleware, and onto the wire.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, HttpServer, web};
use auth_actix::Auth;
use auth_core::credential::Source;
use auth_core::gate::{Gate, RequestIds};
use auth_core::policy::{Policy, Rule, authenticated, permission};
use auth_core::{CredentialFault, Rejection};
use auth_tower::AuthLayer;
use axum::Router;
use axum::body::Body;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderName, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::cors::CorsLayer;

use crate::stand_in::Credulous;
use crate::wire;

fn gate() -> Gate {
    let policy = Policy::new()
        .route("GET, OPTIONS", "/account", Rule::new(authenticated()).preflight())
        .get("/models", permission("models.read"))
        .get("/closed", authenticated());
    Gate::builder().accept(Source::bearer(), Credulous::default()).policy(policy).build().unwrap()
}

fn axum_app() -> Router {
    let content = || async { "content" };
    Router::new()
        .route("/account", get(content))
        .route("/models", get(content))
        .route("/closed", get(content))
        .layer(AuthLayer::new(gate()))
}

const ORIGIN: &str = "https://app.example";

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin([ORIGIN.parse().unwrap()])
        .allow_methods([Method::GET])
        .allow_headers([http::header::AUTHORIZATION])
        .expose_headers([WWW_AUTHENTICATE, HeaderName::from_static("x-request-id")])
}

#[tokio::test]
async fn cors_outside_adds_its_fields_to_refusals() {
    let app = axum_app().layer(cors());
    for (path, credential, status) in [
        ("/account", None, 401),
        ("/account", Some("bad"), 401),
        ("/models", Some("alice"), 403),
        ("//account", None, 400),
        ("/account", Some("alice"), 200),
    ] {
        let request = Request::get(path).header("origin", ORIGIN);
        let request = match credential {
            Some(credential) => request.header("authorization", format!("Bearer {credential}")),
            None => request,
        };
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} {credential:?}");
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], ORIGIN, "{path} {credential:?}");
        assert_eq!(
            answer.headers().contains_key(WWW_AUTHENTICATE),
            [401, 403].contains(&status),
            "{path} {credential:?}"
        );
    }
}

/// Outside the gate, the CORS layer answers every preflight; behind it, only those that the rule lets pass.
#[tokio::test]
async fn preflights_pass_where_the_rule_or_the_order_says_so() {
    let preflight = |path: &str| {
        let request = Request::options(path).header("origin", ORIGIN).header("access-control-request-method", "GET");
        request.body(Body::empty()).unwrap()
    };
    let outside = axum_app().layer(cors());
    let content = || async { "content" };
    let inside = Router::new().route("/account", get(content)).route("/closed", get(content));
    let inside = inside.layer(cors()).layer(AuthLayer::new(gate()));
    for (app, path, status) in [
        (&outside, "/account", StatusCode::OK),
        (&outside, "/closed", StatusCode::OK),
        (&inside, "/account", StatusCode::OK),
        (&inside, "/closed", StatusCode::UNAUTHORIZED),
    ] {
        let answer = app.clone().oneshot(preflight(path)).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn tower_layers_outside_find_the_typed_reason() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let watch = from_fn(move |request: axum::extract::Request, next: Next| {
        let record = Arc::clone(&record);
        async move {
            let answer = next.run(request).await;
            record.lock().unwrap().push(answer.extensions().get::<Rejection>().cloned());
            answer
        }
    });
    let app = axum_app().layer(watch);
    for credential in ["bad", "alice"] {
        let request = Request::get("/account").header("authorization", format!("Bearer {credential}"));
        let _ = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    }
    let expected = [Some(Rejection::InvalidCredential(CredentialFault::Unknown)), None];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[actix_web::test]
async fn actix_wraps_outside_see_refusals_and_their_reason() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let record = Rc::clone(&seen);
    let app = App::new().route("/account", web::get().to(HttpResponse::Ok)).wrap(Auth::new(gate())).wrap_fn(
        move |request, inner| {
            let record = Rc::clone(&record);
            let answer = inner.call(request);
            async move {
                let mut answer = answer.await?;
                record.borrow_mut().push(answer.response().extensions().get::<Rejection>().cloned());
                let outside = actix_web::http::header::HeaderValue::from_static("was here");
                answer.headers_mut().insert("x-outside".parse().unwrap(), outside);
                Ok(answer)
            }
        },
    );
    let app = init_service(app).await;
    for (credential, status) in [("bad", 401), ("alice", 200)] {
        let request = TestRequest::get().uri("/account");
        let request = request.insert_header(("authorization", format!("Bearer {credential}"))).to_request();
        let answer = call_service(&app, request).await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers().get("x-outside").unwrap(), "was here");
    }
    let expected = [Some(Rejection::InvalidCredential(CredentialFault::Unknown)), None];
    assert_eq!(*seen.borrow(), expected);
}

/// The identifier of a request is on its answer whether it was admitted or refused, and the handler sees the same.
#[actix_web::test]
async fn request_ids_are_on_admitted_answers_where_asked_for() {
    let gate = Gate::builder()
        .accept(Source::bearer(), Credulous::default())
        .policy(Policy::new().get("/account", authenticated()))
        .request_ids(RequestIds::Always)
        .build()
        .unwrap();
    // what the handler says itself is not the identifier that the log has
    let echo = |headers: http::HeaderMap| async move {
        let seen = headers["x-request-id"].to_str().unwrap().to_owned();
        ([("x-request-id", "of-the-handler")], seen)
    };
    let app = Router::new().route("/account", get(echo)).layer(AuthLayer::new(gate.clone()));
    let request = Request::get("/account").header("authorization", "Bearer alice").header("x-request-id", "abc-1");
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers().get_all("x-request-id").iter().collect::<Vec<_>>(), ["abc-1"]);
    let request = Request::get("/account").header("authorization", "Bearer alice").header("x-request-id", "a b");
    let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(id.starts_with("req_"), "{id}");
    assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.unwrap(), id);

    let echo = |request: actix_web::HttpRequest| async move {
        let seen = request.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        HttpResponse::Ok().insert_header(("x-request-id", "of-the-handler")).body(seen)
    };
    let app = init_service(App::new().route("/account", web::get().to(echo)).wrap(Auth::new(gate))).await;
    let request = TestRequest::get().uri("/account").insert_header(("authorization", "Bearer alice"));
    let answer = call_service(&app, request.to_request()).await;
    assert_eq!(answer.headers().get_all("x-request-id").count(), 1);
    let id = answer.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    assert_eq!(actix_web::body::to_bytes(answer.into_body()).await.ok().unwrap(), id);
}

#[tokio::test]
async fn head_refusals_of_axum_say_the_length_and_send_no_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, axum_app()).await });
    check_head(server).await;
    serving.abort();
}

/// No framework at all: a gate in front of a function, served by hyper.
#[tokio::test]
async fn head_refusals_of_plain_hyper_say_the_length_and_send_no_body() {
    let service =
        ServiceBuilder::new().layer(AuthLayer::new(gate())).service_fn(|_: Request<hyper::body::Incoming>| async {
            Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Full::new(bytes::Bytes::from("content"))))
        });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(connection), service).await;
            });
        }
    });
    check_head(server).await;
    serving.abort();
}

#[actix_web::test]
async fn head_refusals_of_actix_say_the_length_and_send_no_body() {
    let app = || {
        let content = || async { "content" };
        let both = || web::route().guard(actix_web::guard::Any(actix_web::guard::Get()).or(actix_web::guard::Head()));
        App::new().route("/account", both().to(content)).route("/closed", both().to(content)).wrap(Auth::new(gate()))
    };
    let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    let serving = actix_web::rt::spawn(running);
    check_head(address).await;
    handle.stop(false).await;
    serving.await.unwrap().unwrap();
}

async fn check_head(server: SocketAddr) {
    for (path, credential, status) in [
        ("/account", None, 401),
        ("/account", Some("bad"), 401),
        ("//account", None, 400),
        ("/none", Some("alice"), 403),
        ("/account", Some("alice"), 200),
    ] {
        let from_get = wire::exchange(server, &wire::request("GET", path, credential)).await;
        let from_head = wire::exchange(server, &wire::request("HEAD", path, credential)).await;
        assert_eq!(wire::status(&from_get), status, "{from_get}");
        assert_eq!(wire::status(&from_head), status, "{from_head}");
        assert_eq!(wire::field(&from_get, "content-length"), wire::body(&from_get).len().to_string(), "{path}");
        assert_eq!(wire::body(&from_head), "", "{path} {credential:?}");
        if status != 200 {
            // Identifiers are of one length, so the two bodies are too.
            assert_eq!(wire::field(&from_head, "content-length"), wire::field(&from_get, "content-length"), "{path}");
            assert_eq!(wire::field(&from_head, "content-type"), wire::field(&from_get, "content-type"), "{path}");
        }
    }
}
