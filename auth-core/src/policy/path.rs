//! One reading of a request's path, or none.
//!
//! A proxy, a framework and a file system each have ideas of their own about `//`, `..`, `%2F` or `;`. A path that two
//! of them could read differently is refused, so that the rule that was checked is the rule of what is served.

use std::borrow::Cow;

use crate::rejection::RequestFault;

/// Longer paths are refused. Servers commonly stop at 8 KiB for the whole request line.
pub(super) const LONGEST: usize = 8 * 1024;

/// A path that has one reading, as sent and in folded spelling.
///
/// Folded means: percent-decoded, ASCII letters in lower case, no trailing slash. It is what the most lenient upstream
/// makes of the path, and it is only compared, never forwarded.
#[derive(Debug)]
pub(super) struct RequestPath<'a> {
    sent: &'a str,
    /// `None` where both spellings are the same, which is the common case.
    folded: Option<Cow<'a, str>>,
}

impl<'a> RequestPath<'a> {
    /// Checks a path as it stands in the request line.
    pub(super) fn check(sent: &'a str) -> Result<Self, RequestFault> {
        if !sent.starts_with('/') {
            return Err(RequestFault::Target);
        }
        if sent.len() > LONGEST {
            return Err(RequestFault::AmbiguousPath);
        }
        if is_plain(sent.as_bytes()) {
            return Ok(Self { sent, folded: None });
        }
        let found = scan(sent.as_bytes())?;
        let without_slash = sent.strip_suffix('/').filter(|stem| !stem.is_empty());
        let folded = match (found.escapes, found.capitals, without_slash) {
            (false, false, None) => None,
            (false, false, Some(stem)) => Some(Cow::Borrowed(stem)),
            (false, true, stem) => Some(Cow::Owned(stem.unwrap_or(sent).to_ascii_lowercase())),
            (true, _, stem) => Some(Cow::Owned(fold(&decode_checked(stem.unwrap_or(sent))?))),
        };
        Ok(Self { sent, folded })
    }

    /// The path as sent.
    pub(super) fn sent(&self) -> &'a str {
        self.sent
    }

    /// The folded spelling, where it differs from the path as sent.
    pub(super) fn folded(&self) -> Option<&str> {
        self.folded.as_deref()
    }
}

/// What a byte of a path means to the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ordinary,
    Slash,
    Capital,
    Percent,
    Refused,
}

/// Spaces, controls, bytes beyond ASCII, and what some reader takes for a slash, a parameter, a query or a fragment.
const fn class(byte: u8) -> Class {
    match byte {
        b'/' => Class::Slash,
        b'A'..=b'Z' => Class::Capital,
        b'%' => Class::Percent,
        0..=b' ' | 0x7f.. | b'\\' | b';' | b'#' | b'?' => Class::Refused,
        _ => Class::Ordinary,
    }
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Ordinary; 256];
    let mut byte: u8 = 0;
    loop {
        classes[byte as usize] = class(byte);
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Whether a pattern may have this byte in a literal: whether a path can have it unescaped.
pub(super) fn is_ordinary_literal(byte: u8) -> bool {
    matches!(class(byte), Class::Ordinary | Class::Capital)
}

/// How many bytes are looked at together: what a register of the vector unit of every `x86_64` and `aarch64` holds.
const BLOCK: usize = 16;

/// Whether it is plain to see that the path has one reading and one spelling: behind the first slash nothing but small
/// letters, digits, `-`, `_`, single slashes and dots within a segment, and no slash at the end.
///
/// Most paths are like that. Those that are not, and those too short for a block, are for [`scan`] to judge. There is
/// no branch within a block, which lets the compiler look at all of its bytes at once; the last one overlaps.
fn is_plain(path: &[u8]) -> bool {
    let ([before @ .., last], [_, after @ ..]) = (path, path) else { return false };
    let (Some(last_before), Some(last_after)) = (before.last_chunk::<BLOCK>(), after.last_chunk::<BLOCK>()) else {
        return false;
    };
    let mut doubts = [0; BLOCK];
    let mut look_at = |before: &[u8; BLOCK], after: &[u8; BLOCK]| {
        for (doubt, (before, after)) in doubts.iter_mut().zip(before.iter().zip(after)) {
            *doubt |= doubt_of(*before, *after);
        }
    };
    for (before, after) in before.as_chunks().0.iter().zip(after.as_chunks().0) {
        look_at(before, after);
    }
    look_at(last_before, last_after);
    doubts == [0; BLOCK] && *last != b'/'
}

/// Zero for a byte that is plainly ordinary behind the one before it.
fn doubt_of(before: u8, byte: u8) -> u8 {
    let outside = |first: u8, last: u8| byte.wrapping_sub(first).saturating_sub(last - first);
    // the hyphen, the dot and the slash come right before the digits; the dot and the slash differ in the lowest bit
    let is_other = outside(b'a', b'z').min(outside(b'-', b'9')).min(byte ^ b'_');
    let is_single = (before ^ b'/') | ((byte | 1) ^ b'/');
    is_other | u8::from(is_single == 0)
}

struct Seen {
    escapes: bool,
    capitals: bool,
}

/// The pass that every path gets unless it [is plain](is_plain). `path` begins with a slash.
fn scan(path: &[u8]) -> Result<Seen, RequestFault> {
    let mut seen = Seen { escapes: false, capitals: false };
    let mut segment = 1;
    for (at, byte) in path.iter().enumerate().skip(1) {
        match CLASSES[usize::from(*byte)] {
            Class::Ordinary => {}
            Class::Slash => {
                if at == segment || is_dots(&path[segment..at]) {
                    return Err(RequestFault::AmbiguousPath);
                }
                segment = at + 1;
            }
            Class::Capital => seen.capitals = true,
            Class::Percent => seen.escapes = true,
            Class::Refused => return Err(RequestFault::AmbiguousPath),
        }
    }
    if is_dots(&path[segment..]) {
        return Err(RequestFault::AmbiguousPath);
    }
    Ok(seen)
}

/// `.` and `..` are resolved by some readers and kept by others (RFC 3986 section 5.2.4).
fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Decodes once, and refuses what would read differently if it had been decoded never, or twice.
fn decode_checked(path: &str) -> Result<String, RequestFault> {
    let bytes = decode(path).ok_or(RequestFault::AmbiguousPath)?;
    let decoded = String::from_utf8(bytes).map_err(|_| RequestFault::AmbiguousPath)?;
    let twice = decoded.as_bytes().windows(3).any(|run| matches!(run, [b'%', high, low] if hex(*high, *low).is_some()));
    if twice || decoded.as_bytes().split(|byte| *byte == b'/').any(is_dots) {
        return Err(RequestFault::AmbiguousPath);
    }
    Ok(decoded)
}

/// `None` for an escape that is broken or hides a byte that means something to a reader of paths.
fn decode(path: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let hidden = hex(rest.next()?, rest.next()?)?;
        match class(hidden) {
            Class::Slash => return None,
            // an encoded space or letter beyond ASCII has one reading; raw ones do not occur in a URI
            Class::Refused if hidden.is_ascii() && hidden != b' ' => return None,
            _ => decoded.push(hidden),
        }
    }
    Some(decoded)
}

/// A path parameter as the application will read it. `None` where it does not decode.
pub(super) fn decode_parameter(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    String::from_utf8(decode(value)?).ok().map(Cow::Owned)
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Lower case, as a reader that ignores case compares: the four letters beyond ASCII whose other case is within it
/// count as that letter (Unicode case folding), so that none of them passes for an unknown path.
pub(super) fn fold(decoded: &str) -> String {
    let fold_char = |letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other.to_ascii_lowercase(),
    };
    decoded.chars().map(fold_char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(path: &str) -> Option<String> {
        RequestPath::check(path).unwrap().folded().map(str::to_owned)
    }

    #[test]
    fn plain_paths_have_one_spelling() {
        for path in ["/", "/v1/models", "/a-b_c.d~e/!$&'()*+,=:@", "/...", "/.well-known/x", "/a..b/..c"] {
            assert_eq!(folded(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_plain_needs_no_scan_wherever_the_doubt_is() {
        for length in 1..40 {
            let plain = format!("/{}", "a-b_c/1.".repeat(5).split_at(length).0).into_bytes();
            let ends_well = plain.last() != Some(&b'/');
            assert_eq!(is_plain(&plain), length >= BLOCK && ends_well, "{length}");
            for byte in 0..=u8::MAX {
                for at in 1..=length {
                    let mut path = plain.clone();
                    path[at] = byte;
                    let has_one_spelling = scan(&path).is_ok_and(|seen| !seen.escapes && !seen.capitals);
                    let is_fine = has_one_spelling && path.last() != Some(&b'/');
                    assert!(is_fine || !is_plain(&path), "{}", path.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn variants_fold_to_one_spelling() {
        for (path, expected) in [
            ("/V1/Models", "/v1/models"),
            ("/v1/", "/v1"),
            ("/V1/", "/v1"),
            ("/%61dmin", "/admin"),
            ("/%41dmin/", "/admin"),
            ("/caf%C3%A9", "/caf\u{e9}"),
            ("/a%20b", "/a b"),
            ("/100%25", "/100%"),
            ("/a%25zz", "/a%zz"),
            ("/%E2%84%AAey", "/key"),
            ("/u%C5%BFer", "/user"),
        ] {
            assert_eq!(folded(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn paths_with_several_readings_are_refused() {
        for path in [
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/./a",
            "/a/../b",
            "/a/..",
            "/a/./",
            "/%2e/a",
            "/%2E%2e/a",
            "/.%2e",
            "/a/%2e",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;b",
            "/a;",
            "/a%3Bb",
            "/a#b",
            "/a%23b",
            "/a?b",
            "/a%3Fb",
            "/a%00",
            "/a%0d%0aX",
            "/a%7F",
            "/a\u{0}",
            "/a b",
            "/a\u{7f}",
            "/caf\u{e9}",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%u002f",
            "/a%+1",
            "/a%252e",
            "/a%2525",
            "/a%25%32%66",
            "/a%252%66",
            "/a%C0%AFb",
            "/a%ff",
            "/a%C3",
        ] {
            assert_eq!(RequestPath::check(path).err(), Some(RequestFault::AmbiguousPath), "{path:?}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_told_apart() {
        for target in ["", "*", "example.org:443", "http://example.org/", "a/b"] {
            assert_eq!(RequestPath::check(target).err(), Some(RequestFault::Target), "{target:?}");
        }
    }

    #[test]
    fn over_long_paths_are_refused() {
        let longest = format!("/{}", "a".repeat(LONGEST - 1));
        assert!(RequestPath::check(&longest).is_ok());
        assert_eq!(RequestPath::check(&(longest + "a")).err(), Some(RequestFault::AmbiguousPath));
    }
}
