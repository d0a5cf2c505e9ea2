//! Whether the keys that sign the gateway's own tokens were replaced.

use super::Watched;
use crate::data_dir::DataDir;
use crate::own_tokens::FILE;

/// The keys in the data directory.
#[derive(Clone, Debug)]
pub(crate) struct SigningKeysWatched(Watched);

impl SigningKeysWatched {
    /// What is there now. Note it before the keys are read.
    pub(crate) fn note(data_dir: &DataDir) -> Self {
        Self(Watched::note(vec![data_dir.file(FILE)]))
    }

    /// What is there, and again once the first start has made the keys.
    pub(crate) fn note_at_start<T, E>(data_dir: &DataDir, read: impl FnOnce() -> Result<T, E>) -> Result<(T, Self), E> {
        let is_first_start = !data_dir.file(FILE).exists();
        let noted = Self::note(data_dir);
        let found = read()?;
        Ok((found, if is_first_start { Self::note(data_dir) } else { noted }))
    }

    pub(super) fn have_changed(&mut self) -> bool {
        self.0.have_changed()
    }
}
