//! A text that shares memory with the text it is a part of.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A text, or a part of one, that is cheap to clone.
///
/// Subject, tenant and the other names in a token lie in its claims, which are kept as one piece of memory anyway; so
/// longer ones need no copies of their own, and as long as such a part is held, so is the whole. Up to 30 bytes are kept
/// in place, so that who reads them need not wait for other memory. It is used as a `&str`.
///
/// ```
/// use auth_core::SharedStr;
///
/// let subject = SharedStr::from("ada");
/// assert_eq!(subject, "ada");
/// assert!(subject.starts_with('a'));
/// ```
#[derive(Clone)]
pub struct SharedStr(Form);

#[derive(Clone)]
enum Form {
    /// So many of the bytes.
    Short { len: u8, bytes: [u8; SHORT] },
    /// From `start` to `end`, or to the end of the whole text where `end` is [`ALL`].
    Part { start: u32, end: u32, whole: Arc<str> },
}

/// What fits beside the two marks of a short text into the room of a part.
const SHORT: usize = 30;
const ALL: u32 = u32::MAX;

// an identity has nine of them
const _: () = assert!(size_of::<Option<SharedStr>>() == 32);

impl SharedStr {
    /// The whole text without white space that is none of JSON's tokens at its ends.
    pub(crate) fn trimmed(whole: &Arc<str>) -> Self {
        let space = [' ', '\t', '\n', '\r'];
        let start = whole.len() - whole.trim_start_matches(space).len();
        let end = start.max(whole.trim_end_matches(space).len());
        Self::part(whole, start..end).unwrap_or_else(|| whole.into())
    }

    /// The part of the whole text at that place, which is a place between characters.
    pub(crate) fn part(whole: &Arc<str>, place: Range<usize>) -> Option<Self> {
        let part = whole.get(place.clone())?;
        if let Some(short) = Form::short(part) {
            return Some(Self(short));
        }
        if part.len() == whole.len() {
            return Some(whole.into());
        }
        Some(match (u32::try_from(place.start), u32::try_from(place.end)) {
            (Ok(start), Ok(end)) if end < ALL => Self(Form::Part { start, end, whole: Arc::clone(whole) }),
            _ => part.into(), // beyond 4 GiB
        })
    }

    /// The bytes of the text.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Form::Part { .. } => str::as_bytes(self),
        }
    }
}

impl Form {
    #[inline]
    fn short(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self::Short { len: u8::try_from(text.len()).ok()?, bytes })
    }
}

/// Where a part lies in a text that it was cut out of; nothing where it lies elsewhere in memory.
pub(crate) fn place_in(part: &str, whole: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start + part.len();
    (end <= whole.len()).then_some(start..end)
}

impl Deref for SharedStr {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match &self.0 {
            // it was a text, so that it is one
            Form::Short { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Form::Part { start, end: ALL, whole } => whole.get(*start as usize..).unwrap_or_default(),
            Form::Part { start, end, whole } => whole.get(*start as usize..*end as usize).unwrap_or_default(),
        }
    }
}

impl From<Arc<str>> for SharedStr {
    fn from(whole: Arc<str>) -> Self {
        Self(Form::short(&whole).unwrap_or(Form::Part { start: 0, end: ALL, whole }))
    }
}

impl From<&Arc<str>> for SharedStr {
    fn from(whole: &Arc<str>) -> Self {
        Arc::clone(whole).into()
    }
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        Self(Form::short(text).unwrap_or_else(|| Form::Part { start: 0, end: ALL, whole: text.into() }))
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for SharedStr {
    fn from(text: Cow<'_, str>) -> Self {
        (*text).into()
    }
}

/// Copies, unless the text is long and all that its memory holds.
impl From<SharedStr> for Arc<str> {
    fn from(text: SharedStr) -> Self {
        match text.0 {
            Form::Part { start: 0, end: ALL, whole } => whole,
            _ => Self::from(&*text),
        }
    }
}

impl AsRef<str> for SharedStr {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for SharedStr {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for SharedStr {}

impl PartialEq<str> for SharedStr {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for SharedStr {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// Like that of the `str`, as [`Borrow`] demands.
impl Hash for SharedStr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn parts_are_found_where_they_were_cut_out_and_nowhere_else() {
        let whole: Arc<str> = "{\"sub\":\"é\"}".into();
        let part = &whole[8..10];
        let place = place_in(part, &whole);
        assert_eq!(place, Some(8..10));
        assert_eq!(SharedStr::part(&whole, 8..10).as_deref(), Some("é"));
        assert!(SharedStr::part(&whole, 8..9).is_none(), "within a character");
        assert!(SharedStr::part(&whole, 8..40).is_none());
        assert_eq!(place_in(&String::from("é"), &whole), None);
        assert_eq!(place_in("", &whole[3..3]).map(|place| place.len()), None.or(place_in("", &whole[3..3]).map(|_| 0)));
    }

    #[test]
    fn a_text_is_what_it_was_made_of_whatever_its_length() {
        for len in (0..100).chain([1_000]) {
            // of one byte and of two each
            for character in ["a", "é"] {
                let text = character.repeat(len);
                let whole: Arc<str> = format!("<{text}>").into();
                let part = SharedStr::part(&whole, 1..whole.len() - 1).expect("a part");
                assert!(matches!(part.0, Form::Short { .. }) == (text.len() <= SHORT), "{len}");
                let all = [part, text.as_str().into(), text.clone().into(), Arc::<str>::from(text.as_str()).into()];
                let known: HashSet<SharedStr> = all.iter().cloned().collect();
                assert!(known.len() == 1 && known.contains(&*text), "{len}");
                for one in all {
                    assert_eq!((&*one, one.as_bytes(), one.len()), (&*text, text.as_bytes(), text.len()));
                    assert_eq!((one == *text, one == *whole, &*Arc::<str>::from(one)), (true, false, &*text));
                }
            }
        }
    }

    #[test]
    fn white_space_around_json_is_trimmed() {
        for (whole, trimmed) in [(" \n{} \t", "{}"), ("{}", "{}"), (" \r\n", ""), ("", "")] {
            assert_eq!(SharedStr::trimmed(&whole.into()), trimmed);
        }
    }
}
