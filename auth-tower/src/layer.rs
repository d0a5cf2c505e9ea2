//! The layer: a gate, ready to be put around services.

use auth_core::gate::Gate;
use tower_layer::Layer;

use crate::AuthService;

/// Puts a [`Gate`] in front of a service.
///
/// The gate's route table decides; for a layer around one route, give it a gate made by [`Gate::requiring`].
#[derive(Clone, Debug)]
pub struct AuthLayer {
    gate: Gate,
}

impl AuthLayer {
    /// A layer with that gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(self.gate.clone(), inner)
    }
}
