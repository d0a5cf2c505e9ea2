//! Which limits hold for whom.

use std::collections::HashMap;
use std::sync::Arc;

use super::by_route::ByRoute;
use super::terms::{Limit, Terms};
use super::{Facts, PlansBuilder, Quota, Scope};
use crate::error::ConfigError;
use crate::principal::Method;

/// A named list of limits, all of which hold at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: Arc<str>,
    pub(super) limits: Vec<Limit>,
}

impl Plan {
    /// A plan without limits.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), limits: Vec::new() }
    }

    /// The plan with one limit more; at most [`MAX_CHARGES`](super::MAX_CHARGES).
    #[must_use]
    pub fn limit(mut self, name: impl Into<Arc<str>>, quota: Quota, scope: Scope) -> Self {
        self.limits.push(Limit::new(name, quota, scope));
        self
    }

    /// The plan with this limit too, which may be one for [some routes](Limit::on_routes) alone.
    #[must_use]
    pub fn with(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    pub(super) fn parts(&self) -> (&Arc<str>, &[Limit]) {
        (&self.name, &self.limits)
    }
}

/// Which plan holds for whom, with what bursts.
///
/// A key that is listed by its id has the plan listed for it, else a tenant that is listed, else the principal's own.
/// A principal without a plan, or with one that is not in the table, has the default plan: a plan that somebody forgot
/// to write down must not be one without limits.
///
/// ```
/// use auth_core::Method;
/// use auth_core::limit::{Facts, Plan, Plans, Scope};
///
/// let free = Plan::new("free").limit("free-hour", "100/hour".parse()?, Scope::PRINCIPAL);
/// let pro = Plan::new("pro")
///     .limit("pro-hour", "10000/hour".parse()?, Scope::TENANT)
///     .limit("pro-second", "20/second".parse()?, Scope::PRINCIPAL);
/// let plans = Plans::builder()
///     .plan(free)
///     .plan(pro)
///     .default_plan("free")
///     .anonymous(Plan::new("anonymous").limit("anonymous", "10/hour burst 20".parse()?, Scope::NETWORK))
///     .factor(Method::ApiKey, "2x".parse()?)
///     .factor(Method::Jwt, "1.5x".parse()?)
///     .tenant("acme", "pro")
///     .build()?;
///
/// let mut facts = Facts::default();
/// facts.principal = Some(("https://login.example.com/", "alice"));
/// facts.plan = Some("free");
/// let terms = plans.terms(&facts, Some(Method::Jwt)).expect("she has limits");
/// assert_eq!(terms.charges(&mut facts, 1).at(0).unwrap().limit.quota().burst(), 150);
/// assert_eq!(terms.policy_header(), "\"free-hour\";q=100;w=3600");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Plans {
    pub(super) table: Vec<Entry>,
    pub(super) default: Option<usize>,
    pub(super) anonymous: Option<ByRoute>,
    pub(super) tenants: HashMap<String, usize>,
    pub(super) keys: HashMap<String, usize>,
}

/// A plan, once for each method that has bursts of its own.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) common: ByRoute,
    pub(super) by_method: Vec<(Method, ByRoute)>,
}

impl Entry {
    fn of(&self, method: Method) -> &ByRoute {
        let own = self.by_method.iter().find(|(known, _)| *known == method);
        own.map_or(&self.common, |(_, limits)| limits)
    }
}

impl Plans {
    /// A table without plans; nobody has limits until one is added.
    pub fn builder() -> PlansBuilder {
        PlansBuilder::default()
    }

    /// The limits of a caller on the route of the facts; `method` is `None` for one without a credential.
    ///
    /// `None` where no limits hold: for everybody where the table has no plans, for anonymous callers where it has no
    /// anonymous plan.
    pub fn terms(&self, facts: &Facts<'_>, method: Option<Method>) -> Option<&Arc<Terms>> {
        self.of(facts, method).map(|limits| limits.terms(facts.route))
    }

    /// The limit of that name in the caller's plan, wherever it counts, and the name of the plan.
    pub fn limit(&self, name: &str, facts: &Facts<'_>, method: Option<Method>) -> Option<(&Arc<str>, &Limit)> {
        let limits = self.of(facts, method)?;
        Some((limits.plan(), limits.limit(name)?))
    }

    fn of(&self, facts: &Facts<'_>, method: Option<Method>) -> Option<&ByRoute> {
        let Some(method) = method else { return self.anonymous.as_ref() };
        let listed = |table: &HashMap<String, usize>, name: Option<&str>| {
            if table.is_empty() { None } else { name.and_then(|name| table.get(name)).copied() }
        };
        // the id of a token is its issuer's choice, which must not choose a plan
        let key = facts.credential.filter(|_| method == Method::ApiKey);
        let number = listed(&self.keys, key)
            .or_else(|| listed(&self.tenants, facts.tenant))
            .or_else(|| self.named(facts.plan?))
            .or(self.default)?;
        self.table.get(number).map(|entry| entry.of(method))
    }

    /// Tables have a handful of plans, which are compared faster than a name is hashed.
    fn named(&self, name: &str) -> Option<usize> {
        self.table.iter().position(|entry| **entry.common.plan() == *name)
    }

    /// Whether requests of so many units to the route of that name can pass at all, for the build of a gate.
    ///
    /// # Errors
    /// Names the first limit whose burst is smaller, since nobody on that plan could ever call such a route.
    pub fn check_units(&self, route: &str, units: u32, callers: Callers) -> Result<(), ConfigError> {
        let anonymous = self.anonymous.as_ref().filter(|_| callers == Callers::Anybody);
        let with_factor = self.table.iter().flat_map(|entry| entry.by_method.iter().map(|(_, limits)| limits));
        let all = self.table.iter().map(|entry| &entry.common).chain(with_factor).chain(anonymous);
        let too_small = |terms: &'_ Arc<Terms>| {
            let limit = terms.limits().iter().find(|limit| limit.quota.burst() < units)?;
            let (name, plan) = (&limit.name, terms.plan());
            let (holds, wanted) = match limit.quota {
                Quota::Rate(rate) => (format!("whose burst is {}", rate.burst()), "a burst"),
                Quota::Allowance(allowance) => (format!("which is {allowance}"), "an allowance"),
            };
            Some(ConfigError::new(format!(
                "a request of {units} units never fits into the limit `{name}` of the plan `{plan}`, {holds}: write \
                 {wanted} of {units} or more, or a lower cost"
            )))
        };
        let mut terms = all.map(|limits| limits.terms(Some(route)));
        terms.find_map(too_small).map_or(Ok(()), Err)
    }
}

/// Who calls a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Callers with a credential and callers without.
    Anybody,
    /// Callers with a credential alone.
    Authenticated,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().unwrap()
    }

    fn table() -> Plans {
        let plan = |name: &'static str, text| Plan::new(name).limit(name, quota(text), Scope::PRINCIPAL);
        Plans::builder()
            .plan(plan("free", "100/hour"))
            .plan(plan("growth", "1000/hour"))
            .plan(plan("pro", "10000/hour"))
            .default_plan("free")
            .anonymous(Plan::new("anonymous").limit("address", quota("10/hour burst 20"), Scope::NETWORK))
            .factor(Method::ApiKey, "2x".parse().unwrap())
            .factor(Method::Jwt, "1.5x".parse().unwrap())
            .tenant("acme", "growth")
            .key("key_1", "pro")
            .build()
            .unwrap()
    }

    #[test]
    fn the_plan_is_the_keys_then_the_tenants_then_the_principals_then_the_default() {
        let plans = table();
        let plan = |credential, tenant, plan| {
            let facts = Facts { principal: Some(("i", "s")), credential, tenant, plan, ..Facts::default() };
            plans.terms(&facts, Some(Method::ApiKey)).unwrap().plan().to_string()
        };
        assert_eq!(plan(Some("key_1"), Some("acme"), Some("free")), "pro");
        assert_eq!(plan(Some("key_2"), Some("acme"), Some("free")), "growth");
        assert_eq!(plan(Some("key_2"), Some("other"), Some("pro")), "pro");
        assert_eq!(plan(None, None, Some("unheard of")), "free");
        assert_eq!(plan(None, None, None), "free");
        assert_eq!(plans.terms(&Facts::default(), None).unwrap().plan().as_ref(), "anonymous");
        let token = Facts { principal: Some(("i", "s")), credential: Some("key_1"), ..Facts::default() };
        assert_eq!(plans.terms(&token, Some(Method::Jwt)).unwrap().plan().as_ref(), "free", "a token's id is no key's");
    }

    #[test]
    fn bursts_follow_the_method_and_rates_do_not() {
        let plans = table();
        let facts = Facts { principal: Some(("i", "s")), ..Facts::default() };
        let of = |method| {
            let quota =
                plans.terms(&facts, Some(method)).unwrap().charges(&mut { facts }, 1).at(0).unwrap().limit.quota;
            (quota.count(), quota.burst())
        };
        assert_eq!(of(Method::ApiKey), (100, 200));
        assert_eq!(of(Method::Jwt), (100, 150));
        assert_eq!(of(Method::OpaqueToken), (100, 100));
        assert_eq!(of(Method::Custom("hmac")), (100, 100));
        let nobody = plans.terms(&Facts::default(), None).unwrap();
        let anonymous = nobody.charges(&mut Facts::default(), 1).at(0).unwrap().limit.quota;
        assert_eq!((anonymous.count(), anonymous.burst()), (10, 20));
    }

    #[test]
    fn charges_carry_the_plan_that_was_chosen_and_the_cost_of_the_route() {
        let plans = table();
        let mut facts = Facts { tenant: Some("acme"), plan: Some("free"), ..Facts::default() };
        let charges = plans.terms(&facts, Some(Method::Jwt)).unwrap().charges(&mut facts, 7);
        let first = charges.at(0).unwrap();
        assert_eq!((charges.facts().plan, first.units, first.limit.name()), (Some("growth"), 7, "growth"));
    }

    #[test]
    fn a_limit_for_some_routes_counts_there_alone() {
        let limit = |name: &'static str| Limit::new(name, quota("10/calendar day"), Scope::PRINCIPAL);
        let plan = Plan::new("free")
            .with(limit("generations").on_routes(["generate", "extend"]))
            .limit("hour", quota("100/hour"), Scope::PRINCIPAL)
            .with(limit("exports").on_routes(["export"]));
        let plans = Plans::builder().plan(plan).default_plan("free").factor(Method::Jwt, "2x".parse().unwrap());
        let plans = plans.build().unwrap();
        let on = |route| Facts { principal: Some(("i", "s")), route, ..Facts::default() };
        let names = |route| {
            let terms = plans.terms(&on(route), Some(Method::Jwt)).unwrap();
            (terms.limits().iter().map(|limit| limit.name().to_owned()).collect::<Vec<_>>(), terms.policy_header())
        };
        assert_eq!(names(None), (vec!["hour".to_owned()], "\"hour\";q=100;w=3600"));
        assert_eq!(names(Some("profile")), names(None));
        assert_eq!(names(Some("generate")).0, ["generations", "hour"]);
        assert_eq!(names(Some("extend")).0, names(Some("generate")).0);
        assert_eq!(names(Some("export")).0, ["hour", "exports"]);
        assert_eq!(plans.limit("exports", &on(None), Some(Method::Jwt)).unwrap().1.quota().count(), 10);
        assert_eq!(plans.limit("hour", &on(None), Some(Method::Jwt)).unwrap().1.quota().burst(), 200);
        assert_eq!(plans.limit("other", &on(None), Some(Method::Jwt)), None);
        assert_eq!(plans.check_units("profile", 50, Callers::Anybody), Ok(()));
        let error = plans.check_units("export", 50, Callers::Anybody).unwrap_err().to_string();
        assert!(
            error.contains("`exports` of the plan `free`, which is 10/calendar day: write an allowance of 50"),
            "{error}"
        );
        let nowhere = Plan::new("free").with(limit("a").on_routes(Vec::<String>::new()));
        let error = Plans::builder().plan(nowhere).default_plan("free").build().unwrap_err().to_string();
        assert!(error.contains("the limit `a` is for no route"), "{error}");
    }

    #[test]
    fn a_table_without_plans_limits_nobody() {
        let plans = Plans::builder().build().unwrap();
        assert!(plans.terms(&Facts::default(), Some(Method::Jwt)).is_none());
        assert!(plans.terms(&Facts::default(), None).is_none());
    }

    #[test]
    fn a_cost_that_never_fits_is_a_mistake() {
        let plans = table();
        assert_eq!(plans.check_units("/", 20, Callers::Anybody), Ok(()));
        assert_eq!(plans.check_units("/", 100, Callers::Authenticated), Ok(()));
        let error = plans.check_units("/", 101, Callers::Authenticated).unwrap_err().to_string();
        assert!(error.contains("the limit `free` of the plan `free`, whose burst is 100"), "{error}");
        let error = plans.check_units("/", 21, Callers::Anybody).unwrap_err().to_string();
        assert!(error.contains("the limit `address` of the plan `anonymous`, whose burst is 20"), "{error}");
    }
}
