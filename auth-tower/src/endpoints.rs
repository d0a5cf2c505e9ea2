//! The service's own endpoints, in front of what is behind the gate.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use auth_core::endpoint::{Answered, Asked, Endpoints, MAX_CONTENT, Received};
use auth_core::gate::Attached;
use auth_core::{Anonymous, Pending, Principal, RequestHead};
use bytes::{Buf as _, Bytes};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::convert::{Fields, head, reply, response};
use crate::peer::{PeerFrom, peer_address};
use crate::{Bodies, Unchanged, Wrapped};

/// Answers the service's own [`Endpoints`], and hands every other request on.
///
/// It belongs behind the gate, so it is added before [`AuthLayer`](crate::AuthLayer), and the gate's policy needs a rule for
/// each of its paths; [`Endpoints::add_to`] adds the usual ones.
///
/// ```
/// use std::time::Duration;
/// use auth_core::endpoint::{Endpoint, Endpoints};
/// use auth_core::gate::Gate;
/// use auth_core::issue::{AccessTokenIssuer, SigningAlgorithm, SigningKeys};
/// use auth_core::policy::{Policy, authenticated};
/// use auth_tower::{AuthLayer, EndpointsLayer};
/// use axum::{Router, routing::get};
/// use axum::http::{Request, StatusCode};
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let keys = SigningKeys::generate(SigningAlgorithm::EdDsa).unwrap();
/// let issuer = AccessTokenIssuer::new("https://us.example", "api", Duration::from_secs(900), keys);
/// let endpoints =
///     Endpoints::builder().issuer(issuer).at(Endpoint::PublicKeys, "/.well-known/jwks.json").build().unwrap();
/// let policy = endpoints.add_to(Policy::new().get("/account", authenticated()));
/// let app = Router::new()
///     .route("/account", get(|| async { "yours" }))
///     .fallback(|| async { StatusCode::NOT_FOUND })
///     .layer(EndpointsLayer::new(endpoints))
///     .layer(AuthLayer::new(Gate::builder().policy(policy).build().unwrap()));
///
/// let status = |path: &str| {
///     let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
///     let app = app.clone();
///     async move { app.oneshot(request).await.unwrap().status() }
/// };
/// assert_eq!(status("/.well-known/jwks.json").await, StatusCode::OK);
/// assert_eq!(status("/account").await, StatusCode::UNAUTHORIZED);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EndpointsLayer<B = Unchanged> {
    endpoints: Endpoints,
    peer_from: PeerFrom,
    bodies: PhantomData<fn() -> B>,
}

impl EndpointsLayer {
    /// A layer with these endpoints.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints, peer_from: peer_address, bodies: PhantomData }
    }
}

impl<B> EndpointsLayer<B> {
    /// Takes services with bodies of any type, as [`AuthLayer::any_body`](crate::AuthLayer::any_body) does.
    #[must_use]
    pub fn any_body(self) -> EndpointsLayer<Wrapped> {
        EndpointsLayer { endpoints: self.endpoints, peer_from: self.peer_from, bodies: PhantomData }
    }

    /// Says where the server leaves the address of the peer, as in [`AuthLayer::peer_from`](crate::AuthLayer::peer_from).
    #[must_use]
    pub fn peer_from(mut self, peer_from: fn(&http::Extensions) -> Option<std::net::IpAddr>) -> Self {
        self.peer_from = peer_from;
        self
    }
}

impl<S, B> Layer<S> for EndpointsLayer<B> {
    type Service = EndpointsService<S, B>;

    fn layer(&self, inner: S) -> EndpointsService<S, B> {
        EndpointsService { endpoints: self.endpoints.clone(), peer_from: self.peer_from, inner, bodies: PhantomData }
    }
}

/// A service behind [`Endpoints`]; made by [`EndpointsLayer`].
#[derive(Clone, Debug)]
pub struct EndpointsService<S, B = Unchanged> {
    endpoints: Endpoints,
    peer_from: PeerFrom,
    inner: S,
    bodies: PhantomData<fn() -> B>,
}

impl<S, B, ReqBody, ResBody> Service<Request<ReqBody>> for EndpointsService<S, B>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    B: Bodies<ResBody>,
    ReqBody: Body<Data: Send> + Send + 'static,
{
    type Response = Response<B::Body>;
    type Error = S::Error;
    type Future = EndpointsFuture<S::Future, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let fields = Fields(request.headers());
        let extensions = request.extensions();
        let head = RequestHead {
            peer: (self.peer_from)(extensions),
            ..head(request.method(), request.uri(), &fields, extensions)
        };
        let attached = Attached { principal: extensions.get::<Principal>(), anonymous: extensions.get::<Anonymous>() };
        let state = match self.endpoints.asked(&head, attached) {
            None => State::Inner { inner: self.inner.call(request) },
            Some(Err(refusal)) => State::Answered { response: Some(response(*refusal)) },
            Some(Ok(asked)) => State::Asked { answering: Box::pin(answer(asked, request.into_body())) },
        };
        EndpointsFuture { state, bodies: PhantomData }
    }
}

async fn answer<ReqBody: Body>(asked: Asked, body: ReqBody) -> Answered {
    asked.answer(received(body).await).await
}

async fn received<B: Body>(body: B) -> Received {
    let (mut body, mut content) = (pin!(body), Vec::new());
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else { return Received::Broken };
        let Ok(mut data) = frame.into_data() else { continue };
        if content.len() + data.remaining() > MAX_CONTENT {
            return Received::TooLong;
        }
        let data: Bytes = data.copy_to_bytes(data.remaining());
        content.extend_from_slice(&data);
    }
    Received::Whole(content)
}

pin_project! {
    /// The response to come of an [`EndpointsService`].
    pub struct EndpointsFuture<F, B> {
        #[pin]
        state: State<F>,
        bodies: PhantomData<fn() -> B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        /// The request was for somebody else.
        Inner { #[pin] inner: F },
        /// An endpoint is at it.
        Asked { answering: Pending<Answered> },
        /// It is answered; taken by the first poll.
        Answered { response: Option<Response<Bytes>> },
    }
}

impl<F, B, ResBody, E> Future for EndpointsFuture<F, B>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    B: Bodies<ResBody>,
{
    type Output = Result<Response<B::Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { inner } => inner.poll(cx).map_ok(|answer| answer.map(B::pass)),
            StateProjection::Asked { answering } => answering.as_mut().poll(cx).map(|answered| {
                let mut response = reply(answered.reply);
                if let Some(rejection) = answered.rejection {
                    response.extensions_mut().insert(rejection);
                }
                Ok(response.map(B::reply))
            }),
            StateProjection::Answered { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response.map(B::reply))))
            }
        }
    }
}

impl<F, B> std::fmt::Debug for EndpointsFuture<F, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointsFuture").finish_non_exhaustive()
    }
}
