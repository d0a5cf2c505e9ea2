//! The caller as an argument of handlers, in both frameworks: what it gives, what it refuses and how that reads.

use std::io;
use std::sync::{Arc, Mutex};

use actix_web::test::{TestRequest, call_service, init_service};
use auth_core::Rejection;
use auth_core::credential::Source;
use auth_core::gate::{Gate, RequiredPermission};
use auth_core::policy::{PermissionModel, Policy, Requirement, authenticated, optional, permission, public};
use auth_core::reply::{ErrorStyle, Shape};
use auth_core::verify::Verifier;
use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use axum::routing::get;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use crate::stand_in::Credulous;

struct ModelsRead;

impl RequiredPermission for ModelsRead {
    const PERMISSION: &'static str = "models.read";
}

/// What both frameworks answer, so that one list of expectations serves both.
#[derive(Debug)]
struct Answer {
    status: u16,
    content_type: String,
    challenges: Vec<String>,
    body: String,
    rejection: Option<Rejection>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Path, credential, status and the body of a pass or the code of a refusal.
const EXPECTED: [(&str, Option<&str>, u16, &str); 12] = [
    ("/required", Some("alice"), 200, "alice"),
    ("/required", None, 401, "missing_token"),
    ("/required", Some("bad"), 401, "invalid_token"),
    ("/optional", Some("alice"), 200, "alice"),
    ("/optional", None, 200, "nobody"),
    ("/optional", Some("bad"), 401, "invalid_token"),
    ("/permitted", Some("alice+models.read"), 200, "alice"),
    ("/permitted", Some("alice+admin"), 200, "alice"),
    ("/permitted", Some("alice+models"), 403, "insufficient_permissions"),
    ("/permitted", None, 401, "missing_token"),
    ("/public", Some("bad"), 200, "nobody"),
    ("/public-but-required", Some("alice"), 401, "missing_token"),
];

#[tokio::test]
async fn axum_extractors_give_and_refuse() {
    let app = axum_routes().layer(auth_tower::AuthLayer::new(lenient_gate()));
    for (path, credential, status, said) in EXPECTED {
        let answer = ask_axum(&app, path, credential).await;
        check(&answer, status, said, &format!("{path} {credential:?}"));
    }
}

#[actix_web::test]
async fn actix_extractors_give_and_refuse() {
    let app = actix_web::App::new().configure(actix_routes).wrap(auth_actix::Auth::new(lenient_gate()));
    let app = init_service(app).await;
    for (path, credential, status, said) in EXPECTED {
        let answer = read_actix(call_service(&app, actix_request(path, credential)).await).await;
        check(&answer, status, said, &format!("{path} {credential:?}"));
    }
}

fn check(answer: &Answer, status: u16, said: &str, of: &str) {
    assert_eq!(answer.status, status, "{of}: {answer:?}");
    if status == 200 {
        assert_eq!(answer.body, said, "{of}");
        assert_eq!(answer.rejection, None, "{of}");
        return;
    }
    assert_eq!(answer.json()["error"]["code"], said, "{of}: the gate's own shape");
    assert_eq!(answer.content_type, "application/json", "{of}");
    assert_eq!(answer.rejection.as_ref().map(Rejection::status), Some(status), "{of}");
    assert_eq!(answer.challenges.len(), 1, "{of}: {answer:?}");
}

/// A refusal reads the same whether the gate or an extractor behind it spoke, and whichever framework carries it.
#[actix_web::test]
async fn an_extractor_refuses_in_the_words_of_its_gate() {
    let strict = |path| Policy::new().get(path, authenticated());
    let lenient = |path| Policy::new().get(path, public());
    let mut bodies = Vec::new();
    for policy in [strict("/required"), lenient("/required")] {
        let gate = gate(policy, Credulous::default());
        let app = axum_routes().layer(auth_tower::AuthLayer::new(gate.clone()));
        let answer = ask_axum(&app, "/required", None).await;
        bodies.push((answer.status, answer.challenges.clone(), answer.json()["error"]["code"].clone()));
        let app = actix_web::App::new().configure(actix_routes).wrap(auth_actix::Auth::new(gate));
        let answer = call_service(&init_service(app).await, actix_request("/required", None)).await;
        let answer = read_actix(answer).await;
        bodies.push((answer.status, answer.challenges.clone(), answer.json()["error"]["code"].clone()));
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn axum_an_extractor_without_a_gate_is_a_500_and_a_line_in_the_log() {
    for path in ["/required", "/optional", "/permitted"] {
        let log = Log::default();
        let _guard = log.capture();
        for credential in [None, Some("alice+models.read")] {
            let answer = ask_axum(&axum_routes(), path, credential).await;
            check_no_gate(&answer, &log, path);
        }
    }
}

#[actix_web::test]
async fn actix_an_extractor_without_a_gate_is_a_500_and_a_line_in_the_log() {
    let app = init_service(actix_web::App::new().configure(actix_routes)).await;
    for path in ["/required", "/optional", "/permitted"] {
        let log = Log::default();
        let _guard = log.capture();
        for credential in [None, Some("alice+models.read")] {
            let answer = read_actix(call_service(&app, actix_request(path, credential)).await).await;
            check_no_gate(&answer, &log, path);
        }
    }
}

fn check_no_gate(answer: &Answer, log: &Log, path: &str) {
    assert_eq!((answer.status, &answer.rejection), (500, &Some(Rejection::Internal)), "{path}");
    assert!(!answer.body.contains("gate") && !answer.body.contains("layer"), "internals in {}", answer.body);
    let lines = log.take();
    let line = lines.lines().next().unwrap_or_default();
    assert!(line.contains("ERROR") && line.contains("no gate covers"), "{path}: {lines}");
    assert!(line.contains(path), "the line says where: {line}");
}

#[tokio::test]
async fn axum_routes_may_each_have_a_requirement() {
    let verifier = Credulous::default();
    let gate = gate(Policy::new(), verifier);
    let requiring = |requirement: Requirement| auth_tower::AuthLayer::new(gate.requiring(requirement).unwrap());
    let app = Router::new()
        .route("/method-router", get(whoami).post(whoami).layer(requiring(permission("read"))))
        .route("/one-method", get(whoami).layer(requiring(permission("read"))).post(|| async { "open" }))
        .route("/route-layer", get(whoami).route_layer(requiring(authenticated())))
        .route("/handler", get(whoami.layer(requiring(permission("models.read")))));
    for (method, path, credential, status) in [
        ("GET", "/method-router", None, 401),
        ("GET", "/method-router", Some("alice"), 403),
        ("GET", "/method-router", Some("alice+read"), 200),
        ("POST", "/method-router", Some("alice"), 403),
        ("PUT", "/method-router", None, 401), // `layer` covers the answer 405 too,
        ("PUT", "/route-layer", None, 405),   // `route_layer` does not
        ("GET", "/one-method", None, 401),
        ("POST", "/one-method", None, 200), // added after the layer
        ("GET", "/route-layer", None, 401),
        ("GET", "/route-layer", Some("alice"), 200),
        ("GET", "/handler", Some("alice"), 403),
        ("GET", "/handler", Some("alice+admin"), 200),
        ("GET", "/handler/", Some("alice+admin"), 404),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = match credential {
            Some(credential) => request.header("authorization", format!("Bearer {credential}")),
            None => request,
        };
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {credential:?}");
    }
}

#[actix_web::test]
async fn actix_scopes_may_each_have_a_requirement() {
    use actix_web::web;
    let gate = gate(Policy::new(), Credulous::default());
    let requiring = |requirement: Requirement| auth_actix::Auth::new(gate.requiring(requirement).unwrap());
    let app = actix_web::App::new()
        .service(web::scope("/read").wrap(requiring(permission("read"))).route("/it", web::get().to(actix_whoami)))
        .service(web::resource("/models").wrap(requiring(permission("models.read"))).to(actix_whoami))
        .route("/open", web::get().to(|| async { "open" }));
    let app = init_service(app).await;
    for (path, credential, status) in [
        ("/read/it", None, 401),
        ("/read/it", Some("alice"), 403),
        ("/read/it", Some("alice+read"), 200),
        ("/read/none", None, 401),
        ("/models", Some("alice+admin"), 200),
        ("/models", Some("alice+read"), 403),
        ("/open", None, 200),
    ] {
        let answer = call_service(&app, actix_request(path, credential)).await;
        assert_eq!(answer.status().as_u16(), status, "{path} {credential:?}");
    }
}

#[actix_web::test]
async fn a_principal_of_an_outer_layer_of_the_same_gate_is_not_verified_again() {
    let verifier = Credulous::default();
    let gate = gate(Policy::new().any("/{*rest}", authenticated()), verifier.clone());
    let inner = gate.requiring(permission("models.read")).unwrap();

    let app = Router::new()
        .route("/it", get(whoami).layer(auth_tower::AuthLayer::new(inner.clone())))
        .layer(auth_tower::AuthLayer::new(gate.clone()));
    assert_eq!(ask_axum(&app, "/it", Some("alice+admin")).await.status, 200);
    assert_eq!(ask_axum(&app, "/it", Some("alice")).await.status, 403);
    assert_eq!(verifier.asked(), 2);

    let resource = actix_web::web::resource("/it").wrap(auth_actix::Auth::new(inner)).to(actix_whoami);
    let app = init_service(actix_web::App::new().service(resource).wrap(auth_actix::Auth::new(gate))).await;
    let answer = call_service(&app, actix_request("/it", Some("alice+admin"))).await;
    assert_eq!(answer.status().as_u16(), 200);
    let answer = call_service(&app, actix_request("/it", Some("alice"))).await;
    assert_eq!(answer.status().as_u16(), 403);
    assert_eq!(verifier.asked(), 4);
}

#[actix_web::test]
async fn a_principal_of_another_gate_is_not_trusted() {
    let policy = || Policy::new().any("/{*rest}", authenticated());
    let (outer_verifier, inner_verifier) = (Credulous::default(), Credulous::default());
    let outer = gate(policy(), outer_verifier.clone());
    let inner = Gate::builder()
        .accept(Source::header("x-second-key"), inner_verifier.clone())
        .policy(policy())
        .build()
        .unwrap();

    let app = Router::new()
        .route("/it", get(whoami))
        .layer(auth_tower::AuthLayer::new(inner.clone()))
        .layer(auth_tower::AuthLayer::new(outer.clone()));
    assert_eq!(ask_axum(&app, "/it", Some("alice")).await.status, 401);
    let both = Request::get("/it").header("authorization", "Bearer alice").header("x-second-key", "bob");
    let answer = read_axum(app.oneshot(both.body(Body::empty()).unwrap()).await.unwrap()).await;
    assert_eq!((answer.status, &*answer.body), (200, "bob"));

    let app = actix_web::App::new()
        .route("/it", actix_web::web::get().to(actix_whoami))
        .wrap(auth_actix::Auth::new(inner))
        .wrap(auth_actix::Auth::new(outer));
    let app = init_service(app).await;
    assert_eq!(call_service(&app, actix_request("/it", Some("alice"))).await.status().as_u16(), 401);
    let both = TestRequest::get().uri("/it").insert_header(("authorization", "Bearer alice"));
    let both = both.insert_header(("x-second-key", "bob")).to_request();
    let answer = read_actix(call_service(&app, both).await).await;
    assert_eq!((answer.status, &*answer.body), (200, "bob"));
    assert_eq!((outer_verifier.asked(), inner_verifier.asked()), (4, 2));
}

/// The innermost gate has the last word: whom it calls anonymous is anonymous, whoever another gate saw.
#[actix_web::test]
async fn a_principal_of_another_gate_does_not_outlive_an_anonymous_pass() {
    let outer = gate(Policy::new().any("/{*rest}", authenticated()), Credulous::default());
    let inner = Gate::builder()
        .accept(Source::header("x-second-key"), Credulous::default())
        .policy(Policy::new().get("/optional", optional()))
        .build()
        .unwrap();

    let app =
        axum_routes().layer(auth_tower::AuthLayer::new(inner.clone())).layer(auth_tower::AuthLayer::new(outer.clone()));
    assert_eq!(ask_axum(&app, "/optional", Some("alice")).await.body, "nobody");

    let app = actix_web::App::new()
        .configure(actix_routes)
        .wrap(auth_actix::Auth::new(inner))
        .wrap(auth_actix::Auth::new(outer));
    let answer = call_service(&init_service(app).await, actix_request("/optional", Some("alice"))).await;
    assert_eq!(read_actix(answer).await.body, "nobody");
}

/// A public route inside a layer of the same gate that has verified the caller already still knows who it is.
#[actix_web::test]
async fn a_principal_of_the_same_gate_outlives_a_public_route_inside() {
    let outer = gate(Policy::new().any("/{*rest}", authenticated()), Credulous::default());
    let inner = outer.requiring(public()).unwrap();

    let app =
        axum_routes().layer(auth_tower::AuthLayer::new(inner.clone())).layer(auth_tower::AuthLayer::new(outer.clone()));
    assert_eq!(ask_axum(&app, "/optional", Some("alice")).await.body, "alice");

    let app = actix_web::App::new()
        .configure(actix_routes)
        .wrap(auth_actix::Auth::new(inner))
        .wrap(auth_actix::Auth::new(outer));
    let answer = call_service(&init_service(app).await, actix_request("/optional", Some("alice"))).await;
    assert_eq!(read_actix(answer).await.body, "alice");
}

/// Leaves the decision to the extractors wherever it can.
fn lenient_gate() -> Gate {
    let policy = Policy::new()
        .get("/required", optional())
        .get("/optional", optional())
        .get("/permitted", optional())
        .get("/public", public())
        .get("/public-but-required", public());
    gate(policy, Credulous::default())
}

fn gate(policy: Policy, verifier: impl Verifier) -> Gate {
    Gate::builder()
        .accept(Source::bearer(), verifier)
        .permissions(PermissionModel::default().implies("admin", ["models.read"]))
        .errors(ErrorStyle::new(Shape::Nested))
        .policy(policy)
        .build()
        .unwrap()
}

fn axum_routes() -> Router {
    Router::new()
        .route("/required", get(whoami))
        .route("/optional", get(maybe))
        .route("/permitted", get(permitted))
        .route("/public", get(maybe))
        .route("/public-but-required", get(whoami))
}

async fn whoami(auth_tower::Authenticated(caller): auth_tower::Authenticated) -> String {
    caller.subject.to_string()
}

async fn maybe(caller: auth_tower::MaybeAuthenticated) -> String {
    caller.0.map_or_else(|| "nobody".to_owned(), |caller| caller.subject.to_string())
}

async fn permitted(caller: auth_tower::Permitted<ModelsRead>) -> String {
    caller.principal.subject.to_string()
}

fn actix_routes(app: &mut actix_web::web::ServiceConfig) {
    use actix_web::web::get;
    app.route("/required", get().to(actix_whoami))
        .route("/optional", get().to(actix_maybe))
        .route("/permitted", get().to(actix_permitted))
        .route("/public", get().to(actix_maybe))
        .route("/public-but-required", get().to(actix_whoami));
}

async fn actix_whoami(auth_actix::Authenticated(caller): auth_actix::Authenticated) -> String {
    caller.subject.to_string()
}

async fn actix_maybe(caller: auth_actix::MaybeAuthenticated) -> String {
    caller.0.map_or_else(|| "nobody".to_owned(), |caller| caller.subject.to_string())
}

async fn actix_permitted(caller: auth_actix::Permitted<ModelsRead>) -> String {
    caller.principal.subject.to_string()
}

async fn ask_axum(app: &Router, path: &str, credential: Option<&str>) -> Answer {
    let request = Request::get(path);
    let request = match credential {
        Some(credential) => request.header("authorization", format!("Bearer {credential}")),
        None => request,
    };
    read_axum(app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await
}

async fn read_axum(answer: http::Response<Body>) -> Answer {
    let (head, body) = answer.into_parts();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    Answer {
        status: head.status.as_u16(),
        content_type: head.headers.get("content-type").map(text).unwrap_or_default(),
        challenges: head.headers.get_all("www-authenticate").iter().map(text).collect(),
        rejection: head.extensions.get().cloned(),
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

fn actix_request(path: &str, credential: Option<&str>) -> actix_http::Request {
    let request = TestRequest::get().uri(path);
    match credential {
        Some(credential) => request.insert_header(("authorization", format!("Bearer {credential}"))).to_request(),
        None => request.to_request(),
    }
}

async fn read_actix(answer: actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>) -> Answer {
    let headers = answer.headers();
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap().to_owned();
    let mut read = Answer {
        status: answer.status().as_u16(),
        content_type: headers.get("content-type").map(text).unwrap_or_default(),
        challenges: headers.get_all("www-authenticate").map(text).collect(),
        rejection: answer.response().extensions().get().cloned(),
        body: String::new(),
    };
    let body = actix_web::body::to_bytes(answer.into_body()).await.ok().unwrap();
    read.body = String::from_utf8(body.to_vec()).unwrap();
    read
}

/// What is logged by this thread while the guard lives.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[test]
fn status_of_refusals_is_known_before_they_are_rendered() {
    use actix_web::ResponseError;
    let refused = auth_actix::Refused::from(auth_core::gate::Refusal {
        rejection: Rejection::MissingCredential,
        reply: lenient_gate().context().refuse(&Rejection::MissingCredential, "GET", "/", "id"),
        caller: None,
    });
    assert_eq!(refused.status_code().as_u16(), StatusCode::UNAUTHORIZED.as_u16());
    assert_eq!(refused.rejection(), &Rejection::MissingCredential);
}
