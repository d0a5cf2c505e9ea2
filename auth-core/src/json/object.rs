//! An object and its members, found by name without another walk through the text.

use super::scan::{Fault, Repeats, Scanner};
use super::value::{Text, Value};

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
        let (b'{', brace) = scanner.next(0) else { return Err(Fault::Grammar) };
        let end = scanner.object(brace + 1, 1)?;
        scanner.end(end)?;
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

/// Where something lies in the text. Offsets of 32 bits halve what the scanner carries about.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    #[expect(clippy::cast_possible_truncation, reason = "the scanner takes no text of more than 32 bits")]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) fingerprint: u64,
    pub(super) name: Span,
    pub(super) value: Span,
    /// Whether there are escapes in the name.
    pub(super) escaped: bool,
    /// Whether the value is a string without escapes.
    pub(super) plain: bool,
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
    pub(super) len: usize,
    /// The [`bit`]s of all names of the object that was left last.
    pub(super) seen: u64,
}

impl Members {
    /// Tokens rarely have more; those that do cost an allocation.
    const INLINE: usize = 20;

    pub(crate) fn new() -> Self {
        Self { inline: [Entry::default(); Self::INLINE], spilled: Vec::new(), len: 0, seen: 0 }
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.inline.iter().take(self.len).chain(&self.spilled)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = entry,
            None => self.spilled.push(entry),
        }
        self.len += 1;
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.spilled.truncate(len.saturating_sub(Self::INLINE));
        self.len = len;
    }

    /// The member of that name among those from `base` upwards.
    pub(super) fn find(&self, base: usize, text: &str, fingerprint: u64, name: &str) -> Option<&Entry> {
        let low = self.inline.get(base..self.len.min(Self::INLINE)).unwrap_or_default();
        let high = self.spilled.get(base.saturating_sub(Self::INLINE)..).unwrap_or_default();
        let same = |entry: &&Entry| entry.fingerprint == fingerprint && entry.name(text) == *name;
        low.iter().find(same).or_else(|| high.iter().find(same))
    }
}

/// A number that equal names share and different names rarely do, made of the length and both ends of the name.
pub(super) fn fingerprint(name: &[u8]) -> u64 {
    let length = (name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if let (Some(head), Some(tail)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        return u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29) ^ length;
    }
    if let (Some(head), Some(tail)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*head)) ^ u64::from(u32::from_le_bytes(*tail)) << 32 ^ length;
    }
    name.iter().fold(length, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte))
}

/// One of 64 bits for a name, by its fingerprint.
pub(super) fn bit(fingerprint: u64) -> u64 {
    1 << (fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}
