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
/// they need no copies of their own. It is used as a `&str`. As long as one part is held, so is the whole.
///
/// ```
/// use auth_core::SharedStr;
///
/// let subject = SharedStr::from("ada");
/// assert_eq!(subject, "ada");
/// assert!(subject.starts_with('a'));
/// ```
#[derive(Clone)]
pub struct SharedStr {
    whole: Arc<str>,
    start: usize,
    end: usize,
}

impl SharedStr {
    /// The whole text without white space that is none of JSON's tokens at its ends.
    pub(crate) fn trimmed(whole: Arc<str>) -> Self {
        let space = [' ', '\t', '\n', '\r'];
        let start = whole.len() - whole.trim_start_matches(space).len();
        let end = start.max(whole.trim_end_matches(space).len());
        Self { whole, start, end }
    }

    /// The part of the whole text at that place, which is a place between characters.
    pub(crate) fn part(whole: &Arc<str>, place: Range<usize>) -> Option<Self> {
        whole.get(place.clone())?;
        Some(Self { whole: Arc::clone(whole), start: place.start, end: place.end })
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
        self.whole.get(self.start..self.end).unwrap_or_default()
    }
}

impl From<Arc<str>> for SharedStr {
    fn from(whole: Arc<str>) -> Self {
        Self { start: 0, end: whole.len(), whole }
    }
}

impl From<&Arc<str>> for SharedStr {
    fn from(whole: &Arc<str>) -> Self {
        Arc::clone(whole).into()
    }
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        Arc::<str>::from(text).into()
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        Arc::<str>::from(text).into()
    }
}

impl From<Cow<'_, str>> for SharedStr {
    fn from(text: Cow<'_, str>) -> Self {
        Arc::<str>::from(text).into()
    }
}

/// Copies, unless the text is all that its memory holds.
impl From<SharedStr> for Arc<str> {
    fn from(text: SharedStr) -> Self {
        if text.start == 0 && text.end == text.whole.len() { text.whole } else { Self::from(&*text) }
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
        **self == **other
    }
}

impl Eq for SharedStr {}

impl PartialEq<str> for SharedStr {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for SharedStr {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
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
    fn white_space_around_json_is_trimmed() {
        for (whole, trimmed) in [(" \n{} \t", "{}"), ("{}", "{}"), (" \r\n", ""), ("", "")] {
            assert_eq!(SharedStr::trimmed(whole.into()), trimmed);
        }
    }
}
