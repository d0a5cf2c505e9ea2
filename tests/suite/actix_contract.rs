//! Where actix-web lets a middleware be wrapped, and what it may rely on there.

use std::cell::{Cell, RefCell};
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::middleware::{NormalizePath, TrailingSlash};
use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse, web};
use auth_actix::Auth;
use auth_core::credential::Source;
use auth_core::gate::{Gate, Limits, RequestIds};
use auth_core::limit::{Plan, Plans, Scope};
use auth_core::policy::{Policy, authenticated, permission, public};
use auth_core::store::MemoryLimitStore;
use auth_core::verify::Verifier;
use auth_core::{Principal, Rejection};

use crate::stand_in::{Credulous, Hesitant};

#[actix_web::test]
async fn a_wrapped_app_has_no_way_around_the_gate() {
    let reached = Rc::new(Cell::new(0));
    let count = Rc::clone(&reached);
    let handler = move || {
        count.set(count.get() + 1);
        ready(HttpResponse::Ok())
    };
    let app = App::new()
        .route("/needs", web::get().to(handler.clone()))
        .route("/open", web::get().to(handler.clone()))
        .route("/forgotten", web::get().to(handler.clone()))
        .service(web::scope("/scope").route("/forgotten", web::get().to(handler.clone())))
        .service(web::resource("/resource").to(handler.clone()))
        .default_service(web::to(handler))
        .wrap(Auth::new(gate(Credulous::default())));
    let app = init_service(app).await;

    for path in ["/needs", "/forgotten", "/scope/forgotten", "/scope/none", "/resource", "/none", "/"] {
        assert_eq!(call_service(&app, get(path, None)).await.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(call_service(&app, get(path, Some("bad"))).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/forgotten", "/scope/forgotten", "/scope/none", "/resource", "/none", "/"] {
        assert_eq!(call_service(&app, get(path, Some("alice"))).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(reached.get(), 0);
    assert_eq!(call_service(&app, get("/needs", Some("alice"))).await.status(), StatusCode::OK);
    assert_eq!(call_service(&app, get("/open", Some("bad"))).await.status(), StatusCode::OK);
    assert_eq!(reached.get(), 2);
}

#[actix_web::test]
async fn the_404_of_actix_itself_is_behind_the_gate_too() {
    let app = App::new().wrap(Auth::new(gate(Credulous::default())));
    let app = init_service(app).await;
    assert_eq!(call_service(&app, get("/none", None)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(call_service(&app, get("/needs", Some("alice"))).await.status(), StatusCode::NOT_FOUND);
}

/// Unlike axum's nested routers, scopes and resources see the whole path, so the same table serves them.
#[actix_web::test]
async fn a_wrapped_scope_or_resource_is_covered_and_its_neighbours_are_not() {
    let policy = Policy::new().get("/scope/needs", authenticated()).get("/resource", permission("read"));
    let gate = Gate::builder().accept(Source::bearer(), Credulous::default()).policy(policy).build().unwrap();
    let ok = || ready(HttpResponse::Ok());
    let app = App::new()
        .service(
            web::scope("/scope")
                .wrap(Auth::new(gate.clone()))
                .route("/needs", web::get().to(ok))
                .route("/forgotten", web::get().to(ok)),
        )
        .service(web::resource("/resource").wrap(Auth::new(gate)).route(web::get().to(ok)))
        .route("/outside", web::get().to(ok));
    let app = init_service(app).await;

    for (path, credential, status) in [
        ("/scope/needs", None, StatusCode::UNAUTHORIZED),
        ("/scope/needs", Some("alice"), StatusCode::OK),
        ("/scope/forgotten", Some("alice"), StatusCode::FORBIDDEN),
        ("/scope/none", None, StatusCode::UNAUTHORIZED),
        ("/resource", None, StatusCode::UNAUTHORIZED),
        ("/resource", Some("alice"), StatusCode::FORBIDDEN),
        ("/resource", Some("alice+read"), StatusCode::OK),
        ("/outside", None, StatusCode::OK),
    ] {
        assert_eq!(call_service(&app, get(path, credential)).await.status(), status, "{path} {credential:?}");
    }
}

#[actix_web::test]
async fn a_decision_that_waits_passes_and_refuses() {
    let verifier = Hesitant::new();
    let app = App::new()
        .route("/needs", web::get().to(|request: HttpRequest| ready(subject(&request))))
        .wrap(Auth::new(gate(verifier.clone())));
    let app = init_service(app).await;

    let mut good = Box::pin(app.call(get("/needs", Some("alice"))));
    let mut bad = Box::pin(app.call(get("/needs", Some("bad"))));
    assert!(poll_once(good.as_mut()).is_pending());
    assert!(poll_once(bad.as_mut()).is_pending());
    verifier.answer_one();
    let good = good.await.unwrap();
    assert_eq!(good.status(), StatusCode::OK);
    assert_eq!(to_bytes(good.into_body()).await.ok().unwrap(), "alice");
    verifier.answer_one();
    let bad = bad.await.unwrap();
    assert_eq!(bad.status(), StatusCode::UNAUTHORIZED);
    assert!(bad.response().extensions().get::<Rejection>().is_some());
}

#[actix_web::test]
async fn nothing_of_the_inner_service_runs_before_the_decision() {
    let verifier = Hesitant::new();
    let (inner, record) = Recorded::new();
    let service = Auth::new(gate(verifier.clone())).new_transform(inner).await.unwrap();

    let mut future = Box::pin(service.call(service_request("/needs", Some("alice"))));
    for _ in 0..3 {
        assert!(poll_once(future.as_mut()).is_pending());
    }
    assert!(record.called.borrow().is_empty());
    verifier.answer_one();
    assert_eq!(future.await.unwrap().status(), StatusCode::OK);
    assert_eq!(*record.called.borrow(), ["/needs"]);
}

#[actix_web::test]
async fn a_future_dropped_while_waiting_drops_the_request_and_the_question() {
    let verifier = Hesitant::new();
    let (inner, record) = Recorded::new();
    let service = Auth::new(gate(verifier.clone())).new_transform(inner).await.unwrap();
    let alive = Rc::new(());
    let request = service_request("/needs", Some("alice"));
    request.extensions_mut().insert(Rc::clone(&alive));

    let mut future = Box::pin(service.call(request));
    assert!(poll_once(future.as_mut()).is_pending());
    assert_eq!((Rc::strong_count(&alive), verifier.open()), (2, 1));
    drop(future);
    assert_eq!((Rc::strong_count(&alive), verifier.open()), (1, 0));
    assert!(record.called.borrow().is_empty());
}

#[actix_web::test]
async fn back_pressure_is_handed_out() {
    let (inner, record) = Recorded::new();
    let service = Auth::new(gate(Credulous::default())).new_transform(inner).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    record.is_shut.set(true);
    assert!(service.poll_ready(&mut context).is_pending());
    record.is_shut.set(false);
    assert!(service.poll_ready(&mut context).is_ready());
}

#[actix_web::test]
async fn errors_of_the_inner_service_pass_through() {
    let app = App::new()
        .wrap_fn(|_, _| ready(Err::<ServiceResponse, Error>(actix_web::error::ErrorImATeapot("no coffee"))))
        .wrap(Auth::new(gate(Credulous::default())));
    let app = init_service(app).await;
    let error = try_call_service(&app, get("/open", None)).await.unwrap_err();
    assert_eq!(error.as_response_error().status_code(), StatusCode::IM_A_TEAPOT);
}

/// The caller paid, so it is told what is left, whatever became of its request.
#[actix_web::test]
async fn l2_errors_of_the_inner_service_are_answered_with_the_gate_s_fields() {
    let plan = Plan::new("free").limit("free", "3/hour".parse().unwrap(), Scope::PRINCIPAL);
    let plans = Plans::builder().plan(plan).default_plan("free").build().unwrap();
    let gate = Gate::builder()
        .accept(Source::bearer(), Credulous::default())
        .policy(Policy::new().get("/needs", authenticated()))
        .limits(Limits::new(plans, MemoryLimitStore::new()))
        .request_ids(RequestIds::Always)
        .build()
        .unwrap();
    let app = App::new()
        .wrap_fn(|_, _| ready(Err::<ServiceResponse, Error>(actix_web::error::ErrorImATeapot("no coffee"))))
        .wrap(Auth::new(gate));
    let app = init_service(app).await;
    let error = try_call_service(&app, get("/needs", Some("alice"))).await.unwrap_err();
    assert_eq!(
        (error.to_string(), error.as_response_error().status_code()),
        ("no coffee".to_owned(), StatusCode::IM_A_TEAPOT)
    );
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.headers().get("x-ratelimit-remaining").unwrap(), "2");
    assert!(response.headers().contains_key("ratelimit") && response.headers().contains_key("x-request-id"));
}

/// `NormalizePath` rewrites the path that actix routes by and the one the gate reads, so outside the gate both agree;
/// inside it the gate has judged what was sent, and what it cannot judge in one way only it has refused.
#[actix_web::test]
async fn normalize_path_opens_no_way_around_the_gate() {
    let ok = || ready(HttpResponse::Ok());
    let outside = App::new()
        .route("/needs", web::get().to(ok))
        .wrap(Auth::new(gate(Credulous::default())))
        .wrap(NormalizePath::new(TrailingSlash::Trim));
    let outside = init_service(outside).await;
    let inside = App::new()
        .route("/needs", web::get().to(ok))
        .wrap(NormalizePath::new(TrailingSlash::Trim))
        .wrap(Auth::new(gate(Credulous::default())));
    let inside = init_service(inside).await;

    for (path, outside_status, inside_status) in [
        ("/needs", StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
        ("/needs/", StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST),
        ("//needs", StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST),
        ("/needs//", StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(call_service(&outside, get(path, None)).await.status(), outside_status, "outside, {path}");
        assert_eq!(call_service(&inside, get(path, None)).await.status(), inside_status, "inside, {path}");
    }
    assert_eq!(call_service(&outside, get("/needs/", Some("alice"))).await.status(), StatusCode::OK);
}

fn gate(verifier: impl Verifier) -> Gate {
    Gate::builder()
        .accept(Source::bearer(), verifier)
        .policy(Policy::new().get("/needs", authenticated()).get("/open", public()))
        .build()
        .unwrap()
}

fn subject(request: &HttpRequest) -> String {
    request.extensions().get::<Principal>().map(|principal| principal.subject.to_string()).unwrap_or_default()
}

fn test_request(path: &str, credential: Option<&str>) -> TestRequest {
    let request = TestRequest::get().uri(path);
    match credential {
        Some(credential) => request.insert_header(("authorization", format!("Bearer {credential}"))),
        None => request,
    }
}

fn get(path: &str, credential: Option<&str>) -> actix_http::Request {
    test_request(path, credential).to_request()
}

fn service_request(path: &str, credential: Option<&str>) -> ServiceRequest {
    test_request(path, credential).to_srv_request()
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Answers 200 and keeps a record of what it was asked.
struct Recorded(Rc<Record>);

#[derive(Default)]
struct Record {
    called: RefCell<Vec<String>>,
    is_shut: Cell<bool>,
}

impl Recorded {
    fn new() -> (Self, Rc<Record>) {
        let record = Rc::new(Record::default());
        (Self(Rc::clone(&record)), record)
    }
}

impl Service<ServiceRequest> for Recorded {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Ready<Result<ServiceResponse, Error>>;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.0.is_shut.get() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        self.0.called.borrow_mut().push(request.path().to_owned());
        ready(Ok(request.into_response(HttpResponse::Ok().finish())))
    }
}

/// What wraps around the gate may rely on any body being one.
#[actix_web::test]
async fn any_body_passes_through() {
    let app = App::new()
        .route("/open", web::get().to(|| ready(HttpResponse::Ok().body("streamed").map_into_boxed_body())))
        .wrap(Auth::new(gate(Credulous::default())))
        .wrap(Auth::new(gate(Credulous::default())));
    let app = init_service(app).await;
    let answer = call_service(&app, get("/open", None)).await;
    assert_eq!(answer.response().body().size(), actix_web::body::BodySize::Sized(8));
    assert_eq!(to_bytes(answer.into_body()).await.ok().unwrap(), "streamed");
}
