//! The compact serialisation (RFC 7515 section 7.1): three parts in base64url, and one spelling for each token.

use std::sync::LazyLock;

use base64::Engine;

use super::JwsFault;
use crate::search;

/// The longest token that is read, unless configured otherwise: what fits into the header limit of common servers.
pub(crate) const MAX_LENGTH: usize = 8 * 1024;

/// Room for one token: its characters, and what they stand for. Most tokens fit without an allocation.
pub(crate) struct Scratch {
    /// Filled with `A`, the character for six zero bits, so that what is not written over decodes to zeros.
    characters: [u8; Self::SHORT],
    bytes: [u8; Self::SHORT / QUAD * 3],
    /// Both, for a token that is longer.
    long: Vec<u8>,
}

impl Scratch {
    /// Filling it takes time for every token, and few are longer.
    const SHORT: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { characters: [b'A'; Self::SHORT], bytes: [0; Self::SHORT / QUAD * 3], long: Vec::new() }
    }

    /// Room for parts of that length together, and for what they decode to.
    fn room(&mut self, len: usize) -> (&mut [u8], &mut [u8]) {
        let characters = len + 3 * QUAD + BLOCK + QUAD;
        if characters <= Self::SHORT {
            return (&mut self.characters, &mut self.bytes);
        }
        self.long.resize(characters + characters / QUAD * 3, b'A');
        self.long.split_at_mut(characters)
    }
}

/// How many characters stand for whole bytes.
const QUAD: usize = 4;

/// How many characters the engine decodes at once.
const BLOCK: usize = 32;

/// A token in its parts, none of which has been decoded.
pub(crate) struct Compact<'t> {
    /// What the signature covers: the first two parts as they came.
    pub(crate) signed: &'t [u8],
    pub(crate) header: &'t [u8],
    pub(crate) payload: &'t [u8],
    pub(crate) signature: &'t [u8],
}

impl<'t> Compact<'t> {
    /// Splits the token. Its length is looked at first, since that costs nothing.
    pub(crate) fn split(text: &'t [u8], max_length: usize) -> Result<Self, JwsFault> {
        if text.len() > max_length {
            return Err(JwsFault::TooLong);
        }
        let [signed, header, payload, signature] = parts(text).ok_or(JwsFault::Malformed)?;
        Ok(Self { signed, header, payload, signature })
    }
}

/// What some parts of a token stand for.
pub(crate) fn decode<'s, const N: usize>(
    parts: [&[u8]; N],
    scratch: &'s mut Scratch,
) -> Result<[&'s [u8]; N], JwsFault> {
    let len = parts.iter().map(|part| part.len()).sum();
    decode_at_once(parts, scratch.room(len)).ok_or(JwsFault::Malformed)
}

/// The signed text, header, payload and signature, found from both ends because the payload is the longest part. Any
/// further dot is left in the payload, where the alphabet refuses it.
fn parts(text: &[u8]) -> Option<[&[u8]; 4]> {
    let last = last_dot(text)?;
    let (signed, signature) = (text.get(..last)?, text.get(last + 1..)?);
    let first = search::first(b'.', signed)?;
    Some([signed, signed.get(..first)?, signed.get(first + 1..)?, signature])
}

/// A signature is long and has no dot in it, so most of it is passed over by the block.
fn last_dot(text: &[u8]) -> Option<usize> {
    let (_, blocks) = text.as_rchunks::<BLOCK>();
    let has_dot = |block: &[u8; BLOCK]| block.iter().fold(0, |dots, byte| dots | u8::from(*byte == b'.')) != 0;
    let passed = blocks.iter().rev().take_while(|block| !has_dot(block)).count();
    search::last(b'.', text.get(..text.len() - passed * BLOCK)?)
}

/// The engine for base64url without padding; the one that looks at many characters at once takes a quarter of the time
/// over a usual payload, and exists for these processors.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::general_purpose::URL_SAFE_NO_PAD);

/// Decodes the parts of a token in one go: the engine looks at [`BLOCK`] characters at once, and over short texts, as
/// most headers and signatures are, preparing takes it longer than decoding.
///
/// Each part is filled up with `A` to whole [`QUAD`]s. The engine refuses padding and foreign characters wherever they
/// stand, and what a last character says beyond whole bytes is looked for behind the part (RFC 7515 section 2, RFC 4648
/// section 3.5), so that a token has one spelling only and cannot walk round a list of revoked texts.
fn decode_at_once<'s, const N: usize>(
    parts: [&[u8]; N],
    (characters, room): (&mut [u8], &'s mut [u8]),
) -> Option<[&'s [u8]; N]> {
    let mut end = 0;
    for part in parts {
        if part.len() % QUAD == 1 {
            return None; // six bits are no byte
        }
        characters.get_mut(end..end + part.len())?.copy_from_slice(part);
        end = (end + part.len()).next_multiple_of(QUAD);
    }
    // the last quad is never part of a block
    let characters = characters.get(..end.next_multiple_of(BLOCK) + QUAD)?;
    BASE64URL.decode_slice(characters, room).ok()?;

    let mut rest = &*room;
    let mut decoded = [rest; N];
    for (part, decoded) in parts.into_iter().zip(&mut decoded) {
        let quads;
        (quads, rest) = rest.split_at_checked(part.len().div_ceil(QUAD) * 3)?;
        let stray;
        (*decoded, stray) = quads.split_at_checked(part.len() * 3 / QUAD)?;
        if stray.iter().any(|bits| *bits != 0) {
            return None;
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    fn read<'t, 's>(text: &'t str, scratch: &'s mut Scratch) -> Option<(&'t [u8], [&'s [u8]; 3])> {
        let token = Compact::split(text.as_bytes(), usize::MAX).ok()?;
        Some((token.signed, decode([token.header, token.payload, token.signature], scratch).ok()?))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        /// Against the plain engine, part by part, which is strict by its documentation.
        #[test]
        fn j9_parts_are_decoded_as_the_plain_engine_does_alone(
            parts in prop::array::uniform3(prop::collection::vec(any::<u8>(), 0..200)),
            slips in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9_=+/ .\u{e9}-]"), 0..2),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut text = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
            for (at, slip) in slips {
                text.insert_str(at.index(text.len() + 1).min(text.len()), &slip);
                if !text.is_ascii() {
                    break;
                }
            }
            if let Some(cut) = cut.filter(|_| text.is_ascii()) {
                text.remove(cut.index(text.len()));
            }
            let mut scratch = Scratch::new();
            let ours = read(&text, &mut scratch);
            let expected = text.rsplit_once('.').and_then(|(signed, signature)| {
                let (header, payload) = signed.split_once('.')?;
                let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
                Some((signed.as_bytes(), decode(header)?, decode(payload)?, decode(signature)?))
            });
            let ours = ours.map(|(signed, parts)| {
                let [header, payload, signature] = parts.map(<[u8]>::to_vec);
                (signed, header, payload, signature)
            });
            prop_assert_eq!(ours, expected);
        }
    }

    #[test]
    fn the_last_dot_is_found_wherever_it_is() {
        for len in 0..100 {
            for one in 0..=len {
                for other in 0..=len {
                    let mut text: Vec<u8> = b"/\xae\x00-".iter().copied().cycle().take(len).collect();
                    for at in [one, other] {
                        text.iter_mut().skip(at).take(1).for_each(|byte| *byte = b'.');
                    }
                    assert_eq!(last_dot(&text), text.iter().rposition(|byte| *byte == b'.'), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn j9_the_last_character_of_each_part_has_no_stray_bits() {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (place, good) in [(0, 4), (1, 4), (2, 4), (0, 16), (1, 16), (2, 16)] {
            let fits = |last: &char| {
                let mut parts = ["QUJD"; 3].map(str::to_owned);
                parts[place] = format!("{}{last}", if good == 4 { "QUJDQ" } else { "QUJDQU" });
                read(&parts.join("."), &mut Scratch::new()).is_some()
            };
            assert_eq!(ALPHABET.chars().filter(fits).count(), good, "{place}");
        }
    }

    #[test]
    fn tokens_of_any_length_have_room() {
        for len in (0..200).chain(1_200..1_500).chain([8_000, 60_000]) {
            let bytes: Vec<u8> = (0..=255).cycle().take(len).collect();
            let text = format!("e30.{}.AAAA", URL_SAFE_NO_PAD.encode(&bytes));
            let mut scratch = Scratch::new();
            let (_, parts) = read(&text, &mut scratch).expect("a good token");
            assert_eq!(parts, [&b"{}"[..], &*bytes, &[0, 0, 0][..]], "{len}");
        }
    }
}
