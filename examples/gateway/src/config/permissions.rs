//! `[permissions]`: which permission brings which along.

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{OneOrMore, Text};
use crate::problem::Placed;

/// Which permission brings which along.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Permissions {
    /// Each permission with those that its holders hold too. Wildcards such as `models:*` may stand on both sides.
    pub implies: Vec<(String, Vec<String>)>,
}

impl Permissions {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let members = section.node("implies").and_then(|node| node.members()).unwrap_or_default();
        let implication = |(name, node): (Placed<String>, Node<'_>)| {
            let OneOrMore(implied) = OneOrMore::<Text>::from_node(&node)?;
            Some((name.value, implied.into_iter().map(|Text(name)| name).collect()))
        };
        Self { implies: members.into_iter().filter_map(implication).collect() }
    }
}
