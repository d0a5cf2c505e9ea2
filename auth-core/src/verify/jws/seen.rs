//! Headers that were read before.
//!
//! An issuer writes the same header into all its tokens, one for each of its keys. Reading it again for every token
//! would take a tenth of what reading the token takes.

use std::fmt;
use std::sync::OnceLock;

use super::Header;

/// The first few headers of tokens that were found good. Strangers cannot fill it, since it takes a good signature.
#[derive(Default)]
pub(crate) struct SeenHeaders([OnceLock<Seen>; Self::MOST]);

struct Seen {
    encoded: Box<[u8]>,
    header: Header<'static>,
}

impl SeenHeaders {
    /// As many as a few issuers have keys in use; further headers are read each time.
    const MOST: usize = 8;

    /// Headers that are longer say more than usual, and are read each time.
    const LONGEST: usize = 256;

    /// What the header with that encoding says, if it was seen.
    pub(crate) fn find(&self, encoded: &[u8]) -> Option<&Header<'static>> {
        let mut seen = self.0.iter().map_while(OnceLock::get);
        seen.find(|seen| *seen.encoded == *encoded).map(|seen| &seen.header)
    }

    /// Keeps the header of a token that was found good.
    #[cold]
    pub(crate) fn keep(&self, encoded: &[u8], header: &Header<'_>) {
        if encoded.len() > Self::LONGEST {
            return;
        }
        for place in &self.0 {
            // whoever else finds the place free meanwhile keeps its own there
            let seen = place.get_or_init(|| Seen { encoded: encoded.into(), header: header.to_owned() });
            if *seen.encoded == *encoded {
                return;
            }
        }
    }
}

impl fmt::Debug for SeenHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.0.iter().filter_map(OnceLock::get).map(|seen| &seen.header);
        f.debug_list().entries(headers).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Members;

    #[test]
    fn a_header_is_found_by_its_exact_encoding_and_says_what_it_said() {
        let seen = SeenHeaders::default();
        let mut members = Members::new();
        let header = Header::read(br#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#, &mut members).expect("a good header");
        assert!(seen.find(b"one").is_none());
        seen.keep(b"one", &header);
        let found = seen.find(b"one").expect("the header that was kept");
        assert_eq!((found.algorithm, &found.key_id, &found.typ), (header.algorithm, &header.key_id, &header.typ));
        assert!(seen.find(b"on").is_none() && seen.find(b"one1").is_none());
    }

    #[test]
    fn only_so_many_are_kept_and_each_once() {
        let seen = SeenHeaders::default();
        let header = Header { algorithm: None, key_id: None, typ: None };
        for number in 0..2 * SeenHeaders::MOST {
            seen.keep(format!("header {number}").as_bytes(), &header);
            seen.keep(b"header 0", &header);
        }
        seen.keep(&[b'A'; SeenHeaders::LONGEST + 1], &header);
        let kept = (0..100).filter(|number| seen.find(format!("header {number}").as_bytes()).is_some());
        assert_eq!(kept.collect::<Vec<_>>(), (0..SeenHeaders::MOST).collect::<Vec<_>>());
    }
}
