//! Whether the files that a configuration was made of hold something else by now.
//!
//! They are compared by content: a file can be replaced, linked anew or written in place within one tick of its time
//! stamp.

use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};

use crate::cli::{Failure, Serve};
use crate::config::Config;

/// The files that a configuration was made of, and what they held.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    files: Vec<PathBuf>,
    /// `None` where the files may have changed while they were read.
    held: Option<Digest>,
    /// What the last look found, where it was something else.
    found: Option<Digest>,
}

/// A digest, since secrets are among what is read.
type Digest = [u8; 32];

/// Reads the configuration, and notes what it was made of.
///
/// The note comes first: a change behind it is found by the next look.
pub(crate) fn read(arguments: &Serve) -> (Result<Config, Failure>, Watched) {
    let mut watched = Watched::note(arguments.whose.files());
    let config = arguments.configuration();
    if watched.files != arguments.whose.files() {
        watched.held = None;
    }
    (config, watched)
}

impl Watched {
    pub(crate) fn note(files: Vec<PathBuf>) -> Self {
        Self { held: Some(digest(&files)), files, found: None }
    }

    /// Whether the files hold something else, and the same as at the last look.
    pub(super) fn have_changed(&mut self) -> bool {
        if self.files.is_empty() {
            return false;
        }
        let found = Some(digest(&self.files)).filter(|found| self.held != Some(*found));
        let is_settled = found.is_some() && found == self.found;
        self.found = found;
        is_settled
    }
}

/// What cannot be read is a content too.
fn digest(files: &[PathBuf]) -> Digest {
    let mut digest = Context::new(&SHA256);
    for file in files {
        match std::fs::read(file) {
            Ok(content) => {
                digest.update(&content.len().to_be_bytes());
                digest.update(&content);
            }
            Err(error) => digest.update(format!("unreadable: {}", error.kind()).as_bytes()),
        }
    }
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest.finish().as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_two_looks_have_found_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let write = |content: &str| std::fs::write(&file, content).unwrap();
        write("one");
        let mut watched = Watched::note(vec![file.clone()]);
        assert!(!watched.have_changed());
        write("two");
        assert!(!watched.have_changed(), "it may not be whole yet");
        write("three");
        assert!(!watched.have_changed(), "it was not");
        assert!(watched.have_changed());
        write("one");
        assert!(!watched.have_changed(), "what was read holds again");
        assert!(!watched.have_changed());
        std::fs::remove_file(&file).unwrap();
        assert_eq!([watched.have_changed(), watched.have_changed()], [false, true]);
    }

    #[test]
    fn what_may_have_changed_while_it_was_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "one").unwrap();
        let mut watched = Watched { held: None, ..Watched::note(vec![file]) };
        assert_eq!([watched.have_changed(), watched.have_changed()], [false, true]);
    }
}
