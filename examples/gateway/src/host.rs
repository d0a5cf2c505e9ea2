//! Who a request is addressed to: a name or an address, perhaps with a port.

use std::net::Ipv6Addr;

/// Whether the value is a host with an optional port (RFC 9112 section 3.2, RFC 3986 section 3.2.2).
///
/// Stricter than the grammar where that leaves two readings: a name consists of letters, digits, `.`, `-`, `_` and `~`,
/// without percent-escapes, which would hide other characters, and without the delimiters that split lists or end
/// quotes; an IPv6 address has no zone, which means nothing to another machine; nobody is nobody, though a `Host` may be
/// empty.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let (host_is_good, port) = match text.strip_prefix('[') {
        Some(literal) => {
            let Some((address, behind)) = literal.split_once(']') else { return false };
            let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':').unwrap_or("none")) };
            (address.parse::<Ipv6Addr>().is_ok(), port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (is_name(name), Some(port)),
            None => (is_name(text), None),
        },
    };
    host_is_good && port.is_none_or(is_port)
}

/// IPv4 addresses are spelt like names.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~'))
}

/// The grammar allows a colon with nothing behind it.
fn is_port(port: &str) -> bool {
    port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_pass_with_and_without_a_port() {
        for host in [
            "a",
            "api.example",
            "API.example.",
            "under_score",
            "127.0.0.1",
            "[::1]",
            "[2001:db8::1]:8080",
            "[::ffff:192.0.2.1]:1",
            "a:80",
            "a:",
            "a:65535",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn everything_else_does_not() {
        for host in [
            "",
            ":",
            ":80",
            "[::1",
            "::1",
            "[]",
            "[zz]",
            "[::1]x",
            "[::1]80",
            "[fe80::1%25eth0]",
            "[v1.x]",
            "[127.0.0.1]",
            "a:x",
            "a:+1",
            "a:99999",
            "a:65536",
            "a:1:2",
            "a%00",
            "a%41",
            "u@a",
            "u:p@a",
            "a/b",
            "a,b",
            "a;b",
            "a b",
            "a\"b",
            "a?b",
            "a#b",
            "\u{e9}",
            "[[::1]]",
            "a]",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
        assert!(!is_host(b"\xff"));
    }
}
