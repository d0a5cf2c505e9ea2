//! The request that stands in for a refused one.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use auth_core::RequestFault;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

const FIELD: HeaderName = HeaderName::from_static("x-auth-gateway-refusal");

/// Differs in every process, so that a client cannot make its own requests look refused. Nothing would be gained by
/// it: the answer is a refusal.
static SECRET: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("refusal"));

/// A request that will be answered with the fault. HEAD stays HEAD, since its answer has no body.
pub(super) fn stand_in(is_head: bool, fault: RequestFault) -> Bytes {
    let method = if is_head { "HEAD" } else { "GET" };
    let mark = mark(fault);
    format!("{method} / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{FIELD}: {mark}\r\n\r\n").into()
}

/// The fault that this request stands in for, if it stands in for a refused one.
pub fn fault_of(headers: &HeaderMap) -> Option<RequestFault> {
    let sent = headers.get(FIELD)?;
    [RequestFault::Framing, RequestFault::Target]
        .into_iter()
        .find(|fault| HeaderValue::from_str(&mark(*fault)).is_ok_and(|mark| mark == sent))
}

fn mark(fault: RequestFault) -> String {
    format!("{:016x}-{}", *SECRET, fault.cause())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_guess_the_mark() {
        let mut headers = HeaderMap::new();
        headers.insert(FIELD, HeaderValue::from_static("framing"));
        assert_eq!(fault_of(&headers), None);
        headers.insert(FIELD, mark(RequestFault::Target).parse().unwrap());
        assert_eq!(fault_of(&headers), Some(RequestFault::Target));
    }
}
