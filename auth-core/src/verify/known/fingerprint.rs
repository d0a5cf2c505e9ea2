//! The keyed fingerprint of a text.
//!
//! Two texts with the same fingerprint would be one credential to us, so nobody may be able to find such a pair. The
//! fingerprint is the tag of AES-128-GCM over the text, with a key that is made when the table is made. That function
//! (GHASH, NIST SP 800-38D) is almost universal: for a text of 8 KiB, two texts that are chosen without knowledge of
//! the key and of any tag share one with a probability of at most 2^-119. Tags never leave the process, which is also why one
//! nonce for all texts is no fault here: what its repetition gives away, it gives away to whoever sees tags.
//!
//! It takes a third of the time of SHA-256 over a usual token.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// What stands for a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Chooses the set.
    pub(super) place: u64,
    /// Tells the entries of a set apart, together with the place.
    pub(super) tag: u64,
}

/// Makes fingerprints under one key.
pub(crate) struct Fingerprints(LessSafeKey);

impl Fingerprints {
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn new() -> Result<Self, Unspecified> {
        let mut key = [0; 16];
        rand::fill(&mut key)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?)))
    }

    /// Nothing where the library fails, which leaves the text unknown.
    pub(crate) fn of(&self, text: &str) -> Option<Fingerprint> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(text.as_bytes()), &mut []).ok()?;
        let (place, tag) = tag.as_ref().split_first_chunk::<8>()?;
        Some(Fingerprint { place: u64::from_le_bytes(*place), tag: u64::from_le_bytes(*tag.first_chunk()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j39_every_byte_and_the_length_count_and_every_table_has_its_own_key() {
        let (ours, theirs) = (Fingerprints::new().expect("random bytes"), Fingerprints::new().expect("random bytes"));
        let text = "x".repeat(700);
        let known = ours.of(&text);
        assert!(known == ours.of(&text) && known.is_some());
        assert!(known != theirs.of(&text));
        assert!(known != ours.of(&text[1..]));
        assert!(known != ours.of(&format!("{text}\0")));
        for at in 0..text.len() {
            let mut other = text.clone();
            other.replace_range(at..=at, "y");
            assert!(known != ours.of(&other), "{at}");
        }
    }
}
