//! Whether the keys that sign were replaced: those of the gateway's own tokens, and those of assertions to upstreams.

use super::Watched;
use crate::data_dir::DataDir;
use crate::key_file::KeyFile;

/// The keys in the data directory.
#[derive(Clone, Debug)]
pub(crate) struct SigningKeysWatched(Watched);

impl SigningKeysWatched {
    /// What is there now. Note it before the keys are read.
    pub(crate) fn note(data_dir: &DataDir) -> Self {
        Self(Watched::note(KeyFile::NAMES.map(|name| data_dir.file(name)).into()))
    }

    /// What is there, and again once the first start has made the keys.
    pub(crate) fn note_at_start<T, E>(data_dir: &DataDir, read: impl FnOnce() -> Result<T, E>) -> Result<(T, Self), E> {
        let there = || KeyFile::NAMES.map(|name| data_dir.file(name).exists());
        let (before, noted) = (there(), Self::note(data_dir));
        let found = read()?;
        Ok((found, if there() == before { noted } else { Self::note(data_dir) }))
    }

    pub(super) fn have_changed(&mut self) -> bool {
        self.0.have_changed()
    }
}
