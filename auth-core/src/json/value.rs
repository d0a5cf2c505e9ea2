//! Views on the values of a text that the scanner has accepted.

use std::borrow::Cow;

use super::plain::{Spelling, plain};

/// What lies between the quotes of a JSON string.
#[derive(Clone, Copy)]
pub(crate) struct Text<'t> {
    inside: &'t str,
    escaped: bool,
}

impl<'t> Text<'t> {
    pub(super) fn scanned(inside: &'t str, escaped: bool) -> Self {
        Self { inside, escaped }
    }

    /// The text that the string stands for, where no escapes stand in it. It has no control characters then.
    pub(crate) fn plain(self) -> Option<&'t str> {
        (!self.escaped).then_some(self.inside)
    }

    /// The text that the string stands for; allocates only where there are escapes.
    #[inline]
    pub(crate) fn decode(self) -> Cow<'t, str> {
        if self.escaped { unescape(self.inside).into() } else { self.inside.into() }
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        if self.escaped { self.decode() == other } else { self.inside == other }
    }
}

fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, length) = unescape_hex(escape);
                text.push(character);
                rest = escape.get(length..).unwrap_or_default();
                continue;
            }
            Some(itself) => text.push(itself),
            None => {}
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    text
}

/// The character of `uXXXX` or `uXXXX\uXXXX`, and how much of the text that is.
fn unescape_hex(escape: &str) -> (char, usize) {
    let unit = |at: usize| escape.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or_default();
    match unit(1) {
        high @ 0xd800..=0xdbff => {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (unit(7).wrapping_sub(0xdc00) & 0x3ff);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        code => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
    }
}

/// One value of a scanned text, without white space around it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'t> {
    text: &'t str,
    /// What is known of the text around.
    spelling: Spelling,
    items: Items,
}

/// What is known of a value that may be an array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Items {
    #[default]
    Unknown,
    /// It is an array of strings and of nothing else.
    Strings,
}

impl<'t> Value<'t> {
    /// A text that the scanner has accepted, without white space around it.
    pub(super) fn scanned(text: &'t str, spelling: Spelling) -> Self {
        Self { text, spelling, items: Items::Unknown }
    }

    pub(super) fn with(self, items: Items) -> Self {
        Self { items, ..self }
    }

    /// An object that the scanner has accepted, some time ago.
    pub(crate) fn object(text: &'t str) -> Self {
        Self::scanned(text, Spelling::Any)
    }

    /// Whether it is known that nothing but printable ASCII stands in it, and no escape.
    pub(crate) fn is_simple(self) -> bool {
        self.spelling == Spelling::Simple
    }

    /// The value as it stands in the text.
    pub(crate) fn raw(self) -> &'t str {
        self.text
    }

    /// The string that the value is, if it is one.
    pub(crate) fn as_text(self) -> Option<Text<'t>> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(Text::scanned(inside, !self.is_simple() && inside.contains('\\')))
    }

    /// The string that the value is, where it is one of more than nothing and known to be without escapes.
    #[inline]
    pub(crate) fn plain(self) -> Option<&'t str> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        (self.is_simple() && !inside.is_empty()).then_some(inside)
    }

    pub(crate) fn as_str(self) -> Option<Cow<'t, str>> {
        self.as_text().map(Text::decode)
    }

    pub(crate) fn is_null(self) -> bool {
        self.text == "null"
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The text of the number that the value is, if it is one.
    pub(crate) fn as_number(self) -> Option<&'t str> {
        matches!(self.text.as_bytes(), [b'-' | b'0'..=b'9', ..]).then_some(self.text)
    }

    /// The value of that member, where this value is an object and has it.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.members()?.find(|(found, _)| *found == *name).map(|(_, value)| value)
    }

    /// The members, where this value is an object.
    pub(crate) fn members(self) -> Option<impl Iterator<Item = (Text<'t>, Self)>> {
        let mut rest = Rest { text: self.text.strip_prefix('{')?, spelling: self.spelling };
        Some(std::iter::from_fn(move || {
            let name = rest.next_value()?.as_text()?;
            Some((name, rest.next_value()?))
        }))
    }

    /// Whether the value is an array of strings and of nothing else.
    pub(crate) fn is_all_strings(self) -> bool {
        self.items == Items::Strings || self.visit_strings(|_| {})
    }

    /// Visits the strings of an array in order; answers whether the value is an array of strings and of nothing else.
    ///
    /// Lists of permissions and roles are the longest part of a usual token, so they are worth a walk of their own.
    pub(crate) fn visit_strings(self, mut visit: impl FnMut(Text<'t>)) -> bool {
        let bytes = self.text.as_bytes();
        if bytes.first() != Some(&b'[') {
            return false;
        }
        let mut at = 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    let start = at + 1;
                    let mut end = plain(bytes, start, self.spelling);
                    let escaped = bytes.get(end) == Some(&b'\\');
                    if escaped {
                        end = string_end(bytes, at).unwrap_or(bytes.len()).saturating_sub(1);
                    }
                    visit(Text { inside: self.text.get(start..end).unwrap_or_default(), escaped });
                    at = end + 1;
                }
                Some(b',' | b' ' | b'\t' | b'\n' | b'\r') => at += 1,
                end => return end == Some(&b']') && at + 1 == bytes.len(),
            }
        }
    }

    /// The items, where this value is an array.
    pub(crate) fn items(self) -> Option<impl Iterator<Item = Self> + use<'t>> {
        let mut rest = Rest { text: self.text.strip_prefix('[')?, spelling: self.spelling };
        Some(std::iter::from_fn(move || rest.next_value()))
    }
}

/// The rest of an array or object, up to its last bracket. The text was scanned, so that it is enough to find the ends
/// of values.
struct Rest<'t> {
    text: &'t str,
    spelling: Spelling,
}

impl<'t> Rest<'t> {
    fn next_value(&mut self) -> Option<Value<'t>> {
        let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        let start = self.text.bytes().position(|byte| !between(&byte))?;
        let text = self.text.get(start..)?;
        let end = match text.as_bytes().first()? {
            b']' | b'}' => return None,
            b'"' => string_end(text.as_bytes(), 0)?,
            b'[' | b'{' => nested_end(text.as_bytes())?,
            _ => text.bytes().position(|byte| between(&byte) || matches!(byte, b']' | b'}'))?,
        };
        let (value, rest) = text.split_at_checked(end)?;
        self.text = rest;
        Some(Value::scanned(value, self.spelling))
    }
}

/// The place behind the string whose opening quote stands at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at = plain(bytes, at, Spelling::Any);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// The place behind the array or object that begins the text.
fn nested_end(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'[' | b'{' => open += 1,
            b']' | b'}' if open == 1 => return Some(at + 1),
            b']' | b'}' => open -= 1,
            _ => {}
        }
        at += 1;
    }
}
