//! Which field names an upstream may take for one another.
//!
//! CGI, WSGI, Rack and PHP turn a field name into a variable by writing every character that is not a letter or a
//! digit as `_`. There `X_Auth_Subject`, `X.Auth.Subject` and `X-Auth-Subject` are one variable, so a field that the
//! gateway vouches for must not be reachable by any of its spellings. Some go further and drop or join such characters,
//! so that `X--Auth-Subject` and `_X_Auth_Subject` are meant as well.

use http::{HeaderMap, HeaderName};

/// Whether an upstream may take `name` for `wanted`.
pub(crate) fn reads_as(name: &HeaderName, wanted: &str) -> bool {
    folded(name.as_str()).eq(folded(wanted))
}

/// Whether an upstream may take `name` for a name that begins with `prefix`, which is in lower case with single
/// hyphens.
pub(super) fn reads_as_start(name: &HeaderName, prefix: &str) -> bool {
    let mut name = folded(name.as_str());
    prefix.bytes().all(|wanted| name.next() == Some(wanted))
}

/// Removes every field whose name is `condemned`.
pub(super) fn remove_all(headers: &mut HeaderMap, condemned: impl Fn(&HeaderName) -> bool) {
    // Names are collected first because a header map cannot lose entries while it is walked.
    let names: Vec<HeaderName> = headers.keys().filter(|name| condemned(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// The letters and digits of a name in lower case, with one hyphen wherever something else is between them.
fn folded(name: &str) -> impl Iterator<Item = u8> {
    let words = name.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.enumerate().flat_map(|(index, word)| {
        let hyphen = (index > 0).then_some(b'-');
        hyphen.into_iter().chain(word.iter().map(u8::to_ascii_lowercase))
    })
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
            assert!(reads_as(&name("x-auth-subject"), &spelling), "configured as {spelling}");
        }
    }

    #[test]
    fn separators_that_are_repeated_or_stand_outside_make_no_difference() {
        for spelling in ["x--auth-subject", "_x_auth_subject", "-x-auth-subject_", "x-_auth._subject"] {
            assert!(reads_as(&name(spelling), "x-auth-subject"), "{spelling}");
            assert!(reads_as_start(&name(spelling), "x-auth-"), "{spelling}");
        }
    }

    #[test]
    fn other_names_are_told_apart() {
        assert!(!reads_as(&name("xauth-subject"), "x-auth-subject"));
        assert!(!reads_as(&name("x-auth-subjects"), "x-auth-subject"));
        assert!(!reads_as(&name("xx-auth-subject"), "x-auth-subject"));
        assert!(!reads_as_start(&name("x-auth"), "x-auth-"));
        assert!(!reads_as_start(&name("x-authority"), "x-auth-"));
    }
}
