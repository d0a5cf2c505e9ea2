//! `[[plans]]`: how much whom is allowed.

use std::num::NonZeroU32;

use auth_core::limit::{Burst, Factor, Quota, Scope};
use toml::de::DeValue;

use super::node::{FromNode, Node};
use super::section::Gaps;
use super::values::{OneOrMore, Positive, Text};
use crate::problem::{Place, Placed};

/// A named list of limits, all of which hold at once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Where it stands in the file.
    pub place: Place,
    /// What callers' plans are compared with.
    pub name: Placed<String>,
    /// The limits; none for a plan that allows everything.
    pub limits: Vec<PlanLimit>,
}

/// One limit of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanLimit {
    /// What clients see; the plan's name unless it says.
    pub name: Option<String>,
    /// How much it allows.
    pub quota: Quota,
    /// What its budgets belong to; each principal by default.
    pub per: Scope,
    /// The routes it counts on; `None` for all.
    pub routes: Option<Vec<Placed<String>>>,
}

impl FromNode for Plan {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let name = section.required_placed::<Text>("name");
            let mut gaps = Gaps::default();
            let limits = section.list("limits", &mut gaps);
            Some(Self { place: section.place(), name: name?.map(|Text(name)| name), limits })
        })?
    }
}

impl FromNode for PlanLimit {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let name = section.read::<Text>("name").map(|Text(name)| name);
            let quota = section.required::<Quota>("quota");
            let per = section.read::<Scope>("per");
            let quota = match (quota, section.node("burst")) {
                (Some(quota), Some(node)) => with_burst(quota, &node),
                (quota, _) => quota,
            };
            let routes = section.read::<OneOrMore<Placed<Text>>>("routes");
            let routes =
                routes.map(|OneOrMore(names)| names.into_iter().map(|name| name.map(|Text(name)| name)).collect());
            Some(Self { name, quota: quota?, per: per.unwrap_or(Scope::PRINCIPAL), routes })
        })?
    }
}

/// How many may come at once: a number, or a factor of the quota such as `"2x"`.
fn with_burst(quota: Quota, node: &Node<'_>) -> Option<Quota> {
    let burst = match node.value() {
        DeValue::Integer(_) => {
            let Positive(count) = Positive::from_node(node)?;
            let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else {
                return node.problem("is more than can be counted");
            };
            Burst::Count(count)
        }
        DeValue::String(_) => Burst::Factor(Factor::from_node(node)?),
        _ => return node.wrong_type("a number, or a factor such as \"2x\""),
    };
    quota.with_burst(burst).map_or_else(|error| node.problem(error.to_string()), Some)
}

impl FromNode for Quota {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        text.parse::<Self>().map_or_else(|error| node.problem(error.to_string()), Some)
    }
}

impl FromNode for Factor {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        text.parse::<Self>().map_or_else(|error| node.problem(error.to_string()), Some)
    }
}

/// A name, or an array of names that a budget belongs to together.
impl FromNode for Scope {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let OneOrMore(names) = OneOrMore::<Text>::from_node(node)?;
        let names: Vec<&str> = names.iter().map(|Text(name)| name.as_str()).collect();
        names.join("+").parse::<Self>().map_or_else(|error| node.problem(error.to_string()), Some)
    }
}
