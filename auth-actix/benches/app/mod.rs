//! The app that the benches compare with and without a wrap, and the way they call it.

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, web};
use auth_actix::Auth;
use auth_core::gate::Gate;

use crate::workload::measure::drive;
use crate::workload::{Fallible, PATH, PATTERN};

pub(crate) async fn app() -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    init_service(App::new().configure(routes)).await
}

pub(crate) async fn wrapped(
    gate: Gate,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    init_service(App::new().configure(routes).wrap(Auth::new(gate))).await
}

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.route("/v1/orders", web::get().to(|| async { "orders" }));
    app.route(PATTERN, web::get().to(|| async { "an order" }));
}

/// A request as a client's HTTP library sends it.
pub(crate) fn request((name, value): &(&'static str, String)) -> Request {
    TestRequest::get()
        .uri(PATH)
        .insert_header(("host", "api.example.com"))
        .insert_header(("user-agent", "example-client/2.4 (linux)"))
        .insert_header(("accept", "application/json"))
        .insert_header(("accept-encoding", "gzip, br"))
        .insert_header((*name, value.as_str()))
        .to_request()
}

/// Sends a request and answers the status; the answer is dropped.
pub(crate) fn send<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    request: Request,
) -> Fallible<StatusCode> {
    Ok(drive(app.call(request)).map_err(|error| error.to_string())?.status())
}
