//! Strings, most of which have neither escapes nor much length.

use super::plain::{Spelling, plain};
use super::scan::{Fault, Scanner};

/// A string of the text: the places of what lies between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

impl Scanner<'_, '_> {
    /// The string whose opening quote stands at `at`.
    #[expect(clippy::inline_always, reason = "most of reading a token is this, and a call takes half as long again")]
    #[inline(always)]
    pub(super) fn string(&self, at: usize) -> Result<Found, Fault> {
        let start = at + 1;
        if self.spelling == Spelling::Simple {
            let end = plain(self.bytes, start, Spelling::Simple);
            let found = Found { start, end, escaped: false };
            return if end < self.bytes.len() { Ok(found) } else { Err(Fault::Grammar) };
        }
        let end = plain(self.bytes, start, Spelling::Any);
        if self.byte(end) == b'"' {
            return Ok(Found { start, end, escaped: false });
        }
        Ok(Found { start, end: self.rest_of_string(end)?, escaped: true })
    }

    /// Goes on from the first escape of a string; answers where the closing quote stands.
    #[cold]
    fn rest_of_string(&self, mut at: usize) -> Result<usize, Fault> {
        loop {
            match self.byte(at) {
                b'"' => return Ok(at),
                b'\\' => at = plain(self.bytes, self.escape(at)?, Spelling::Any),
                _ => return Err(Fault::Grammar),
            }
        }
    }

    /// The place behind the escape whose backslash stands at `at`.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        match self.byte(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => match self.four_hex(at + 2)? {
                // half of a pair stands for no character, and no reader could show it as UTF-8
                0xd800..=0xdbff if self.bytes.get(at + 6..at + 8) == Some(b"\\u") => match self.four_hex(at + 8)? {
                    0xdc00..=0xdfff => Ok(at + 12),
                    _ => Err(Fault::Grammar),
                },
                0xd800..=0xdfff => Err(Fault::Grammar),
                _ => Ok(at + 6),
            },
            _ => Err(Fault::Grammar),
        }
    }

    fn four_hex(&self, at: usize) -> Result<u32, Fault> {
        let digits = self.bytes.get(at..at + 4).ok_or(Fault::Grammar)?;
        digits.iter().try_fold(0, |sum, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Fault::Grammar)?;
            Ok(sum << 4 | digit)
        })
    }
}
