//! Walks the parsed file, value by value, and collects every problem on the way.
//!
//! Reading goes on behind a bad value, so that one run names all problems of a file. A section knows which keys it was
//! asked for: whatever else stands in it is unknown, and the nearest of the known keys is suggested.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::nearest;
use crate::problem::{Place, Placed, Position, Problem};

/// What a configuration file may refer to outside itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Where relative paths begin: the folder of the configuration file.
    pub base_dir: &'a Path,
    /// Looks a variable of the environment up.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Surroundings<'a> {
    /// The folder given, and the environment of the process.
    pub fn of_process(base_dir: &'a Path) -> Self {
        Self { base_dir, environment: &|name| std::env::var(name).ok() }
    }
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("base_dir", &self.base_dir).finish_non_exhaustive()
    }
}

/// Whether the text could be parsed throughout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Whole,
    /// Parts are left out of the tree, so what is missing may only look so.
    Broken,
}

/// The state of one walk.
pub(super) struct Reader<'t> {
    file: Arc<str>,
    text: &'t str,
    surroundings: Surroundings<'t>,
    syntax: Cell<Syntax>,
    problems: RefCell<Vec<Problem>>,
    nothing: DeValue<'static>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: Arc<str>, surroundings: Surroundings<'t>) -> Self {
        Self {
            file,
            text,
            surroundings,
            syntax: Cell::new(Syntax::Whole),
            problems: RefCell::default(),
            nothing: DeValue::Table(DeTable::new()),
        }
    }

    /// Parses the text; what breaks the syntax becomes problems, and the rest is still walked.
    pub(super) fn parse(&self) -> DeValue<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.syntax.set(Syntax::Broken);
            self.report(error.span().unwrap_or(0..0), String::new(), error.message().to_owned());
        }
        DeValue::Table(table.into_inner())
    }

    pub(super) fn root<'r>(&'r self, value: &'r DeValue<'r>) -> Node<'r> {
        Node { reader: self, key: String::new(), span: 0..0, value }
    }

    /// Every problem, in the order of the file, one text for one place.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(Problem::position);
        problems.dedup();
        problems
    }

    fn report(&self, span: Range<usize>, key: String, message: String) {
        let place = self.place(span, key);
        // a line whose syntax is broken was reported once; what its remains look like misleads
        let shadowed = self.syntax.get() == Syntax::Broken
            && self
                .problems
                .borrow()
                .iter()
                .any(|seen| seen.place().key().is_empty() && seen.place().line() == place.line());
        if !shadowed || place.key().is_empty() {
            self.problems.borrow_mut().push(place.problem(message));
        }
    }

    fn place(&self, span: Range<usize>, key: String) -> Place {
        Place::new(self.file.clone(), position(self.text, span.start), key)
    }
}

fn position(text: &str, offset: usize) -> Position {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

/// One value of the file, with where it stands.
#[derive(Clone)]
pub(super) struct Node<'r> {
    reader: &'r Reader<'r>,
    key: String,
    span: Range<usize>,
    value: &'r DeValue<'r>,
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
        self.reader.problems.borrow_mut().push(place.problem(message));
    }

    pub(super) fn place(&self) -> Place {
        self.reader.place(self.span.clone(), self.key.clone())
    }

    pub(super) fn value(&self) -> &'r DeValue<'r> {
        self.value
    }

    pub(super) fn surroundings(&self) -> Surroundings<'r> {
        self.reader.surroundings
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
        let member = |(key, value): (&'r Spanned<toml::de::DeString<'r>>, &'r Spanned<DeValue<'r>>)| {
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
        let mut section = Section { node: self.clone(), table, asked: Vec::new() };
        let value = read(&mut section);
        section.report_unknown_keys();
        Some(value)
    }
}

/// A table whose keys are fixed.
pub(super) struct Section<'r> {
    node: Node<'r>,
    table: &'r DeTable<'r>,
    asked: Vec<&'static str>,
}

impl<'r> Section<'r> {
    /// The value of a key, where it is there.
    pub(super) fn node(&mut self, key: &'static str) -> Option<Node<'r>> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        let path = joined(&self.node.key, key);
        Some(Node { reader: self.node.reader, key: path, span: value.span(), value: value.get_ref() })
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

    /// Reads a nested section; where it is left out, one without a key is read in its place.
    pub(super) fn nested<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'r>) -> T) -> Option<T> {
        let reader = self.node.reader;
        let node = self.node(key).unwrap_or_else(|| Node {
            reader,
            key: joined(&self.node.key, key),
            span: self.node.span.clone(),
            value: &reader.nothing,
        });
        node.section(read)
    }

    /// Reports that a key is not there. Answers nothing.
    pub(super) fn missing<T>(&self, key: &str) -> Option<T> {
        if self.node.reader.syntax.get() == Syntax::Whole {
            self.node.reader.report(self.node.span.clone(), joined(&self.node.key, key), "is missing".to_owned());
        }
        None
    }

    /// Reports a problem of the section as a whole. Answers nothing.
    pub(super) fn problem<T>(&self, message: impl Into<String>) -> Option<T> {
        self.node.problem(message)
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
        self.node.place()
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
            let path = joined(&self.node.key, name);
            self.node.reader.report(key.span(), path, format!("unknown key: {hint}"));
        }
    }
}

/// `section.key`, with keys quoted that are not bare.
fn joined(section: &str, key: &str) -> String {
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
