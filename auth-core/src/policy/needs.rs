//! A requirement made ready: wildcards and implications are resolved, so that a request costs exact comparisons only.

use crate::ConfigError;
use crate::principal::Identity;
use crate::rejection::{MissingPermissions, Prohibition, Rejection};

use super::PermissionModel;
use super::path_names::{Compared, PathNames, Slot};
use super::requirement::{Node, Requirement};

/// Deeper trees are refused: no person wrote them, and checking them recurses.
const DEEPEST: usize = 16;

/// What a requirement comes to, from the weakest to the strongest.
#[derive(Debug)]
pub(super) enum Needs {
    Nothing,
    GoodCredentialIfAny,
    Caller(CallerTest),
    Impossible,
}

/// What an authenticated caller must have.
#[derive(Debug)]
pub(super) struct CallerTest {
    test: Test,
    /// Every name the operation needs, where that does not depend on the caller.
    constant: Option<String>,
}

#[derive(Debug)]
enum Test {
    Anybody,
    /// One of the sufficient names, the required one first.
    Permission(Box<[Box<str>]>),
    /// One of the sufficient names, the required one first, for everything or for what the parameter names.
    PermissionFor(Box<[Box<str>]>, Slot),
    /// The parameter is the caller's subject.
    Subject(Slot),
    Scope(Box<str>),
    Role(Box<str>),
    Any(Box<[Test]>),
    All(Box<[Test]>),
}

/// What keeps a caller out. Ordered: what no permission cures weighs more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Nothing,
    Permissions,
    Role,
    Owner,
}

impl Needs {
    /// Resolves a requirement, and reports every mistake in it. What it compares of the path is among `compared` afterwards.
    pub(super) fn compile(
        requirement: &Requirement,
        model: &PermissionModel,
        parameters: &[String],
        compared: &mut Compared,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut problems = Vec::new();
        let shape = Compiler { model, parameters, compared, problems: &mut problems }.shape(requirement, 0);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(match shape {
            Shape::Nothing => Self::Nothing,
            Shape::GoodCredentialIfAny => Self::GoodCredentialIfAny,
            Shape::Impossible => Self::Impossible,
            Shape::Caller(test) => Self::Caller(CallerTest { constant: test.constant_names(), test }),
        })
    }
}

impl CallerTest {
    /// Whether the caller meets the requirement.
    pub(super) fn check(&self, caller: &Identity, path: &PathNames<'_>) -> Result<(), Rejection> {
        match self.test.lack(caller, path) {
            Lack::Nothing => Ok(()),
            Lack::Owner => Err(Rejection::Forbidden(Prohibition::Owner)),
            Lack::Role => Err(Rejection::Forbidden(Prohibition::Role)),
            Lack::Permissions => {
                let needed = self.constant.clone().unwrap_or_else(|| self.test.names(caller, path).join(" "));
                Err(Rejection::InsufficientPermissions(MissingPermissions { needed: needed.into() }))
            }
        }
    }
}

impl Test {
    fn lack(&self, caller: &Identity, path: &PathNames<'_>) -> Lack {
        let unless = |held: bool, lack| if held { Lack::Nothing } else { lack };
        match self {
            Self::Anybody => Lack::Nothing,
            Self::Permission(sufficient) => {
                let is_enough = |held: &[u8]| sufficient.iter().any(|name| name.as_bytes() == held);
                unless(caller.permissions.holds(is_enough), Lack::Permissions)
            }
            Self::PermissionFor(sufficient, slot) => {
                let one = path.at(*slot).filter(|name| !name.is_empty() && !name.contains([':', '*']));
                let is_enough = |held: &[u8]| sufficient.iter().any(|name| covers(held, name.as_bytes(), one));
                unless(caller.permissions.holds(is_enough), Lack::Permissions)
            }
            Self::Subject(slot) => unless(path.at(*slot) == Some(&*caller.subject), Lack::Owner),
            Self::Scope(name) => unless(caller.scopes.contains(name), Lack::Permissions),
            Self::Role(name) => unless(caller.roles.contains(name), Lack::Role),
            Self::Any(parts) => parts.iter().map(|part| part.lack(caller, path)).min().unwrap_or(Lack::Role),
            Self::All(parts) => parts.iter().map(|part| part.lack(caller, path)).max().unwrap_or(Lack::Nothing),
        }
    }

    /// Every permission and scope that the operation needs of this caller, held ones included, in the rule's order.
    ///
    /// Of several alternatives it is the one the caller is nearest to: one that is met or that permissions alone
    /// would meet, then the one with the fewest names, then the first.
    fn names<'t>(&'t self, caller: &Identity, path: &PathNames<'_>) -> Vec<&'t str> {
        match self {
            Self::Anybody | Self::Role(_) | Self::Subject(_) => Vec::new(),
            Self::Permission(sufficient) | Self::PermissionFor(sufficient, _) => {
                sufficient.first().map(|name| &**name).into_iter().collect()
            }
            Self::Scope(name) => vec![name],
            Self::Any(parts) => parts
                .iter()
                .map(|part| (part.lack(caller, path), part.names(caller, path)))
                .min_by_key(|(lack, names)| (*lack, names.len()))
                .map(|(_, names)| names)
                .unwrap_or_default(),
            Self::All(parts) => {
                let mut all = Vec::new();
                for name in parts.iter().flat_map(|part| part.names(caller, path)) {
                    if !all.contains(&name) {
                        all.push(name);
                    }
                }
                all
            }
        }
    }

    fn constant_names(&self) -> Option<String> {
        let nobody = Identity::new(crate::principal::Method::Custom("none"), "", "");
        (!self.has_alternatives()).then(|| self.names(&nobody, &PathNames::default()).join(" "))
    }

    fn has_alternatives(&self) -> bool {
        match self {
            Self::Any(_) => true,
            Self::All(parts) => parts.iter().any(Self::has_alternatives),
            _ => false,
        }
    }
}

/// Whether the held name is the sufficient one, or the sufficient one for that one thing.
fn covers(held: &[u8], sufficient: &[u8], one: Option<&str>) -> bool {
    let Some(rest) = held.strip_prefix(sufficient) else { return false };
    // a wildcard is for everything, and `*:x` is no wildcard
    rest.is_empty()
        || (!sufficient.ends_with(b"*") && rest.strip_prefix(b":") == one.map(str::as_bytes) && one.is_some())
}

/// The lattice: what a part of the tree comes to.
enum Shape {
    Nothing,
    GoodCredentialIfAny,
    Caller(Test),
    Impossible,
}

struct Compiler<'a> {
    model: &'a PermissionModel,
    parameters: &'a [String],
    compared: &'a mut Compared,
    problems: &'a mut Vec<ConfigError>,
}

impl Compiler<'_> {
    fn shape(&mut self, requirement: &Requirement, depth: usize) -> Shape {
        match &requirement.0 {
            Node::Public => Shape::Nothing,
            Node::Optional => Shape::GoodCredentialIfAny,
            Node::Authenticated => Shape::Caller(Test::Anybody),
            Node::Denied => Shape::Impossible,
            Node::Permission(name) => {
                self.check_name("permission", name);
                let sufficient = self.model.sufficient_for(name).into_iter().map(String::into_boxed_str);
                Shape::Caller(Test::Permission(sufficient.collect()))
            }
            Node::PermissionFor { name, parameter } => {
                self.check_name("permission", name);
                // `a:b:*` is `a:b` for every single thing
                let mut sufficient = self.model.sufficient_for(name);
                sufficient.push(format!("{name}:*"));
                let sufficient = sufficient.into_iter().map(String::into_boxed_str).collect();
                self.compare(parameter)
                    .map_or(Shape::Impossible, |slot| Shape::Caller(Test::PermissionFor(sufficient, slot)))
            }
            Node::Subject { parameter } => {
                self.compare(parameter).map_or(Shape::Impossible, |slot| Shape::Caller(Test::Subject(slot)))
            }
            Node::Scope(name) => {
                self.check_name("scope", name);
                Shape::Caller(Test::Scope(name.as_str().into()))
            }
            Node::Role(name) => {
                self.check_role(name);
                Shape::Caller(Test::Role(name.as_str().into()))
            }
            Node::Any(parts) => weakest(self.shapes("any_of", parts, depth)),
            Node::All(parts) => strongest(self.shapes("all_of", parts, depth)),
        }
    }

    fn compare(&mut self, parameter: &str) -> Option<Slot> {
        self.compared.slot(parameter, self.parameters).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn shapes(&mut self, label: &str, parts: &[Requirement], depth: usize) -> Vec<Shape> {
        if parts.is_empty() {
            self.problems.push(ConfigError::new(format!(
                "{label} holds no requirement: write public() or denied() for what is meant"
            )));
        }
        if depth >= DEEPEST {
            self.problems.push(ConfigError::new(format!("requirements are nested deeper than {DEEPEST} levels")));
            return Vec::new();
        }
        parts.iter().map(|part| self.shape(part, depth + 1)).collect()
    }

    /// Missing names go into challenges, where only these characters may stand (RFC 6749 section 3.3).
    fn check_name(&mut self, kind: &str, name: &str) {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if name.is_empty() || !name.bytes().all(allowed) {
            self.problems.push(ConfigError::new(format!(
                "{kind} {name:?} cannot be named in a challenge: use visible ASCII without quote, backslash and space"
            )));
        }
    }

    fn check_role(&mut self, name: &str) {
        if name.is_empty() || name.chars().any(char::is_control) {
            self.problems.push(ConfigError::new(format!("role {name:?} is empty or has control characters")));
        }
    }
}

fn weakest(parts: Vec<Shape>) -> Shape {
    let mut tests = Vec::new();
    let mut credential_if_any = false;
    for part in parts {
        match part {
            Shape::Nothing => return Shape::Nothing,
            Shape::GoodCredentialIfAny => credential_if_any = true,
            Shape::Caller(test) => tests.push(test),
            Shape::Impossible => {}
        }
    }
    if credential_if_any {
        return Shape::GoodCredentialIfAny;
    }
    if tests.iter().any(|test| matches!(test, Test::Anybody)) {
        return Shape::Caller(Test::Anybody);
    }
    match only(tests) {
        Ok(Some(test)) => Shape::Caller(test),
        Ok(None) => Shape::Impossible,
        Err(tests) => Shape::Caller(Test::Any(tests)),
    }
}

fn strongest(parts: Vec<Shape>) -> Shape {
    let mut tests = Vec::new();
    let mut weak = Shape::Nothing;
    for part in parts {
        match part {
            Shape::GoodCredentialIfAny if matches!(weak, Shape::Nothing) => weak = Shape::GoodCredentialIfAny,
            Shape::Nothing | Shape::GoodCredentialIfAny => {}
            Shape::Caller(Test::Anybody) => weak = Shape::Caller(Test::Anybody),
            Shape::Caller(test) => tests.push(test),
            Shape::Impossible => return Shape::Impossible,
        }
    }
    match only(tests) {
        Ok(Some(test)) => Shape::Caller(test),
        Ok(None) => weak,
        Err(tests) => Shape::Caller(Test::All(tests)),
    }
}

/// The only test of the list, if it has just one.
fn only(mut tests: Vec<Test>) -> Result<Option<Test>, Box<[Test]>> {
    if tests.len() > 1 {
        return Err(tests.into_boxed_slice());
    }
    Ok(tests.pop())
}

#[cfg(test)]
mod tests {
    use super::super::{all_of, any_of, authenticated, denied, optional, permission, public, role, scope};
    use super::*;
    use crate::Names;
    use crate::principal::Method;

    fn caller(permissions: &str, roles: &str) -> Identity {
        let mut identity = Identity::new(Method::Jwt, "issuer", "subject");
        identity.permissions = Names::from_scope(permissions);
        identity.scopes = Names::from_scope(permissions);
        identity.roles = Names::from_scope(roles);
        identity
    }

    fn compile(requirement: &Requirement, model: &PermissionModel) -> Result<Needs, Vec<ConfigError>> {
        Needs::compile(requirement, model, &[], &mut Compared::default())
    }

    fn check(requirement: &Requirement, caller: &Identity) -> Result<(), Rejection> {
        let model = PermissionModel::default().implies("admin", ["write"]).implies("write", ["read"]);
        match compile(requirement, &model).unwrap() {
            Needs::Caller(test) => test.check(caller, &PathNames::default()),
            Needs::Impossible => Err(Rejection::Forbidden(Prohibition::Denied)),
            Needs::Nothing | Needs::GoodCredentialIfAny => Ok(()),
        }
    }

    fn needed(requirement: &Requirement, caller: &Identity) -> String {
        match check(requirement, caller) {
            Err(Rejection::InsufficientPermissions(missing)) => missing.needed.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn implication_and_wildcards_are_resolved() {
        assert!(check(&permission("read"), &caller("admin", "")).is_ok());
        assert!(check(&permission("models:read"), &caller("models:*", "")).is_ok());
        assert!(check(&scope("read"), &caller("admin", "")).is_err());
    }

    #[test]
    fn b10_every_permission_the_operation_needs_is_named() {
        let both = all_of([permission("b"), permission("a"), all_of([permission("a"), scope("c")])]);
        assert_eq!(needed(&both, &caller("", "")), "b a c");
        assert_eq!(needed(&both, &caller("a", "")), "b a c");
    }

    #[test]
    fn of_several_alternatives_the_nearest_is_named() {
        let either = any_of([all_of([permission("a"), permission("b")]), permission("c"), permission("d")]);
        assert_eq!(needed(&either, &caller("", "")), "c");
        let by_role =
            any_of([all_of([role("x"), permission("p")]), all_of([role("y"), permission("q"), permission("r")])]);
        assert_eq!(needed(&by_role, &caller("", "y")), "q r");
        assert_eq!(check(&by_role, &caller("p q", "")), Err(Rejection::Forbidden(Prohibition::Role)));
        let beside_a_met_one = all_of([either, permission("e")]);
        assert_eq!(needed(&beside_a_met_one, &caller("a b", "")), "a b e");
    }

    #[test]
    fn b21_a_missing_role_is_not_told_as_missing_permissions() {
        let both = all_of([permission("p"), role("x")]);
        assert_eq!(check(&both, &caller("", "")), Err(Rejection::Forbidden(Prohibition::Role)));
        assert_eq!(needed(&both, &caller("", "x")), "p");
        assert_eq!(needed(&any_of([role("x"), permission("p")]), &caller("", "")), "p");
    }

    #[test]
    fn the_lattice_has_its_ends() {
        let model = PermissionModel::default();
        let compile = |requirement| compile(&requirement, &model).unwrap();
        assert!(matches!(compile(any_of([denied(), public(), permission("p")])), Needs::Nothing));
        assert!(matches!(compile(any_of([optional(), permission("p")])), Needs::GoodCredentialIfAny));
        assert!(matches!(compile(all_of([optional(), public()])), Needs::GoodCredentialIfAny));
        assert!(matches!(compile(all_of([authenticated(), optional()])), Needs::Caller(_)));
        assert!(matches!(compile(all_of([public(), denied()])), Needs::Impossible));
        assert!(matches!(compile(any_of([denied()])), Needs::Impossible));
        assert!(check(&any_of([authenticated(), permission("p")]), &caller("", "")).is_ok());
        assert!(check(&all_of([authenticated(), permission("p")]), &caller("", "")).is_err());
    }

    #[test]
    fn mistakes_are_all_reported() {
        let model = PermissionModel::default();
        let wrong = all_of([any_of([]), permission(""), scope("a b"), role(""), permission("say\"")]);
        assert_eq!(compile(&wrong, &model).unwrap_err().len(), 5);
        let deep = (0..20).fold(permission("p"), |inner, _| all_of([inner]));
        assert!(compile(&deep, &model).is_err());
    }
}
