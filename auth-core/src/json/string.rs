//! Strings, most of which have neither escapes nor much length.

use super::object::Span;
use super::scan::{Fault, Scanner};

impl Scanner<'_, '_> {
    /// A string; answers what lies between the quotes, and whether there are escapes in it.
    #[inline]
    pub(super) fn string(&mut self) -> Result<(Span, bool), Fault> {
        self.expect(b'"')?;
        let start = self.at;
        self.at = plain(self.bytes, start);
        let escaped = self.peek() != Some(b'"');
        if escaped {
            self.rest_of_string()?;
        }
        let inside = Span::new(start, self.at);
        self.at += 1;
        Ok((inside, escaped))
    }

    /// What comes in a string from its first escape on, up to the closing quote.
    #[cold]
    fn rest_of_string(&mut self) -> Result<(), Fault> {
        loop {
            match self.peek() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                _ => return Err(Fault::Grammar),
            }
            self.at = plain(self.bytes, self.at);
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 2;
        match self.bytes.get(self.at - 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => match self.four_hex()? {
                // half of a pair stands for no character, and no reader could show it as UTF-8
                0xd800..=0xdbff if self.bytes.get(self.at..self.at + 2) == Some(b"\\u") => {
                    self.at += 2;
                    if matches!(self.four_hex()?, 0xdc00..=0xdfff) { Ok(()) } else { Err(Fault::Grammar) }
                }
                0xd800..=0xdfff => Err(Fault::Grammar),
                _ => Ok(()),
            },
            _ => Err(Fault::Grammar),
        }
    }

    fn four_hex(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Fault::Grammar)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Fault::Grammar)?;
            Ok(sum << 4 | digit)
        })
    }
}

/// Where the first quote, backslash or control character at or behind `at` is, looking at eight bytes at a time; the
/// end of the bytes where there is none.
#[inline]
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        // subtracting borrows into the high bit of a byte that is too small; bytes of 0x80 and more never count
        let control = word.wrapping_sub(ONES * 0x20);
        let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
        let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        let found = (control | quote | backslash) & !word & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let stops = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(stops).unwrap_or(rest.len())
}
