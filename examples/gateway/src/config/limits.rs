//! `[limits]`: which plan holds for whom, and what clients are told of it.

use std::num::NonZeroU32;
use std::time::Duration;

use auth_core::Method;
use auth_core::gate::DuringOutage;
use auth_core::limit::{Factor, LimitHeaders, ResetStyle, StandardHeaders};

use super::FailedAttempts;
use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{Positive, Text, choice};
use crate::problem::{Place, Placed};

/// Which plan holds for whom, and what clients are told of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Where it stands in the file.
    pub place: Place,
    /// The plan of callers who have none, or one that the file does not have.
    pub default_plan: Option<Placed<String>>,
    /// The plan of callers without a credential; `None` leaves them without limits.
    pub anonymous: Option<Placed<String>>,
    /// What bursts are multiplied with, by the kind of credential.
    pub factors: Vec<(Method, Factor)>,
    /// The plan of everybody in a tenant.
    pub tenants: Vec<(String, Placed<String>)>,
    /// The plan of whoever comes with an API key, by its id.
    pub keys: Vec<(String, Placed<String>)>,
    /// Which header fields tell clients about their budgets.
    pub headers: LimitHeaders,
    /// How many budgets can be in use at once; `None` leaves it to the library: 262144.
    pub capacity: Option<NonZeroU32>,
    /// By how much waits are made longer at random, at most; by nothing unless it says.
    pub spread: Duration,
    /// What is answered while nobody knows what is left of a budget.
    pub during_outage: DuringOutage,
    /// How many credentials from one address may fail; `None` counts none.
    pub failed_attempts: Option<FailedAttempts>,
}

impl Limits {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let plan = |section: &mut Section<'_>, key| section.placed::<Text>(key).map(|name| name.map(|Text(name)| name));
        Self {
            place: section.place(),
            default_plan: plan(section, "default_plan"),
            anonymous: plan(section, "anonymous"),
            factors: factors(section.node("factors")),
            tenants: overrides(section.node("tenants")),
            keys: overrides(section.node("keys")),
            headers: headers(section),
            capacity: capacity(section.node("capacity")),
            spread: section.read_or("spread", Duration::ZERO),
            during_outage: section.read_or("during_outage", DuringOutage::default()),
            failed_attempts: section.read("failed_attempts"),
        }
    }

    /// Takes out every name of a plan.
    pub(super) fn name_no_plans(&mut self) {
        self.default_plan = None;
        self.anonymous = None;
        self.tenants.clear();
        self.keys.clear();
    }

    /// Every plan that is named, with the place where it is.
    pub(super) fn plans_named(&self) -> impl Iterator<Item = &Placed<String>> {
        let single = self.default_plan.iter().chain(&self.anonymous);
        single.chain(self.tenants.iter().chain(&self.keys).map(|(_, plan)| plan))
    }
}

fn headers(section: &mut Section<'_>) -> LimitHeaders {
    let custom = section.read_or("custom_headers", true);
    let standard = section.read_or("standard_headers", true);
    let reset = section.read_or("reset", ResetStyle::Epoch);
    LimitHeaders {
        custom: custom.then_some(reset),
        standard: if standard { StandardHeaders::Sent } else { StandardHeaders::Omitted },
    }
}

fn factors(node: Option<Node<'_>>) -> Vec<(Method, Factor)> {
    const METHODS: [Method; 3] = [Method::Jwt, Method::ApiKey, Method::OpaqueToken];
    let members = node.and_then(|node| node.members()).unwrap_or_default();
    let factor = |(name, node): (Placed<String>, Node<'_>)| {
        let Some(method) = METHODS.into_iter().find(|method| method.as_str() == name.value) else {
            node.problem_at(&name.place, "is no kind of credential: write one of jwt, api_key, opaque_token");
            return None;
        };
        Some((method, Factor::from_node(&node)?))
    };
    members.into_iter().filter_map(factor).collect()
}

fn overrides(node: Option<Node<'_>>) -> Vec<(String, Placed<String>)> {
    let members = node.and_then(|node| node.members()).unwrap_or_default();
    let member = |(name, node): (Placed<String>, Node<'_>)| {
        let Text(plan) = Text::from_node(&node)?;
        Some((name.value, Placed { value: plan, place: node.place() }))
    };
    members.into_iter().filter_map(member).collect()
}

/// At most 256 million, 6 GiB: more is a slip.
fn capacity(node: Option<Node<'_>>) -> Option<NonZeroU32> {
    let node = node?;
    let Positive(count) = Positive::from_node(&node)?;
    match u32::try_from(count).ok().filter(|count| *count <= 1 << 28).and_then(NonZeroU32::new) {
        Some(count) => Some(count),
        None => node.problem("is more than one machine holds: write 268435456 or less"),
    }
}

impl FromNode for DuringOutage {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("refuse", Self::Refuse), ("admit", Self::Admit)])
    }
}

impl FromNode for ResetStyle {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("epoch", Self::Epoch), ("delta", Self::Delta)])
    }
}
