//! What axum and actix-web are sent, and the layer that does nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::Request as ActixRequest;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service as ActixService, ServiceResponse};
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode};
use tower::{Layer, Service};

use crate::app;
use crate::workload::measure::drive;
use crate::workload::{Fallible, PATH};

/// The name and the value of the field that carries the credential.
pub(crate) type Field = (&'static str, String);

/// One way to answer a request, of whichever framework; it tells the status.
pub(crate) type Answer = Rc<dyn Fn(&Field) -> StatusCode>;

/// A router of axum, of whichever version.
pub(crate) fn on_axum<S, B, R>(router: S) -> Answer
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone + 'static,
    B: Default + 'static,
{
    // As a server does it: a clone of the router per connection, here per request.
    Rc::new(move |field| match drive(router.clone().call(request(field))) {
        Ok(answer) => answer.status(),
        Err(never) => match never {},
    })
}

/// An app of actix-web.
pub(crate) fn on_actix<B: MessageBody>(
    app: impl ActixService<ActixRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
) -> Answer {
    Rc::new(move |field| {
        let status = app::send(&app, app::request(field)).map_or(500, |status| status.as_u16());
        StatusCode::from_u16(status).unwrap_or_default()
    })
}

/// A request as a client's HTTP library sends it, with the address that a server adds.
fn request<B: Default>((name, value): &Field) -> Request<B> {
    let request = Request::get(PATH)
        .header("host", "api.example.com")
        .header("user-agent", "example-client/2.4 (linux)")
        .header("accept", "application/json")
        .header("accept-encoding", "gzip, br")
        .header(*name, value)
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 49_152))));
    request.body(B::default()).unwrap_or_default()
}

/// Makes sure that a middleware does its work: it admits the credential and refuses a changed one.
pub(crate) fn checked(name: &str, answer: Answer, field: &Field) -> Fallible<Answer> {
    let changed = (field.0, changed(&field.1));
    let statuses = [answer(field), answer(&changed)];
    if statuses != [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        return Err(format!("{name} answers {statuses:?} instead of 200 and 401").into());
    }
    Ok(answer)
}

/// The same credential with another character some way before its end.
fn changed(credential: &str) -> String {
    let (start, end) = credential.split_at(credential.len().saturating_sub(12));
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    format!("{start}{other}{}", end.get(1..).unwrap_or_default())
}

/// A layer that does nothing.
#[derive(Clone, Copy)]
pub(crate) struct Nothing;

#[derive(Clone)]
pub(crate) struct NothingAround<S>(S);

impl<S> Layer<S> for Nothing {
    type Service = NothingAround<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NothingAround(inner)
    }
}

impl<S: Service<R>, R> Service<R> for NothingAround<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}
