//! The future of a response: no box around it, whichever way the decision went.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use auth_core::Pending;
use auth_core::gate::{Decision, Refusal};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::ResponseBody;
use crate::convert::{Additions, attach, response};

pin_project! {
    /// The response to come of an [`AuthService`](crate::AuthService).
    pub struct ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqBody, F> {
        /// The gate waits for a store or a key server.
        Waiting { pending: Pending<Decision>, held: Option<(Request<ReqBody>, S)> },
        /// The inner service has the request.
        Admitted { #[pin] inner: F, additions: Additions },
        /// The gate answers itself. The refusal is taken by the first poll.
        Refused { refusal: Option<Box<Refusal>> },
    }
}

impl<S: Service<Request<ReqBody>>, ReqBody> ResponseFuture<S, ReqBody> {
    pub(crate) fn admitted(inner: S::Future, additions: Additions) -> Self {
        Self { state: State::Admitted { inner, additions } }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { state: State::Refused { refusal: Some(Box::new(refusal)) } }
    }

    pub(crate) fn waiting(pending: Pending<Decision>, request: Request<ReqBody>, ready: S) -> Self {
        Self { state: State::Waiting { pending, held: Some((request, ready)) } }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Waiting { pending, held } => {
                    let decision = ready!(pending.as_mut().poll(cx));
                    let Some((request, service)) = held.take() else { return Poll::Pending };
                    after_waiting(decision, request, service)
                }
                StateProjection::Admitted { inner, additions } => {
                    let mut answer = ready!(inner.poll(cx))?.map(ResponseBody::inner);
                    std::mem::take(additions).add_to(answer.headers_mut());
                    return Poll::Ready(Ok(answer));
                }
                StateProjection::Refused { refusal } => {
                    let Some(refusal) = refusal.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(response(*refusal)));
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
            let additions = attach(admission, &mut request);
            State::Admitted { inner: ready.call(request), additions }
        }
        Decision::Refuse(refusal) => State::Refused { refusal: Some(Box::new(refusal)) },
    }
}

impl<S: Service<Request<ReqBody>>, ReqBody> fmt::Debug for ResponseFuture<S, ReqBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
