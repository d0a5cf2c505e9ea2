//! The compact serialisation (RFC 7515 section 7.1): three parts in base64url, and one spelling for each token.

use std::sync::LazyLock;

use base64::Engine;

use super::JwsFault;

/// The longest token that is read, unless configured otherwise: what fits into the header limit of common servers.
pub(crate) const MAX_LENGTH: usize = 8 * 1024;

/// Room for the decoded parts of one token. Most tokens fit without an allocation.
pub(crate) struct Scratch {
    short: [u8; Self::SHORT],
    long: Vec<u8>,
}

impl Scratch {
    const SHORT: usize = 2048;

    pub(crate) fn new() -> Self {
        Self { short: [0; Self::SHORT], long: Vec::new() }
    }

    fn room(&mut self, len: usize) -> &mut [u8] {
        if len <= Self::SHORT {
            return &mut self.short;
        }
        self.long.resize(len, 0);
        &mut self.long
    }
}

/// A token whose parts have been decoded; nothing of it is to be believed yet.
pub(crate) struct Compact<'t, 's> {
    /// What the signature covers: the first two parts as they came.
    pub(crate) signed: &'t [u8],
    pub(crate) header: &'s [u8],
    pub(crate) payload: &'s [u8],
    pub(crate) signature: &'s [u8],
}

impl<'t, 's> Compact<'t, 's> {
    /// Reads the token, in the order in which that is cheapest to refuse: length, parts, alphabet.
    pub(crate) fn read(text: &'t str, max_length: usize, scratch: &'s mut Scratch) -> Result<Self, JwsFault> {
        if text.len() > max_length {
            return Err(JwsFault::TooLong);
        }
        let (signed, header, payload, signature) = parts(text).ok_or(JwsFault::Malformed)?;
        let room = scratch.room(text.len());
        let (header, room) = decode(header, room)?;
        let (payload, room) = decode(payload, room)?;
        let (signature, _) = decode(signature, room)?;
        Ok(Self { signed: signed.as_bytes(), header, payload, signature })
    }
}

/// The signed text, header, payload and signature, found from both ends because the payload is the longest part. Any
/// further dot is left in the payload, where the alphabet refuses it.
fn parts(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    Some((signed, header, payload, signature))
}

/// The engine for base64url without padding; the one that looks at many characters at once takes a quarter of the time
/// over a usual payload, and exists for these processors.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::general_purpose::URL_SAFE_NO_PAD);

/// Decodes into the front of the room and answers that and the room behind it.
///
/// The engine refuses padding, foreign characters and stray bits in the last character (RFC 7515 section 2, RFC 4648
/// section 3.5), so that a token has one spelling only and cannot walk round a list of revoked texts.
fn decode<'s>(part: &str, room: &'s mut [u8]) -> Result<(&'s [u8], &'s mut [u8]), JwsFault> {
    let len = BASE64URL.decode_slice(part, room).map_err(|_| JwsFault::Malformed)?;
    let (decoded, room) = room.split_at_mut_checked(len).ok_or(JwsFault::Malformed)?;
    Ok((decoded, room))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        /// The engine in use against the plain one, which is strict by its documentation.
        #[test]
        fn j9_both_engines_accept_the_same_texts(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            slips in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9_=+/ .\u{e9}-]"), 0..2),
        ) {
            let mut text = URL_SAFE_NO_PAD.encode(bytes);
            for (at, slip) in slips {
                text.insert_str(at.index(text.len() + 1).min(text.len()), &slip);
                if !text.is_ascii() {
                    break;
                }
            }
            let mut room = [0; 256];
            let ours = decode(&text, &mut room).ok().map(|(decoded, _)| decoded.to_vec());
            prop_assert_eq!(ours, URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
