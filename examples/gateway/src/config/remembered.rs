//! `[remembered]`: how many credentials that were found good are remembered.

use auth_core::verify::CacheSize;

use super::node::{FromNode, Node};
use super::section::Section;
use super::units::Size;
use super::values::Positive;

/// How much is remembered of tokens of issuers, of keys, and of the tokens that each other server is asked about.
pub(super) fn read(section: &mut Section<'_>) -> CacheSize {
    let entries = section.node("entries").and_then(|node| entries(&node)).map(CacheSize::entries);
    let size = entries.unwrap_or_default();
    match section.read("size") {
        Some(Size(bytes)) => size.bytes(bytes),
        None => size,
    }
}

/// At most 67 million, whose places alone take 1.2 GB: more is a slip.
fn entries(node: &Node<'_>) -> Option<usize> {
    let Positive(count) = Positive::from_node(node)?;
    if count > 1 << 26 {
        return node.problem("is too many: write 67108864 or less");
    }
    Some(count)
}
