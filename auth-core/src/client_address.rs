//! Who is behind which trusted proxy.
//!
//! Nothing that a client can write is believed by default. Where the peer is a listed proxy, `Forwarded` (RFC 7239) or
//! `X-Forwarded-For` is read from the right, the end that proxies append to: the first address that is no listed proxy
//! is the client's. What stands to the left of it was written by somebody nobody vouches for.

use std::net::{IpAddr, SocketAddr};

use crate::network::NetworkSet;
use crate::request::RequestHead;

/// The address of the client, as far as it is known and trusted.
///
/// `None` where it is not known: the transport has no addresses, a trusted proxy says so (`unknown`, an obfuscated
/// name) or writes something unreadable, or the two fields disagree, so that one of them may be the client's own.
/// Never a proxy's address instead, which might lie in a network that is allowed in. IPv4-mapped addresses are folded
/// to IPv4.
///
/// ```
/// use auth_core::{NetworkSet, RequestHead, client_address};
///
/// let headers = [("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.9")];
/// let mut head = RequestHead::new("GET", "/", &headers);
/// head.peer = Some("10.0.0.1".parse()?);
/// assert_eq!(client_address(&head, &NetworkSet::parse(["10.0.0.0/8"])?), Some("192.0.2.7".parse()?));
/// assert_eq!(client_address(&head, &NetworkSet::default()), head.peer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn client_address(head: &RequestHead<'_>, trusted: &NetworkSet) -> Option<IpAddr> {
    let peer = head.peer?.to_canonical();
    if !trusted.contains(peer) {
        return Some(peer);
    }
    let mut forwarded = Trail::default();
    head.headers.visit("forwarded", &mut |line| read_forwarded(line, |hop| forwarded.add(hop, trusted)));
    let mut x_forwarded_for = Trail::default();
    head.headers.visit("x-forwarded-for", &mut |line| {
        elements(line).for_each(|element| x_forwarded_for.add(read_node(element), trusted));
    });
    match (forwarded, x_forwarded_for) {
        (Trail::Unused, Trail::Unused) => Some(peer),
        (trail, Trail::Unused) | (Trail::Unused, trail) => trail.client(),
        (one, other) => one.client().filter(|client| other.client() == Some(*client)),
    }
}

/// What a field says when it is read from left to right; the last word that is no listed proxy counts, which is the
/// first from the right.
#[derive(Clone, Copy, Default)]
enum Trail {
    #[default]
    Unused,
    /// Listed proxies only; the request began at this one.
    Trusted(IpAddr),
    Client(IpAddr),
    Unknown,
}

impl Trail {
    fn add(&mut self, hop: Option<IpAddr>, trusted: &NetworkSet) {
        *self = match (hop, *self) {
            (None, _) => Self::Unknown,
            (Some(address), Self::Unused) if trusted.contains(address) => Self::Trusted(address),
            (Some(address), so_far) if trusted.contains(address) => so_far,
            (Some(address), _) => Self::Client(address),
        };
    }

    fn client(self) -> Option<IpAddr> {
        match self {
            Self::Trusted(address) | Self::Client(address) => Some(address),
            Self::Unused | Self::Unknown => None,
        }
    }
}

/// The elements of a comma-separated list; empty ones count for nothing (RFC 9110 section 5.6.1.2).
fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// An address, with or without a port; IPv6 with a port is in brackets (RFC 7239 section 6).
fn read_node(node: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(node).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(inner) => inner.parse().ok().filter(IpAddr::is_ipv6),
        None => text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())),
    };
    address.map(|address| address.to_canonical())
}

/// Calls `found` for each element of a `Forwarded` line, with its `for` if that is a readable address.
///
/// A line with an error in it has one unreadable element after those before the error: quotes that do not pair could
/// otherwise swallow what a proxy appended.
fn read_forwarded(line: &[u8], mut found: impl FnMut(Option<IpAddr>)) {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
            continue;
        }
        let Some((hop, behind)) = read_element(rest) else { return found(None) };
        found(hop);
        rest = behind;
    }
}

/// One element up to the comma behind it; `None` where it breaks the grammar.
fn read_element(mut rest: &[u8]) -> Option<(Option<IpAddr>, &[u8])> {
    let mut hop = None;
    let mut is_named = false;
    loop {
        let (name, value, behind) = read_pair(rest)?;
        if name.eq_ignore_ascii_case(b"for") {
            if is_named {
                return None;
            }
            is_named = true;
            hop = read_node(value);
        }
        match behind.trim_ascii_start() {
            [b';', more @ ..] => rest = more.trim_ascii_start(),
            end @ ([] | [b',', ..]) => return Some((hop, end)),
            _ => return None,
        }
    }
}

/// `name=value`, the value a token or a quoted string. A quoted string with a backslash in it is taken for an error:
/// no address needs one.
fn read_pair(pair: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let equals = pair.iter().position(|byte| matches!(byte, b'=' | b',' | b';' | b'"'))?;
    let (name, behind) = pair.split_at(equals);
    let behind = behind.strip_prefix(b"=")?;
    if let Some(quoted) = behind.strip_prefix(b"\"") {
        let end = quoted.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let (value, end) = quoted.split_at(end);
        return Some((name, value, end.strip_prefix(b"\"")?));
    }
    let end = behind.iter().position(|byte| matches!(byte, b',' | b';' | b'"' | b' ' | b'\t')).unwrap_or(behind.len());
    let (value, behind) = behind.split_at(end);
    Some((name, value, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Headers;

    const PROXY: &str = "10.0.0.1";

    fn seen_by(trusted: &str, peer: &str, headers: &dyn Headers) -> Option<String> {
        let mut head = RequestHead::new("GET", "/", headers);
        head.peer = Some(peer.parse().unwrap());
        let trusted = NetworkSet::parse(trusted.split_whitespace()).unwrap();
        client_address(&head, &trusted).map(|address| address.to_string())
    }

    fn client(headers: &dyn Headers) -> Option<String> {
        seen_by("10.0.0.0/8 2001:db8:f::/48", PROXY, headers)
    }

    #[test]
    fn s12_nothing_is_believed_by_default() {
        let headers = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7"), ("x-real-ip", "192.0.2.7")];
        assert_eq!(seen_by("", PROXY, &headers).as_deref(), Some(PROXY));
        assert_eq!(seen_by("10.9.0.0/16", PROXY, &headers).as_deref(), Some(PROXY));
        assert_eq!(seen_by("", "::ffff:198.51.100.1", &headers).as_deref(), Some("198.51.100.1"));
        assert_eq!(client(&[("x-real-ip", "192.0.2.7")]).as_deref(), Some(PROXY));
    }

    #[test]
    fn s12_the_rightmost_address_that_is_no_proxy_counts() {
        for (value, expected) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("6.6.6.6, 192.0.2.7", Some("192.0.2.7")),
            ("6.6.6.6, 192.0.2.7, 10.1.1.1,10.2.2.2", Some("192.0.2.7")),
            ("192.0.2.7:4711, 10.1.1.1:80", Some("192.0.2.7")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1], 2001:db8:f::2", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("10.3.3.3, 10.2.2.2", Some("10.3.3.3")),
            (", 192.0.2.7,,", Some("192.0.2.7")),
            ("nonsense, 192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.7, nonsense", None),
            ("192.0.2.7, unknown, 10.1.1.1", None),
            ("192.0.2.7, 010.1.1.1", None),
            ("192.0.2.7, fe80::1%eth0", None),
            ("192.0.2.7, [10.1.1.1]", None),
            ("192.0.2.7, \"192.0.2.8\"", None),
        ] {
            assert_eq!(client(&[("x-forwarded-for", value)]).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn lines_are_read_in_their_order() {
        let headers =
            [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.1.1.1")];
        assert_eq!(client(&headers).as_deref(), Some("192.0.2.7"));
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (value, expected) in [
            ("for=192.0.2.7", Some("192.0.2.7")),
            ("For=192.0.2.7;proto=http;by=203.0.113.43", Some("192.0.2.7")),
            ("for=6.6.6.6, for=192.0.2.7, for=10.1.1.1", Some("192.0.2.7")),
            ("for=\"[2001:db8:cafe::17]:4711\"", Some("2001:db8:cafe::17")),
            ("by=\"a,b;for=1.1.1.1\";for=\"192.0.2.7:80\" , for=10.1.1.1", Some("192.0.2.7")),
            ("for=192.0.2.7, for=unknown", None),
            ("for=192.0.2.7, for=_hidden, for=10.1.1.1", None),
            ("for=192.0.2.7, proto=https", None),
            ("for=1.1.1.1;for=192.0.2.7", None),
            ("for=192.0.2.7, for", None),
            ("for=\"evil, for=192.0.2.7", None),
            ("for=10.9.9.9;x=\", for=\"[2001:db8::1]:80\"", None),
            ("for=\"192.0.2\\.7\"", None),
            ("for = 192.0.2.7", None),
        ] {
            assert_eq!(client(&[("forwarded", value)]).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn two_fields_must_agree() {
        let both = |x: &'static str, forwarded| client(&[("x-forwarded-for", x), ("forwarded", forwarded)]);
        assert_eq!(both("6.6.6.6, 192.0.2.7", "for=192.0.2.7, for=10.1.1.1").as_deref(), Some("192.0.2.7"));
        assert_eq!(both("192.0.2.7", "for=192.0.2.8"), None);
        assert_eq!(both("192.0.2.7", "for=unknown"), None);
        assert_eq!(both("10.2.2.2", "for=192.0.2.8"), None);
    }

    #[test]
    fn without_a_peer_nothing_is_known() {
        let headers = [("x-forwarded-for", "192.0.2.7")];
        let everyone = NetworkSet::parse(["0.0.0.0/0", "::/0"]).unwrap();
        assert_eq!(client_address(&RequestHead::new("GET", "/", &headers), &everyone), None);
    }
}
