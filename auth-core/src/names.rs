//! A set of names — permissions, scopes, roles — kept in one piece of memory.

use std::fmt;
use std::sync::Arc;

/// A small set of names, cheap to clone.
///
/// All names lie behind each other in one shared string, parted by a byte that no name holds, so that a set of any
/// size costs one allocation and a look-up touches one stretch of memory. Sets come from a token of bounded size or
/// from a key's record, so a look-up walks them.
///
/// ```
/// use auth_core::Names;
///
/// let granted: Names = ["read", "models:read"].into_iter().collect();
/// assert!(granted.contains("models:read"));
/// assert!(!granted.contains("models"));
/// assert_eq!(granted.iter().count(), 2);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names(Option<Arc<str>>);

/// Stands between two names. It is a control character, which the collecting functions drop from what they are given.
const SEPARATOR: char = '\u{1f}';

impl Names {
    /// The set without a name.
    pub const EMPTY: Self = Self(None);

    /// The names of a space-delimited string, as in a `scope` claim (RFC 6749 section 3.3).
    pub fn from_scope(scope: &str) -> Self {
        scope.split(' ').collect()
    }

    /// Whether this exact name is in the set.
    pub fn contains(&self, name: &str) -> bool {
        self.contains_any([name])
    }

    /// Whether any of these exact names is in the set.
    ///
    /// Each request asks this, and names are short: walking bytes takes half of what splitting the text does.
    pub(crate) fn contains_any<'a>(&self, wanted: impl IntoIterator<Item = &'a str> + Clone) -> bool {
        let Some(all) = &self.0 else { return false };
        let is_wanted = |held: &[u8]| wanted.clone().into_iter().any(|name| name.as_bytes() == held);
        all.as_bytes().split(|byte| *byte == SEPARATOR as u8).any(is_wanted)
    }

    /// The names in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.as_deref().into_iter().flat_map(|all| all.split(SEPARATOR))
    }

    /// Whether the set has no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Empty names and names with the separator in them are left out: nothing could require them.
impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut all = String::new();
        for name in names {
            if name.is_empty() || name.contains(SEPARATOR) {
                continue;
            }
            if !all.is_empty() {
                all.push(SEPARATOR);
            }
            all.push_str(name);
        }
        Self((!all.is_empty()).then(|| all.into()))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_left_out() {
        assert!(Names::from_scope("").is_empty());
        assert!(Names::from_scope("  ").is_empty());
        assert_eq!(Names::from_scope(" read  write ").iter().collect::<Vec<_>>(), ["read", "write"]);
    }

    #[test]
    fn a_separator_inside_a_name_cannot_smuggle_in_another_name() {
        let names: Names = ["a\u{1f}admin"].into_iter().collect();
        assert!(names.is_empty());
    }
}
