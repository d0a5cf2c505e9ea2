//! One value of the file, with where it stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::reader::{Reader, Surroundings};
use super::section::Section;
use crate::problem::{Place, Placed};

/// One value of the file, with where it stands.
#[derive(Clone)]
pub(super) struct Node<'r> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) value: &'r DeValue<'r>,
}

/// A type that can be read from a value of the file.
pub(super) trait FromNode: Sized {
    /// Reads the value; where it is not good, says so to the node and answers nothing.
    fn from_node(node: &Node<'_>) -> Option<Self>;
}

impl<'r> Node<'r> {
    /// Reports that this value is not good. Answers nothing, so that a check can end with it.
    pub(super) fn problem<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.report(self.span.clone(), self.key.clone(), message.into());
        None
    }

    /// Reports a problem of something inside this value.
    pub(super) fn problem_at(&self, place: &Place, message: impl Into<String>) {
        self.reader.report_at(place, message);
    }

    pub(super) fn place(&self) -> Place {
        self.reader.place(self.span.clone(), self.key.clone())
    }

    pub(super) fn value(&self) -> &'r DeValue<'r> {
        self.value
    }

    pub(super) fn surroundings(&self) -> Surroundings<'r> {
        self.reader.surroundings()
    }

    /// Reports that the value has another type than needed. Names the type alone: the value may be a secret.
    pub(super) fn wrong_type<T>(&self, needed: &str) -> Option<T> {
        self.problem(format!("needs {needed}, but {} stands here", described(self.value)))
    }

    /// The elements of an array.
    pub(super) fn items(&self) -> Option<Vec<Node<'r>>> {
        let DeValue::Array(items) = self.value else { return None };
        let item = |(index, item): (usize, &'r Spanned<DeValue<'r>>)| Node {
            reader: self.reader,
            key: format!("{}[{index}]", self.key),
            span: item.span(),
            value: item.get_ref(),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The members of a table whose keys are free: each key with the place of the key, and its value.
    pub(super) fn members(&self) -> Option<Vec<(Placed<String>, Node<'r>)>> {
        let DeValue::Table(table) = self.value else { return self.wrong_type("a table") };
        let member = |(key, value): (&'r Spanned<DeString<'r>>, &'r Spanned<DeValue<'r>>)| {
            let name = key.get_ref().clone().into_owned();
            let path = joined(&self.key, &name);
            let place = self.reader.place(key.span(), path.clone());
            let node = Node { reader: self.reader, key: path, span: value.span(), value: value.get_ref() };
            (Placed { value: name, place }, node)
        };
        Some(table.iter().map(member).collect())
    }

    /// Reads the value as a section; afterwards every key that `read` did not ask for is reported.
    pub(super) fn section<T>(&self, read: impl FnOnce(&mut Section<'r>) -> T) -> Option<T> {
        let DeValue::Table(table) = self.value else { return self.wrong_type("a table") };
        let (key, span) = (self.key.clone(), self.span.clone());
        Some(Section::new(self.reader, key, span, table).read_with(read))
    }
}

/// `section.key`, with keys quoted that are not bare.
pub(super) fn joined(section: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let key = if bare { key.to_owned() } else { format!("\"{}\"", key.escape_debug()) };
    if section.is_empty() { key } else { format!("{section}.{key}") }
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
