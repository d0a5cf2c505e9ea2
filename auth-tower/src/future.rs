//! The future of a response: no box around it, whichever way the decision went.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use auth_core::Pending;
use auth_core::gate::{Decision, Refusal, ResponseFields};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::Bodies;
use crate::convert::{add, attach, response};

pin_project! {
    /// The response to come of an [`AuthService`](crate::AuthService).
    pub struct ResponseFuture<S, ReqBody, B>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, S::Future>,
        bodies: PhantomData<fn() -> B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqBody, F> {
        /// The gate waits for a store or a key server.
        Waiting { pending: Pending<Decision>, held: Option<(Request<ReqBody>, S)> },
        /// The inner service has the request.
        Admitted { #[pin] inner: F, fields: ResponseFields },
        /// The gate answers itself. The refusal is taken by the first poll.
        Refused { refusal: Option<Box<Refusal>> },
    }
}

impl<S: Service<Request<ReqBody>>, ReqBody, B> ResponseFuture<S, ReqBody, B> {
    pub(crate) fn admitted(inner: S::Future, fields: ResponseFields) -> Self {
        Self::of(State::Admitted { inner, fields })
    }

    pub(crate) fn refused(refusal: Box<Refusal>) -> Self {
        Self::of(State::Refused { refusal: Some(refusal) })
    }

    pub(crate) fn waiting(pending: Pending<Decision>, request: Request<ReqBody>, ready: S) -> Self {
        Self::of(State::Waiting { pending, held: Some((request, ready)) })
    }

    fn of(state: State<S, ReqBody, S::Future>) -> Self {
        Self { state, bodies: PhantomData }
    }
}

impl<S, B, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody, B>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    B: Bodies<ResBody>,
{
    type Output = Result<Response<B::Body>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Waiting { pending, held } => {
                    let decision = ready!(pending.as_mut().poll(cx));
                    let Some((request, service)) = held.take() else { return Poll::Pending };
                    after_waiting(decision, request, service)
                }
                StateProjection::Admitted { inner, fields } => {
                    let mut answer = ready!(inner.poll(cx))?;
                    add(std::mem::take(fields), answer.headers_mut());
                    return Poll::Ready(Ok(answer.map(B::pass)));
                }
                StateProjection::Refused { refusal } => {
                    let Some(refusal) = refusal.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(response(*refusal).map(B::reply)));
                }
            };
            self.as_mut().project().state.set(next);
        }
    }
}

fn after_waiting<S, ReqBody>(
    decision: Decision,
    mut request: Request<ReqBody>,
    mut ready: S,
) -> State<S, ReqBody, S::Future>
where
    S: Service<Request<ReqBody>>,
{
    match decision {
        Decision::Admit(admission) => {
            let fields = attach(admission, &mut request);
            State::Admitted { inner: ready.call(request), fields }
        }
        Decision::Refuse(refusal) => State::Refused { refusal: Some(refusal) },
    }
}

impl<S: Service<Request<ReqBody>>, ReqBody, B> fmt::Debug for ResponseFuture<S, ReqBody, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
