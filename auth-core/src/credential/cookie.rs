//! Cookies of one name, over all `Cookie` lines.

use super::syntax::trim;

/// Calls `found` with the value of each cookie of that name in the line.
///
/// Browsers may send several `Cookie` lines (RFC 9113 section 8.2.3), so lines are not counted, cookies are. A value in
/// quotes is what stands between them.
pub(super) fn each<'a>(line: &'a [u8], name: &str, mut found: impl FnMut(&'a [u8])) {
    for pair in line.split(|byte| *byte == b';') {
        let Some(end) = pair.iter().position(|byte| *byte == b'=') else { continue };
        if trim(&pair[..end]) == name.as_bytes() {
            found(unquoted(trim(&pair[end + 1..])));
        }
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<&[u8]> {
        let mut values = Vec::new();
        each(line.as_bytes(), "sid", |value| values.push(value));
        values
    }

    #[test]
    fn names_are_exact_and_every_occurrence_counts() {
        assert_eq!(all("sid=a"), [b"a"]);
        assert_eq!(all("x=1; sid=a; SID=b; sid2=c; asid=d"), [b"a"]);
        assert_eq!(all("sid=a; sid=b"), [b"a", b"b"]);
        assert_eq!(all("sid=a=b;sid =c"), [&b"a=b"[..], b"c"]);
        assert!(all("sid; x=sid=a; =sid").is_empty());
    }

    #[test]
    fn quotes_around_a_value_are_no_part_of_it() {
        assert_eq!(all("sid=\"a\""), [b"a"]);
        assert_eq!(all("sid=\"\""), [b""]);
        assert_eq!(all("sid=\""), [b"\""]);
    }
}
