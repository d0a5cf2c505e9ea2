//! The example programs keep what their curl lines promise.
//!
//! Their sources are compiled into this binary and their services are called in process.

use std::sync::Arc;

use auth_core::issue::{ApiKeys, NewKey};
use auth_core::{Names, Now};

#[allow(dead_code, unreachable_pub, reason = "`main` is for people")]
#[path = "../../examples/actix-app/src/main.rs"]
mod actix_app;
#[allow(dead_code, unreachable_pub, reason = "`main` is for people")]
#[path = "../../examples/axum-app/src/main.rs"]
mod axum_app;

/// One line of the examples' head: the credential, the method, the path, and the status that is promised.
type Line = (Sent, &'static str, &'static str, u16);

enum Sent {
    Nothing,
    Token,
    Key,
}

const LINES: [Line; 7] = [
    (Sent::Nothing, "GET", "/health", 200),
    (Sent::Nothing, "GET", "/notes", 401),
    (Sent::Token, "GET", "/notes", 200),
    (Sent::Token, "POST", "/notes", 403),
    (Sent::Key, "POST", "/notes", 201),
    (Sent::Key, "GET", "//notes", 400),
    (Sent::Key, "GET", "/unknown", 403),
];

/// The field that carries the credential of a line.
fn field(sent: &Sent, token: &str, key: &str) -> Option<(&'static str, String)> {
    match sent {
        Sent::Nothing => None,
        Sent::Token => Some(("authorization", format!("Bearer {token}"))),
        Sent::Key => Some(("x-api-key", key.to_owned())),
    }
}

async fn key(keys: &ApiKeys, now: Now) -> String {
    let mut wanted = NewKey::new("a test's key", "grace");
    wanted.permissions = Names::from_scope("write");
    let minted = keys.mint(wanted, now).await.expect("a key can be minted");
    minted.key.expose_text().expect("a key is text").to_owned()
}

#[tokio::test]
async fn the_axum_example_does_what_its_curl_lines_say() {
    use axum::body::Body;
    use tower::ServiceExt as _;

    let keys = axum_app::keys().expect("the example's keys are in order");
    let gate = axum_app::gate(&keys).expect("the example's gate is in order");
    let token = axum_app::token(gate.now().wall.unix_seconds() + 60).expect("a token can be signed");
    let key = key(&keys, gate.now()).await;
    let app = axum_app::app(gate);
    let ask = async |sent: &Sent, method: &str, path: &str| {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some((name, value)) = field(sent, &token, &key) {
            request = request.header(name, value);
        }
        let request = request.body(Body::from("milk")).expect("the request is well-formed");
        let response = app.clone().oneshot(request).await.expect("a router always answers");
        let status = response.status().as_u16();
        (status, axum::body::to_bytes(response.into_body(), 1024).await.expect("the body is short"))
    };

    for (sent, method, path, promised) in &LINES {
        assert_eq!(ask(sent, method, path).await.0, *promised, "{method} {path}");
    }
    assert_eq!(ask(&Sent::Token, "GET", "/notes").await.1, "grace: milk");
}

#[actix_web::test]
async fn the_actix_example_does_what_its_curl_lines_say() {
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, http::Method, web};

    let keys = actix_app::keys().expect("the example's keys are in order");
    let gate = actix_app::gate(&keys).expect("the example's gate is in order");
    let token = actix_app::token(gate.now().wall.unix_seconds() + 60).expect("a token can be signed");
    let key = key(&keys, gate.now()).await;
    let notes = web::Data::from(Arc::new(actix_app::Notes::default()));
    let app = App::new().app_data(notes).configure(actix_app::routes).wrap(auth_actix::Auth::new(gate));
    let app = init_service(app).await;
    let ask = async |sent: &Sent, method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).expect("the method is well-formed");
        let mut request = TestRequest::with_uri(path).method(method).set_payload("milk");
        if let Some(field) = field(sent, &token, &key) {
            request = request.insert_header(field);
        }
        let response = call_service(&app, request.to_request()).await;
        (response.status().as_u16(), read_body(response).await)
    };

    for (sent, method, path, promised) in &LINES {
        assert_eq!(ask(sent, method, path).await.0, *promised, "{method} {path}");
    }
    assert_eq!(ask(&Sent::Token, "GET", "/notes").await.1, "grace: milk");
}
