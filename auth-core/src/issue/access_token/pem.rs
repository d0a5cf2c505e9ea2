//! Private keys as text: PKCS #8 in PEM (RFC 7468 section 10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The text of a key in DER.
pub(super) fn encode(der: &[u8]) -> Secret {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    // room for all of it at once: growing would leave copies of a part behind in freed memory
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + BEGIN.len() + END.len() + 4);
    text.push_str(BEGIN);
    text.push('\n');
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push('\n');
    Secret::from(text)
}

/// The DER of a text that holds one key; `None` where it holds something else.
pub(super) fn decode(text: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.expose_text()?.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let compact: Zeroizing<Vec<u8>> = Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    STANDARD.decode(&*compact).ok().map(Zeroizing::new)
}
