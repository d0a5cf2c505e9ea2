//! The table of routes, and looking a request up in it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use matchit::Router;

use crate::ConfigError;
use crate::credential::CredentialReader;
use crate::rejection::{Rejection, RequestFault};
use crate::request::{Field, FieldNames, RequestHead};

use super::PermissionModel;
use super::compile;
use super::methods::{MethodRules, Methods};
use super::path::RequestPath;
use super::path_names::PathNames;
use super::rule::{Preflight, RouteRule, Rule};

/// The routes of a service, each with what it asks for. See the [module](crate::policy) for how they are looked up.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(super) routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) methods: Methods,
    pub(super) pattern: String,
    pub(super) rule: Rule,
}

impl Policy {
    /// A policy without a route, which refuses everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A rule for these methods at paths of this pattern. Mistakes are reported when the gate is built.
    #[must_use]
    pub fn route(mut self, methods: impl Into<Methods>, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.routes.push(Route { methods: methods.into(), pattern: pattern.into(), rule: rule.into() });
        self
    }

    /// A rule for GET, and for HEAD unless that has one of its own.
    #[must_use]
    pub fn get(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route("GET", pattern, rule)
    }

    /// A rule for POST.
    #[must_use]
    pub fn post(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route("POST", pattern, rule)
    }

    /// A rule for PUT.
    #[must_use]
    pub fn put(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route("PUT", pattern, rule)
    }

    /// A rule for PATCH.
    #[must_use]
    pub fn patch(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route("PATCH", pattern, rule)
    }

    /// A rule for DELETE.
    #[must_use]
    pub fn delete(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route("DELETE", pattern, rule)
    }

    /// A rule for every method that has none of its own on this pattern.
    #[must_use]
    pub fn any(self, pattern: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.route(Methods::ANY, pattern, rule)
    }

    /// The routes in the order in which they were added: methods, pattern and rule.
    pub fn routes(&self) -> impl Iterator<Item = (&Methods, &str, &Rule)> {
        self.routes.iter().map(|route| (&route.methods, route.pattern.as_str(), &route.rule))
    }

    /// Makes the table ready for requests.
    ///
    /// # Errors
    /// Every mistake in it, each with the route where it was made.
    pub fn compile(
        &self,
        model: &PermissionModel,
        reader: &CredentialReader,
    ) -> Result<CompiledPolicy, Vec<ConfigError>> {
        compile::table(&self.routes, model, reader).map(|table| CompiledPolicy(Kind::Table(Box::new(table))))
    }
}

/// A policy made ready for requests.
#[derive(Debug)]
pub struct CompiledPolicy(Kind);

/// The policy without a route, which refuses everything.
impl Default for CompiledPolicy {
    fn default() -> Self {
        Self(Kind::Table(Box::default()))
    }
}

#[derive(Debug)]
enum Kind {
    Table(Box<Table>),
    Single(Arc<RouteRule>),
}

/// Patterns and rules, ready for look-ups.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Finds paths in folded spelling.
    pub(super) folded: Router<usize>,
    /// Finds paths as sent; `None` where every pattern is in folded spelling already, so that one router does for both.
    pub(super) exact: Option<Router<usize>>,
    /// What both routers point to: patterns that fold to the same share their rules.
    pub(super) groups: Vec<MethodRules>,
}

/// What the policy says of a request.
#[derive(Debug)]
pub struct Found<'t, 'p> {
    entry: Entry<'t>,
    names: PathNames<'p>,
}

/// Which entry of the table a request comes under.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'t> {
    /// This rule.
    Rule(&'t Arc<RouteRule>),
    /// It is a CORS preflight for a route with this rule, which lets preflights pass.
    Preflight(&'t Arc<RouteRule>),
    /// No rule, so nobody may pass.
    NoRule,
}

/// Fields with which a client asks a framework to take another method than the request line says.
const METHOD_OVERRIDES: FieldNames = FieldNames::new(&["x-http-method-override", "x-http-method", "x-method-override"]);

impl CompiledPolicy {
    /// One rule for every path, for a gate in front of a single route. Dangerous paths are refused all the same.
    ///
    /// # Errors
    /// Every mistake in the rule; taking the tenant from a path parameter is one, since there is no pattern.
    pub fn single(rule: &Rule, model: &PermissionModel, reader: &CredentialReader) -> Result<Self, Vec<ConfigError>> {
        let rule = RouteRule::compile(rule, "", &[], model, reader)?;
        Ok(Self(Kind::Single(Arc::new(rule))))
    }

    /// Every rule; one that serves several methods may come several times.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Arc<RouteRule>> {
        let (groups, single) = match &self.0 {
            Kind::Table(table) => (table.groups.as_slice(), None),
            Kind::Single(rule) => ([].as_slice(), Some(rule)),
        };
        groups.iter().flat_map(MethodRules::iter).chain(single)
    }

    /// The entry a request comes under.
    ///
    /// # Errors
    /// [`Rejection::InvalidRequest`] where the path or the method can be read in more than one way.
    pub fn route<'t, 'p>(&'t self, head: &RequestHead<'p>) -> Result<Found<'t, 'p>, Rejection> {
        if head.headers.has_any(&METHOD_OVERRIDES) {
            return Err(Rejection::InvalidRequest(RequestFault::MethodOverride));
        }
        if let Some(method) = preflight_method(head) {
            let found = self.find(method, head.path)?;
            if let Entry::Rule(rule) = found.entry
                && rule.preflight == Preflight::Passes
            {
                return Ok(Found { entry: Entry::Preflight(rule), names: PathNames::default() });
            }
        }
        self.find(head.method, head.path)
    }

    /// The entry for a method and a path as sent.
    ///
    /// # Errors
    /// [`Rejection::InvalidRequest`] where the path can be read in more than one way.
    pub fn find<'t, 'p>(&'t self, method: &str, path: &'p str) -> Result<Found<'t, 'p>, Rejection> {
        let path = RequestPath::check(path).map_err(Rejection::InvalidRequest)?;
        match &self.0 {
            Kind::Table(table) => table.find(method, &path),
            Kind::Single(rule) => Ok(Found { entry: Entry::Rule(rule), names: PathNames::default() }),
        }
    }

    /// Of a service's own routes, given as method and pattern, those that have no rule here.
    ///
    /// For a test that no handler was forgotten. Each `{parameter}` is tried with a segment that no literal is likely
    /// to be.
    ///
    /// ```
    /// # use auth_core::credential::CredentialReader;
    /// # use auth_core::policy::{PermissionModel, Policy, permission};
    /// let policy = Policy::new().get("/users/{id}", permission("read"));
    /// # let reader = CredentialReader::new([]).map_err(|problems| format!("{problems:?}"))?;
    /// let policy = policy.compile(&PermissionModel::default(), &reader).map_err(|problems| format!("{problems:?}"))?;
    /// assert_eq!(policy.uncovered([("GET", "/users/{id}"), ("DELETE", "/users/{id}")]), [("DELETE", "/users/{id}")]);
    /// # Ok::<(), String>(())
    /// ```
    pub fn uncovered<'r>(&self, routes: impl IntoIterator<Item = (&'r str, &'r str)>) -> Vec<(&'r str, &'r str)> {
        let has_rule = |(method, pattern): &(&str, &str)| {
            let sample = pattern.split('/').map(|segment| if segment.starts_with('{') { "~~" } else { segment });
            let found = self.find(method, &sample.collect::<Vec<_>>().join("/")).map(|found| found.is_rule());
            found.unwrap_or(false)
        };
        routes.into_iter().filter(|route| !has_rule(route)).collect()
    }
}

impl Table {
    /// What the routers answer is large, so it stays where it is.
    fn find<'t, 'p>(&'t self, method: &str, path: &RequestPath<'p>) -> Result<Found<'t, 'p>, Rejection> {
        let sent = self.exact.as_ref().unwrap_or(&self.folded).at(path.sent());
        let group = sent.as_ref().ok().map(|sent| *sent.value);
        if path.folded().is_some() || self.exact.is_some() {
            let folded = self.folded.at(path.folded().unwrap_or(path.sent()));
            if folded.ok().map(|found| *found.value) != group {
                return Err(Rejection::InvalidRequest(RequestFault::AmbiguousPath));
            }
        }
        let rule = group.and_then(|group| self.groups.get(group)?.find(method));
        let (Some(rule), Ok(sent)) = (rule, &sent) else {
            return Ok(Found { entry: Entry::NoRule, names: PathNames::default() });
        };
        Ok(Found { entry: Entry::Rule(rule), names: rule.compared.of(&sent.params) })
    }
}

impl<'t, 'p> Found<'t, 'p> {
    /// Which entry it is.
    pub fn entry(&self) -> Entry<'t> {
        self.entry
    }

    /// What the rule compares of the path.
    pub fn names(&self) -> &PathNames<'p> {
        &self.names
    }

    fn is_rule(&self) -> bool {
        matches!(self.entry, Entry::Rule(_))
    }
}

/// The method that a CORS preflight asks about (Fetch, section 3.3.2).
fn preflight_method<'p>(head: &RequestHead<'p>) -> Option<&'p str> {
    if head.method != "OPTIONS" || head.field("origin") == Field::Absent {
        return None;
    }
    match head.field("access-control-request-method") {
        Field::Once(method) => std::str::from_utf8(method).ok(),
        Field::Absent | Field::Repeated => None,
    }
}
