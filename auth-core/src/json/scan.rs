//! The scanner: one pass over the text, without recursion beyond a bound and normally without an allocation.

use std::borrow::Cow;

use super::name::{Fingerprint, Name};
use super::object::{Entry, Members, Span};
use super::plain::{Spelling, quotes};
use super::string::Found;
use super::value::{Items, Text, Value};

/// How deep arrays and objects may nest. Claims nest a handful of levels; the bound keeps a hostile text from spending
/// our stack.
const MAX_DEPTH: usize = 32;

/// How many members one object may have. Looking for duplicates compares each name with those before it, which is the
/// fastest way for the dozen members that objects have, and must not become a lever for those with thousands.
const MAX_MEMBERS: usize = 256;

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not one JSON value of RFC 8259, or one that `serde_json` could not represent.
    Grammar,
    /// Two members of one object have the same name.
    Duplicate,
    /// Nested deeper, or with more members in one object, than any token or key has.
    Excess,
}

/// What to do with a name that occurs twice in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Refuse the text.
    Refuse,
    /// Take it; for a set of keys, where each key is scanned on its own later so that one bad key spoils only itself.
    Allow,
}

/// Scans a text that may be any one value.
pub(crate) fn check(text: &str, repeats: Repeats) -> Result<Value<'_>, Fault> {
    let mut members = Members::new();
    let mut scanner = Scanner::new(text, repeats, &mut members)?;
    let (_, start) = scanner.next(0);
    let end = scanner.value(start, 0)?;
    scanner.end(end)?;
    Ok(Value::scanned(Span::new(start, end).of(text), scanner.spelling))
}

/// What the scan of one text shares. Where it has come to is passed from call to call, so that it stays in a register.
pub(super) struct Scanner<'t, 'm> {
    text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) spelling: Spelling,
    members: &'m mut Members,
    repeats: Repeats,
    /// Of the array that was left last.
    items: Items,
}

impl<'t, 'm> Scanner<'t, 'm> {
    pub(super) fn new(text: &'t str, repeats: Repeats, members: &'m mut Members) -> Result<Self, Fault> {
        u32::try_from(text.len()).map_err(|_| Fault::Excess)?;
        members.truncate(0);
        let bytes = text.as_bytes();
        Ok(Self { text, bytes, spelling: Spelling::of(bytes), members, repeats, items: Items::Unknown })
    }

    /// The byte at that place; behind the end a zero, which the grammar has no use for anywhere.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The first byte at or behind `at` that is no white space, and its place.
    #[inline]
    pub(super) fn next(&self, at: usize) -> (u8, usize) {
        // tokens rarely have any, and one comparison tells
        let byte = self.byte(at);
        if byte > b' ' { (byte, at) } else { self.behind_white_space(at) }
    }

    #[cold]
    fn behind_white_space(&self, mut at: usize) -> (u8, usize) {
        while matches!(self.byte(at), b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
        }
        (self.byte(at), at)
    }

    /// Only white space may be left.
    pub(super) fn end(&self, at: usize) -> Result<(), Fault> {
        if self.next(at).1 == self.bytes.len() { Ok(()) } else { Err(Fault::Grammar) }
    }

    /// One value that begins at `at` and that `depth` arrays and objects enclose; answers the place behind it.
    #[inline]
    fn value(&mut self, at: usize, depth: usize) -> Result<usize, Fault> {
        if self.byte(at) == b'"' { Ok(self.string(at)?.end + 1) } else { self.other_value(at, depth) }
    }

    /// A value that is no string.
    fn other_value(&mut self, at: usize, depth: usize) -> Result<usize, Fault> {
        match self.byte(at) {
            b'{' => {
                let base = self.members.len;
                let end = self.object(at + 1, depth + 1)?;
                self.members.truncate(base);
                Ok(end)
            }
            b'[' => self.array(at + 1, depth + 1),
            b't' => self.literal(at, b"true"),
            b'f' => self.literal(at, b"false"),
            b'n' => self.literal(at, b"null"),
            _ => self.number(at),
        }
    }

    fn literal(&self, at: usize, word: &[u8]) -> Result<usize, Fault> {
        let end = at + word.len();
        if self.bytes.get(at..end) == Some(word) { Ok(end) } else { Err(Fault::Grammar) }
    }

    /// The items of an array whose bracket has been read.
    fn array(&mut self, at: usize, depth: usize) -> Result<usize, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Excess);
        }
        let (first, mut at) = self.next(at);
        let mut items = Items::Strings;
        if first == b']' {
            self.items = items;
            return Ok(at + 1);
        }
        loop {
            let (first, start) = self.next(at);
            let end = if first == b'"' {
                self.string(start)?.end + 1
            } else {
                items = Items::Unknown;
                self.other_value(start, depth)?
            };
            match self.next(end) {
                (b',', comma) => at = comma + 1,
                (b']', bracket) => {
                    self.items = items;
                    return Ok(bracket + 1);
                }
                _ => return Err(Fault::Grammar),
            }
        }
    }

    /// The members of an object whose brace has been read; they stay on the stack.
    pub(super) fn object(&mut self, at: usize, depth: usize) -> Result<usize, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Excess);
        }
        let base = self.members.len;
        let mut seen = 0;
        let (first, mut at) = self.next(at);
        if first == b'}' {
            self.members.seen = seen;
            return Ok(at + 1);
        }
        loop {
            let (b'"', quote) = self.next(at) else { return Err(Fault::Grammar) };
            let (name, fingerprint) = self.name(quote)?;
            self.admit(name, fingerprint, base, &mut seen)?;
            let (b':', colon) = self.next(name.end + 1) else { return Err(Fault::Grammar) };
            let (first, start) = self.next(colon + 1);
            let end = if first == b'"' { self.string(start)?.end + 1 } else { self.other_value(start, depth)? };
            if self.repeats == Repeats::Refuse {
                let Some(place) = self.members.add() else { return Err(Fault::Excess) };
                let items = if first == b'[' { self.items } else { Items::Unknown };
                let (name, escaped, value) = (Span::new(name.start, name.end), name.escaped, Span::new(start, end));
                *place = Entry { fingerprint, name, value, escaped, items };
            }
            match self.next(end) {
                (b',', comma) => at = comma + 1,
                (b'}', brace) => {
                    self.members.seen = seen;
                    return Ok(brace + 1);
                }
                _ => return Err(Fault::Grammar),
            }
        }
    }

    /// The name whose opening quote stands at `at`, and its fingerprint.
    #[inline]
    fn name(&self, at: usize) -> Result<(Found, Fingerprint), Fault> {
        let start = at + 1;
        // most names are short, and then the word in which the end is found is all that there is to read
        if self.spelling == Spelling::Simple
            && let Some(word) = self.bytes.get(start..).and_then(<[u8]>::first_chunk::<8>)
        {
            let word = u64::from_le_bytes(*word);
            let quotes = quotes(word);
            if quotes != 0 {
                let length = quotes.trailing_zeros() as usize / 8;
                let name = Found { start, end: start + length, escaped: false };
                return Ok((name, Fingerprint::of_word(word, length)));
            }
        }
        let name = self.string(at)?;
        let fingerprint = if name.escaped {
            Fingerprint::of(self.decoded(name).as_bytes())
        } else {
            Fingerprint::of(self.bytes.get(name.start..name.end).unwrap_or_default())
        };
        Ok((name, fingerprint))
    }

    /// Refuses a member's name where the object that starts at `base` has it already.
    ///
    /// `seen` has a bit for each name so far; only where the bit is set is there anything to find.
    #[inline]
    fn admit(&self, name: Found, fingerprint: Fingerprint, base: usize, seen: &mut u64) -> Result<(), Fault> {
        if self.repeats == Repeats::Allow {
            return Ok(());
        }
        if self.members.len - base >= MAX_MEMBERS {
            return Err(Fault::Excess);
        }
        if *seen & fingerprint.bit() != 0 {
            let name = self.decoded(name);
            if self.members.find(base, self.text, Name::known(&name, fingerprint)).is_some() {
                return Err(Fault::Duplicate);
            }
        }
        *seen |= fingerprint.bit();
        Ok(())
    }

    #[cold]
    fn decoded(&self, name: Found) -> Cow<'t, str> {
        Text::scanned(Span::new(name.start, name.end).of(self.text), name.escaped).decode()
    }

    fn number(&self, start: usize) -> Result<usize, Fault> {
        let mut at = start + usize::from(self.byte(start) == b'-');
        at = if self.byte(at) == b'0' { at + 1 } else { self.digits(at)? };
        if self.byte(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        let exponent = matches!(self.byte(at), b'e' | b'E');
        if exponent {
            let sign = matches!(self.byte(at + 1), b'+' | b'-');
            at = self.digits(at + 1 + usize::from(sign))?;
        }
        // only an exponent or hundreds of digits can leave the range of a double
        if (exponent || at - start > 300) && !self.is_finite(start, at) {
            return Err(Fault::Grammar);
        }
        Ok(at)
    }

    /// One digit or more; answers the place behind them.
    fn digits(&self, start: usize) -> Result<usize, Fault> {
        let mut at = start;
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(Fault::Grammar) }
    }

    fn is_finite(&self, start: usize, end: usize) -> bool {
        let number = self.text.get(start..end).map(str::parse::<f64>);
        matches!(number, Some(Ok(number)) if number.is_finite())
    }
}
