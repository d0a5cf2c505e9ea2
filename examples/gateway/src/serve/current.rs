//! The service of the day: each request goes to the router of the generation that is in force when it comes.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use axum::Router;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use http::Request;
use hyper::body::Incoming;
use tower::Service;

use super::router;
use crate::reload::Generation;

/// The router in force, which can be replaced by another. Clones share it.
#[derive(Clone, Debug)]
pub struct Current(Arc<ArcSwap<Router>>);

impl Current {
    /// Begins with that generation.
    pub fn new(generation: &Generation) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(router(Arc::new(generation.gateway())))))
    }

    /// Serves by another generation from the next request on.
    pub fn take_up(&self, generation: &Generation) {
        self.0.store(Arc::new(router(Arc::new(generation.gateway()))));
    }
}

impl Service<Request<Incoming>> for Current {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // as routers do, which need not be asked
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        Router::clone(&self.0.load()).call(request)
    }
}
