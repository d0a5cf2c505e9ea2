//! Walks the parsed file, value by value, and collects every problem on the way.
//!
//! Reading goes on behind a bad value, so that one run names all problems of a file. A section knows which keys it was
//! asked for: whatever else stands in it is unknown, and the nearest of the known keys is suggested.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
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

/// The sections of which something could not be read, so that what seems to be missing there may not be.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeSet<&'static str>);

impl Gaps {
    pub(super) fn are_in(&self, section: &str) -> bool {
        self.0.contains(section)
    }
}

/// The state of one walk.
pub(super) struct Reader<'t> {
    file: Arc<str>,
    text: &'t str,
    surroundings: Surroundings<'t>,
    syntax: Cell<Syntax>,
    problems: RefCell<Vec<Problem>>,
    nothing: DeTable<'static>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: Arc<str>, surroundings: Surroundings<'t>) -> Self {
        Self {
            file,
            text,
            surroundings,
            syntax: Cell::new(Syntax::Whole),
            problems: RefCell::default(),
            nothing: DeTable::new(),
        }
    }

    /// Parses the text; what breaks the syntax becomes problems, and the rest can still be walked.
    pub(super) fn parse(&self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.syntax.set(Syntax::Broken);
            self.report(error.span().unwrap_or(0..0), String::new(), error.message().to_owned());
        }
        table.into_inner()
    }

    pub(super) fn syntax(&self) -> Syntax {
        self.syntax.get()
    }

    /// Reads the whole file as one section.
    pub(super) fn walk<'r, T>(&'r self, tree: &'r DeTable<'r>, read: impl FnOnce(&mut Section<'r>) -> T) -> T {
        Section { reader: self, key: String::new(), span: 0..0, table: tree, asked: Vec::new() }.read_with(read)
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
        let (key, span) = (self.key.clone(), self.span.clone());
        Some(Section { reader: self.reader, key, span, table, asked: Vec::new() }.read_with(read))
    }
}

/// A table whose keys are fixed.
pub(super) struct Section<'r> {
    reader: &'r Reader<'r>,
    key: String,
    span: Range<usize>,
    table: &'r DeTable<'r>,
    asked: Vec<&'static str>,
}

impl<'r> Section<'r> {
    fn read_with<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
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
            let (key, table) = (joined(&self.key, key), &self.reader.nothing);
            Section { reader: self.reader, key, span: self.span.clone(), table, asked: Vec::new() }.read_with(&read)
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
