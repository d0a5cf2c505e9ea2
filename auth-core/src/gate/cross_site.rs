//! Requests that a browser sends along a cookie with, although another site made it ask.
//!
//! A cookie travels by itself, whoever's page caused the request; a header does not. So a request that is authenticated by
//! a cookie and may change something needs a sign that a page of this very origin sent it. Browsers give one that no page
//! can forge: `Sec-Fetch-Site` (Fetch Metadata, section 2.4), and `Origin` on every request that is not GET or HEAD
//! (Fetch, section 3.1). A request with neither comes from no browser of these days and is refused: who writes its own
//! requests can send the token in a header.

use crate::request::{Field, RequestHead};

/// Whether the request may be authenticated by a cookie.
pub(super) fn is_allowed(head: &RequestHead<'_>) -> bool {
    is_safe(head.method) || is_of_this_origin(head)
}

/// RFC 9110 section 9.2.1: nothing is changed by these.
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

fn is_of_this_origin(head: &RequestHead<'_>) -> bool {
    match head.field("sec-fetch-site") {
        // `none`: the person did it, by typing an address or choosing a bookmark
        Field::Once(site) => site == b"same-origin" || site == b"none",
        Field::Repeated => false,
        Field::Absent => match (head.field("origin"), head.field("host")) {
            (Field::Once(origin), Field::Once(host)) => host_of(origin).is_some_and(|of| of.eq_ignore_ascii_case(host)),
            _ => false,
        },
    }
}

/// The host and port of a serialised origin; the `null` of opaque origins has none.
fn host_of(origin: &[u8]) -> Option<&[u8]> {
    origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u7_what_changes_something_must_come_from_this_origin() {
        let host = ("host", "api.example");
        let allowed = |method, fields: &[(&str, &str)]| {
            let fields: Vec<(String, Vec<u8>)> = fields
                .iter()
                .chain([&host])
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect();
            is_allowed(&RequestHead::new(method, "/", &fields))
        };
        assert!(allowed("GET", &[("origin", "https://evil.example")]));
        for method in ["POST", "PUT", "PATCH", "DELETE", "post", "SEARCH"] {
            assert!(!allowed(method, &[]), "{method}: no sign at all");
            assert!(allowed(method, &[("sec-fetch-site", "same-origin")]));
            assert!(allowed(method, &[("origin", "https://API.example")]));
            for fields in [
                [("sec-fetch-site", "cross-site"), ("origin", "https://api.example")],
                [("sec-fetch-site", "same-site"), ("accept", "*/*")],
                [("origin", "https://evil.example"), ("accept", "*/*")],
                [("origin", "https://api.example.evil"), ("accept", "*/*")],
                [("origin", "null"), ("accept", "*/*")],
                [("origin", "https://api.example"), ("origin", "https://api.example")],
                [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            ] {
                assert!(!allowed(method, &fields), "{method} {fields:?}");
            }
        }
    }
}
