//! Which bytes may stand in a credential.

use super::authorization;
use crate::rejection::{CredentialFault, Rejection};
use crate::stray::{no_byte_strays, outside};

/// The bytes of a token as in field names and scheme names (RFC 9110 section 5.6.2).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The value without the white space around it, which is no part of it (RFC 9110 section 5.5).
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The form that credentials have in one kind of source.
#[derive(Clone, Copy)]
pub(super) enum Alphabet {
    /// `token68` (RFC 9110 section 11.2), which is also that of Bearer tokens (RFC 6750 section 2.1).
    Token68,
    /// Visible ASCII without the comma: a comma would mean that lines of the field were joined (RFC 9110 section 5.3).
    Field,
    /// `cookie-octet` (RFC 6265 section 4.1.1).
    Cookie,
    /// The unreserved characters of URIs (RFC 3986 section 2.3), which have one spelling in a query: an escape or a
    /// plus is read differently by different readers.
    Query,
}

impl Alphabet {
    /// The credential as text, if it is short enough and has this form.
    pub(super) fn check(self, credential: &[u8], longest: usize) -> Result<&str, Rejection> {
        if credential.len() > longest {
            return Err(Rejection::InvalidCredential(CredentialFault::TooLong));
        }
        let fits = match self {
            Self::Token68 => {
                let stem = without_padding(credential);
                no_byte_strays(stem, from_base64url_and_dot) || no_byte_strays(stem, from_token68)
            }
            Self::Field => no_byte_strays(credential, from_field),
            Self::Cookie => no_byte_strays(credential, from_cookie_octet),
            Self::Query => no_byte_strays(credential, from_unreserved),
        };
        let text = fits.then(|| std::str::from_utf8(credential).ok()).flatten();
        text.ok_or_else(|| match self {
            Self::Token68 => authorization::fault(credential),
            Self::Field | Self::Cookie | Self::Query => Rejection::InvalidCredential(CredentialFault::Malformed),
        })
    }
}

/// `token68` may end in equals signs and has none elsewhere; it is never made of them alone.
fn without_padding(credential: &[u8]) -> &[u8] {
    let mut stem = credential;
    while let [rest @ .., b'='] = stem {
        stem = rest;
    }
    if stem.is_empty() { credential } else { stem }
}

fn from_letters(byte: u8) -> u8 {
    outside(byte | 0x20, b'a', b'z')
}

/// What tokens are made of in practice, which is less to compare with than all of `token68`; the slash comes along.
fn from_base64url_and_dot(byte: u8) -> u8 {
    // the hyphen, the dot and the slash come right before the digits
    from_letters(byte).min(outside(byte, b'-', b'9')).min(byte ^ b'_')
}

fn from_token68(byte: u8) -> u8 {
    from_base64url_and_dot(byte).min(byte ^ b'~').min(byte ^ b'+')
}

fn from_field(byte: u8) -> u8 {
    outside(byte, b'!', b'~') | u8::from(byte == b',')
}

fn from_cookie_octet(byte: u8) -> u8 {
    let low = (byte ^ 0x21).min(outside(byte, 0x23, 0x2b)).min(outside(byte, 0x2d, 0x3a));
    low.min(outside(byte, 0x3c, 0x5b)).min(outside(byte, 0x5d, 0x7e))
}

fn from_unreserved(byte: u8) -> u8 {
    let mark = outside(byte, b'-', b'.').min(byte ^ b'_').min(byte ^ b'~');
    from_letters(byte).min(outside(byte, b'0', b'9')).min(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b14_token68_is_what_the_grammar_says() {
        let fits = |text: &str| Alphabet::Token68.check(text.as_bytes(), 64).is_ok();
        for text in ["a", "a.b.c", "AZaz09-._~+/", "YQ==", "a="] {
            assert!(fits(text), "{text}");
        }
        for text in ["=", "==", "=a", "a=b", "a b", "a,b", "a\tb", "a\"b", "{}", "caf\u{e9}", "a\u{0}"] {
            assert!(!fits(text), "{text:?}");
        }
    }

    #[test]
    fn every_byte_is_classified_as_its_grammar_says() {
        for byte in 0..=u8::MAX {
            let token68 = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(from_token68(byte) == 0, token68, "{byte:#x}");
            assert_eq!(from_base64url_and_dot(byte) == 0, token68 && !b"~+".contains(&byte), "{byte:#x}");
            assert_eq!(from_field(byte) == 0, byte.is_ascii_graphic() && byte != b',', "{byte:#x}");
            let octet = byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
            assert_eq!(from_cookie_octet(byte) == 0, octet, "{byte:#x}");
            let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert_eq!(from_unreserved(byte) == 0, unreserved, "{byte:#x}");
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token_byte(byte), token, "{byte:#x}");
        }
    }
}
