//! The JSON shapes in which refusals are told.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::rejection::Rejection;

/// The JSON shape of an error body.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Shape {
    /// RFC 9457 problem details, `application/problem+json`: `type`, `title`, `status`, `detail`, and as extensions
    /// `code` and `request_id`. The default, since it is the one shape with a standard of its own.
    #[default]
    Problem,
    /// RFC 6749 section 5.2: `{"error","error_description"}`.
    OAuth,
    /// `{"error":{"code","message"}}`.
    Nested,
    /// `{"error":{"code","message","request_id","details"}}`: the exact cause in words stands in `details`.
    NestedWithDetails,
    /// `{"detail","error"}`.
    Flat,
    /// `{"errorCode","message","timestamp","path"}`, with the status's name as code: `UNAUTHORIZED`.
    Stamped,
    /// A shape of the application's own.
    Custom(Arc<dyn ErrorBody>),
}

/// A shape of the application's own.
pub trait ErrorBody: Send + Sync + fmt::Debug {
    /// The body's media type.
    fn content_type(&self) -> &'static str;

    /// The body of one refusal.
    fn body(&self, facts: &ErrorFacts<'_>) -> Vec<u8>;
}

/// What a body may tell.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ErrorFacts<'a> {
    /// The typed reason.
    pub rejection: &'a Rejection,
    /// The machine code in the configured style.
    pub code: &'a str,
    /// The configured words.
    pub message: &'a str,
    /// The path as sent.
    pub path: &'a str,
    /// The request's identifier.
    pub request_id: &'a str,
    /// When the refusal was decided.
    pub time: Timestamp,
}

impl Shape {
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::OAuth | Self::Nested | Self::NestedWithDetails | Self::Flat | Self::Stamped => "application/json",
            Self::Custom(body) => body.content_type(),
        }
    }

    pub(super) fn body(&self, facts: &ErrorFacts<'_>) -> Vec<u8> {
        let ErrorFacts { rejection, code, message, path, request_id, time } = *facts;
        match self {
            Self::Problem => {
                let violated = violated_policies(rejection);
                let (kind, title) = match rejection {
                    Rejection::Overloaded(_) => REDUCED_CAPACITY,
                    _ if !violated.is_empty() => QUOTA_EXCEEDED,
                    _ => ("about:blank", reason_phrase(rejection.status())),
                };
                let status = rejection.status();
                json(&Problem { kind, title, status, detail: message, code, request_id, violated })
            }
            Self::OAuth => json(&OAuth { error: code, error_description: message }),
            Self::Nested => json(&Nested { error: Error { code, message, request_id: None, details: None } }),
            Self::NestedWithDetails => {
                let details = rejection.details();
                let details = Some(details.as_ref());
                json(&Nested { error: Error { code, message, request_id: Some(request_id), details } })
            }
            Self::Flat => json(&Flat { detail: message, error: code }),
            Self::Stamped => json(&Stamped { error_code: code, message, timestamp: time.to_rfc3339(), path }),
            Self::Custom(body) => body.body(facts),
        }
    }

    /// The code a rejection has in this shape where the configuration names none.
    pub(super) fn default_code(&self, rejection: &Rejection) -> &'static str {
        match self {
            Self::OAuth => oauth_code(rejection),
            Self::Stamped => status_code_name(rejection.status()),
            Self::Problem | Self::Nested | Self::NestedWithDetails | Self::Flat | Self::Custom(_) => rejection.code(),
        }
    }
}

/// RFC 6750 section 3.1 names three codes; the others are those of RFC 6749 section 4.1.2.1 that mean the same.
fn oauth_code(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::MissingCredential => "invalid_token",
        Rejection::InsufficientPermissions(_) => "insufficient_scope",
        Rejection::Forbidden(_) => "access_denied",
        Rejection::Internal => "server_error",
        other => other.code(),
    }
}

fn status_code_name(status: u16) -> &'static str {
    match status {
        400 => "bad_request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        413 => "content_too_large",
        415 => "unsupported_media_type",
        429 => "too_many_requests",
        502 => "bad_gateway",
        503 => "service_unavailable",
        504 => "gateway_timeout",
        _ => "internal_error",
    }
}

/// Type and title of a refusal by a limit (RateLimit-11 section 5.1).
const QUOTA_EXCEEDED: (&str, &str) = (
    "https://iana.org/assignments/http-problem-types#quota-exceeded",
    "Request cannot be satisfied as assigned quota has been exceeded",
);

/// Type and title of a refusal for want of room (RateLimit-11 section 5.2).
const REDUCED_CAPACITY: (&str, &str) = (
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    "Request cannot be satisfied due to temporary server capacity constraints",
);

fn violated_policies(rejection: &Rejection) -> &[String] {
    match rejection {
        Rejection::RateLimited(exceeded) | Rejection::TooManyFailures(exceeded) => &exceeded.policies,
        _ => &[],
    }
}

/// With the type `about:blank`, the title is the status's own phrase (RFC 9457 section 4.2.1).
fn reason_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(rename = "violated-policies", skip_serializing_if = "<[String]>::is_empty")]
    violated: &'a [String],
}

#[derive(Serialize)]
struct OAuth<'a> {
    error: &'a str,
    error_description: &'a str,
}

#[derive(Serialize)]
struct Nested<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

#[derive(Serialize)]
struct Flat<'a> {
    detail: &'a str,
    error: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamped<'a> {
    error_code: &'a str,
    message: &'a str,
    timestamp: String,
    path: &'a str,
}

/// Structs of strings and numbers always serialise; an empty object would be the answer if one ever did not.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|_| b"{}".to_vec())
}
