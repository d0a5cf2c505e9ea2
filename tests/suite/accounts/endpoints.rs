//! The endpoints behind both adapters: the same answers, byte for byte.

use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, web};
use auth_actix::{Auth, OwnEndpoints};
use auth_core::endpoint::{AccountEndpoints, Endpoint, Endpoints, KeyEndpoints, MAX_CONTENT, Words};
use auth_core::gate::Gate;
use auth_core::policy::{Policy, authenticated};
use auth_core::{Rejection, SimulatedClock};
use auth_tower::{AuthLayer, EndpointsLayer};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::service::{PASSWORD, Service, Shared};

/// What both adapters answer to one request, with what differs from run to run left out.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    content: String,
    cause: Option<&'static str>,
    no_store: bool,
}

fn endpoints(service: &Service) -> Endpoints {
    Endpoints::builder()
        .words(Words::default().call("tenant", "org_id").unwrap())
        .accounts(AccountEndpoints::new(service.accounts.clone()))
        .keys(KeyEndpoints::new(service.keys.clone(), ["read", "write"]))
        .at(Endpoint::Login, "/login")
        .at(Endpoint::Logout, "/logout")
        .at(Endpoint::CreateKey, "/keys")
        .at(Endpoint::ListKeys, "/keys")
        .at(Endpoint::RevokeKey, "/keys/{id}")
        .build()
        .unwrap()
}

struct Asking<'a> {
    method: &'a str,
    path: &'a str,
    fields: Vec<(&'a str, String)>,
    content: String,
}

async fn by_axum(endpoints: &Endpoints, gate: Option<&Gate>, asking: &Asking<'_>) -> Answer {
    let mut app = Router::new()
        .route("/mine", get(|| async { "the application's own" }))
        .layer(EndpointsLayer::new(endpoints.clone()));
    if let Some(gate) = gate {
        app = app.layer(AuthLayer::new(gate.clone()));
    }
    let mut request = Request::builder().method(asking.method).uri(asking.path);
    for (name, value) in &asking.fields {
        request = request.header(*name, value);
    }
    let answer = app.oneshot(request.body(Body::from(asking.content.clone())).unwrap()).await.unwrap();
    let no_store = answer.headers().get("cache-control").is_some_and(|value| value == "no-store");
    let cause = answer.extensions().get::<Rejection>().map(Rejection::cause);
    let status = answer.status().as_u16();
    let content = answer.into_body().collect().await.unwrap().to_bytes();
    Answer { status, content: String::from_utf8(content.to_vec()).unwrap(), cause, no_store }
}

async fn by_actix(endpoints: &Endpoints, gate: Option<&Gate>, asking: &Asking<'_>) -> Answer {
    let app = App::new()
        .route("/mine", web::get().to(async || HttpResponse::Ok().body("the application's own")))
        .wrap(OwnEndpoints::new(endpoints.clone()))
        .wrap(actix_web::middleware::Condition::new(gate.is_some(), Auth::new(gate.cloned().unwrap_or_else(no_gate))));
    let app = init_service(app).await;
    let mut request = TestRequest::default().method(asking.method.parse().unwrap()).uri(asking.path);
    for (name, value) in &asking.fields {
        request = request.insert_header((*name, value.as_str()));
    }
    let answer = call_service(&app, request.set_payload(asking.content.clone()).to_request()).await;
    let no_store = answer.headers().get("cache-control").is_some_and(|value| value == "no-store");
    let cause = answer.response().extensions().get::<Rejection>().map(Rejection::cause);
    let status = answer.status().as_u16();
    let content = read_body(answer).await;
    Answer { status, content: String::from_utf8(content.to_vec()).unwrap(), cause, no_store }
}

fn no_gate() -> Gate {
    Gate::builder().clock(Shared(SimulatedClock::at_unix_seconds(0).into())).build().unwrap()
}

/// Asks both, and answers what they agree on.
async fn both(service: &Service, asking: Asking<'_>) -> Answer {
    let endpoints = endpoints(service);
    let policy = endpoints.add_to(Policy::new().get("/mine", authenticated()));
    let gate = service.gate_with(policy);
    let (axum, actix) =
        (by_axum(&endpoints, Some(&gate), &asking).await, by_actix(&endpoints, Some(&gate), &asking).await);
    let comparable = |answer: &Answer| (answer.status, answer.cause, answer.no_store, without_secrets(&answer.content));
    assert_eq!(comparable(&axum), comparable(&actix), "{} {}", asking.method, asking.path);
    axum
}

/// Tokens, keys, ids and times differ from call to call.
fn without_secrets(content: &str) -> Value {
    let mut value: Value = serde_json::from_str(content).unwrap_or_else(|_| json!(content));
    if let Some(members) = value.as_object_mut() {
        for changing in ["access_token", "refresh_token", "key", "id", "starts_with", "request_id", "keys"] {
            members.remove(changing);
        }
    }
    value
}

fn posting<'a>(path: &'a str, content: &impl ToString) -> Asking<'a> {
    let fields = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    Asking { method: "POST", path, fields, content: content.to_string() }
}

#[actix_web::test]
async fn both_adapters_answer_alike() {
    let service = Service::new(auth_core::issue::Rotation::default());
    service.register("ada@example.com").await;
    let login = posting("/login", &json!({ "email": "ada@example.com", "password": PASSWORD }));
    let answer = both(&service, login).await;
    assert_eq!((answer.status, answer.no_store), (200, true), "S19");
    let told: Value = serde_json::from_str(&answer.content).unwrap();
    assert!(told["user"]["org_id"].as_str().unwrap().starts_with("org_"));
    let bearer = ("authorization", format!("Bearer {}", told["access_token"].as_str().unwrap()));

    let mut create = posting("/keys", &json!({ "name": "one", "permissions": ["read"] }));
    create.fields.push(bearer.clone());
    let made = both(&service, create).await;
    assert_eq!((made.status, made.no_store), (201, true));
    let id = serde_json::from_str::<Value>(&made.content).unwrap()["id"].as_str().unwrap().to_owned();

    let list = Asking { method: "GET", path: "/keys", fields: vec![bearer.clone()], content: String::new() };
    assert!(both(&service, list).await.content.contains(&id));

    let other = Asking { method: "GET", path: "/mine", fields: vec![bearer.clone()], content: String::new() };
    assert_eq!(both(&service, other).await.content, "the application's own");

    let nobodys = Asking { method: "DELETE", path: "/keys/key_x", fields: vec![bearer], content: String::new() };
    assert_eq!(both(&service, nobodys).await.cause, Some("not_found"));
}

#[actix_web::test]
async fn what_cannot_be_read_is_refused_alike_and_nothing_is_done() {
    let service = Service::new(auth_core::issue::Rotation::default());
    service.register("ada@example.com").await;
    let good = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let long = format!("{{\"email\":\"{}\"}}", "x".repeat(MAX_CONTENT));
    for (content, status, cause) in [
        (String::new(), 400, "malformed_content"),
        ("[]".to_owned(), 400, "malformed_content"),
        ("{\"email\":\"a\",\"email\":\"b\"}".to_owned(), 400, "malformed_content"),
        (format!("{good}x"), 400, "malformed_content"),
        ("{\"email\":\"ada@example.com\"}".to_owned(), 400, "missing_member"),
        ("{\"email\":7,\"password\":\"x\"}".to_owned(), 400, "wrong_type"),
        ("{\"email\":\"\",\"password\":\"x\"}".to_owned(), 400, "invalid_value"),
        (long, 413, "content_too_large"),
        ("{\"email\":\"ada@example.com\",\"password\":\"mistaken\"}".to_owned(), 401, "invalid_credentials"),
    ] {
        let answer = both(&service, posting("/login", &content)).await;
        assert_eq!((answer.status, answer.cause), (status, Some(cause)), "{content:.60}");
        assert!(!answer.content.contains("mistaken"), "no value is repeated");
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let mut asking = posting("/login", &good);
        asking.fields = vec![("content-type", media_type.to_owned())];
        assert_eq!(both(&service, asking).await.cause, Some("unsupported_media_type"), "{media_type}");
    }
    let mut without = posting("/login", &good);
    without.fields = Vec::new(); // as a form of another site can send it
    assert_eq!(both(&service, without).await.cause, Some("unsupported_media_type"));
    let logout = posting("/logout", &"");
    assert_eq!(both(&service, logout).await.cause, Some("missing_token"));
}

#[actix_web::test]
async fn without_a_gate_in_front_of_it_an_endpoint_does_nothing() {
    let service = Service::new(auth_core::issue::Rotation::default());
    service.register("ada@example.com").await;
    let login = posting("/login", &json!({ "email": "ada@example.com", "password": PASSWORD }));
    let endpoints = endpoints(&service);
    assert_eq!(by_axum(&endpoints, None, &login).await.cause, Some("internal_error"));
    assert_eq!(by_actix(&endpoints, None, &login).await.cause, Some("internal_error"));
}
