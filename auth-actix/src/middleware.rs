//! The middleware: asks the gate, then the inner service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_service::{Service, forward_ready};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use auth_core::gate::{Decision, Gate, ResponseFields};
use auth_core::{Anonymous, Outcome, Pending, Principal};
use pin_project_lite::pin_project;

use crate::convert::{Fields, add, attach, head, response};
use crate::error::with_fields;

/// A service behind a [`Gate`]; made by [`Auth`](crate::Auth).
pub struct AuthMiddleware<S> {
    gate: Gate,
    inner: Rc<S>,
}

impl<S> AuthMiddleware<S> {
    pub(crate) fn new(gate: Gate, inner: S) -> Self {
        Self { gate, inner: Rc::new(inner) }
    }
}

impl<S> fmt::Debug for AuthMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthMiddleware").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<S, B> Service<ServiceRequest> for AuthMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> ResponseFuture<S> {
        let outcome = {
            let known = request.extensions().get::<Principal>().cloned();
            let anonymous = request.extensions().get::<Anonymous>().cloned();
            let fields = Fields(request.headers());
            let head = head(request.request(), &fields, known.as_ref(), anonymous.as_ref());
            self.gate.decide(&head, self.gate.now())
        };
        let state = match outcome {
            Outcome::Done(decision) => after(decision, request, &self.inner),
            Outcome::Wait(pending) => State::Waiting { pending, held: Some((request, Rc::clone(&self.inner))) },
        };
        ResponseFuture { state }
    }
}

fn after<S: Service<ServiceRequest>>(
    decision: Decision,
    mut request: ServiceRequest,
    inner: &Rc<S>,
) -> State<S, S::Future> {
    match decision {
        Decision::Admit(admission) => {
            let fields = attach(admission, &mut request);
            State::Admitted { inner: inner.call(request), fields }
        }
        Decision::Refuse(refusal) => {
            State::Refused { answer: Some(Box::new(request.into_response(response(*refusal)))) }
        }
    }
}

pin_project! {
    /// The response to come of an [`AuthMiddleware`].
    pub struct ResponseFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        /// The gate waits for a store or a key server.
        Waiting { pending: Pending<Decision>, held: Option<(ServiceRequest, Rc<S>)> },
        /// The inner service has the request.
        Admitted { #[pin] inner: F, fields: ResponseFields },
        /// The gate answers itself. The answer is taken by the first poll.
        Refused { answer: Option<Box<ServiceResponse>> },
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Waiting { pending, held } => {
                    let decision = ready!(pending.as_mut().poll(cx));
                    let Some((request, inner)) = held.take() else { return Poll::Pending };
                    after(decision, request, &inner)
                }
                StateProjection::Admitted { inner, fields } => {
                    let answer = ready!(inner.poll(cx));
                    let fields = std::mem::take(fields);
                    return Poll::Ready(match answer {
                        Ok(answer) => {
                            let mut answer = answer.map_into_left_body();
                            add(fields, answer.headers_mut());
                            Ok(answer)
                        }
                        Err(error) => Err(with_fields(error, fields)),
                    });
                }
                StateProjection::Refused { answer } => {
                    let Some(answer) = answer.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(answer.map_into_right_body()));
                }
            };
            self.as_mut().project().state.set(next);
        }
    }
}

impl<S: Service<ServiceRequest>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
