//! The limits of one plan and one kind of credential, by the route they count on.

use std::sync::Arc;

use super::terms::{Limit, Terms};
use super::{Factor, Plan};

/// Terms for each route that some limit names, made when the table of plans is built: a request pays for finding its
/// own, and for nothing else.
#[derive(Debug)]
pub(super) struct ByRoute {
    elsewhere: Arc<Terms>,
    named: Box<[(Box<str>, Arc<Terms>)]>,
    /// Every limit of the plan, wherever it counts.
    all: Box<[Limit]>,
}

impl ByRoute {
    pub(super) fn new(plan: &Plan, factor: Factor) -> Self {
        let (name, limits) = plan.parts();
        let terms = |route: Option<&str>| {
            let holds = |limit: &&Limit| route.map_or(limit.routes.is_none(), |route| limit.holds_on(route));
            Arc::new(Terms::new(name, limits.iter().filter(holds), factor))
        };
        let mut routes: Vec<&str> = limits.iter().flat_map(Limit::routes).collect();
        routes.sort_unstable();
        routes.dedup();
        Self {
            elsewhere: terms(None),
            named: routes.into_iter().map(|route| (route.into(), terms(Some(route)))).collect(),
            all: Terms::new(name, limits, factor).limits().into(),
        }
    }

    /// What counts on that route.
    pub(super) fn terms(&self, route: Option<&str>) -> &Arc<Terms> {
        if self.named.is_empty() {
            return &self.elsewhere;
        }
        let named = route.and_then(|route| self.named.iter().find(|(name, _)| **name == *route));
        named.map_or(&self.elsewhere, |(_, terms)| terms)
    }

    /// The limit of that name, wherever it counts.
    pub(super) fn limit(&self, name: &str) -> Option<&Limit> {
        self.all.iter().find(|limit| limit.name() == name)
    }

    pub(super) fn plan(&self) -> &Arc<str> {
        self.elsewhere.plan()
    }
}
