//! The identifier that ties a client's report to a log line.

use std::fmt::Write;
use std::sync::Arc;

use crate::request::{Field, RequestHead};

/// Which requests carry an identifier.
///
/// A refusal always does: in its `x-request-id` field, in its log line, and in the bodies that have room for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestIds {
    /// Refusals alone, the default: an admitted request costs nothing for it.
    #[default]
    OnRefusal,
    /// Every request, so that the service behind the gate can log the same identifier.
    Always,
}

/// What an identifier sent by a client may be at most: enough for a UUID or a trace id, too little to fill a log.
const LONGEST: usize = 128;

/// The identifier that the request brought along, if it is harmless, or a fresh one of 128 random bits.
pub(crate) fn request_id(head: &RequestHead<'_>) -> Arc<str> {
    match head.field("x-request-id") {
        Field::Once(value) if is_harmless(value) => std::str::from_utf8(value).map_or_else(|_| fresh(), Arc::from),
        _ => fresh(),
    }
}

/// Letters, digits and the marks that identifiers are made with: nothing that means something to a log, a shell or a
/// page.
fn is_harmless(value: &[u8]) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte))
}

fn fresh() -> Arc<str> {
    let mut random = [0; 16];
    // Without randomness the identifier is all zeros: a report is then harder to find, and nothing worse.
    let _ = aws_lc_rs::rand::fill(&mut random);
    let mut text = String::with_capacity(4 + 2 * random.len());
    text.push_str("req_");
    for byte in random {
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s16_an_identifier_that_could_forge_a_line_is_replaced() {
        for (sent, kept) in [("abc-123", true), ("a b", false), ("a\nb", false), ("", false), ("\u{1b}[31m", false)] {
            let headers = [("x-request-id", sent)];
            let id = request_id(&RequestHead::new("GET", "/", &headers));
            assert_eq!(&*id == sent, kept, "{sent:?}");
        }
    }

    #[test]
    fn fresh_identifiers_differ() {
        assert_ne!(fresh(), fresh());
    }
}
