//! The table of routes, and looking a request up in it.

use std::borrow::Cow;
use std::sync::Arc;

use matchit::Router;

use crate::ConfigError;
use crate::credential::CredentialReader;
use crate::rejection::{Rejection, RequestFault};
use crate::request::{Field, FieldNames, RequestHead};

use super::PermissionModel;
use super::compile;
use super::methods::{MethodRules, Methods};
use super::path::{RequestPath, decode_parameter};
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

#[derive(Debug)]
enum Kind {
    Table(Box<Table>),
    Single(Arc<RouteRule>),
}

/// Patterns and rules, ready for look-ups.
#[derive(Debug)]
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
    /// The path parameter that the rule compares with the caller's tenant, as sent.
    tenant: Option<&'p str>,
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
                return Ok(Found { entry: Entry::Preflight(rule), tenant: None });
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
            Kind::Single(rule) => Ok(Found { entry: Entry::Rule(rule), tenant: None }),
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
    fn find<'t, 'p>(&'t self, method: &str, path: &RequestPath<'p>) -> Result<Found<'t, 'p>, Rejection> {
        let sent = self.exact.as_ref().unwrap_or(&self.folded).at(path.sent()).ok();
        if path.folded().is_some() || self.exact.is_some() {
            let folded = self.folded.at(path.folded().unwrap_or(path.sent())).ok();
            if folded.map(|found| *found.value) != sent.as_ref().map(|found| *found.value) {
                return Err(Rejection::InvalidRequest(RequestFault::AmbiguousPath));
            }
        }
        let rule = sent.as_ref().and_then(|sent| self.groups.get(*sent.value)?.find(method));
        let (Some(rule), Some(sent)) = (rule, sent) else { return Ok(Found { entry: Entry::NoRule, tenant: None }) };
        let tenant = rule.tenant_parameter.and_then(|position| sent.params.iter().nth(position));
        Ok(Found { entry: Entry::Rule(rule), tenant: tenant.map(|(_, value)| value) })
    }
}

impl<'t, 'p> Found<'t, 'p> {
    /// Which entry it is.
    pub fn entry(&self) -> Entry<'t> {
        self.entry
    }

    /// The tenant that the path names, decoded, where the rule compares one.
    pub fn tenant(&self) -> Option<Cow<'p, str>> {
        decode_parameter(self.tenant?)
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

#[cfg(test)]
mod tests {
    use super::super::{authenticated, permission, public};
    use super::*;

    fn compile(policy: &Policy) -> Result<CompiledPolicy, Vec<String>> {
        let reader = CredentialReader::new([]).unwrap();
        let problems = |found: Vec<ConfigError>| found.iter().map(ToString::to_string).collect();
        policy.compile(&PermissionModel::default(), &reader).map_err(problems)
    }

    /// The name of the rule, `-` for none, `400` where the request is refused.
    fn found(policy: &Policy, method: &str, path: &str) -> String {
        match compile(policy).unwrap().find(method, path).map(|found| found.entry()) {
            Ok(Entry::Rule(rule)) => rule.name().to_owned(),
            Ok(Entry::NoRule) => "-".to_owned(),
            other => other.map_or_else(|rejection| rejection.status().to_string(), |entry| format!("{entry:?}")),
        }
    }

    #[test]
    fn the_more_exact_pattern_decides() {
        let policy = Policy::new()
            .any("/{*rest}", authenticated())
            .get("/users/{id}", permission("a"))
            .get("/users/me", permission("b"))
            .get("/users/{id}/files/{*rest}", permission("c"));
        for (path, pattern) in [
            ("/users/me", "/users/me"),
            ("/users/7", "/users/{id}"),
            ("/users/me/files/x/y", "/users/{id}/files/{*rest}"),
            ("/users/7/other", "/{*rest}"),
            ("/users", "/{*rest}"),
            ("/", "-"),
        ] {
            assert_eq!(found(&policy, "GET", path), pattern, "{path}");
        }
    }

    #[test]
    fn a_parameter_and_the_rest_do_not_begin_at_the_same_place() {
        for other in ["/a/{id}", "/a/{id}/b", "/a/{id}/{*rest}"] {
            let policy = Policy::new().get("/a/{*rest}", authenticated()).get(other, permission("p"));
            assert_eq!(compile(&policy).unwrap_err().len(), 1, "{other}");
        }
        let policy = Policy::new().get("/a/{*rest}", authenticated()).get("/{x}/{id}", permission("p"));
        assert_eq!(found(&policy, "GET", "/a/b"), "/a/{*rest}");
    }

    #[test]
    fn methods_have_rules_of_their_own() {
        let policy = Policy::new()
            .get("/a", Rule::new(permission("r")).named("read"))
            .route("PUT, PATCH", "/a", Rule::new(permission("w")).named("write"))
            .any("/b", Rule::new(public()).named("open"))
            .any("/c", Rule::new(public()).named("other"))
            .get("/c", Rule::new(permission("r")).named("get"));
        for (method, path, rule) in [
            ("GET", "/a", "read"),
            ("HEAD", "/a", "read"),
            ("PATCH", "/a", "write"),
            ("DELETE", "/a", "-"),
            ("get", "/a", "-"),
            ("HEAD", "/b", "open"),
            ("brew", "/b", "open"),
            ("HEAD", "/c", "get"),
            ("POST", "/c", "other"),
            ("get", "/c", "-"),
            ("head", "/c", "-"),
        ] {
            assert_eq!(found(&policy, method, path), rule, "{method} {path}");
        }
    }

    #[test]
    fn spellings_that_reach_another_pattern_are_refused() {
        let policy = Policy::new().any("/admin/{*rest}", permission("admin")).any("/{*rest}", public());
        for (path, expected) in [
            ("/admin/x", "/admin/{*rest}"),
            ("/admin/X/", "/admin/{*rest}"),
            ("/admin/%78", "/admin/{*rest}"),
            ("/Admin/x", "400"),
            ("/%61dmin/x", "400"),
            ("/admin//x", "400"),
            ("/admi%6e/x", "400"),
            ("/ADM\u{131}N/x", "400"),
            ("/adm%C4%B1n/x", "400"),
            ("/other", "/{*rest}"),
            ("/Other/%20/", "/{*rest}"),
            ("/admin", "/{*rest}"),
            ("/admin/", "/{*rest}"),
        ] {
            assert_eq!(found(&policy, "GET", path), expected, "{path}");
        }
    }

    #[test]
    fn patterns_in_other_spellings_are_matched_as_written() {
        let policy =
            Policy::new().get("/Users/{id}", public()).get("/docs/", public()).get("/{a}/{b}", permission("p"));
        for (path, expected) in [
            ("/Users/7", "/Users/{id}"),
            ("/users/7", "400"),
            ("/USERS/7", "400"),
            ("/docs/", "/docs/"),
            ("/docs", "400"),
            ("/x/y", "/{a}/{b}"),
        ] {
            assert_eq!(found(&policy, "GET", path), expected, "{path}");
        }
    }

    #[test]
    fn spellings_may_share_a_rule_and_nothing_less() {
        let shared = Policy::new().get("/docs", permission("p")).get("/docs/", permission("p"));
        assert_eq!(found(&shared, "GET", "/docs/"), "/docs");
        for policy in [
            Policy::new().get("/docs", permission("p")).get("/docs/", permission("q")),
            Policy::new().get("/docs", permission("p")).get("/Docs", public()),
            Policy::new().get("/docs", permission("p")).any("/docs/", permission("p")),
            Policy::new().get("/docs", permission("p")).post("/docs", public()).get("/DOCS", permission("p")),
        ] {
            assert_eq!(compile(&policy).unwrap_err().len(), 1);
        }
    }

    #[test]
    fn mistakes_are_all_reported_with_their_route() {
        let policy = Policy::new()
            .get("/a", permission(""))
            .get("b", public())
            .get("/c/{id}", Rule::new(authenticated()).tenant_from("tenant"))
            .get("/d/{t}", Rule::new(public()).tenant_from("t"))
            .get("/e", public())
            .get("/e", public())
            .route("get", "/f", public())
            .get("/g/{id}", public())
            .get("/g/{*rest}", public())
            .get("/h", Rule::new(authenticated()).accepting([crate::credential::Source::bearer()]));
        let problems = compile(&policy).unwrap_err();
        assert_eq!(problems.len(), 8, "{problems:#?}");
        for part in [
            "route `GET /a`: permission \"\"",
            "route `GET b`: ",
            "`{tenant}`",
            "authenticated() at least",
            "`GET /e` has a rule already",
            "\"get\" is not a method",
            "`/g/{id}` and `/g/{*rest}`",
            "no verifier reads `authorization:Bearer`",
        ] {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:#?}");
        }
    }

    #[test]
    fn s9_the_tenant_is_the_decoded_parameter_as_sent() {
        let policy = Policy::new().get("/t/{x}/{org}/{*rest}", Rule::new(authenticated()).tenant_from("org"));
        let policy = compile(&policy).unwrap();
        for (path, tenant) in [("/t/a/b/c", "b"), ("/t/a/Acme/c", "Acme"), ("/t/a/%41cme%20Inc/c", "Acme Inc")] {
            assert_eq!(policy.find("GET", path).unwrap().tenant().as_deref(), Some(tenant), "{path}");
        }
    }

    #[test]
    fn s8_routes_without_a_rule_are_listed() {
        let policy = Policy::new().get("/a/{id}", permission("p")).get("/a/list", public()).any("/b/{*rest}", public());
        let own = [("GET", "/a/{key}"), ("POST", "/a/list"), ("PUT", "/b/{x}/{y}"), ("GET", "/c")];
        assert_eq!(compile(&policy).unwrap().uncovered(own), [("POST", "/a/list"), ("GET", "/c")]);
    }

    #[test]
    fn preflights_pass_where_the_asked_method_lets_them() {
        let policy = Policy::new().get("/a", Rule::new(permission("p")).preflight()).put("/a", permission("p")).route(
            "OPTIONS",
            "/a",
            permission("options"),
        );
        let policy = compile(&policy).unwrap();
        let passes = |method, headers: &[(String, Vec<u8>)]| {
            let headers = headers.to_vec();
            let found = policy.route(&RequestHead::new(method, "/a", &headers)).unwrap();
            matches!(found.entry(), Entry::Preflight(_))
        };
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let origin = field("origin", "https://example.org");
        let asks = |method| field("access-control-request-method", method);
        assert!(passes("OPTIONS", &[origin.clone(), asks("GET")]));
        assert!(!passes("OPTIONS", &[origin.clone(), asks("PUT")]));
        assert!(!passes("OPTIONS", &[origin.clone(), asks("GET"), asks("PUT")]));
        assert!(!passes("OPTIONS", &[asks("GET")]));
        assert!(!passes("OPTIONS", std::slice::from_ref(&origin)));
        assert!(!passes("GET", &[origin, asks("GET")]));
    }

    #[test]
    fn method_overrides_are_refused() {
        let policy = compile(&Policy::new().any("/a", public())).unwrap();
        for name in ["x-http-method-override", "X-HTTP-Method", "x-method-override"] {
            let headers = [(name, "DELETE")];
            let refused = policy.route(&RequestHead::new("GET", "/a", &headers)).err();
            assert_eq!(refused, Some(Rejection::InvalidRequest(RequestFault::MethodOverride)));
        }
    }
}
