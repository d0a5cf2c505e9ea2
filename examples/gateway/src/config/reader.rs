//! The state of one walk through a file: its text, its places, its problems.
//!
//! Reading goes on behind a bad value, so that one run names all problems of a file.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::section::Section;
use crate::problem::{Place, Position, Problem};

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
    files: RefCell<Vec<PathBuf>>,
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
            files: RefCell::default(),
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
        Section::new(self, String::new(), 0..0, tree).read_with(read)
    }

    /// Notes a file whose content is part of the configuration.
    pub(super) fn note_file(&self, path: &Path) {
        self.files.borrow_mut().push(path.to_owned());
    }

    /// Every file that was noted.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.borrow().clone()
    }

    /// Every problem, in the order of the file, one text for one place.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(Problem::position);
        problems.dedup();
        problems
    }

    pub(super) fn surroundings(&self) -> Surroundings<'t> {
        self.surroundings
    }

    /// The table without a key.
    pub(super) fn nothing(&self) -> &DeTable<'t> {
        &self.nothing
    }

    /// Reports a problem of something inside a value.
    pub(super) fn report_at(&self, place: &Place, message: impl Into<String>) {
        self.problems.borrow_mut().push(place.problem(message));
    }

    pub(super) fn report(&self, span: Range<usize>, key: String, message: String) {
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

    pub(super) fn place(&self, span: Range<usize>, key: String) -> Place {
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
