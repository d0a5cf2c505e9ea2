//! Why a request is refused.
//!
//! Every refusal is one of a closed set, so that outer layers, logs and metrics can tell them apart without reading
//! bodies. A rejection holds no secret and nothing the client did not already know, except for [`Outage::cause`],
//! which goes to the log alone.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Why the gate, an extractor or the gateway refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// 400: the request cannot be read in one way only, or not at all.
    InvalidRequest(RequestFault),
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

/// What makes a request ambiguous or unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestFault {
    /// A field that must occur once occurs twice (RFC 6750 section 3.1).
    RepeatedField,
    /// Several credentials where exactly one is allowed (RFC 6750 section 2).
    SeveralCredentials,
    /// Several credentials that are all good but name different subjects.
    DisagreeingCredentials,
    /// A scheme without a token, or an empty key header.
    EmptyCredential,
    /// The path has more than one reading.
    AmbiguousPath,
    /// The request target is not a path.
    Target,
    /// A header asks for another method than the request line.
    MethodOverride,
    /// The message framing has more than one reading.
    Framing,
    /// The request's body is not what it must be.
    Body,
}

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialFault {
    /// It is not of the form that its kind has.
    Malformed,
    /// It is longer than is accepted.
    TooLong,
    /// Nobody knows it.
    Unknown,
    /// No key of its issuer fits it.
    UnknownKey,
    /// Its algorithm is not one that the issuer's keys are used with.
    Algorithm,
    /// Its signature does not verify.
    Signature,
    /// It demands an extension that is not understood (RFC 7515 section 4.1.11).
    Critical,
    /// It is of another kind, such as an ID token where an access token is needed.
    Kind,
    /// Its issuer is not trusted here.
    Issuer,
    /// It is meant for another audience.
    Audience,
    /// A claim is missing or has a type or value that it must not have.
    Claims,
    /// Its end has passed.
    Expired,
    /// Its beginning has not come.
    NotYetValid,
    /// It was taken back.
    Revoked,
    /// It is switched off.
    Disabled,
    /// It belongs to another environment, such as a test key where live keys are taken.
    Environment,
}

/// Why a known caller is refused although no permission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prohibition {
    /// No rule covers the route, so nobody may pass.
    NoRule,
    /// The route belongs to another tenant than the caller.
    Tenant,
    /// The route or the credential is not to be used from the caller's network.
    Network,
    /// The caller lacks a role.
    Role,
    /// The rule says that nobody may pass.
    Denied,
    /// An unsafe request authenticated by a cookie lacks its proof of intent.
    CrossSite,
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
const CODES: [&str; 11] = [
    "invalid_request",
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
            Self::MissingCredential | Self::InvalidCredential(_) => 401,
            Self::InsufficientPermissions(_) | Self::Forbidden(_) => 403,
            Self::NotFound => 404,
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
            Self::InvalidCredential(fault) => fault.cause(),
            Self::Forbidden(prohibition) => prohibition.cause(),
            Self::TooManyFailures(_) => TOO_MANY_FAILURES,
            Self::Overloaded(_) => OVERLOADED,
            Self::MissingCredential
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
        CODES.into_iter().chain([TOO_MANY_FAILURES, OVERLOADED]).chain(faults).chain(credentials).chain(prohibitions)
    }

    /// One sentence for the client, without internals and free of the quote and the backslash, which a challenge may
    /// not carry (RFC 6750 section 3).
    pub const fn message(&self) -> &'static str {
        match self {
            Self::InvalidRequest(fault) => fault.message(),
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

    /// When the client may try again, where waiting helps.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::RateLimited(exceeded) | Self::TooManyFailures(exceeded) => exceeded.retry_after,
            Self::Unavailable(outage) | Self::Overloaded(outage) => Some(outage.retry_after),
            _ => None,
        }
    }
}

impl RequestFault {
    /// Every variant.
    pub const ALL: [Self; 9] = [
        Self::RepeatedField,
        Self::SeveralCredentials,
        Self::DisagreeingCredentials,
        Self::EmptyCredential,
        Self::AmbiguousPath,
        Self::Target,
        Self::MethodOverride,
        Self::Framing,
        Self::Body,
    ];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::RepeatedField => "repeated_field",
            Self::SeveralCredentials => "several_credentials",
            Self::DisagreeingCredentials => "disagreeing_credentials",
            Self::EmptyCredential => "empty_credential",
            Self::AmbiguousPath => "ambiguous_path",
            Self::Target => "request_target",
            Self::MethodOverride => "method_override",
            Self::Framing => "framing",
            Self::Body => "request_body",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::RepeatedField => "A header field that must occur once is repeated",
            Self::SeveralCredentials => "The request carries more than one credential",
            Self::DisagreeingCredentials => "The credentials of the request name different subjects",
            Self::EmptyCredential => "The credential is empty",
            Self::AmbiguousPath => "The path can be read in more than one way",
            Self::Target => "The request target is not a path",
            Self::MethodOverride => "Overriding the method is not allowed",
            Self::Framing => "The length of the request can be read in more than one way",
            Self::Body => "The request body is not valid",
        }
    }
}

impl CredentialFault {
    /// Every variant.
    pub const ALL: [Self; 16] = [
        Self::Malformed,
        Self::TooLong,
        Self::Unknown,
        Self::UnknownKey,
        Self::Algorithm,
        Self::Signature,
        Self::Critical,
        Self::Kind,
        Self::Issuer,
        Self::Audience,
        Self::Claims,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::Disabled,
        Self::Environment,
    ];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::TooLong => "token_too_long",
            Self::Unknown => "unknown_token",
            Self::UnknownKey => "unknown_key",
            Self::Algorithm => "algorithm_not_allowed",
            Self::Signature => "signature_invalid",
            Self::Critical => "critical_header",
            Self::Kind => "token_kind",
            Self::Issuer => "untrusted_issuer",
            Self::Audience => "wrong_audience",
            Self::Claims => "claims_invalid",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Revoked => "token_revoked",
            Self::Disabled => "token_disabled",
            Self::Environment => "wrong_environment",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "The token is malformed",
            Self::TooLong => "The token is too long",
            Self::Unknown | Self::UnknownKey | Self::Disabled => "The token is not known",
            Self::Algorithm => "The algorithm of the token is not allowed",
            Self::Signature => "Token signature verification failed",
            Self::Critical => "The token demands an extension that is not supported",
            Self::Kind => "The token is not an access token",
            Self::Issuer => "The issuer of the token is not trusted",
            Self::Audience => "The token is meant for another audience",
            Self::Claims => "A claim of the token is missing or not valid",
            Self::Expired => "The token has expired",
            Self::NotYetValid => "The token is not valid yet",
            Self::Revoked => "The token has been revoked",
            Self::Environment => "The token belongs to another environment",
        }
    }
}

impl Prohibition {
    /// Every variant.
    pub const ALL: [Self; 6] = [Self::NoRule, Self::Tenant, Self::Network, Self::Role, Self::Denied, Self::CrossSite];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::NoRule => "no_rule",
            Self::Tenant => "wrong_tenant",
            Self::Network => "wrong_network",
            Self::Role => "missing_role",
            Self::Denied => "denied",
            Self::CrossSite => "cross_site_request",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::NoRule | Self::Denied => "Access is not allowed",
            Self::Tenant => "The resource belongs to another tenant",
            Self::Network => "Access is not allowed from this network",
            Self::Role => "The credential does not have the required role",
            Self::CrossSite => "The request lacks its proof against cross-site forgery",
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
