//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration file: file, line, column and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    position: Option<Position>,
    key: String,
}

/// Line and column, both counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of one key.
    pub fn new(file: Arc<str>, position: Position, key: impl Into<String>) -> Self {
        Self { file, position: Some(position), key: key.into() }
    }

    /// The file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), position: None, key: String::new() }
    }

    /// The line, where the place is one.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// The key with its path, such as `routes[1].needs`; empty where the place is no key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The problem that this is where `message` applies.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { place: self.clone(), message: message.into() }
    }
}

/// `file:line:column: key.path`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    message: String,
}

impl Problem {
    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it is, and what to write instead. Never a secret.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The order of the file.
    pub(crate) fn position(&self) -> Option<Position> {
        self.place.position
    }
}

/// `file:line:column: key.path: message`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Problem {}

/// A value together with the place it was read from, for checks that can be made only later.
#[derive(Clone)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Placed<T> {
    /// The value changed, at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: change(self.value), place: self.place }
    }
}

impl<T: fmt::Debug> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
