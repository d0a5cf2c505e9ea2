//! Which field names an upstream may take for one another.
//!
//! CGI, WSGI, Rack and PHP turn a field name into a variable by writing every character that is not a letter or a
//! digit as `_`. There `X_Auth_Subject`, `X.Auth.Subject` and `X-Auth-Subject` are one variable, so a field that the
//! gateway vouches for must not be reachable by any of its spellings.

use http::{HeaderMap, HeaderName};

/// Whether an upstream may take `name` for `wanted`, which is in lower case with hyphens.
pub(super) fn reads_as(name: &HeaderName, wanted: &str) -> bool {
    name.as_str().len() == wanted.len() && reads_as_start(name, wanted)
}

/// Whether an upstream may take `name` for a name that begins with `prefix`, which is in lower case with hyphens.
pub(super) fn reads_as_start(name: &HeaderName, prefix: &str) -> bool {
    let name = name.as_str().as_bytes();
    name.len() >= prefix.len() && name.iter().zip(prefix.as_bytes()).all(|(&byte, &wanted)| folded(byte) == wanted)
}

/// Removes every field whose name is `condemned`.
pub(super) fn remove_all(headers: &mut HeaderMap, condemned: impl Fn(&HeaderName) -> bool) {
    // Names are collected first because a header map cannot lose entries while it is walked.
    let names: Vec<HeaderName> = headers.keys().filter(|name| condemned(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Header names arrive in lower case, so letters need no folding.
const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HeaderName {
        text.parse().unwrap()
    }

    #[test]
    fn every_token_character_that_is_no_letter_or_digit_reads_as_a_hyphen() {
        for separator in "!#$%&'*+-.^_`|~".chars() {
            let spelling = format!("X{separator}Auth{separator}Subject");
            assert!(reads_as(&name(&spelling), "x-auth-subject"), "{spelling}");
            assert!(reads_as_start(&name(&spelling), "x-auth-"), "{spelling}");
        }
    }

    #[test]
    fn other_names_are_told_apart() {
        assert!(!reads_as(&name("x-auth-subjects"), "x-auth-subject"));
        assert!(!reads_as(&name("xx-auth-subject"), "x-auth-subject"));
        assert!(!reads_as_start(&name("x-auth"), "x-auth-"));
        assert!(!reads_as_start(&name("x-authority"), "x-auth-"));
    }
}
