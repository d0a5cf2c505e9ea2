//! `WWW-Authenticate` challenges: what a client must bring to be let in (RFC 9110 section 11.6.1, RFC 6750 section 3).
//!
//! Each challenge travels in a field line of its own, so that no client has to split a list whose parts contain
//! commas themselves.

use crate::credential::Source;
use crate::rejection::{Rejection, RequestFault};

/// The challenge of one source, or nothing where the refusal has none to make.
///
/// `presented` says whether the credential that was refused came from this source: only that challenge carries the
/// error (RFC 6750 section 3.1: without credentials there is no error to report).
pub(super) fn challenge(source: &Source, realm: &str, rejection: &Rejection, presented: bool) -> Option<String> {
    let mut text = match rejection {
        Rejection::MissingCredential | Rejection::InvalidCredential(_) => opening(source, realm),
        // A request that is malformed in other ways is not helped by a credential.
        Rejection::InvalidRequest(fault) if is_about_credentials(*fault) && presented => opening(source, realm),
        Rejection::InsufficientPermissions(_) if presented && is_bearer(source) => opening(source, realm),
        _ => return None,
    };
    if let Some(error) = error_code(rejection).filter(|_| presented) {
        for part in [", error=\"", error, "\", error_description=\"", rejection.message(), "\""] {
            text.push_str(part);
        }
    }
    if let Rejection::InsufficientPermissions(missing) = rejection
        && is_scope(&missing.needed)
    {
        for part in [", scope=\"", &missing.needed, "\""] {
            text.push_str(part);
        }
    }
    Some(text)
}

/// The scheme and its realm, and where the credential travels when that is not the `Authorization` field.
fn opening(source: &Source, realm: &str) -> String {
    match source {
        Source::Authorization { scheme } => format!("{scheme} realm=\"{realm}\""),
        Source::Header { name } => format!("ApiKey realm=\"{realm}\", in=\"header\", name=\"{name}\""),
        Source::Cookie { name } => format!("Cookie realm=\"{realm}\", cookie-name=\"{name}\""),
        Source::Query { name } => format!("ApiKey realm=\"{realm}\", in=\"query\", name=\"{name}\""),
    }
}

pub(super) const fn is_about_credentials(fault: RequestFault) -> bool {
    matches!(
        fault,
        RequestFault::RepeatedField
            | RequestFault::SeveralCredentials
            | RequestFault::DisagreeingCredentials
            | RequestFault::EmptyCredential
    )
}

const fn error_code(rejection: &Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::InvalidRequest(_) => Some("invalid_request"),
        Rejection::InvalidCredential(_) => Some("invalid_token"),
        Rejection::InsufficientPermissions(_) => Some("insufficient_scope"),
        _ => None,
    }
}

fn is_bearer(source: &Source) -> bool {
    matches!(source, Source::Authorization { scheme } if scheme.eq_ignore_ascii_case("bearer"))
}

/// Whether a value may stand in a `scope` parameter (RFC 6750 section 3).
fn is_scope(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))
}
