//! `Authorization: <scheme> <credential>`.

use super::SourceIndex;
use super::syntax::{is_token_byte, trim};
use crate::rejection::{CredentialFault, Rejection, RequestFault};

/// What one `Authorization` line holds for a route.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing that the route takes (RFC 9110 section 11.4).
    Foreign,
    /// What stands behind one of the accepted schemes, perhaps nothing; its form is not checked yet.
    Credential(SourceIndex, &'a [u8]),
}

/// Reads a line. `accepted` answers the source for a scheme that the route takes.
pub(super) fn read(value: &[u8], accepted: impl Fn(&[u8]) -> Option<SourceIndex>) -> Result<Line<'_>, Rejection> {
    let value = trim(value);
    let (scheme, rest) = split_scheme(value);
    let Some(source) = accepted(scheme) else {
        if hides_accepted(rest, &accepted) {
            return Err(Rejection::InvalidRequest(RequestFault::SeveralCredentials));
        }
        return Ok(Line::Foreign);
    };
    let credential = trim(rest);
    // 1*SP parts the scheme from the credential (RFC 9110 section 11.4); a tab is read differently by different readers
    if rest[..rest.len() - credential.len()].contains(&b'\t') {
        return Err(Rejection::InvalidCredential(CredentialFault::Malformed));
    }
    Ok(Line::Credential(source, credential))
}

/// The scheme, and everything behind it, white space included.
fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
    value.split_at(end)
}

/// Why a credential that is not `token68` is refused.
///
/// Exactly one that is not well-formed is the credential's fault. Where a second one can be seen behind a comma, it is
/// the request's: some intermediary joined two lines, and which of them counts is anybody's guess.
#[cold]
pub(super) fn fault(credential: &[u8]) -> Rejection {
    if joins_another(credential) {
        return Rejection::InvalidRequest(RequestFault::SeveralCredentials);
    }
    Rejection::InvalidCredential(CredentialFault::Malformed)
}

/// Whether a later part of a comma-joined line begins like `Scheme credential`.
fn joins_another(credential: &[u8]) -> bool {
    later_parts(credential).any(|part| {
        let (scheme, rest) = split_scheme(part);
        !scheme.is_empty() && !rest.is_empty() && scheme.iter().copied().all(is_token_byte)
    })
}

/// Whether behind a foreign scheme and a comma there is one that the route takes.
fn hides_accepted(rest: &[u8], accepted: impl Fn(&[u8]) -> Option<SourceIndex>) -> bool {
    later_parts(rest).any(|part| {
        let (scheme, rest) = split_scheme(part);
        !rest.is_empty() && accepted(scheme).is_some()
    })
}

fn later_parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').skip(1).map(trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(value: &str) -> Result<Line<'_>, Rejection> {
        read(value.as_bytes(), |scheme| scheme.eq_ignore_ascii_case(b"bearer").then_some(SourceIndex(7)))
    }

    #[test]
    fn b13_the_scheme_is_read_in_any_letter_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER abc", " bEaReR   abc \t"] {
            assert_eq!(bearer(value), Ok(Line::Credential(SourceIndex(7), b"abc")), "{value:?}");
        }
    }

    #[test]
    fn b18_other_schemes_are_no_credential() {
        let digest = "Digest username=\"x\", realm=\"a, b\", uri=\"/\"";
        for value in ["", " ", "Basic YTpi", "Basic", digest, "abc.def.ghi", "Bearerabc", "Bearer:abc", "Bearer=abc"] {
            assert_eq!(bearer(value), Ok(Line::Foreign), "{value:?}");
        }
    }

    #[test]
    fn empty_credentials_are_the_request_at_fault() {
        for value in ["Bearer", "Bearer ", " bearer \t "] {
            assert_eq!(bearer(value), Ok(Line::Credential(SourceIndex(7), b"")), "{value:?}");
        }
    }

    #[test]
    fn b12_joined_lines_are_several_credentials() {
        let several = Rejection::InvalidRequest(RequestFault::SeveralCredentials);
        assert_eq!(bearer("Basic a, Bearer b"), Err(several.clone()));
        for credential in ["a, Bearer b", "a,Bearer b", "a , Basic b", ",x y"] {
            assert_eq!(fault(credential.as_bytes()), several, "{credential:?}");
        }
        for credential in ["a,b", "a, b", "a b", "a,", "a b,c"] {
            let malformed = Rejection::InvalidCredential(CredentialFault::Malformed);
            assert_eq!(fault(credential.as_bytes()), malformed, "{credential:?}");
        }
    }

    #[test]
    fn a_tab_behind_the_scheme_is_malformed() {
        for value in ["Bearer\tabc", "Bearer \tabc"] {
            assert_eq!(bearer(value), Err(Rejection::InvalidCredential(CredentialFault::Malformed)), "{value:?}");
        }
    }
}
