//! Why a request is refused.
//!
//! Every refusal is one of a closed set, so that outer layers, logs and metrics can tell them apart without reading
//! bodies. A rejection holds no secret and nothing the client did not already know, except for [`Outage::cause`],
//! which goes to the log alone.
//!
//! - `request`, `credential`, `prohibition`: the faults of what the gate reads
//! - `content`, `login`: the faults of what the service's own endpoints are sent

mod content;
mod credential;
mod login;
mod prohibition;
mod request;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub use content::ContentFault;
pub use credential::CredentialFault;
pub use login::LoginFault;
pub use prohibition::Prohibition;
pub use request::RequestFault;

/// Why the gate, an extractor, an endpoint or the gateway refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// 400: the request cannot be read in one way only, or not at all.
    InvalidRequest(RequestFault),
    /// 400, 413 or 415: the request is good, but what it sends to an endpoint of the service's own is not.
    InvalidContent(ContentFault),
    /// 401: nobody was logged in.
    LoginFailed(LoginFault),
    /// 401: the route needs a credential and the request has none that the route takes.
    MissingCredential,
    /// 401: there is exactly one credential, and it is not good.
    InvalidCredential(CredentialFault),
    /// 403: the caller is known but lacks permissions; holds what the operation needs.
    InsufficientPermissions(MissingPermissions),
    /// 403: the caller is known and no permission would help.
    Forbidden(Prohibition),
    /// 404: there is nothing at this path; said only to callers who may know.
    NotFound,
    /// 409: it does not go with what is there; says why, as a sentence without its capital and its full stop.
    Conflict(&'static str),
    /// 429: a budget is spent.
    RateLimited(LimitExceeded),
    /// 429: too many credentials from the same address failed; this one was not looked at.
    TooManyFailures(LimitExceeded),
    /// 500: the program is put together wrongly; the cause is in the log.
    Internal,
    /// 502 or 504: the upstream failed.
    Upstream(UpstreamFault),
    /// 503: it cannot be decided now. Never the caller's fault, never a pass.
    Unavailable(Outage),
    /// 503: there is no room for the request now, whoever sends it (RateLimit-11 section 5.2).
    Overloaded(Outage),
}

/// What the upstream did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpstreamFault {
    /// 502: it could not be reached, or its answer could not be read.
    Unreachable,
    /// 504: it did not answer in time.
    TooSlow,
}

/// The permissions that an operation needs, all of them (RFC 6750 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPermissions {
    /// Every permission the operation needs, separated by spaces, in the order of the rule.
    pub needed: Cow<'static, str>,
}

/// Which limits a request exceeded, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitExceeded {
    /// When the request would fit; `None` where no waiting helps.
    pub retry_after: Option<RetryAfter>,
    /// The names of the limits, in the order of the plan.
    pub policies: Vec<String>,
}

/// How long the client should wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// Whole seconds, rounded up and at least 1: a client told 0 would come back at once.
    pub fn seconds(self) -> u64 {
        let rounded_up = self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0));
        rounded_up.max(1)
    }
}

/// Why it cannot be decided now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What is out, for the log. It never reaches a client.
    pub cause: Cow<'static, str>,
    /// When trying again makes sense.
    pub retry_after: RetryAfter,
}

impl Outage {
    /// An outage after which the client should wait for the default of 5 seconds: long enough to spare what is
    /// struggling, short enough that nobody notices the end of it late.
    pub fn new(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into(), retry_after: RetryAfter(Duration::from_secs(5)) }
    }
}

/// What [`Rejection::code`] can answer.
const CODES: [&str; 18] = [
    "invalid_request",
    "content_too_large",
    "unsupported_media_type",
    "invalid_credentials",
    "unknown_name",
    "second_factor_required",
    "invalid_second_factor",
    "conflict",
    "missing_token",
    "invalid_token",
    "insufficient_permissions",
    "forbidden",
    "not_found",
    "rate_limit_exceeded",
    "internal_error",
    "bad_gateway",
    "gateway_timeout",
    "temporarily_unavailable",
];

/// A cause of its own behind the code of every spent budget.
const TOO_MANY_FAILURES: &str = "too_many_failures";

/// The same behind the code of what cannot be decided.
const OVERLOADED: &str = "overloaded";

impl Rejection {
    /// The HTTP status code.
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest(_) => 400,
            Self::InvalidContent(fault) => fault.status(),
            Self::NotFound | Self::LoginFailed(LoginFault::UnknownName) => 404,
            Self::MissingCredential | Self::InvalidCredential(_) | Self::LoginFailed(_) => 401,
            Self::InsufficientPermissions(_) | Self::Forbidden(_) => 403,
            Self::Conflict(_) => 409,
            Self::RateLimited(_) | Self::TooManyFailures(_) => 429,
            Self::Internal => 500,
            Self::Upstream(UpstreamFault::Unreachable) => 502,
            Self::Upstream(UpstreamFault::TooSlow) => 504,
            Self::Unavailable(_) | Self::Overloaded(_) => 503,
        }
    }

    /// The stable machine code that clients see unless the configuration names another.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidContent(fault) => fault.code(),
            Self::LoginFailed(fault) => fault.code(),
            Self::Conflict(_) => "conflict",
            Self::MissingCredential => "missing_token",
            Self::InvalidCredential(_) => "invalid_token",
            Self::InsufficientPermissions(_) => "insufficient_permissions",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited(_) | Self::TooManyFailures(_) => "rate_limit_exceeded",
            Self::Internal => "internal_error",
            Self::Upstream(UpstreamFault::Unreachable) => "bad_gateway",
            Self::Upstream(UpstreamFault::TooSlow) => "gateway_timeout",
            Self::Unavailable(_) | Self::Overloaded(_) => "temporarily_unavailable",
        }
    }

    /// The exact cause, for logs and metrics, and for configurations that answer different codes to different causes.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::InvalidRequest(fault) => fault.cause(),
            Self::InvalidContent(fault) => fault.cause(),
            Self::InvalidCredential(fault) => fault.cause(),
            Self::Forbidden(prohibition) => prohibition.cause(),
            Self::TooManyFailures(_) => TOO_MANY_FAILURES,
            Self::Overloaded(_) => OVERLOADED,
            Self::MissingCredential
            | Self::LoginFailed(_)
            | Self::Conflict(_)
            | Self::InsufficientPermissions(_)
            | Self::NotFound
            | Self::RateLimited(_)
            | Self::Internal
            | Self::Upstream(_)
            | Self::Unavailable(_) => self.code(),
        }
    }

    /// Every cause and every code that a rejection can have; some names are both.
    pub fn causes() -> impl Iterator<Item = &'static str> {
        let faults = RequestFault::ALL.into_iter().map(RequestFault::cause);
        let credentials = CredentialFault::ALL.into_iter().map(CredentialFault::cause);
        let prohibitions = Prohibition::ALL.into_iter().map(Prohibition::cause);
        let own = [TOO_MANY_FAILURES, OVERLOADED].into_iter().chain(ContentFault::CAUSES);
        CODES.into_iter().chain(own).chain(faults).chain(credentials).chain(prohibitions)
    }

    /// One sentence for the client, without internals and free of the quote and the backslash, which a challenge may
    /// not carry (RFC 6750 section 3).
    pub const fn message(&self) -> &'static str {
        match self {
            Self::InvalidRequest(fault) => fault.message(),
            Self::InvalidContent(fault) => fault.message(),
            Self::LoginFailed(fault) => fault.message(),
            Self::Conflict(_) => "This does not go with what is there",
            Self::MissingCredential => "Authentication is required",
            Self::InvalidCredential(fault) => fault.message(),
            Self::InsufficientPermissions(_) => "The credential does not have the required permissions",
            Self::Forbidden(prohibition) => prohibition.message(),
            Self::NotFound => "There is nothing here",
            Self::RateLimited(_) => "Too many requests",
            Self::TooManyFailures(_) => "Too many failed attempts",
            Self::Internal => "The request could not be handled",
            Self::Upstream(UpstreamFault::Unreachable) => "The service behind the gateway cannot be reached",
            Self::Upstream(UpstreamFault::TooSlow) => "The service behind the gateway did not answer in time",
            Self::Unavailable(_) => "The request cannot be decided now",
            Self::Overloaded(_) => "There is no room for the request now",
        }
    }

    /// The [message](Self::message), or more where more is known that helps the client: the member of the content that is
    /// wrong, and what it has to be.
    pub fn details(&self) -> Cow<'_, str> {
        match self {
            Self::InvalidContent(fault) => fault.details(),
            Self::Conflict(why) => Cow::Owned(capitalised(why)),
            other => Cow::Borrowed(other.message()),
        }
    }

    /// When the client may try again, where waiting helps.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::RateLimited(exceeded) | Self::TooManyFailures(exceeded) => exceeded.retry_after,
            Self::Unavailable(outage) | Self::Overloaded(outage) => Some(outage.retry_after),
            _ => None,
        }
    }
}

/// The cause alone: what a log line needs.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for Rejection {}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            assert_eq!(RetryAfter(Duration::from_millis(millis)).seconds(), seconds);
        }
    }
}
