//! What tower demands of a middleware, and what `auth-tower` promises beyond that.
//!
//! The inner service of these tests insists on the contract: it fails the test when it is called without having been
//! polled ready, and it keeps a record of everything that is done to it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth_core::endpoint::{Endpoint, Endpoints};
use auth_core::gate::Gate;
use auth_core::issue::{AccessTokenIssuer, SigningAlgorithm, SigningKeys};
use auth_core::policy::{PermissionModel, Policy, authenticated, public};
use auth_core::{Principal, Rejection};
use auth_tower::{AuthLayer, AuthService, EndpointsLayer};
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::stand_in::{Credulous, Hesitant};

#[tokio::test]
async fn the_service_polled_ready_is_the_one_called() {
    let strict = Strict::default();
    let mut service = layer(Credulous::default()).layer(strict.clone());
    ready(&mut service).await.call(get("/needs", Some("alice"))).await.unwrap();
    ready(&mut service).await.call(get("/open", None)).await.unwrap();
    assert_eq!(strict.record.called(), strict.record.polled_ready());
    assert_eq!(strict.record.called().len(), 2);
}

#[tokio::test]
async fn the_service_polled_ready_is_the_one_called_after_waiting_too() {
    let verifier = Hesitant::new();
    let strict = Strict::default();
    let mut service = layer(verifier.clone()).layer(strict.clone());

    let mut first = Box::pin(ready(&mut service).await.call(get("/needs", Some("alice"))));
    assert!(poll_once(first.as_mut()).is_pending());
    let taken_along = strict.record.polled_ready()[0];

    // Meanwhile the outer service goes on with a clone, which is polled before its own first call.
    ready(&mut service).await.call(get("/open", None)).await.unwrap();
    let stand_in = strict.record.polled_ready()[1];
    assert_ne!(stand_in, taken_along);

    verifier.answer_one();
    assert_eq!(first.await.unwrap().status(), StatusCode::OK);
    assert_eq!(strict.record.called(), [stand_in, taken_along]);
}

#[tokio::test]
async fn nothing_of_the_inner_service_runs_before_the_decision() {
    let verifier = Hesitant::new();
    let strict = Strict::default();
    let mut service = layer(verifier.clone()).layer(strict.clone());

    let mut future = Box::pin(ready(&mut service).await.call(get("/needs", Some("alice"))));
    for _ in 0..3 {
        assert!(poll_once(future.as_mut()).is_pending());
    }
    assert!(strict.record.called().is_empty());
    verifier.answer_one();
    future.await.unwrap();
    assert_eq!(strict.record.called().len(), 1);
    assert_eq!(strict.record.futures_polled(), 1);
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_inner_service() {
    let verifier = Hesitant::new();
    verifier.answer_one();
    let strict = Strict::default();
    let mut service = layer(verifier).layer(strict.clone());
    for (request, status) in [
        (get("/needs", None), StatusCode::UNAUTHORIZED),
        (get("/needs", Some("bad")), StatusCode::UNAUTHORIZED),
        (get("//needs", None), StatusCode::BAD_REQUEST),
    ] {
        let answer = ready(&mut service).await.call(request).await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(answer.extensions().get::<Rejection>().is_some());
    }
    assert!(strict.record.called().is_empty());
}

#[tokio::test]
async fn a_future_dropped_while_waiting_drops_the_request_and_the_question() {
    let verifier = Hesitant::new();
    let strict = Strict::default();
    let mut service = layer(verifier.clone()).layer(strict.clone());
    let alive = Arc::new(());
    let mut request = get("/needs", Some("alice")).map(|_| Full::<Bytes>::from("body"));
    request.extensions_mut().insert(Arc::clone(&alive));

    let mut future = Box::pin(ready(&mut service).await.call(request));
    assert!(poll_once(future.as_mut()).is_pending());
    assert_eq!((Arc::strong_count(&alive), verifier.open()), (2, 1));
    drop(future);
    assert_eq!((Arc::strong_count(&alive), verifier.open()), (1, 0));

    verifier.answer_one();
    assert!(strict.record.called().is_empty());
}

#[tokio::test]
async fn back_pressure_is_handed_out() {
    let strict = Strict::default();
    let mut service = layer(Credulous::default()).layer(strict.clone());
    let mut context = Context::from_waker(Waker::noop());
    strict.record.shut(true);
    assert!(poll_ready(&mut service, &mut context).is_pending());
    strict.record.shut(false);
    assert!(poll_ready(&mut service, &mut context).is_ready());
}

#[tokio::test]
async fn errors_of_the_inner_service_pass_through() {
    let failing = service_fn(|_: Request<Full<Bytes>>| async { Err::<Response<Full<Bytes>>, _>("it broke") });
    let service = layer(Credulous::default()).layer(failing);
    assert_eq!(service.clone().oneshot(get("/open", None)).await.unwrap_err(), "it broke");
    let hesitant = Hesitant::new();
    hesitant.answer_one();
    let service = layer(hesitant).layer(failing);
    assert_eq!(service.oneshot(get("/needs", Some("alice"))).await.unwrap_err(), "it broke");

    let mut never_ready = layer(Credulous::default()).layer(NeverReady);
    let readiness = poll_ready(&mut never_ready, &mut Context::from_waker(Waker::noop()));
    assert!(matches!(readiness, Poll::Ready(Err("not today"))));
}

#[tokio::test]
async fn clones_share_the_gate_and_stand_for_themselves() {
    let verifier = Credulous::default();
    let strict = Strict::default();
    let service = layer(verifier.clone()).layer(strict.clone());
    for _ in 0..3 {
        service.clone().oneshot(get("/needs", Some("alice"))).await.unwrap();
    }
    assert_eq!(verifier.asked(), 3);
    assert_eq!(strict.record.called(), strict.record.polled_ready());
}

/// Neither the request's body, nor the response's, nor the inner future has to be `Clone`, `Send` or `Unpin`.
#[tokio::test]
async fn bodies_and_futures_need_no_more_than_tower_asks_for() {
    struct Stubborn {
        _not_send: Rc<()>,
        _not_unpin: std::marker::PhantomPinned,
    }
    let stubborn = || Stubborn { _not_send: Rc::new(()), _not_unpin: std::marker::PhantomPinned };
    let inner = service_fn(|request: Request<Stubborn>| async move {
        let kept = Rc::new(request);
        std::future::ready(()).await;
        Ok::<_, Infallible>(Response::new(kept))
    });
    let service = layer(Credulous::default()).any_body().layer(inner);
    let request = get("/needs", Some("alice")).map(|_| stubborn());
    let answer = service.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[test]
fn futures_are_send_where_their_parts_are() {
    fn demand_send<T: Send>(_: &T) {}
    let mut service = layer(Credulous::default()).layer(Strict::default());
    demand_send(&service);
    assert!(poll_ready(&mut service, &mut Context::from_waker(Waker::noop())).is_ready());
    demand_send(&service.call(get("/open", None)));
}

#[tokio::test]
async fn frames_and_trailers_pass_untouched_both_ways() {
    let trailers = || http::HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), "42".parse().unwrap())]);
    let frames = || {
        let data = ["one", "", "three"].map(|text| Frame::data(Bytes::from_static(text.as_bytes())));
        Frames(data.into_iter().chain([Frame::trailers(trailers())]).collect())
    };
    let echo = service_fn(|request: Request<Frames>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
    let service = layer(Credulous::default()).any_body().layer(echo);
    let answer = service.oneshot(get("/needs", Some("alice")).map(|_| frames())).await.unwrap();

    let mut body = pin!(answer.into_body());
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (8, Some(80)), "the inner body speaks for itself");
    assert!(!body.is_end_stream());
    for expected in ["one", "", "three"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), expected);
    }
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers());
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn endpoints_stand_in_front_of_bodies_of_any_type() {
    let keys = SigningKeys::generate(SigningAlgorithm::EdDsa).unwrap();
    let issuer = AccessTokenIssuer::new("https://us.example", "api", Duration::from_mins(15), keys);
    let endpoints = Endpoints::builder().issuer(issuer).at(Endpoint::PublicKeys, "/keys").build().unwrap();
    let echo = service_fn(|request: Request<Frames>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
    let gate = Gate::builder().policy(endpoints.add_to(Policy::new().get("/elsewhere", public()))).build().unwrap();
    // The gate need not wrap what is wrapped already.
    let service = AuthLayer::new(gate).layer(EndpointsLayer::new(endpoints).any_body().layer(echo));
    let ask = |path| service.clone().oneshot(get(path, None).map(|_| Frames([Frame::data("a frame".into())].into())));

    let keys = ask("/keys").await.unwrap();
    assert_eq!((keys.status(), keys.body().size_hint().exact() > Some(0)), (StatusCode::OK, true));
    let keys = keys.into_body().collect().await.unwrap().to_bytes();
    assert!(keys.starts_with(b"{\"keys\":[{"), "{keys:?}");
    let passed = ask("/elsewhere").await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(passed.to_bytes(), "a frame");
}

#[tokio::test]
async fn a_refusal_says_how_long_it_is_and_ends() {
    let layer = layer(Credulous::default());
    let unchanged = layer.clone().layer(Strict::default()).oneshot(get("/needs", None)).await.unwrap();
    says_how_long_it_is_and_ends(unchanged).await;
    let wrapped = layer.any_body().layer(Strict::default()).oneshot(get("/needs", None)).await.unwrap();
    says_how_long_it_is_and_ends(wrapped).await;
}

async fn says_how_long_it_is_and_ends<B: Body<Data = Bytes, Error: fmt::Debug>>(refusal: Response<B>) {
    let mut body = pin!(refusal.into_body());
    let length = body.size_hint().exact().unwrap();
    assert!(length > 0 && !body.is_end_stream());
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data.len() as u64, length);
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

/// Whoever has wrapped bodies can stand within a layer that leaves them alone, and what was said before stays said.
#[tokio::test]
async fn a_layer_that_wraps_bodies_is_otherwise_the_same() {
    let here = |_: &http::Extensions| Some(std::net::IpAddr::from([192, 0, 2, 1]));
    let near = auth_core::NetworkSet::parse(["192.0.2.0/24"]).unwrap();
    let rule = auth_core::policy::Rule::from(authenticated()).networks(near);
    let gate = Gate::builder()
        .accept(auth_core::credential::Source::bearer(), Credulous::default())
        .policy(Policy::new().get("/needs", rule))
        .build()
        .unwrap();
    let inner = AuthLayer::new(gate).peer_from(here).any_body().layer(Strict::default());
    let service = layer(Credulous::default()).layer(inner);
    let answer = service.clone().oneshot(get("/needs", Some("alice"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = service.oneshot(get("/needs", None)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

/// Otherwise axum would box it once more.
#[tokio::test]
async fn a_body_that_can_be_made_of_bytes_stays_what_it_is() {
    let service = layer(Credulous::default()).layer(Strict::default());
    let passed: Response<Full<Bytes>> = service.clone().oneshot(get("/open", None)).await.unwrap();
    let refused: Response<Full<Bytes>> = service.oneshot(get("/needs", None)).await.unwrap();
    assert_eq!((passed.status(), refused.status()), (StatusCode::OK, StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn the_principal_is_in_the_extensions_of_the_request() {
    let inner = service_fn(|request: Request<Full<Bytes>>| async move {
        let principal = request.extensions().get::<Principal>().map(|principal| principal.subject.to_string());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(principal.unwrap_or_default())))
    });
    let service = ServiceBuilder::new().layer(layer(Credulous::default())).service(inner);
    for (path, credential, seen) in [("/needs", Some("alice"), "alice"), ("/open", Some("alice"), "")] {
        let answer = service.clone().oneshot(get(path, credential)).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), seen);
    }
}

fn layer(verifier: impl auth_core::verify::Verifier) -> AuthLayer {
    AuthLayer::new(gate(verifier))
}

fn gate(verifier: impl auth_core::verify::Verifier) -> Gate {
    Gate::builder()
        .accept(auth_core::credential::Source::bearer(), verifier)
        .permissions(PermissionModel::default())
        .policy(Policy::new().get("/needs", authenticated()).get("/open", public()))
        .build()
        .unwrap()
}

fn get(path: &str, credential: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get(path);
    let request = match credential {
        Some(credential) => request.header("authorization", format!("Bearer {credential}")),
        None => request,
    };
    request.body(Full::default()).unwrap()
}

async fn ready(service: &mut AuthService<Strict>) -> &mut AuthService<Strict> {
    <_ as ServiceExt<Request<Full<Bytes>>>>::ready(service).await.unwrap()
}

fn poll_ready<S: Service<Request<Full<Bytes>>>>(
    service: &mut S,
    context: &mut Context<'_>,
) -> Poll<Result<(), S::Error>> {
    service.poll_ready(context)
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Fails the test when it is called without having been polled ready. A clone is never ready.
#[derive(Debug, Default)]
struct Strict {
    number: usize,
    is_ready: bool,
    record: Arc<Record>,
}

/// Everything that was done to a service and its clones.
#[derive(Debug, Default)]
struct Record {
    numbers: AtomicUsize,
    is_shut: AtomicBool,
    polled_ready: Mutex<Vec<usize>>,
    called: Mutex<Vec<usize>>,
    futures_polled: AtomicUsize,
}

impl Record {
    fn called(&self) -> Vec<usize> {
        self.called.lock().unwrap().clone()
    }

    fn polled_ready(&self) -> Vec<usize> {
        self.polled_ready.lock().unwrap().clone()
    }

    fn futures_polled(&self) -> usize {
        self.futures_polled.load(Ordering::SeqCst)
    }

    fn shut(&self, is_shut: bool) {
        self.is_shut.store(is_shut, Ordering::SeqCst);
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        let number = self.record.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        Self { number, is_ready: false, record: Arc::clone(&self.record) }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.record.is_shut.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        if !self.is_ready {
            self.is_ready = true;
            self.record.polled_ready.lock().unwrap().push(self.number);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "service {} was called without being ready", self.number);
        self.record.called.lock().unwrap().push(self.number);
        let record = Arc::clone(&self.record);
        Box::pin(async move {
            record.futures_polled.fetch_add(1, Ordering::SeqCst);
            Ok(Response::new(Full::default()))
        })
    }
}

/// A service that is broken for good.
#[derive(Clone)]
struct NeverReady;

impl Service<Request<Full<Bytes>>> for NeverReady {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Err("not today"))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        unreachable!("it was never ready")
    }
}

/// A body of exactly these frames, which cannot be cloned.
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(8);
        hint.set_upper(80);
        hint
    }
}
