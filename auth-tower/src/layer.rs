//! The layer: a gate, ready to be put around services.

use std::net::IpAddr;

use auth_core::gate::Gate;
use http::Extensions;
use tower_layer::Layer;

use crate::AuthService;
use crate::peer::{PeerFrom, peer_address};

/// Puts a [`Gate`] in front of a service.
///
/// The gate's route table decides; for a layer around one route, give it a gate made by [`Gate::requiring`].
#[derive(Clone, Debug)]
pub struct AuthLayer {
    gate: Gate,
    peer_from: PeerFrom,
}

impl AuthLayer {
    /// A layer with that gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate, peer_from: peer_address }
    }

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
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(self.gate.clone(), self.peer_from, inner)
    }
}
