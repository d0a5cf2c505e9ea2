//! Fields that belong to one connection and must not travel further (RFC 9110 section 7.6.1).

use http::{HeaderMap, HeaderName, header};

use super::field_names::remove_all;

/// Fields of one connection, whether or not `Connection` names them: not every sender does.
///
/// `te` and `trailer` go entirely, since trailers are not forwarded: some upstreams merge them into the header, where
/// they would arrive after the gateway's own fields. `http2-settings` belongs to the upgrade to cleartext HTTP/2,
/// which would leave the upstream speaking to the client without the gateway in between.
const OF_ONE_CONNECTION: [&str; 7] =
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"];

/// Removes the fields that the `Connection` lines name, then those that belong to one connection anyway.
///
/// This comes before anything is added: a client's `Connection: x-auth-subject` removes what the client sent and
/// nothing else.
pub(super) fn remove(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    remove_all(headers, |name| OF_ONE_CONNECTION.contains(&name.as_str()) || name.as_str().starts_with("proxy-"));
}

/// Whether a `Connection` line holds the option, in any letter case.
pub(super) fn connection_has(headers: &HeaderMap, option: &str) -> bool {
    connection_options(headers).any(|held| held.eq_ignore_ascii_case(option))
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    connection_options(headers).filter_map(|option| option.parse().ok()).collect()
}

fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap()))
            .collect()
    }

    #[test]
    fn fields_of_one_connection_go_and_others_stay() {
        let mut map = headers(&[
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("trailer", "x-auth-subject"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("accept", "*/*"),
        ]);
        remove(&mut map);
        assert_eq!(map.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn every_connection_line_counts_in_any_letter_case() {
        let mut map = headers(&[
            ("connection", "close, X-One"),
            ("connection", " X-TWO ,,"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
        ]);
        remove(&mut map);
        assert_eq!(map.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-three"]);
    }
}
