//! Reading the head of an HTTP/1 request strictly enough that nobody reads it differently.

use auth_core::RequestFault;
use http::Uri;

use crate::forward::is_websocket;
use crate::host::is_host;

/// The longest head that both servers behind can read, whatever the configuration allows.
pub(super) const LONGEST_HEAD: usize = 120 * 1024;

/// The most fields a head may have, the same for both servers behind.
const MOST_FIELDS: usize = 96;

/// How the body behind a head is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Exact(u64),
    /// Chunks.
    Chunked,
    /// The connection becomes something else.
    Upgrade,
}

/// What is refused, and whether the answer may have a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) fault: RequestFault,
    pub(super) is_head: bool,
}

/// The length of the head that the bytes begin with; `None` while its end is not there yet.
///
/// `line_start` remembers how far the search came, so that a head that arrives byte by byte is not searched again.
pub(super) fn find_end(bytes: &[u8], line_start: &mut usize, longest: usize) -> Result<Option<usize>, RequestFault> {
    while let Some(offset) = bytes[*line_start..].iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let at = *line_start + offset;
        match (bytes[at], bytes.get(at + 1)) {
            (b'\r', Some(b'\n')) => {}
            (b'\r', None) => break,
            _ => return Err(RequestFault::Framing),
        }
        if at == *line_start {
            return if at + 2 > longest { Err(RequestFault::Framing) } else { Ok(Some(at + 2)) };
        }
        *line_start = at + 2;
    }
    if bytes.len() > longest { Err(RequestFault::Framing) } else { Ok(None) }
}

/// Reads a whole head.
pub(super) fn read(bytes: &[u8]) -> Result<Length, Refused> {
    let refused = |fault| Refused { fault, is_head: bytes.starts_with(b"HEAD ") };
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        _ => return Err(refused(RequestFault::Framing)),
    }
    let is_http_11 = request.version == Some(1);
    let facts = Facts::gather(request.headers).map_err(refused)?;
    check_target(request.method, request.path, &facts).map_err(refused)?;
    if is_http_11 && facts.host.is_none() {
        return Err(refused(RequestFault::Framing));
    }
    facts.length(is_http_11).map_err(refused)
}

/// The fields that decide where a request ends and whom it is for.
#[derive(Default)]
struct Facts<'a> {
    content_length: Option<u64>,
    is_chunked: bool,
    is_websocket: bool,
    host: Option<&'a [u8]>,
}

impl<'a> Facts<'a> {
    fn gather(fields: &[httparse::Header<'a>]) -> Result<Self, RequestFault> {
        let mut facts = Self::default();
        for field in fields {
            let value = field.value.trim_ascii();
            if field.name.eq_ignore_ascii_case("content-length") {
                once(facts.content_length.replace(decimal(value)?))?;
            } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                if facts.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(RequestFault::Framing);
                }
                facts.is_chunked = true;
            } else if field.name.eq_ignore_ascii_case("host") {
                once(facts.host.replace(value))?;
            } else if field.name.eq_ignore_ascii_case("upgrade") {
                facts.is_websocket |= is_websocket(value);
            }
        }
        match facts.host {
            Some(host) if !is_host(host) => Err(RequestFault::Target),
            _ => Ok(facts),
        }
    }

    fn length(&self, is_http_11: bool) -> Result<Length, RequestFault> {
        match (self.content_length, self.is_chunked) {
            (Some(_), true) => Err(RequestFault::Framing),
            // Chunks came with HTTP/1.1; who says 1.0 may stand in front of somebody who does not know them.
            (None, true) if !is_http_11 => Err(RequestFault::Framing),
            (None | Some(0), false) if self.is_websocket => Ok(Length::Upgrade),
            (_, _) if self.is_websocket => Err(RequestFault::Framing),
            (None, true) => Ok(Length::Chunked),
            (length, false) => Ok(Length::Exact(length.unwrap_or(0))),
        }
    }
}

const fn once<T>(earlier: Option<T>) -> Result<(), RequestFault>
where
    T: Copy,
{
    match earlier {
        Some(_) => Err(RequestFault::Framing),
        None => Ok(()),
    }
}

/// `1*DIGIT` (RFC 9110 section 8.6): no sign, no list, nothing empty.
fn decimal(value: &[u8]) -> Result<u64, RequestFault> {
    let digits = std::str::from_utf8(value).map_err(|_| RequestFault::Framing)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RequestFault::Framing);
    }
    digits.parse().map_err(|_| RequestFault::Framing)
}

fn check_target(method: Option<&str>, target: Option<&str>, facts: &Facts<'_>) -> Result<(), RequestFault> {
    let target = target.unwrap_or_default();
    // Parsers of URIs drop fragments silently, which must not happen behind the gate's back.
    if method == Some("CONNECT") || target.contains('#') || !target.is_ascii() {
        return Err(RequestFault::Target);
    }
    let uri: Uri = target.parse().map_err(|_| RequestFault::Target)?;
    let Some(authority) = uri.authority() else {
        return if target.starts_with('/') || target == "*" { Ok(()) } else { Err(RequestFault::Target) };
    };
    let is_http = uri.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
    let agrees = facts.host.is_none_or(|host| authority.as_str().as_bytes().eq_ignore_ascii_case(host));
    if is_http && agrees { Ok(()) } else { Err(RequestFault::Target) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Result<Length, RequestFault> {
        let bytes = head.replace('\n', "\r\n");
        assert_eq!(find_end(bytes.as_bytes(), &mut 0, 1_000), Ok(Some(bytes.len())));
        read(bytes.as_bytes()).map_err(|refused| refused.fault)
    }

    #[test]
    fn lengths_with_one_reading_are_taken() {
        for (fields, length) in [
            ("", Length::Exact(0)),
            ("Content-Length: 7\n", Length::Exact(7)),
            ("content-length:\t7 \n", Length::Exact(7)),
            ("Transfer-Encoding: Chunked\n", Length::Chunked),
            ("Upgrade: WebSocket\nConnection: upgrade\n", Length::Upgrade),
            ("Upgrade: h2c\nContent-Length: 1\n", Length::Exact(1)),
        ] {
            assert_eq!(of(&format!("POST /x HTTP/1.1\nHost: a\n{fields}\n")), Ok(length), "{fields}");
        }
    }

    #[test]
    fn lengths_with_two_readings_are_refused() {
        for fields in [
            "Content-Length: 5\nTransfer-Encoding: chunked\n",
            "Transfer-Encoding: chunked\nContent-Length: 5\n",
            "Content-Length: 5\nContent-Length: 6\n",
            "Content-Length: 5\nContent-Length: 5\n",
            "Content-Length: 5, 5\n",
            "Content-Length: +5\n",
            "Content-Length: -5\n",
            "Content-Length: 0x5\n",
            "Content-Length:\n",
            "Content-Length: 18446744073709551616\n",
            "Transfer-Encoding: xchunked\n",
            "Transfer-Encoding: chunked, chunked\n",
            "Transfer-Encoding: gzip, chunked\n",
            "Transfer-Encoding: identity\n",
            "Transfer-Encoding: \"chunked\"\n",
            "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n",
            "Transfer-Encoding: chunked\nTransfer-Encoding: identity\n",
            "Transfer-Encoding : chunked\n",
            "Transfer-Encoding:\u{b}chunked\n",
            "X: y\n Transfer-Encoding: chunked\n",
            "Upgrade: websocket\nContent-Length: 1\n",
            "Upgrade: websocket\nTransfer-Encoding: chunked\n",
        ] {
            assert_eq!(of(&format!("POST /x HTTP/1.1\nHost: a\n{fields}\n")), Err(RequestFault::Framing), "{fields}");
        }
        assert_eq!(of("POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n"), Err(RequestFault::Framing));
    }

    #[test]
    fn hosts_and_targets_agree() {
        for (head, outcome) in [
            ("GET / HTTP/1.0\n\n", Ok(Length::Exact(0))),
            ("GET / HTTP/1.1\n\n", Err(RequestFault::Framing)),
            ("GET / HTTP/1.1\nHost: a\nHost: a\n\n", Err(RequestFault::Framing)),
            ("GET / HTTP/1.1\nHost: a, b\n\n", Err(RequestFault::Target)),
            ("GET / HTTP/1.1\nHost: user@a\n\n", Err(RequestFault::Target)),
            ("GET / HTTP/1.1\nHost: a/b\n\n", Err(RequestFault::Target)),
            ("GET / HTTP/1.1\nHost: [::1]:8080\n\n", Ok(Length::Exact(0))),
            ("GET http://A:1/x HTTP/1.1\nHost: a:1\n\n", Ok(Length::Exact(0))),
            ("GET http://b/x HTTP/1.1\nHost: a\n\n", Err(RequestFault::Target)),
            ("GET ftp://a/x HTTP/1.1\nHost: a\n\n", Err(RequestFault::Target)),
            ("GET a/x HTTP/1.1\nHost: a\n\n", Err(RequestFault::Target)),
            ("GET /x#y HTTP/1.1\nHost: a\n\n", Err(RequestFault::Target)),
            ("GET /\u{e9} HTTP/1.1\nHost: a\n\n", Err(RequestFault::Target)),
            ("CONNECT a:1 HTTP/1.1\nHost: a:1\n\n", Err(RequestFault::Target)),
            ("OPTIONS * HTTP/1.1\nHost: a\n\n", Ok(Length::Exact(0))),
            ("GET  / HTTP/1.1\nHost: a\n\n", Err(RequestFault::Framing)),
            ("GET / HTTP/1.1 \nHost: a\n\n", Err(RequestFault::Framing)),
            ("GET / HTTP/2.0\nHost: a\n\n", Err(RequestFault::Framing)),
        ] {
            assert_eq!(of(head), outcome, "{head}");
        }
    }

    #[test]
    fn lines_end_in_cr_lf_alone() {
        for bytes in
            ["GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n"]
        {
            assert_eq!(find_end(bytes.as_bytes(), &mut 0, 1_000), Err(RequestFault::Framing), "{bytes:?}");
        }
        assert_eq!(find_end(b"GET / HTTP/1.1\r\nHost: a\r\n\r", &mut 0, 1_000), Ok(None));
        assert_eq!(find_end(&[b'a'; 1_001], &mut 0, 1_000), Err(RequestFault::Framing));
        assert_eq!(find_end(b"GET / HTTP/1.1\r\n\r\n", &mut 0, 17), Err(RequestFault::Framing));
    }
}
