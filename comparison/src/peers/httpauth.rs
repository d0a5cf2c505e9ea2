//! `actix-web-httpauth`, which reads the field, with `jsonwebtoken` in its validator.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::test::init_service;
use actix_web::{App, Error, HttpMessage, error};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;

use super::Key;
use super::by_hand::Verification;
use crate::app;
use crate::frameworks::{Answer, on_actix};

pub(crate) async fn wrapped(key: &Key<'_>) -> Answer {
    let verification = Arc::new(Verification::new(key));
    let validate = move |request: ServiceRequest, credentials: BearerAuth| {
        let verification = Arc::clone(&verification);
        async move { admit(&verification, request, &credentials) }
    };
    on_actix(init_service(App::new().configure(app::routes).wrap(HttpAuthentication::bearer(validate))).await)
}

fn admit(
    verification: &Verification,
    request: ServiceRequest,
    credentials: &BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    match verification.verify(credentials.token()) {
        Ok(claims) => {
            request.extensions_mut().insert(Arc::new(claims));
            Ok(request)
        }
        Err(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
            Err((error::InternalError::new("refused", status).into(), request))
        }
    }
}
