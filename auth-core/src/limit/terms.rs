//! The limits that hold for one caller, ready to be charged and told.

use std::fmt::Write;
use std::sync::Arc;

use super::{Charge, Charges, Factor, Facts, Quota, Scope, Spending, Verdict};

/// One limit: what it is called, how much it allows, what its budgets belong to, and where it counts.
///
/// Limits of different names have different budgets. Quotas of one rate share the budget, whatever their bursts; another
/// rate is another budget, because an instant that was reckoned with one rate says nothing under another. Allowances of
/// one period share the budget, whatever their counts: what was spent counts against each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub(super) name: Arc<str>,
    pub(super) quota: Quota,
    pub(super) scope: Scope,
    pub(super) routes: Option<Arc<[Box<str>]>>,
}

impl Limit {
    /// A limit. Clients see the name in `RateLimit-Policy` and in the body of a 429.
    pub fn new(name: impl Into<Arc<str>>, quota: Quota, scope: Scope) -> Self {
        Self { name: name.into(), quota, scope, routes: None }
    }

    /// The same limit for these routes alone, by the names of their [rules](crate::policy::Rule::named); elsewhere
    /// nothing is taken from it, and nothing is told of it.
    ///
    /// The routes share its budgets, unless these belong to each route.
    #[must_use]
    pub fn on_routes<R: Into<Box<str>>>(mut self, names: impl IntoIterator<Item = R>) -> Self {
        self.routes = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The routes it is for alone, none where it is for all.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().flat_map(|names| names.iter()).map(|name| &**name)
    }

    /// Whether it counts on the route of that name.
    pub(super) fn holds_on(&self, route: &str) -> bool {
        self.routes.as_ref().is_none_or(|names| names.iter().any(|name| **name == *route))
    }

    /// What a store is asked for: so many units of one of its budgets. Nothing is taken before a store is asked, and the
    /// [routes](Self::on_routes) do not matter here.
    #[inline]
    pub const fn charge(&self, units: u32) -> Charge<'_> {
        Charge { limit: self, units }
    }

    /// The name, as clients see it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much it allows.
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// What its budgets belong to.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

/// The limits that hold for one caller: those of a plan, with the bursts of one authentication method.
#[derive(Debug)]
pub struct Terms {
    plan: Arc<str>,
    limits: Box<[Limit]>,
    policy: Box<str>,
    members: Box<[Box<str>]>,
}

impl Terms {
    pub(super) fn new<'l>(plan: &Arc<str>, limits: impl IntoIterator<Item = &'l Limit>, factor: Factor) -> Self {
        let with_burst = |limit: &Limit| Limit { quota: limit.quota.times(factor), ..limit.clone() };
        let limits: Box<[Limit]> = limits.into_iter().map(with_burst).collect();
        let policy = policy_text(&limits).into();
        let members = limits.iter().enumerate().map(member_text).collect();
        Self { plan: Arc::clone(plan), limits, policy, members }
    }

    /// The name of the plan.
    pub fn plan(&self) -> &Arc<str> {
        &self.plan
    }

    /// The limits, in the order of the plan.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What a request of so many units is charged for: each limit once, in the order of the limits.
    ///
    /// The plan is this one, whatever the facts said: it is written into them.
    pub fn charges<'c, 'a: 'c>(&'a self, facts: &'c mut Facts<'a>, units: u32) -> Charges<'c> {
        facts.plan = Some(&self.plan);
        Charges::of_limits(facts, &self.limits, units)
    }

    /// The value of `RateLimit-Policy`; the same in every response (RateLimit-11 section 3).
    pub fn policy_header(&self) -> &str {
        &self.policy
    }

    /// How the member of each limit in the value of `RateLimit` begins: `"name";r=`, after the comma that parts it from
    /// the one before.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| &**member)
    }

    /// The names of the limits that a request exceeded, for the body of the 429 (RateLimit-11 section 5.1).
    pub fn violated<'a>(&'a self, spending: &'a Spending) -> impl Iterator<Item = &'a str> {
        let exceeded = |balance: &super::Balance| balance.verdict() != Verdict::Fits;
        self.limits.iter().zip(spending.iter()).filter(move |(_, told)| exceeded(told)).map(|(limit, _)| &*limit.name)
    }
}

/// `"name";q=100;w=3600` for each limit. Names hold nothing that a string of RFC 9651 would have to escape; that was
/// checked when the table of plans was built.
fn policy_text(limits: &[Limit]) -> String {
    let mut text = String::new();
    for Limit { name, quota, .. } in limits {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}\"{name}\";q={};w={}", quota.count(), quota.window_seconds());
    }
    text
}

fn member_text((place, limit): (usize, &Limit)) -> Box<str> {
    let separator = if place == 0 { "" } else { ", " };
    format!("{separator}\"{}\";r=", limit.name).into()
}
