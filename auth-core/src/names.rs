//! A set of names — permissions, scopes, roles — kept in one piece of memory.

use std::fmt;

use crate::search;
use crate::shared_str::SharedStr;

/// A small set of names, cheap to clone.
///
/// All names lie behind each other in one shared text, so that a set of any size costs at most one allocation and a
/// look-up touches one stretch of memory. Where the names of a token are written without escapes, that text is the
/// token's own. Sets come from a token of bounded size or from a key's record, so a look-up walks them.
///
/// ```
/// use auth_core::Names;
///
/// let granted: Names = ["read", "models:read"].into_iter().collect();
/// assert!(granted.contains("models:read"));
/// assert!(!granted.contains("models"));
/// assert_eq!(granted.iter().count(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Names {
    text: Option<SharedStr>,
    form: Form,
}

/// How the names lie in the text. Empty ones do not count in any form.
#[derive(Clone, Copy, Default)]
enum Form {
    /// Between [`SEPARATOR`]s.
    #[default]
    Separated,
    /// Between spaces.
    Spaced,
    /// Between quotes: every other piece, as in a JSON array of strings without escapes.
    Quoted,
}

/// Stands between two names. It is a control character, which the collecting functions drop from what they are given.
const SEPARATOR: char = '\u{1f}';

impl Names {
    /// The set without a name.
    pub const EMPTY: Self = Self { text: None, form: Form::Separated };

    /// The names of a space-delimited string, as in a `scope` claim (RFC 6749 section 3.3).
    pub fn from_scope(scope: &str) -> Self {
        scope.split(' ').collect()
    }

    /// Like [`from_scope`](Self::from_scope), without a copy; the text has no control characters.
    pub(crate) fn spaced(scope: SharedStr) -> Self {
        Self { text: Some(scope), form: Form::Spaced }
    }

    /// The names in a JSON array of strings in which there is neither an escape nor a control character.
    pub(crate) fn quoted(array: SharedStr) -> Self {
        Self { text: Some(array), form: Form::Quoted }
    }

    /// Whether this exact name is in the set.
    pub fn contains(&self, name: &str) -> bool {
        self.holds(|held| held == name.as_bytes())
    }

    /// Whether the set holds a name that is wanted.
    ///
    /// Each request asks this.
    pub(crate) fn holds(&self, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
        let Some(mut rest) = self.text.as_ref().map(SharedStr::as_bytes) else { return false };
        let (mark, quoted) = match self.form {
            Form::Separated => (SEPARATOR as u8, false),
            Form::Spaced => (b' ', false),
            Form::Quoted => (b'"', true),
        };
        let mut is_name = !quoted;
        while let Some((name, more)) = search::first(mark, rest).and_then(|end| rest.split_at_checked(end)) {
            if is_name && !name.is_empty() && is_wanted(name) {
                return true;
            }
            is_name = !quoted || !is_name;
            rest = more.split_first().map_or(&[], |(_, behind)| behind);
        }
        is_name && !rest.is_empty() && is_wanted(rest)
    }

    /// The names in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let (mark, skipped, step) = match self.form {
            Form::Separated => (SEPARATOR, 0, 1),
            Form::Spaced => (' ', 0, 1),
            Form::Quoted => ('"', 1, 2),
        };
        let pieces = self.text.as_deref().into_iter().flat_map(move |all| all.split(mark));
        pieces.skip(skipped).step_by(step).filter(|name| !name.is_empty())
    }

    /// How many bytes the names take, together with what stands between them.
    pub(crate) fn bytes(&self) -> usize {
        self.text.as_ref().map_or(0, |all| all.len())
    }

    /// Whether the set has no name.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// The same names in the same order, however they lie in memory.
impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Names {}

/// Empty names and names with the separator in them are left out: nothing could require them.
impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut collector = Collector::new();
        names.into_iter().for_each(|name| collector.add(name.as_ref()));
        collector.finish()
    }
}

/// The names of a set as far as they have come. Most sets are short enough to be put together beside the heap, so that
/// the set itself is the only allocation.
pub(crate) struct Collector {
    short: [u8; Self::SHORT],
    len: usize,
    /// Everything, once it does not fit any more.
    long: Vec<u8>,
}

impl Collector {
    const SHORT: usize = 256;

    pub(crate) fn new() -> Self {
        Self { short: [0; Self::SHORT], len: 0, long: Vec::new() }
    }

    /// Adds a name, unless nothing could require it.
    pub(crate) fn add(&mut self, name: &str) {
        if !name.contains(SEPARATOR) {
            self.add_printable(name);
        }
    }

    /// Adds a name in which there is no control character.
    pub(crate) fn add_printable(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        let start = self.len + usize::from(self.len > 0);
        let end = start + name.len();
        if let Some(place) = self.short.get_mut(start..end) {
            place.copy_from_slice(name.as_bytes());
            if let Some(between) = self.short.get_mut(self.len..start).and_then(|room| room.first_mut()) {
                *between = SEPARATOR as u8;
            }
        } else {
            if self.long.is_empty() {
                self.long.extend_from_slice(self.short.get(..self.len).unwrap_or_default());
            }
            if self.len > 0 {
                self.long.push(SEPARATOR as u8);
            }
            self.long.extend_from_slice(name.as_bytes());
        }
        self.len = end;
    }

    /// How far the set has come, to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.len
    }

    /// Forgets what was added since the mark.
    pub(crate) fn back_to(&mut self, mark: usize) {
        // what ends within the short part never went into the long one alone
        self.long.truncate(if mark > Self::SHORT { mark } else { 0 });
        self.len = mark;
    }

    pub(crate) fn finish(self) -> Names {
        let bytes = self.short.get(..self.len).unwrap_or(&self.long);
        let text = str::from_utf8(bytes).unwrap_or_default(); // whole texts, so always UTF-8
        Names { text: (!text.is_empty()).then(|| text.into()), form: Form::Separated }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Both walk the text, each in its own way: empty names, doubled marks and marks at the ends included.
        #[test]
        fn a_set_holds_the_names_that_it_lists_and_no_others(
            pieces in prop::collection::vec("[ab:]{0,3}|[a-z]{7,9}|[a-z]{30,40}", 0..6),
            asked in "[ab:]{0,2}",
        ) {
            let quoted = format!("[{}]", pieces.iter().map(|piece| format!("\"{piece}\"")).collect::<Vec<_>>().join(","));
            let separated = pieces.join(&SEPARATOR.to_string());
            let sets = [
                Names::quoted(quoted.into()),
                Names::spaced(pieces.join(" ").into()),
                Names { text: Some(separated.into()), form: Form::Separated },
            ];
            for set in sets {
                let expected: Vec<&str> = pieces.iter().map(String::as_str).filter(|piece| !piece.is_empty()).collect();
                prop_assert_eq!(set.iter().collect::<Vec<_>>(), expected);
                for name in pieces.iter().chain([&asked]) {
                    prop_assert_eq!(set.contains(name), set.iter().any(|held| held == name), "{:?} in {:?}", name, &set);
                }
            }
        }
    }

    #[test]
    fn empty_names_are_left_out() {
        assert!(Names::from_scope("").is_empty());
        assert!(Names::from_scope("  ").is_empty());
        assert_eq!(Names::from_scope(" read  write ").iter().collect::<Vec<_>>(), ["read", "write"]);
    }

    #[test]
    fn sets_of_any_size_hold_what_was_put_in() {
        for count in [1, 20, 60, 2_000] {
            let names: Vec<String> = (0..count).map(|number| format!("name-{number}")).collect();
            let set: Names = names.iter().collect();
            assert!(set.iter().eq(&names), "{count}");
        }
    }

    #[test]
    fn going_back_forgets_what_came_since_at_any_size() {
        let names: Vec<String> = (0..100).map(|number| format!("name-{number}")).collect();
        for keep in [0, 1, 30, 31, 32, 33, 34, 35, 60] {
            for drop in [1, 30, 60, 100] {
                let mut collector = Collector::new();
                let add_all = |collector: &mut Collector, names: &[String]| {
                    for name in names {
                        collector.add(name);
                    }
                };
                add_all(&mut collector, &names[..keep]);
                let mark = collector.mark();
                add_all(&mut collector, &names[..drop]);
                collector.back_to(mark);
                collector.add("last");
                add_all(&mut collector, &names);
                let expected = names.iter().take(keep).map(String::as_str).chain(["last"]);
                let expected = expected.chain(names.iter().map(String::as_str));
                assert!(collector.finish().iter().eq(expected), "{keep} {drop}");
            }
        }
    }

    #[test]
    fn every_form_holds_the_same_names() {
        let collected: Names = ["read", "write all", "é"].into_iter().collect();
        let quoted = Names::quoted("[ \"read\" , \"\",\"write all\",\"é\"]".into());
        assert_eq!(collected, quoted);
        let spaced = Names::spaced(" read  write é ".into());
        assert_eq!(spaced, Names::from_scope(" read  write é "));
        for (names, held) in [(&collected, ["read", "write all", "é"]), (&quoted, ["read", "write all", "é"])] {
            assert!(held.iter().all(|name| names.contains(name)));
        }
        assert!(spaced.contains("write") && spaced.contains("é"));
        for not_held in ["", " ", ",", "[", "]", " , ", "rea", "ead", "write"] {
            assert!(!quoted.contains(not_held) && !collected.contains(not_held), "{not_held:?}");
        }
        assert!(Names::quoted("[]".into()).is_empty() && Names::spaced("  ".into()).is_empty());
        assert!(!spaced.contains(""));
    }

    #[test]
    fn a_separator_inside_a_name_cannot_smuggle_in_another_name() {
        let names: Names = ["a\u{1f}admin"].into_iter().collect();
        assert!(names.is_empty());
    }
}
