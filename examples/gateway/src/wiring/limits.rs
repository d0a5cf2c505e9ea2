//! From `[limits]` and `[[plans]]` to the limits of a gate.

use std::sync::Arc;

use auth_core::gate::{AttemptsUnderWay, FailedAttempts};
use auth_core::limit::{self, Callers, Limit, Plans};
use auth_core::store::LimitStore;

use crate::config::{Access, Config, Plan, Route};
use crate::problem::Problem;

/// The table of plans; each plan is looked at alone first, so that each problem has its place.
pub(super) fn plans(config: &Config) -> Result<Plans, Vec<Problem>> {
    let mut problems: Vec<Problem> = config.plans.iter().flat_map(|listed| alone(config, listed)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let limits = &config.limits;
    let mut builder = Plans::builder();
    for listed in &config.plans {
        // What holds for callers without a credential is no plan that a credential could name.
        builder =
            if is_anonymous(config, listed) { builder.anonymous(plan(listed)) } else { builder.plan(plan(listed)) };
    }
    if let Some(default) = &limits.default_plan {
        builder = builder.default_plan(default.value.as_str());
    }
    for (method, factor) in &limits.factors {
        builder = builder.factor(*method, *factor);
    }
    for (tenant, plan) in &limits.tenants {
        builder = builder.tenant(tenant, plan.value.as_str());
    }
    for (key, plan) in &limits.keys {
        builder = builder.key(key, plan.value.as_str());
    }
    let plans = builder
        .build()
        .map_err(|errors| errors.iter().map(|error| limits.place.problem(error.to_string())).collect::<Vec<_>>())?;
    problems.extend(config.routes.iter().filter_map(|route| too_dear(&plans, route)));
    if problems.is_empty() { Ok(plans) } else { Err(problems) }
}

/// The guard against guessing, where the file switches it on.
pub(super) fn failed_attempts(
    config: &Config,
    store: Arc<dyn LimitStore>,
    attempts: &AttemptsUnderWay,
) -> Option<FailedAttempts> {
    let settings = config.limits.failed_attempts.as_ref()?;
    let guard = FailedAttempts::new(settings.quota, settings.clients(), store);
    let guard = guard.during_outage(config.limits.during_outage).counted_in(attempts);
    Some(match settings.trickle {
        Some(trickle) => guard.trickle(trickle),
        None => guard,
    })
}

fn alone(config: &Config, listed: &Plan) -> Vec<Problem> {
    let builder = if is_anonymous(config, listed) {
        Plans::builder().anonymous(plan(listed))
    } else {
        Plans::builder().plan(plan(listed)).default_plan(listed.name.value.as_str())
    };
    let errors = builder.build().err();
    errors.iter().flat_map(|errors| errors.iter()).map(|error| listed.place.problem(error.to_string())).collect()
}

fn is_anonymous(config: &Config, listed: &Plan) -> bool {
    config.limits.anonymous.as_ref().is_some_and(|name| name.value == listed.name.value)
}

fn plan(listed: &Plan) -> limit::Plan {
    listed.limits.iter().fold(limit::Plan::new(listed.name.value.as_str()), |plan, one| {
        let name = one.name.as_deref().unwrap_or(&listed.name.value);
        let limit = Limit::new(name, one.quota, one.per);
        plan.with(match &one.routes {
            Some(routes) => limit.on_routes(routes.iter().map(|route| route.value.as_str())),
            None => limit,
        })
    })
}

fn too_dear(plans: &Plans, route: &Route) -> Option<Problem> {
    let cost = route.cost.as_ref()?;
    let callers = match route.access {
        Access::Public | Access::Optional | Access::AnonymousOr(_) => Callers::Anybody,
        Access::Authenticated | Access::Denied | Access::Needs(_) => Callers::Authenticated,
    };
    plans.check_units(&route.name(), cost.value, callers).err().map(|error| cost.place.problem(error.to_string()))
}
