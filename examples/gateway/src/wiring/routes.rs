//! From `[[routes]]` and `[permissions]` to the policy.

use auth_core::credential::Source;
use auth_core::policy::{self, Methods, PermissionModel, Policy, Requirement, Rule};

use crate::config::{Access, Config, Needs, Route, RouteCors, SeveralCredentials};

/// What the gateway answers itself is in the table too, so that other spellings of it are refused like any ambiguous
/// path.
pub(super) const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

pub(crate) fn permissions(config: &Config) -> PermissionModel {
    config.permissions.implies.iter().fold(PermissionModel::default(), |model, (permission, implied)| {
        model.implies(permission, implied.iter().map(String::as_str))
    })
}

pub(super) fn policy(config: &Config) -> Policy {
    let own = OWN_PATHS.iter().fold(Policy::new(), |policy, path| policy.get(*path, policy::public()));
    config.routes.iter().fold(own, |policy, route| add(policy, config, route))
}

pub(super) fn add(policy: Policy, config: &Config, route: &Route) -> Policy {
    policy.route(methods(route), route.path.value.as_str(), rule(config, route))
}

fn methods(route: &Route) -> Methods {
    match &route.methods {
        None => Methods::ANY,
        Some(methods) => Methods::from(methods.join(",").as_str()),
    }
}

fn rule(config: &Config, route: &Route) -> Rule {
    let mut rule = Rule::new(requirement(&route.access)).named(route.name());
    if let Some(parameter) = &route.tenant {
        rule = rule.tenant_from(parameter.value.as_str());
    }
    if let Some(networks) = &route.networks {
        rule = rule.networks(networks.clone());
    }
    if let Some(names) = &route.credentials {
        let named = |name: &str| config.credentials.iter().find(|credentials| credentials.name == name);
        let sources: Vec<Source> =
            names.iter().filter_map(|name| named(&name.value)).map(|credentials| credentials.source.clone()).collect();
        rule = rule.accepting(sources);
    }
    if route.several_credentials == SeveralCredentials::MustAgree {
        rule = rule.several_credentials();
    }
    if let Some(cost) = &route.cost {
        rule = rule.cost(cost.value);
    }
    if matches!(route.access, Access::AnonymousOr(_)) {
        rule = rule.or_anonymous();
    }
    if route.cors == RouteCors::Shared {
        rule = rule.preflight();
    }
    rule
}

fn requirement(access: &Access) -> Requirement {
    match access {
        Access::Public => policy::public(),
        Access::Optional => policy::optional(),
        Access::Authenticated => policy::authenticated(),
        Access::Denied => policy::denied(),
        Access::Needs(needs) | Access::AnonymousOr(needs) => needed(needs),
    }
}

fn needed(needs: &Needs) -> Requirement {
    match needs {
        Needs::Permission(name) => policy::permission(name),
        Needs::PermissionFor { name, parameter } => policy::permission_for(name, parameter),
        Needs::Subject(parameter) => policy::subject_from(parameter),
        Needs::Role(name) => policy::role(name),
        Needs::Scope(name) => policy::scope(name),
        Needs::All(parts) => policy::all_of(parts.iter().map(needed)),
        Needs::Any(parts) => policy::any_of(parts.iter().map(needed)),
    }
}
