//! The layer: a gate, ready to be put around services.

use std::marker::PhantomData;
use std::net::IpAddr;

use auth_core::gate::Gate;
use http::Extensions;
use tower_layer::Layer;

use crate::peer::{PeerFrom, peer_address};
use crate::{AuthService, Unchanged, Wrapped};

/// Puts a [`Gate`] in front of a service.
///
/// The gate's route table decides; for a layer around one route, give it a gate made by [`Gate::requiring`].
///
/// The bodies of the service's responses stay what they are, so their type must be one that refusals can be made in: see
/// [`any_body`](Self::any_body) for others.
#[derive(Clone, Debug)]
pub struct AuthLayer<B = Unchanged> {
    gate: Gate,
    peer_from: PeerFrom,
    bodies: PhantomData<fn() -> B>,
}

impl AuthLayer {
    /// A layer with that gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate, peer_from: peer_address, bodies: PhantomData }
    }
}

impl<B> AuthLayer<B> {
    /// Says where the server leaves the address of the peer; [`PeerAddress`](crate::PeerAddress) by default.
    ///
    /// axum's server leaves it in `ConnectInfo`, if asked by `into_make_service_with_connect_info::<SocketAddr>()`:
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use auth_tower::AuthLayer;
    /// use axum::extract::ConnectInfo;
    ///
    /// # let gate = auth_core::gate::Gate::builder().build()?;
    /// let layer = AuthLayer::new(gate)
    ///     .peer_from(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()));
    /// # Ok::<(), auth_core::ConfigErrors>(())
    /// ```
    #[must_use]
    pub fn peer_from(mut self, peer_from: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer_from = peer_from;
        self
    }

    /// Takes services with bodies of any type, which it wraps in a [`ResponseBody`](crate::ResponseBody): for those that
    /// are not `From<Bytes>`, such as streams, files and bodies of another server. Layers further out need nothing then.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use auth_core::gate::Gate;
    /// use auth_core::policy::{Policy, public};
    /// use auth_tower::AuthLayer;
    /// use axum::http::{Request, Response, StatusCode};
    /// use bytes::Bytes;
    /// use http_body_util::Empty;
    /// use tower::{Layer, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let silent = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
    /// let gate = Gate::builder().policy(Policy::new().get("/", public())).build().unwrap();
    /// let service = AuthLayer::new(gate).any_body().layer(silent);
    ///
    /// let answer = service.clone().oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert_eq!(answer.status(), StatusCode::OK);
    /// let answer = service.oneshot(Request::get("/account").body(()).unwrap()).await.unwrap();
    /// assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    /// # }
    /// ```
    #[must_use]
    pub fn any_body(self) -> AuthLayer<Wrapped> {
        AuthLayer { gate: self.gate, peer_from: self.peer_from, bodies: PhantomData }
    }
}

impl<S, B> Layer<S> for AuthLayer<B> {
    type Service = AuthService<S, B>;

    fn layer(&self, inner: S) -> AuthService<S, B> {
        AuthService::new(self.gate.clone(), self.peer_from, inner)
    }
}
