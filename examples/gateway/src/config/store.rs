//! `store` and `sqlite_file`: where something is kept.

use std::path::PathBuf;

use super::node::Node;
use super::section::Section;
use super::values::choice;

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Store {
    /// In a file of `SQLite`; `None` for the one in the data directory. The default.
    Sqlite(Option<PathBuf>),
    /// In memory: it ends with the process.
    Memory,
}

impl Store {
    pub(super) fn read(section: &mut Section<'_>, node: &Node<'_>) -> Self {
        #[derive(Clone, Copy)]
        enum Kind {
            Sqlite,
            Memory,
        }
        let kind =
            section.node("store").and_then(|node| choice(&node, &[("sqlite", Kind::Sqlite), ("memory", Kind::Memory)]));
        let file = section.placed::<PathBuf>("sqlite_file");
        match (kind, file) {
            (Some(Kind::Memory), Some(file)) => {
                node.problem_at(&file.place, "contradicts `store = \"memory\"`: leave one of the two out");
                Self::Memory
            }
            (Some(Kind::Memory), None) => Self::Memory,
            (_, file) => Self::Sqlite(file.map(|file| file.value)),
        }
    }
}
