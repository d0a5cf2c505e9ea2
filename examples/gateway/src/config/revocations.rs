//! `[revocations]`: the list of what was taken back.

use std::time::Duration;

use super::node::{FromNode, Node};
use super::store::Store;
use super::units::Span;
use crate::problem::Place;

/// The list of what was taken back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Revocations {
    /// Where it stands in the file.
    pub place: Place,
    /// Where the list is kept.
    pub store: Store,
    /// For how long the list is believed while its store cannot be read; 30 s by default. Afterwards nobody with a
    /// credential passes.
    pub believed_for: Duration,
}

impl FromNode for Revocations {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let store = Store::read(section, node);
            let believed_for = section.read_or("believed_for", Span(Duration::from_secs(30))).0;
            Self { place: section.place(), store, believed_for }
        })
    }
}
