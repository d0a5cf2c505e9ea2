//! The transform: a gate, ready to be wrapped around services.

use std::future::{Ready, ready};

use actix_service::{Service, Transform};
use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use auth_core::gate::Gate;

use crate::AuthMiddleware;

/// Puts a [`Gate`] in front of an `App`, a `Scope` or a `Resource`.
///
/// The gate's route table decides; for one scope or resource, give it a gate made by [`Gate::requiring`].
#[derive(Clone, Debug)]
pub struct Auth {
    gate: Gate,
}

impl Auth {
    /// A middleware with that gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Auth
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(AuthMiddleware::new(self.gate.clone(), inner)))
    }
}
