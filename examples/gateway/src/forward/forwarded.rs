//! What the upstream is told of the client's connection: `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`.
//!
//! From a peer that is not a trusted proxy every such field is dropped, in every spelling, and written anew from what
//! the gateway sees itself. A trusted proxy's `X-Forwarded-For` and `Forwarded` are continued; its `-Proto` and `-Host`
//! are kept where they are single and well-formed. Where the configuration says under which address clients know the
//! gateway, that address stands in for what the connection shows, except in a trusted proxy's element of `Forwarded`,
//! which is about the step from the proxy to the gateway. All other fields that claim an address, an original target or an
//! identity (`X-Real-IP`, `X-Original-URL`, `X-Forwarded-User`, …) are dropped whoever sent them: upstreams act on
//! them, and nothing here vouches for them.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::field_names::{reads_as, reads_as_start, remove_all};
use crate::connection::{Hop, PublicAddress, Trust};
use crate::host::is_host;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

const CLAIM_PREFIXES: [&str; 3] = ["x-forwarded-", "x-original-", "x-rewrite-"];

const CLAIMS: [&str; 8] = [
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-cluster-client-ip",
];

/// Replaces what the peer says of the client by what the gateway knows of it.
///
/// `host` is what the request was addressed to, from its `Host` field or its `:authority`; `public` is what clients
/// address, where that is known.
pub(super) fn rewrite(headers: &mut HeaderMap, hop: Hop, host: Option<&HeaderValue>, public: Option<&PublicAddress>) {
    let told = match hop.trust {
        Trust::TrustedProxy => Told::by_proxy(headers),
        Trust::Stranger => Told::default(),
    };
    remove_all(headers, |name| {
        CLAIMS.iter().any(|claim| reads_as(name, claim))
            || CLAIM_PREFIXES.iter().any(|prefix| reads_as_start(name, prefix))
    });

    let own_for = hop.peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
    insert(headers, FORWARDED_FOR, &continued(told.chain, &own_for));
    let (known_host, known_scheme) =
        public.map_or((host, hop.scheme), |public| (Some(&public.authority), public.scheme));
    let element = match hop.trust {
        Trust::TrustedProxy => forwarded_element(hop, host),
        Trust::Stranger => forwarded_element(Hop { scheme: known_scheme, ..hop }, known_host),
    };
    insert(headers, header::FORWARDED, &continued(told.forwarded, &element));
    headers.insert(FORWARDED_PROTO, told.proto.unwrap_or_else(|| HeaderValue::from_static(known_scheme.as_str())));
    if let Some(host) = told.host.as_ref().or(known_host) {
        headers.insert(FORWARDED_HOST, host.clone());
    }
}

/// What a trusted proxy in front said.
#[derive(Default)]
struct Told {
    chain: Option<String>,
    forwarded: Option<String>,
    proto: Option<HeaderValue>,
    host: Option<HeaderValue>,
}

impl Told {
    fn by_proxy(headers: &HeaderMap) -> Self {
        Self {
            chain: joined(headers, &FORWARDED_FOR),
            forwarded: joined(headers, &header::FORWARDED),
            proto: single(headers, &FORWARDED_PROTO).filter(|proto| proto == "http" || proto == "https"),
            host: single(headers, &FORWARDED_HOST).filter(|host| is_host(host.as_bytes())),
        }
    }
}

/// All lines of a list field as one, in order; `None` if there is none or one is not text.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Result<Vec<&str>, _> = headers.get_all(name).into_iter().map(HeaderValue::to_str).collect();
    lines.ok().filter(|lines| !lines.is_empty()).map(|lines| lines.join(", "))
}

fn single(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut lines = headers.get_all(name).into_iter();
    lines.next().filter(|_| lines.next().is_none()).cloned()
}

fn continued(before: Option<String>, own: &str) -> String {
    before.map_or_else(|| own.to_owned(), |before| format!("{before}, {own}"))
}

/// One element of RFC 7239 section 4.
fn forwarded_element(hop: Hop, host: Option<&HeaderValue>) -> String {
    let node = match hop.peer.map(|peer| peer.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        // A colon is no token character, so the node is quoted (RFC 7239 section 6).
        Some(IpAddr::V6(address)) => format!("\"[{address}]\""),
        None => "unknown".to_owned(),
    };
    let host = host
        .filter(|host| is_host(host.as_bytes()))
        .and_then(|host| host.to_str().ok())
        .map_or_else(String::new, |host| format!(";host=\"{host}\""));
    format!("for={node}{host};proto={}", hop.scheme.as_str())
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Scheme;

    fn forged() -> HeaderMap {
        [
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x_forwarded_for", "10.0.0.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "inner.example"),
            ("x-forwarded-user", "admin"),
            ("x-real-ip", "10.0.0.1"),
            ("x.real.ip", "10.0.0.1"),
            ("x-original-url", "/admin"),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value)))
        .collect()
    }

    fn hop(trust: Trust) -> Hop {
        Hop { peer: Some("192.0.2.7".parse().unwrap()), trust, scheme: Scheme::Http }
    }

    fn sorted(headers: &HeaderMap) -> Vec<(&str, &str)> {
        let mut lines: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn s12_a_stranger_is_not_believed_in_any_spelling() {
        let mut headers = forged();
        rewrite(&mut headers, hop(Trust::Stranger), Some(&HeaderValue::from_static("api.example:8080")), None);
        assert_eq!(
            sorted(&headers),
            [
                ("forwarded", "for=192.0.2.7;host=\"api.example:8080\";proto=http"),
                ("x-forwarded-for", "192.0.2.7"),
                ("x-forwarded-host", "api.example:8080"),
                ("x-forwarded-proto", "http"),
            ]
        );
    }

    #[test]
    fn s12_a_trusted_proxy_is_continued_but_its_identity_claims_are_not_passed_on() {
        let mut headers = forged();
        rewrite(&mut headers, hop(Trust::TrustedProxy), Some(&HeaderValue::from_static("api.example")), None);
        assert_eq!(
            sorted(&headers),
            [
                ("forwarded", "for=10.0.0.1, for=192.0.2.7;host=\"api.example\";proto=http"),
                ("x-forwarded-for", "10.0.0.1, 192.0.2.7"),
                ("x-forwarded-host", "inner.example"),
                ("x-forwarded-proto", "https"),
            ]
        );
    }

    #[test]
    fn the_public_address_stands_in_for_the_connection_but_a_trusted_proxy_knows_better() {
        let public = PublicAddress { scheme: Scheme::Https, authority: HeaderValue::from_static("api.example") };
        let seen = HeaderValue::from_static("10.0.0.9:8080");
        let rewritten = |mut headers: HeaderMap, trust| {
            rewrite(&mut headers, hop(trust), Some(&seen), Some(&public));
            ["forwarded", "x-forwarded-host", "x-forwarded-proto"]
                .map(|name| headers[name].to_str().unwrap().to_owned())
        };
        let known = ["for=192.0.2.7;host=\"api.example\";proto=https", "api.example", "https"];
        assert_eq!(rewritten(forged(), Trust::Stranger), known);
        let step = "for=192.0.2.7;host=\"10.0.0.9:8080\";proto=http";
        assert_eq!(rewritten(HeaderMap::new(), Trust::TrustedProxy), [step, "api.example", "https"]);
        let told = [format!("for=10.0.0.1, {step}"), "inner.example".to_owned(), "https".to_owned()];
        assert_eq!(rewritten(forged(), Trust::TrustedProxy), told);
    }

    #[test]
    fn ipv6_nodes_are_quoted_and_mapped_addresses_are_ipv4() {
        let element = |peer: &str| {
            forwarded_element(
                Hop { peer: Some(peer.parse().unwrap()), trust: Trust::Stranger, scheme: Scheme::Https },
                None,
            )
        };
        assert_eq!(element("2001:db8::1"), "for=\"[2001:db8::1]\";proto=https");
        assert_eq!(element("::ffff:192.0.2.1"), "for=192.0.2.1;proto=https");
    }

    #[test]
    fn a_repeated_or_odd_claim_of_a_proxy_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-proto", HeaderValue::from_static("https"));
        headers.append("x-forwarded-proto", HeaderValue::from_static("http"));
        headers.append("x-forwarded-host", HeaderValue::from_static("a\", b"));
        rewrite(&mut headers, hop(Trust::TrustedProxy), None, None);
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert!(!headers.contains_key("x-forwarded-host"));
    }
}
