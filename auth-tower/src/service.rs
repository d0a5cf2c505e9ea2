//! The service: asks the gate, then the inner service.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use auth_core::gate::{Decision, Gate};
use auth_core::{Outcome, RequestHead};
use http::{Request, Response};
use tower_service::Service;

use crate::convert::{Fields, attach, head};
use crate::peer::PeerFrom;
use crate::{Bodies, ResponseFuture, Unchanged};

/// A service behind a [`Gate`]; made by [`AuthLayer`](crate::AuthLayer). `B` says what becomes of response
/// [`Bodies`].
#[derive(Clone, Debug)]
pub struct AuthService<S, B = Unchanged> {
    gate: Gate,
    peer_from: PeerFrom,
    inner: S,
    bodies: PhantomData<fn() -> B>,
}

impl<S, B> AuthService<S, B> {
    pub(crate) fn new(gate: Gate, peer_from: PeerFrom, inner: S) -> Self {
        Self { gate, peer_from, inner, bodies: PhantomData }
    }
}

impl<S, B, ReqBody, ResBody> Service<Request<ReqBody>> for AuthService<S, B>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    B: Bodies<ResBody>,
{
    type Response = Response<B::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let headers = Fields(request.headers());
        let head = RequestHead {
            peer: (self.peer_from)(request.extensions()),
            ..head(request.method(), request.uri(), &headers, request.extensions())
        };
        match self.gate.decide(&head, self.gate.now()) {
            Outcome::Done(Decision::Admit(admission)) => {
                let fields = attach(admission, &mut request);
                ResponseFuture::admitted(self.inner.call(request), fields)
            }
            Outcome::Done(Decision::Refuse(refusal)) => ResponseFuture::refused(refusal),
            Outcome::Wait(pending) => {
                // The service that was polled ready is the one that must be called; the clone takes its place here
                // and will be polled before its own first call.
                let next = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, next);
                ResponseFuture::waiting(pending, request, ready)
            }
        }
    }
}
