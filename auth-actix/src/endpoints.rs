//! The service's own endpoints, in front of what is behind the gate.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_service::{Service, Transform, forward_ready};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::{Error, FromRequest as _, HttpMessage, HttpRequest, web};
use auth_core::endpoint::{Asked, Endpoints, MAX_CONTENT, Received};
use auth_core::gate::{Attached, Refusal};
use auth_core::{Anonymous, Principal};

use crate::convert::{Fields, head, reply, response};

/// Answers the service's own [`Endpoints`], and hands every other request on.
///
/// It belongs behind the gate, so it is wrapped before [`Auth`](crate::Auth), and the gate's policy needs a rule for each of
/// its paths; [`Endpoints::add_to`] adds the usual ones.
///
/// ```
/// use std::time::Duration;
/// use actix_web::http::StatusCode;
/// use actix_web::test::{TestRequest, call_service, init_service};
/// use actix_web::{App, web};
/// use auth_actix::{Auth, OwnEndpoints};
/// use auth_core::endpoint::{Endpoint, Endpoints};
/// use auth_core::gate::Gate;
/// use auth_core::issue::{AccessTokenIssuer, SigningAlgorithm, SigningKeys};
/// use auth_core::policy::{Policy, authenticated};
///
/// # #[actix_web::main]
/// # async fn main() {
/// let keys = SigningKeys::generate(SigningAlgorithm::EdDsa).unwrap();
/// let issuer = AccessTokenIssuer::new("https://us.example", "api", Duration::from_secs(900), keys);
/// let endpoints =
///     Endpoints::builder().issuer(issuer).at(Endpoint::PublicKeys, "/.well-known/jwks.json").build().unwrap();
/// let policy = endpoints.add_to(Policy::new().get("/account", authenticated()));
/// let app = App::new()
///     .route("/account", web::get().to(|| async { "yours" }))
///     .wrap(OwnEndpoints::new(endpoints))
///     .wrap(Auth::new(Gate::builder().policy(policy).build().unwrap()));
/// let app = init_service(app).await;
///
/// let open = call_service(&app, TestRequest::get().uri("/.well-known/jwks.json").to_request()).await;
/// assert_eq!(open.status(), StatusCode::OK);
/// let closed = call_service(&app, TestRequest::get().uri("/account").to_request()).await;
/// assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OwnEndpoints {
    endpoints: Endpoints,
}

impl OwnEndpoints {
    /// A middleware with these endpoints.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints }
    }
}

impl<S, B> Transform<S, ServiceRequest> for OwnEndpoints
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = EndpointsMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(EndpointsMiddleware { endpoints: self.endpoints.clone(), inner: Rc::new(inner) }))
    }
}

/// A service behind [`Endpoints`]; made by [`OwnEndpoints`].
pub struct EndpointsMiddleware<S> {
    endpoints: Endpoints,
    inner: Rc<S>,
}

impl<S> fmt::Debug for EndpointsMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointsMiddleware").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl<S, B> Service<ServiceRequest> for EndpointsMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        match asked(&self.endpoints, &request) {
            None => {
                let inner = self.inner.call(request);
                Box::pin(async move { Ok(inner.await?.map_into_left_body()) })
            }
            Some(Err(refusal)) => {
                Box::pin(async move { Ok(request.into_response(response(*refusal)).map_into_right_body()) })
            }
            Some(Ok(asked)) => {
                let payload = request.take_payload();
                Box::pin(async move {
                    let answered = asked.answer(received(request.request(), payload).await).await;
                    let mut response = reply(answered.reply);
                    if let Some(rejection) = answered.rejection {
                        response.extensions_mut().insert(rejection);
                    }
                    Ok(request.into_response(response).map_into_right_body())
                })
            }
        }
    }
}

fn asked(endpoints: &Endpoints, request: &ServiceRequest) -> Option<Result<Asked, Box<Refusal>>> {
    // most requests are for somebody else, and need not be looked at any closer
    endpoints.find(request.method().as_str(), request.uri().path())?;
    let (principal, anonymous) = {
        let extensions = request.extensions();
        (extensions.get::<Principal>().cloned(), extensions.get::<Anonymous>().cloned())
    };
    let fields = Fields(request.headers());
    let head = head(request.request(), &fields, principal.as_ref(), anonymous.as_ref());
    endpoints.asked(&head, Attached { principal: principal.as_ref(), anonymous: anonymous.as_ref() })
}

async fn received(request: &HttpRequest, mut payload: Payload) -> Received {
    let Ok(payload) = web::Payload::from_request(request, &mut payload).await else { return Received::Broken };
    match payload.to_bytes_limited(MAX_CONTENT).await {
        Ok(Ok(content)) => Received::Whole(content.to_vec()),
        Ok(Err(_)) => Received::Broken,
        Err(_) => Received::TooLong,
    }
}
