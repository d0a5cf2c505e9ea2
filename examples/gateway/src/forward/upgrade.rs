//! Connections that become something else than HTTP: WebSocket.
//!
//! Only `websocket` (RFC 6455) is passed on. Anything else a client asks for is taken as if it had not asked, which a
//! server may always do (RFC 9110 section 7.8): an upgrade to cleartext HTTP/2 in particular would let requests reach
//! the upstream that no gate has seen.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

use super::hop_by_hop::connection_has;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Whether a request asks for a WebSocket.
pub(super) fn is_wanted(parts: &Parts) -> bool {
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && connection_has(&parts.headers, "upgrade")
        && names_websocket(&parts.headers)
}

/// Asks the next server for a WebSocket.
pub(super) fn ask(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, WEBSOCKET);
}

/// Whether the next server agrees.
pub(super) fn is_agreed(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS && names_websocket(headers)
}

/// Whether a request speaks of a WebSocket at all, so that what follows it on its connection may be something else than
/// HTTP. The guard decides by the same words.
pub fn mentions_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(header::UPGRADE).into_iter().any(|line| is_websocket(line.as_bytes()))
}

/// Whether the value of an `Upgrade` field is a WebSocket and nothing else.
pub(crate) fn is_websocket(value: &[u8]) -> bool {
    value.trim_ascii().eq_ignore_ascii_case(b"websocket")
}

fn names_websocket(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::UPGRADE).into_iter();
    let (line, more) = (lines.next(), lines.next());
    more.is_none() && line.is_some_and(|line| is_websocket(line.as_bytes()))
}
