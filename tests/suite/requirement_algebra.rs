//! Requirements obey the laws that a reader expects of `any_of` and `all_of`.

use std::collections::BTreeSet;

use auth_core::credential::CredentialReader;
use auth_core::policy::{
    CredentialUse, Entry, PermissionModel, Policy, Requirement, all_of, any_of, authenticated, denied, optional,
    permission, public, role, scope,
};
use auth_core::{Identity, Method, Names, Prohibition, Rejection};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const PERMISSIONS: [&str; 6] = ["read", "write", "admin", "models:read", "models:write", "models:*"];
const SCOPES: [&str; 3] = ["openid", "orders", "read"];
const ROLES: [&str; 3] = ["editor", "owner", "staff"];

/// A requirement that the test can evaluate for itself.
#[derive(Clone, Debug)]
enum Tree {
    Public,
    Optional,
    Authenticated,
    Denied,
    Permission(&'static str),
    Scope(&'static str),
    Role(&'static str),
    Any(Vec<Tree>),
    All(Vec<Tree>),
}

#[derive(Clone, Debug)]
struct Caller {
    permissions: BTreeSet<&'static str>,
    scopes: BTreeSet<&'static str>,
    roles: BTreeSet<&'static str>,
}

fn model() -> PermissionModel {
    PermissionModel::default().implies("admin", ["write"]).implies("write", ["read"])
}

impl Tree {
    fn requirement(&self) -> Requirement {
        match self {
            Self::Public => public(),
            Self::Optional => optional(),
            Self::Authenticated => authenticated(),
            Self::Denied => denied(),
            Self::Permission(name) => permission(*name),
            Self::Scope(name) => scope(*name),
            Self::Role(name) => role(*name),
            Self::Any(parts) => any_of(parts.iter().map(Self::requirement)),
            Self::All(parts) => all_of(parts.iter().map(Self::requirement)),
        }
    }

    /// The plain meaning, without any preparation.
    fn is_met_by(&self, caller: Option<&Caller>) -> bool {
        let holds = |test: &dyn Fn(&Caller) -> bool| caller.is_some_and(test);
        match self {
            Self::Public | Self::Optional => true,
            Self::Authenticated => caller.is_some(),
            Self::Denied => false,
            Self::Permission(name) => holds(&|caller| model().grants(&caller.identity().permissions, name)),
            Self::Scope(name) => holds(&|caller| caller.scopes.contains(name)),
            Self::Role(name) => holds(&|caller| caller.roles.contains(name)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met_by(caller)),
            Self::All(parts) => parts.iter().all(|part| part.is_met_by(caller)),
        }
    }
}

impl Caller {
    fn identity(&self) -> Identity {
        let mut identity = Identity::new(Method::Custom("test"), "issuer", "subject");
        identity.permissions = self.permissions.iter().copied().collect();
        identity.scopes = self.scopes.iter().copied().collect();
        identity.roles = self.roles.iter().copied().collect();
        identity
    }

    fn with_everything_but_roles(&self) -> Self {
        Self {
            permissions: PERMISSIONS.into_iter().collect(),
            scopes: SCOPES.into_iter().collect(),
            roles: self.roles.clone(),
        }
    }
}

/// What the policy says of a caller under a requirement.
fn check(requirement: Requirement, caller: Option<&Identity>) -> Result<(), Rejection> {
    let policy = Policy::new().any("/", requirement);
    let policy = policy.compile(&model(), &CredentialReader::new([]).unwrap()).unwrap();
    let found = policy.find("GET", "/").unwrap();
    match found.entry() {
        Entry::Rule(rule) => rule.check(caller, None, found.names()),
        other => panic!("{other:?}"),
    }
}

fn cause(requirement: Requirement, caller: &Caller) -> Result<(), &'static str> {
    check(requirement, Some(&caller.identity())).map_err(|rejection| rejection.cause())
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        1 => Just(Tree::Public),
        1 => Just(Tree::Optional),
        1 => Just(Tree::Authenticated),
        1 => Just(Tree::Denied),
        6 => select(&PERMISSIONS[..]).prop_map(Tree::Permission),
        3 => select(&SCOPES[..]).prop_map(Tree::Scope),
        3 => select(&ROLES[..]).prop_map(Tree::Role),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![vec(inner.clone(), 1..4).prop_map(Tree::Any), vec(inner, 1..4).prop_map(Tree::All)]
    })
}

fn callers() -> impl Strategy<Value = Caller> {
    let some = |names: &'static [&'static str]| {
        subsequence(names, 0..=names.len()).prop_map(|names| names.into_iter().collect())
    };
    (some(&PERMISSIONS), some(&SCOPES), some(&ROLES)).prop_map(|(permissions, scopes, roles)| Caller {
        permissions,
        scopes,
        roles,
    })
}

proptest! {
    #[test]
    fn a_prepared_requirement_means_what_its_tree_says(tree in trees(), caller in callers()) {
        let known = check(tree.requirement(), Some(&caller.identity()));
        prop_assert_eq!(known.is_ok(), tree.is_met_by(Some(&caller)));
        let unknown = check(tree.requirement(), None);
        prop_assert_eq!(unknown.is_ok(), tree.is_met_by(None));
        if !tree.is_met_by(None) {
            prop_assert_eq!(unknown, Err(Rejection::MissingCredential));
        }
    }

    #[test]
    fn credentials_are_looked_at_unless_nobody_needs_them(tree in trees()) {
        let policy = Policy::new().any("/", tree.requirement());
        let policy = policy.compile(&model(), &CredentialReader::new([]).unwrap()).unwrap();
        let Entry::Rule(rule) = policy.find("GET", "/").unwrap().entry() else { panic!("no rule") };
        prop_assert_eq!(rule.credentials() == CredentialUse::Required, !tree.is_met_by(None));
    }

    #[test]
    fn repeating_a_part_changes_nothing(tree in trees(), caller in callers()) {
        let once = || tree.requirement();
        let alone = cause(once(), &caller);
        prop_assert_eq!(cause(any_of([once(), once()]), &caller), alone);
        prop_assert_eq!(cause(all_of([once(), once()]), &caller), alone);
        prop_assert_eq!(cause(any_of([once()]), &caller), alone);
        prop_assert_eq!(cause(all_of([once()]), &caller), alone);
    }

    #[test]
    fn the_order_of_parts_changes_nothing_but_the_order_of_names(parts in vec(trees(), 2..5), caller in callers()) {
        let forth = || parts.iter().map(Tree::requirement);
        let back = || parts.iter().rev().map(Tree::requirement);
        prop_assert_eq!(cause(any_of(forth()), &caller), cause(any_of(back()), &caller));
        prop_assert_eq!(cause(all_of(forth()), &caller), cause(all_of(back()), &caller));
    }

    #[test]
    fn nesting_changes_nothing(a in trees(), b in trees(), c in trees(), caller in callers()) {
        let [a, b, c] = [a, b, c].map(|tree| move || tree.requirement());
        prop_assert_eq!(cause(a().or(b()).or(c()), &caller), cause(any_of([a(), any_of([b(), c()])]), &caller));
        prop_assert_eq!(cause(a().and(b()).and(c()), &caller), cause(all_of([a(), all_of([b(), c()])]), &caller));
    }

    #[test]
    fn absorption_and_distribution_hold(a in trees(), b in trees(), c in trees(), caller in callers()) {
        let [a, b, c] = [a, b, c].map(|tree| move || tree.requirement());
        let passes = |requirement| cause(requirement, &caller).is_ok();
        prop_assert_eq!(passes(any_of([a(), all_of([a(), b()])])), passes(a()));
        prop_assert_eq!(passes(all_of([a(), any_of([a(), b()])])), passes(a()));
        let spread = all_of([any_of([a(), b()]), any_of([a(), c()])]);
        prop_assert_eq!(passes(any_of([a(), all_of([b(), c()])])), passes(spread));
    }

    #[test]
    fn the_ends_of_the_lattice_are_neutral_and_absorbing(tree in trees(), caller in callers()) {
        let alone = cause(tree.requirement(), &caller);
        prop_assert_eq!(cause(all_of([tree.requirement(), public()]), &caller), alone);
        prop_assert_eq!(cause(any_of([tree.requirement(), denied()]), &caller), alone);
        prop_assert_eq!(cause(any_of([tree.requirement(), public()]), &caller), Ok(()));
        prop_assert_eq!(cause(all_of([tree.requirement(), denied()]), &caller), Err("denied"));
    }

    #[test]
    fn more_rights_never_turn_a_pass_into_a_refusal(tree in trees(), caller in callers(), more in callers()) {
        let both = Caller {
            permissions: &caller.permissions | &more.permissions,
            scopes: &caller.scopes | &more.scopes,
            roles: &caller.roles | &more.roles,
        };
        if cause(tree.requirement(), &caller).is_ok() {
            prop_assert_eq!(cause(tree.requirement(), &both), Ok(()));
        }
    }

    #[test]
    fn b10_whoever_gets_all_that_was_named_passes(tree in trees(), caller in callers()) {
        let before = caller.identity();
        match check(tree.requirement(), Some(&before)) {
            Err(Rejection::InsufficientPermissions(missing)) => {
                let names = || missing.needed.split(' ');
                prop_assert_eq!(names().count(), names().collect::<BTreeSet<_>>().len());
                let mut identity = before.clone();
                identity.permissions = before.permissions.iter().chain(names()).collect::<Names>();
                identity.scopes = before.scopes.iter().chain(names()).collect::<Names>();
                prop_assert_eq!(check(tree.requirement(), Some(&identity)), Ok(()));
            }
            Err(Rejection::Forbidden(Prohibition::Role | Prohibition::Denied)) => {
                prop_assert!(cause(tree.requirement(), &caller.with_everything_but_roles()).is_err());
            }
            other => prop_assert_eq!(other, Ok(())),
        }
    }
}
