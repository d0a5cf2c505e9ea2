//! Which permission grants which.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::Names;

/// Wildcards and implications between permissions.
///
/// A held permission grants itself. `models:*` grants every permission that begins with `models:`, and `*` grants
/// everything. Beyond that, [`implies`](Self::implies) says which permission brings which along, transitively.
///
/// ```
/// use auth_core::Names;
/// use auth_core::policy::PermissionModel;
///
/// let model = PermissionModel::default().implies("admin", ["write"]).implies("write", ["read"]);
/// let held: Names = ["admin", "models:*"].into_iter().collect();
/// assert!(model.grants(&held, "read"));
/// assert!(model.grants(&held, "models:read"));
/// assert!(!model.grants(&held, "billing"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PermissionModel {
    /// From a permission to those that bring it along directly.
    granted_by: BTreeMap<String, BTreeSet<String>>,
}

impl PermissionModel {
    /// Says that whoever holds `permission` holds `implied` too. `implied` may be wildcards.
    #[must_use]
    pub fn implies<'a>(mut self, permission: &str, implied: impl IntoIterator<Item = &'a str>) -> Self {
        for name in implied {
            self.granted_by.entry(name.to_owned()).or_default().insert(permission.to_owned());
        }
        self
    }

    /// Every name of which any one is enough to have `permission`, the permission itself first.
    pub fn sufficient_for(&self, permission: &str) -> Vec<String> {
        let mut found = vec![permission.to_owned()];
        let mut next = 0;
        while let Some(name) = found.get(next).cloned() {
            next += 1;
            let direct = self.granted_by.get(&name).into_iter().flatten().cloned();
            let mut more: Vec<String> = wildcards(&name).chain(direct).collect();
            more.retain(|candidate| !found.contains(candidate));
            found.append(&mut more);
        }
        found
    }

    /// What both grant: of each, the names that the other grants too.
    pub fn meet(&self, one: &Names, other: &Names) -> Names {
        let granted = |names: &Names, by: &Names| -> Vec<String> {
            names.iter().filter(|name| self.grants(by, name)).map(str::to_owned).collect()
        };
        let mut common = granted(one, other);
        for name in granted(other, one) {
            if !common.contains(&name) {
                common.push(name);
            }
        }
        common.iter().map(String::as_str).collect()
    }

    /// Whether the held names grant the permission.
    pub fn grants(&self, held: &Names, permission: &str) -> bool {
        held.contains(permission) || self.sufficient_for(permission).iter().any(|name| held.contains(name))
    }
}

/// `a:b:*`, `a:*` and `*` for `a:b:c`; a wildcard is not its own wildcard.
fn wildcards(name: &str) -> impl Iterator<Item = String> {
    let stem = name.strip_suffix(":*").unwrap_or(name);
    let prefixed = stem.rmatch_indices(':').map(|(end, _)| format!("{}:*", &stem[..end]));
    prefixed.chain((name != "*").then(|| "*".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_reach_down_and_never_sideways() {
        let model = PermissionModel::default();
        let held = |name: &'static str| [name].into_iter().collect::<Names>();
        assert!(model.grants(&held("a:*"), "a:b"));
        assert!(model.grants(&held("a:*"), "a:b:c"));
        assert!(model.grants(&held("*"), "a"));
        assert!(!model.grants(&held("a:*"), "a"));
        assert!(!model.grants(&held("a:*"), "ab:c"));
        assert!(!model.grants(&held("a:b"), "a:*"));
    }

    #[test]
    fn what_two_grant_is_granted_by_each_of_them() {
        let model = PermissionModel::default().implies("admin", ["write"]).implies("write", ["read"]);
        let names = |names: &[&'static str]| names.iter().copied().collect::<Names>();
        assert_eq!(model.meet(&names(&["admin"]), &names(&["read"])), names(&["read"]));
        assert_eq!(model.meet(&names(&["read"]), &names(&["admin"])), names(&["read"]));
        assert_eq!(model.meet(&names(&["models:*", "read"]), &names(&["models:read"])), names(&["models:read"]));
        assert_eq!(model.meet(&names(&["write"]), &names(&["write", "bill"])), names(&["write"]));
        assert_eq!(model.meet(&names(&["bill"]), &names(&["write"])), names(&[]));
    }

    #[test]
    fn implication_is_transitive_and_survives_cycles() {
        let model = PermissionModel::default().implies("a", ["b"]).implies("b", ["c", "a"]).implies("root", ["c:*"]);
        let held = |name: &'static str| [name].into_iter().collect::<Names>();
        assert!(model.grants(&held("a"), "c"));
        assert!(model.grants(&held("root"), "c:d"));
        assert!(!model.grants(&held("c"), "a"));
    }
}
