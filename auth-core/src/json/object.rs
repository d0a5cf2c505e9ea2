//! An object and its members, found by name without another walk through the text.

use super::name::{Fingerprint, Name};
use super::plain::Spelling;
use super::scan::{Fault, Repeats, Scanner};
use super::value::{Items, Text, Value};

/// The object that a text consists of, with its members at hand.
#[derive(Clone, Copy)]
pub(crate) struct Object<'t, 'm> {
    text: &'t str,
    spelling: Spelling,
    members: &'m Members,
}

impl<'t, 'm> Object<'t, 'm> {
    /// Scans a text that must be one object. What was in `members` before is forgotten.
    pub(crate) fn read(text: &'t str, members: &'m mut Members) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(text, Repeats::Refuse, members)?;
        let (b'{', brace) = scanner.next(0) else { return Err(Fault::Grammar) };
        let end = scanner.object(brace + 1, 1)?;
        scanner.end(end)?;
        let spelling = scanner.spelling;
        Ok(Self { text, spelling, members })
    }

    /// The value of the member of that name. Where the name is a constant, so is its fingerprint.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<Value<'t>> {
        self.find(Name::new(name))
    }

    #[inline]
    pub(crate) fn find(&self, name: Name<'_>) -> Option<Value<'t>> {
        if self.members.seen & name.fingerprint.bit() == 0 {
            return None;
        }
        self.look_up(name)
    }

    /// Kept out of [`find`](Self::find), which is small enough to become part of its callers then.
    #[inline(never)]
    fn look_up(&self, name: Name<'_>) -> Option<Value<'t>> {
        self.members.find(0, self.text, name).map(|entry| self.value(entry))
    }

    /// The members in the order of the text, with their values for whoever wants them. Names of more than seven bytes may
    /// share a fingerprint.
    pub(crate) fn members(self) -> impl Iterator<Item = (Fingerprint, impl FnOnce() -> Value<'t>)> {
        self.members.all().iter().map(move |entry| (entry.fingerprint, move || self.value(entry)))
    }

    fn value(&self, entry: &Entry) -> Value<'t> {
        Value::scanned(entry.value.of(self.text), self.spelling).with(entry.items)
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
    pub(super) fingerprint: Fingerprint,
    pub(super) name: Span,
    pub(super) value: Span,
    /// Whether there are escapes in the name.
    pub(super) escaped: bool,
    pub(super) items: Items,
}

impl Entry {
    #[inline]
    fn is(&self, name: Name<'_>, text: &str) -> bool {
        self.fingerprint == name.fingerprint
            && (name.fingerprint.is_exact() || Text::scanned(self.name.of(text), self.escaped) == *name.text)
    }
}

/// The members of the object that was read last.
///
/// While a text is read, this holds the members of all objects that are open, the outermost lowest. It is passed in, so
/// that it lies where the caller is and does not have to be moved out of the scanner.
pub(crate) struct Members {
    inline: [Entry; Self::INLINE],
    /// All of them, once they have not fitted any more.
    spilled: Vec<Entry>,
    pub(super) len: usize,
    /// The [bits](Fingerprint::bit) of all names of the object that was left last.
    pub(super) seen: u64,
}

impl Members {
    /// Tokens rarely have more; those that do cost an allocation.
    const INLINE: usize = 20;

    pub(crate) fn new() -> Self {
        Self { inline: [Entry::default(); Self::INLINE], spilled: Vec::new(), len: 0, seen: 0 }
    }

    fn all(&self) -> &[Entry] {
        if self.spilled.is_empty() { self.inline.get(..self.len).unwrap_or_default() } else { &self.spilled }
    }

    /// Room for one more, to be written where it stays: an entry that is moved there is read back in larger pieces than
    /// it was written in, for which processors have to wait.
    #[inline]
    pub(super) fn add(&mut self) -> Option<&mut Entry> {
        let at = self.len;
        self.len += 1;
        if at < Self::INLINE && self.spilled.is_empty() { self.inline.get_mut(at) } else { self.spill() }
    }

    #[cold]
    fn spill(&mut self) -> Option<&mut Entry> {
        if self.spilled.is_empty() {
            self.spilled.extend_from_slice(&self.inline);
        }
        self.spilled.push(Entry::default());
        self.spilled.last_mut()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if !self.spilled.is_empty() {
            self.spilled.truncate(len);
        }
        self.len = len;
    }

    /// The member of that name among those from `base` upwards.
    pub(super) fn find(&self, base: usize, text: &str, name: Name<'_>) -> Option<&Entry> {
        self.all().get(base..)?.iter().find(|entry| entry.is(name, text))
    }
}
