//! The scanner: one pass over the text, without recursion beyond a bound and normally without an allocation.

use super::object::{Entry, Members, Span, fingerprint};
use super::value::{Text, Value};

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
    scanner.white_space();
    let value = scanner.value(0)?;
    scanner.end()?;
    Ok(Value::scanned(value.of(text)))
}

pub(super) struct Scanner<'t, 'm> {
    text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    members: &'m mut Members,
    repeats: Repeats,
}

impl<'t, 'm> Scanner<'t, 'm> {
    pub(super) fn new(text: &'t str, repeats: Repeats, members: &'m mut Members) -> Result<Self, Fault> {
        u32::try_from(text.len()).map_err(|_| Fault::Excess)?;
        members.truncate(0);
        Ok(Self { text, bytes: text.as_bytes(), at: 0, members, repeats })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(Fault::Grammar);
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn white_space(&mut self) {
        // tokens rarely have any, and one comparison tells
        while let Some(byte) = self.peek().filter(|byte| *byte <= b' ') {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return;
            }
            self.at += 1;
        }
    }

    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.white_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Fault::Grammar) }
    }

    /// One value that `depth` arrays and objects enclose.
    fn value(&mut self, depth: usize) -> Result<Span, Fault> {
        let start = self.at;
        match self.peek().ok_or(Fault::Grammar)? {
            b'"' => {
                self.string()?;
            }
            b'{' => {
                self.at += 1;
                let base = self.members.len;
                self.object(depth + 1)?;
                self.members.truncate(base);
            }
            b'[' => {
                self.at += 1;
                self.array(depth + 1)?;
            }
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => self.number()?,
        }
        Ok(Span::new(start, self.at))
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        let found = self.bytes.get(self.at..self.at + word.len());
        if found != Some(word) {
            return Err(Fault::Grammar);
        }
        self.at += word.len();
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Excess);
        }
        self.white_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.white_space();
            self.value(depth)?;
            self.white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(Fault::Grammar),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// The members of an object whose brace has been read; they stay on the stack.
    pub(super) fn object(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Excess);
        }
        let base = self.members.len;
        self.white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut seen = 0;
        loop {
            self.white_space();
            let place = self.name(base, &mut seen)?;
            self.white_space();
            self.expect(b':')?;
            self.white_space();
            let value = self.value(depth)?;
            self.members.set_value(place, value);
            self.white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Fault::Grammar),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a member's name and puts it on the stack, unless the object that starts at `base` has it already.
    ///
    /// `seen` has a bit for each name so far, by its fingerprint; only where the bit is set is there anything to find.
    fn name(&mut self, base: usize, seen: &mut u64) -> Result<usize, Fault> {
        let (name, escaped) = self.string()?;
        if self.repeats == Repeats::Allow {
            return Ok(usize::MAX);
        }
        let place = self.members.len;
        if place - base >= MAX_MEMBERS {
            return Err(Fault::Excess);
        }
        let fingerprint = if escaped {
            fingerprint(Text::scanned(name.of(self.text), escaped).decode().as_bytes())
        } else {
            fingerprint(self.bytes.get(name.start as usize..name.end as usize).unwrap_or_default())
        };
        let bit = 1 << (fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
        if *seen & bit != 0 {
            let decoded = Text::scanned(name.of(self.text), escaped).decode();
            if self.members.find(base, self.text, fingerprint, &decoded).is_some() {
                return Err(Fault::Duplicate);
            }
        }
        *seen |= bit;
        self.members.push(Entry { fingerprint, name, value: Span::default(), escaped });
        Ok(place)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(Fault::Grammar),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // only an exponent or hundreds of digits can leave the range of a double
        if (exponent || self.at - start > 300) && !self.is_finite(start) {
            return Err(Fault::Grammar);
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Fault::Grammar) }
    }

    fn is_finite(&self, start: usize) -> bool {
        let number = self.text.get(start..self.at).map(str::parse::<f64>);
        matches!(number, Some(Ok(number)) if number.is_finite())
    }
}
