//! What a gate needs to bound how much its callers ask for, and how a request is charged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Now;
use crate::error::{ConfigError, StoreError};
use crate::gate::{DuringOutage, ResponseFields};
use crate::limit::{Callers, Charge, Facts, LimitHeaders, Network, Plans, Scope, Spending, Terms};
use crate::policy::{CredentialUse, RouteRule};
use crate::principal::{Identity, Principal};
use crate::rejection::{LimitExceeded, Rejection};
use crate::store::LimitStore;

/// How much the callers of a gate may ask for: who has which limits, where budgets are kept, and what clients are told.
///
/// Cloning copies pointers. Several gates, and several processes where the store allows, can share one store.
///
/// ```
/// use auth_core::gate::{Gate, Limits};
/// use auth_core::limit::{Plan, Plans, Scope};
/// use auth_core::policy::{Policy, public};
/// use auth_core::store::MemoryLimitStore;
///
/// let strangers = Plan::new("anonymous").limit("address", "60/minute".parse()?, Scope::NETWORK);
/// let plans = Plans::builder().anonymous(strangers).build()?;
/// let gate = Gate::builder()
///     .policy(Policy::new().get("/public/{*rest}", public()))
///     .limits(Limits::new(plans, MemoryLimitStore::new()))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Limits {
    plans: Arc<Plans>,
    store: Arc<dyn LimitStore>,
    headers: LimitHeaders,
    during_outage: DuringOutage,
    spread: Duration,
}

impl Limits {
    /// The limits of these plans, with both families of header fields.
    pub fn new(plans: Plans, store: impl LimitStore) -> Self {
        Self::shared(plans, Arc::new(store))
    }

    /// Like [`new`](Self::new), over a store that others use too.
    pub fn shared(plans: Plans, store: Arc<dyn LimitStore>) -> Self {
        let (headers, during_outage) = (LimitHeaders::default(), DuringOutage::default());
        Self { plans: Arc::new(plans), store, headers, during_outage, spread: Duration::ZERO }
    }

    /// Says which header fields tell clients about their budgets.
    #[must_use]
    pub fn headers(mut self, headers: LimitHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// Says what happens while the store cannot tell what is left: 503 unless this is called.
    #[must_use]
    pub fn during_outage(mut self, answer: DuringOutage) -> Self {
        self.during_outage = answer;
        self
    }

    /// Makes each wait longer by a random part of this time, in `Retry-After` and in the header fields alike, so that
    /// clients who were refused at the same moment do not come back at the same moment (RateLimit-11 section 8.5).
    ///
    /// Nothing is added unless this is called: clients of a budget of their own have nobody to run into.
    #[must_use]
    pub fn spread(mut self, most: Duration) -> Self {
        self.spread = most;
        self
    }

    /// Finds the routes whose cost does not fit into some plan.
    pub(super) fn check<'r>(&self, rules: impl Iterator<Item = &'r Arc<RouteRule>>) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        for rule in rules {
            let callers = match rule.credentials() {
                CredentialUse::Required => Callers::Authenticated,
                CredentialUse::Ignored | CredentialUse::Optional => Callers::Anybody,
            };
            let problem = self.plans.check_units(rule.name(), rule.cost(), callers).err();
            let problem = problem.map(|problem| problem.at(format_args!("route `{}`", rule.name())));
            problems.extend(problem.filter(|problem| !problems.contains(problem)));
        }
        problems
    }

    pub(super) fn store(&self) -> &dyn LimitStore {
        &*self.store
    }

    /// The limits of a caller, where there are any.
    pub(super) fn terms(&self, facts: &Facts<'_>, principal: Option<&Principal>) -> Option<&Arc<Terms>> {
        let terms = self.plans.terms(facts, principal.map(|principal| principal.method));
        terms.filter(|terms| !terms.limits().is_empty())
    }

    /// What a budget of somebody is asked for outside of any request; `None` where that plan has no such limit, and where
    /// its budgets belong to what only a request has.
    pub(super) fn charge_of<'a>(
        &'a self,
        identity: &'a Identity,
        name: &str,
        units: u32,
    ) -> Option<(Facts<'a>, Charge<'a>)> {
        let facts = facts_of(identity);
        let (plan, limit) = self.plans.limit(name, &facts, Some(identity.method))?;
        let of_requests = [Scope::ROUTE, Scope::NETWORK].into_iter().any(|part| limit.scope().covers(part));
        (!of_requests).then_some((Facts { plan: Some(plan), ..facts }, limit.charge(units)))
    }

    /// What the store's answer means for the request, and what its response tells of it.
    pub(super) fn settle(
        &self,
        terms: &Terms,
        answer: Result<Spending, StoreError>,
        now: Now,
    ) -> (Result<(), Rejection>, ResponseFields) {
        let spending = match answer {
            Ok(spending) if spending.retry_after().is_some() => spending.later(self.random_part()),
            Ok(spending) => spending,
            Err(error) => {
                return (self.during_outage.answer("limits", &error), ResponseFields::default());
            }
        };
        let fields = ResponseFields::written(2 * terms.policy_header().len() + 64, |text, end| {
            self.headers.write(terms, &spending, now, text, end);
        });
        let policies: Vec<String> = terms.violated(&spending).map(str::to_owned).collect();
        if policies.is_empty() {
            return (Ok(()), fields);
        }
        let exceeded = LimitExceeded { retry_after: spending.retry_after(), policies };
        (Err(Rejection::RateLimited(exceeded)), fields)
    }

    /// A random part of the time that waits are spread over.
    fn random_part(&self) -> Duration {
        if self.spread.is_zero() {
            return Duration::ZERO;
        }
        let mut random = [0; 4];
        // without random bytes there is no spread, which harms nobody
        let _ = aws_lc_rs::rand::fill(&mut random);
        self.spread.mul_f64(f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX))
    }
}

/// What budgets are told apart by.
pub(super) fn facts<'a>(
    principal: Option<&'a Principal>,
    rule: Option<&'a RouteRule>,
    client: Option<std::net::IpAddr>,
) -> Facts<'a> {
    let caller = principal.map_or_else(Facts::default, |principal| facts_of(principal));
    Facts { route: rule.map(RouteRule::name), network: client.map(Network::of), ..caller }
}

/// The same where there is no request.
fn facts_of(identity: &Identity) -> Facts<'_> {
    Facts {
        principal: Some((&identity.issuer, &identity.subject)),
        credential: identity.credential_id.as_deref(),
        tenant: identity.tenant.as_deref(),
        plan: identity.plan.as_deref(),
        ..Facts::default()
    }
}

/// What the request costs. Who lacks the credential that the route needs gets nothing for more than 1 unit.
pub(super) fn units(principal: Option<&Principal>, rule: Option<&RouteRule>) -> u32 {
    match (rule, principal) {
        (None, _) => 1,
        (Some(rule), None) if rule.credentials() == CredentialUse::Required => 1,
        (Some(rule), _) => rule.cost(),
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("plans", &self.plans).field("headers", &self.headers).finish_non_exhaustive()
    }
}
