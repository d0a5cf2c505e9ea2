//! Puts a table of plans together, and finds every mistake in it.

use std::collections::HashMap;

use super::by_route::ByRoute;
use super::plan::{Entry, Plan, Plans};
use super::{Factor, MAX_CHARGES, Scope};
use crate::error::{ConfigError, ConfigErrors};
use crate::principal::Method;

/// Collects what a table of plans is made of; see [`Plans`].
#[derive(Clone, Debug, Default)]
pub struct PlansBuilder {
    plans: Vec<Plan>,
    default: Option<String>,
    anonymous: Option<Plan>,
    factors: Vec<(Method, Factor)>,
    tenants: Vec<(String, String)>,
    keys: Vec<(String, String)>,
}

impl PlansBuilder {
    /// A plan that principals can have.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plans.push(plan);
        self
    }

    /// The plan of whoever has none, or one that is not in the table. Required where there are plans.
    #[must_use]
    pub fn default_plan(mut self, name: impl Into<String>) -> Self {
        self.default = Some(name.into());
        self
    }

    /// The limits of callers without a credential. The default is none, because addresses mean nothing behind a proxy
    /// that is not listed.
    #[must_use]
    pub fn anonymous(mut self, plan: Plan) -> Self {
        self.anonymous = Some(plan);
        self
    }

    /// What bursts are multiplied with for callers who come with this kind of credential. The default is 1.
    #[must_use]
    pub fn factor(mut self, method: Method, factor: Factor) -> Self {
        self.factors.push((method, factor));
        self
    }

    /// The plan of everybody in a tenant, whatever their own.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>, plan: impl Into<String>) -> Self {
        self.tenants.push((tenant.into(), plan.into()));
        self
    }

    /// The plan of whoever comes with the API key of this id; it beats the tenant's. Ids of tokens do not count: their
    /// issuers choose them.
    #[must_use]
    pub fn key(mut self, id: impl Into<String>, plan: impl Into<String>) -> Self {
        self.keys.push((id.into(), plan.into()));
        self
    }

    /// The table.
    ///
    /// # Errors
    /// Every mistake: names that are given twice or cannot travel in a header, plans that are not there, more limits
    /// than one step spends, a missing default, anonymous limits that belong to what anonymous callers have not got.
    pub fn build(self) -> Result<Plans, ConfigErrors> {
        let mut mistakes = Vec::new();
        for (number, plan) in self.plans.iter().enumerate() {
            if self.plans.iter().take(number).any(|other| other.name == plan.name) {
                mistakes.push(mistake("is there twice: give each a name of its own").at(of_plan(plan)));
            }
        }
        for plan in self.plans.iter().chain(&self.anonymous) {
            check_plan(plan, &mut mistakes);
        }
        self.check_anonymous(&mut mistakes);
        for (number, (method, _)) in self.factors.iter().enumerate() {
            if self.factors.iter().take(number).any(|(other, _)| other == method) {
                mistakes.push(mistake("has two factors: write one").at(method.as_str()));
            }
        }
        let default = self.default.as_deref().and_then(|name| self.find(name, &"the default plan", &mut mistakes));
        if self.default.is_none() && !self.plans.is_empty() {
            mistakes.push(mistake("there is no default plan: name the one of principals who have none"));
        }
        let tenants = self.overrides("tenant", &self.tenants, &mut mistakes);
        let keys = self.overrides("key", &self.keys, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes.into());
        }
        let with_factor = |plan: &Plan| {
            let by_method = |(method, factor): &(Method, Factor)| (*method, ByRoute::new(plan, *factor));
            self.factors.iter().map(by_method).collect()
        };
        let entry = |plan: &Plan| Entry { common: ByRoute::new(plan, Factor::ONE), by_method: with_factor(plan) };
        let table = self.plans.iter().map(entry).collect();
        let anonymous = self.anonymous.as_ref().map(|plan| ByRoute::new(plan, Factor::ONE));
        Ok(Plans { table, default, anonymous, tenants, keys })
    }

    fn check_anonymous(&self, mistakes: &mut Vec<ConfigError>) {
        for limit in self.anonymous.iter().flat_map(|plan| &plan.limits) {
            let absent = [Scope::PRINCIPAL, Scope::CREDENTIAL, Scope::TENANT];
            if absent.into_iter().any(|part| limit.scope.covers(part)) {
                mistakes.push(
                    mistake("an anonymous caller has no principal, key or tenant: write address, route or everybody")
                        .at(format_args!("limit `{}`", limit.name)),
                );
            }
        }
    }

    fn find(&self, name: &str, place: &dyn std::fmt::Display, mistakes: &mut Vec<ConfigError>) -> Option<usize> {
        let found = self.plans.iter().position(|plan| *plan.name == *name);
        if found.is_none() {
            let known: Vec<&str> = self.plans.iter().map(|plan| &*plan.name).collect();
            let known = if known.is_empty() { "add one first".to_owned() } else { known.join(", ") };
            mistakes.push(mistake(format!("there is no plan `{name}`: {known}")).at(place));
        }
        found
    }

    fn overrides(
        &self,
        kind: &str,
        listed: &[(String, String)],
        mistakes: &mut Vec<ConfigError>,
    ) -> HashMap<String, usize> {
        let mut table = HashMap::new();
        for (name, plan) in listed {
            let place = format!("{kind} `{name}`");
            let Some(number) = self.find(plan, &place, mistakes) else { continue };
            if table.insert(name.clone(), number).is_some() {
                mistakes.push(mistake("is listed twice: write one plan for it").at(place));
            }
        }
        table
    }
}

fn check_plan(plan: &Plan, mistakes: &mut Vec<ConfigError>) {
    let mut report = |error: ConfigError| mistakes.push(error.at(of_plan(plan)));
    if plan.name.is_empty() {
        report(mistake("has no name: give it one"));
    }
    if plan.limits.len() > MAX_CHARGES {
        report(mistake(format!(
            "has {} limits, of which one step spends {MAX_CHARGES}: leave some out",
            plan.limits.len()
        )));
    }
    for (number, limit) in plan.limits.iter().enumerate() {
        let is_sendable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if limit.name.is_empty() || !limit.name.bytes().all(is_sendable) {
            report(mistake(format!(
                "the limit `{}` has a name that cannot travel in a header: write printable ASCII without `\"` and `\\`",
                limit.name.escape_default()
            )));
        }
        if plan.limits.iter().take(number).any(|other| other.name == limit.name) {
            report(mistake(format!("has two limits `{}`: give each a name of its own", limit.name)));
        }
        if limit.routes.as_ref().is_some_and(|names| names.is_empty()) {
            report(mistake(format!("the limit `{}` is for no route: name one, or leave the routes out", limit.name)));
        }
    }
}

fn of_plan(plan: &Plan) -> String {
    format!("plan `{}`", plan.name)
}

fn mistake(message: impl Into<String>) -> ConfigError {
    ConfigError::new(message)
}

#[cfg(test)]
mod tests {
    use super::super::Quota;
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().unwrap()
    }

    #[test]
    fn every_mistake_is_named() {
        let limit = |plan: Plan, name: &'static str, scope| plan.limit(name, quota("1/s"), scope);
        let many = (0..9)
            .fold(Plan::new("many"), |plan, number| plan.limit(number.to_string(), quota("1/s"), Scope::PRINCIPAL));
        let twice = limit(limit(Plan::new("twice"), "a", Scope::PRINCIPAL), "a", Scope::TENANT);
        let odd = limit(limit(Plan::new("odd"), "a\"b", Scope::PRINCIPAL), "", Scope::PRINCIPAL);
        let builder = Plans::builder()
            .plan(many)
            .plan(twice.clone())
            .plan(twice)
            .plan(odd)
            .plan(Plan::new(""))
            .default_plan("basic")
            .anonymous(limit(Plan::new("anonymous"), "b", Scope::TENANT | Scope::NETWORK))
            .factor(Method::Jwt, Factor::ONE)
            .factor(Method::Jwt, Factor::ONE)
            .tenant("acme", "odd")
            .tenant("acme", "many")
            .key("key_1", "none");
        let mistakes = builder.build().unwrap_err();
        let text = mistakes.to_string();
        for part in [
            "plan `twice`: is there twice",
            "plan `many`: has 9 limits, of which one step spends 8",
            "plan `twice`: has two limits `a`",
            "plan `odd`: the limit `a\\\"b` has a name that cannot travel",
            "plan `odd`: the limit `` has a name that cannot travel",
            "plan ``: has no name",
            "limit `b`: an anonymous caller has no principal",
            "jwt: has two factors",
            "the default plan: there is no plan `basic`: many, twice, twice, odd",
            "tenant `acme`: is listed twice",
            "key `key_1`: there is no plan `none`",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(mistakes.len(), 12);
        let text = Plans::builder().plan(Plan::new("free")).build().unwrap_err().to_string();
        assert!(text.contains("there is no default plan"), "{text}");
    }
}
