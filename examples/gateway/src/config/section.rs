//! A table whose keys are fixed: it knows which keys it was asked for, and whatever else stands in it is unknown.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use super::node::{FromNode, Node, joined};
use super::reader::{Reader, Syntax};
use super::suggest::nearest;
use crate::problem::{Place, Placed};

/// A table whose keys are fixed.
pub(super) struct Section<'r> {
    reader: &'r Reader<'r>,
    key: String,
    span: Range<usize>,
    table: &'r DeTable<'r>,
    asked: Vec<&'static str>,
}

impl<'r> Section<'r> {
    pub(super) fn new(reader: &'r Reader<'r>, key: String, span: Range<usize>, table: &'r DeTable<'r>) -> Self {
        Self { reader, key, span, table, asked: Vec::new() }
    }

    /// Reads with this function; afterwards every key that it did not ask for is reported.
    pub(super) fn read_with<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(&mut self);
        self.report_unknown_keys();
        value
    }

    /// The value of a key, where it is there.
    pub(super) fn node(&mut self, key: &'static str) -> Option<Node<'r>> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        let path = joined(&self.key, key);
        Some(Node { reader: self.reader, key: path, span: value.span(), value: value.get_ref() })
    }

    /// Reads a key that may be left out.
    pub(super) fn read<T: FromNode>(&mut self, key: &'static str) -> Option<T> {
        T::from_node(&self.node(key)?)
    }

    /// Reads a key that may be left out, with the place of its value.
    pub(super) fn placed<T: FromNode>(&mut self, key: &'static str) -> Option<Placed<T>> {
        let node = self.node(key)?;
        Some(Placed { value: T::from_node(&node)?, place: node.place() })
    }

    /// Reads a key that has a default.
    pub(super) fn read_or<T: FromNode>(&mut self, key: &'static str, default: T) -> T {
        self.read(key).unwrap_or(default)
    }

    /// Reads a text with a parser of its own.
    pub(super) fn parse<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let node = self.node(key)?;
        let text = String::from_node(&node)?;
        parse(&text).map_or_else(|message| node.problem(message), Some)
    }

    /// Reads a key that must be there.
    pub(super) fn required<T: FromNode>(&mut self, key: &'static str) -> Option<T> {
        let Some(node) = self.node(key) else { return self.missing(key) };
        T::from_node(&node)
    }

    /// Like [`required`](Self::required), with the place of the value.
    pub(super) fn required_placed<T: FromNode>(&mut self, key: &'static str) -> Option<Placed<T>> {
        if self.has(key) { self.placed(key) } else { self.missing(key) }
    }

    /// Reads a nested section; where it is left out or is none, one without a key is read in its place.
    pub(super) fn nested<T>(&mut self, key: &'static str, read: impl Fn(&mut Section<'r>) -> T) -> T {
        let table = |node: &Node<'r>| node.section(&read);
        self.node(key).as_ref().and_then(table).unwrap_or_else(|| {
            let (key, nothing) = (joined(&self.key, key), self.reader.nothing());
            Section::new(self.reader, key, self.span.clone(), nothing).read_with(&read)
        })
    }

    /// Reads an array of sections; what cannot be read is left out, and noted as a gap.
    pub(super) fn list<T: FromNode>(&mut self, key: &'static str, gaps: &mut Gaps) -> Vec<T> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let Some(items) = node.items() else {
            gaps.0.insert(key);
            return node.wrong_type::<Vec<T>>("an array of tables").unwrap_or_default();
        };
        let read: Vec<Option<T>> = items.iter().map(T::from_node).collect();
        if read.iter().any(Option::is_none) {
            gaps.0.insert(key);
        }
        read.into_iter().flatten().collect()
    }

    /// Reads a section that may be left out; where it is there and cannot be read, that is noted as a gap.
    pub(super) fn part<T: FromNode>(&mut self, key: &'static str, gaps: &mut Gaps) -> Option<T> {
        let value = T::from_node(&self.node(key)?);
        if value.is_none() {
            gaps.0.insert(key);
        }
        value
    }

    /// Reports that a key is not there. Answers nothing.
    pub(super) fn missing<T>(&self, key: &str) -> Option<T> {
        if self.reader.syntax() == Syntax::Whole {
            self.reader.report(self.span.clone(), joined(&self.key, key), "is missing".to_owned());
        }
        None
    }

    /// Reports a problem of the section as a whole. Answers nothing.
    pub(super) fn problem<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.report(self.span.clone(), self.key.clone(), message.into());
        None
    }

    /// Whether the key stands in the section; counts as asking for it.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    /// Reports a key that people will try and that is not to be used, with what to do instead.
    pub(super) fn refuse(&mut self, key: &'static str, message: &str) {
        if let Some(node) = self.node(key) {
            node.problem::<()>(message);
        }
    }

    /// The place of the section itself.
    pub(super) fn place(&self) -> Place {
        self.reader.place(self.span.clone(), self.key.clone())
    }

    fn report_unknown_keys(&self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let hint = match nearest(name, self.asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None if self.asked.is_empty() => "no key is known here".to_owned(),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            let path = joined(&self.key, name);
            self.reader.report(key.span(), path, format!("unknown key: {hint}"));
        }
    }
}

/// The sections of which something could not be read, so that what seems to be missing there may not be.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeSet<&'static str>);

impl Gaps {
    pub(super) fn are_in(&self, section: &str) -> bool {
        self.0.contains(section)
    }
}
