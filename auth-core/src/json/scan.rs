//! The scanner: one pass over the text, without recursion beyond a bound and normally without an allocation.

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

/// The object that a text consists of, with its members at hand.
#[derive(Clone, Copy)]
pub(crate) struct Object<'t, 'm> {
    text: &'t str,
    members: &'m Members,
}

impl<'t, 'm> Object<'t, 'm> {
    /// Scans a text that must be one object. What was in `members` before is forgotten.
    pub(crate) fn read(text: &'t str, members: &'m mut Members) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(text, Repeats::Refuse, members)?;
        scanner.white_space();
        scanner.expect(b'{')?;
        scanner.object(1)?;
        scanner.end()?;
        Ok(Self { text, members })
    }

    /// The value of the member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'t>> {
        let entry = self.members.find(0, self.text, fingerprint(name.as_bytes()), name)?;
        Some(Value::scanned(entry.value.of(self.text)))
    }

    /// The members in the order of the text.
    pub(crate) fn members(self) -> impl Iterator<Item = (Text<'t>, Value<'t>)> + use<'t, 'm> {
        self.members.all().map(move |entry| (entry.name(self.text), Value::scanned(entry.value.of(self.text))))
    }
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

/// Where something lies in the text. Offsets of 32 bits halve what the scanner carries about.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[expect(clippy::cast_possible_truncation, reason = "the scanner takes no text of more than 32 bits")]
    fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Default)]
struct Entry {
    fingerprint: u64,
    name: Span,
    value: Span,
    escaped: bool,
}

impl Entry {
    fn name<'t>(&self, text: &'t str) -> Text<'t> {
        Text::scanned(self.name.of(text), self.escaped)
    }
}

/// The members of the object that was read last.
///
/// While a text is read, this holds the members of all objects that are open, the outermost lowest. It is passed in, so
/// that it lies where the caller is and does not have to be moved out of the scanner.
pub(crate) struct Members {
    inline: [Entry; Self::INLINE],
    spilled: Vec<Entry>,
    len: usize,
}

impl Members {
    /// Tokens rarely have more; those that do cost an allocation.
    const INLINE: usize = 20;

    pub(crate) fn new() -> Self {
        Self { inline: [Entry::default(); Self::INLINE], spilled: Vec::new(), len: 0 }
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.inline.iter().take(self.len).chain(&self.spilled)
    }

    fn push(&mut self, entry: Entry) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = entry,
            None => self.spilled.push(entry),
        }
        self.len += 1;
    }

    fn truncate(&mut self, len: usize) {
        self.spilled.truncate(len.saturating_sub(Self::INLINE));
        self.len = len;
    }

    fn set_value(&mut self, at: usize, value: Span) {
        let entry = if at < Self::INLINE { self.inline.get_mut(at) } else { self.spilled.get_mut(at - Self::INLINE) };
        if let Some(entry) = entry {
            entry.value = value;
        }
    }

    /// The member of that name among those from `base` upwards.
    fn find(&self, base: usize, text: &str, fingerprint: u64, name: &str) -> Option<&Entry> {
        let low = self.inline.get(base..self.len.min(Self::INLINE)).unwrap_or_default();
        let high = self.spilled.get(base.saturating_sub(Self::INLINE)..).unwrap_or_default();
        let same = |entry: &&Entry| entry.fingerprint == fingerprint && entry.name(text) == *name;
        low.iter().find(same).or_else(|| high.iter().find(same))
    }
}

/// A number that equal names share and different names rarely do, made of the length and both ends of the name.
fn fingerprint(name: &[u8]) -> u64 {
    let length = (name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if let (Some(head), Some(tail)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        return u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29) ^ length;
    }
    if let (Some(head), Some(tail)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*head)) ^ u64::from(u32::from_le_bytes(*tail)) << 32 ^ length;
    }
    name.iter().fold(length, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte))
}

struct Scanner<'t, 'm> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    members: &'m mut Members,
    repeats: Repeats,
}

impl<'t, 'm> Scanner<'t, 'm> {
    fn new(text: &'t str, repeats: Repeats, members: &'m mut Members) -> Result<Self, Fault> {
        u32::try_from(text.len()).map_err(|_| Fault::Excess)?;
        members.truncate(0);
        Ok(Self { text, bytes: text.as_bytes(), at: 0, members, repeats })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(Fault::Grammar);
        }
        self.at += 1;
        Ok(())
    }

    fn white_space(&mut self) {
        // tokens rarely have any, and one comparison tells
        while let Some(byte) = self.peek().filter(|byte| *byte <= b' ') {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return;
            }
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
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
    fn object(&mut self, depth: usize) -> Result<(), Fault> {
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

    /// A string; answers what lies between the quotes, and whether there are escapes in it.
    #[inline]
    fn string(&mut self) -> Result<(Span, bool), Fault> {
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
