//! Errors of the inner service, answered with the gate's fields.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, ResponseError};
use auth_core::gate::ResponseFields;

use crate::convert::add;

/// An error whose response has the fields that any other answer would have had: the caller paid, so it is told.
struct WithFields {
    error: Error,
    fields: ResponseFields,
}

/// The error, or the same one with the fields where there are any.
pub(crate) fn with_fields(error: Error, fields: ResponseFields) -> Error {
    if fields.is_empty() { error } else { WithFields { error, fields }.into() }
}

impl ResponseError for WithFields {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = self.error.error_response();
        add(self.fields.clone(), response.headers_mut());
        response
    }
}

impl fmt::Display for WithFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for WithFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
