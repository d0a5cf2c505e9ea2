//! The service: asks the gate, then the inner service.

use std::task::{Context, Poll};

use auth_core::gate::{Decision, Gate};
use auth_core::{Outcome, RequestHead};
use http::{Request, Response};
use tower_service::Service;

use crate::convert::{Fields, attach, head};
use crate::peer::PeerFrom;
use crate::{ResponseBody, ResponseFuture};

/// A service behind a [`Gate`]; made by [`AuthLayer`](crate::AuthLayer).
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    gate: Gate,
    peer_from: PeerFrom,
    inner: S,
}

impl<S> AuthService<S> {
    pub(crate) fn new(gate: Gate, peer_from: PeerFrom, inner: S) -> Self {
        Self { gate, peer_from, inner }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AuthService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let fields = Fields(request.headers());
        let head = RequestHead {
            peer: (self.peer_from)(request.extensions()),
            ..head(request.method(), request.uri(), &fields, request.extensions())
        };
        match self.gate.decide(&head, self.gate.now()) {
            Outcome::Done(Decision::Admit(admission)) => {
                let additions = attach(admission, &mut request);
                ResponseFuture::admitted(self.inner.call(request), additions)
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
