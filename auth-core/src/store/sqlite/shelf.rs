//! Records that verification looks up: from memory where that may be believed, from the file otherwise.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api_key::KeyDigest;
use crate::clock::{Monotonic, Now};
use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::store::Answer;

use super::copy::Copy;
use super::follow::{Followed, Following};
use super::handle::{Handle, busy};
use super::worker::Job;

/// Records held in memory unless somebody says otherwise: some 100 MB when all are there.
pub(super) const HELD: usize = 100_000;

/// How many of the requests that wait for the file may be look-ups.
const FINDING: usize = 768;

/// See the module.
pub(super) struct Shelf<T: Followed> {
    pub(super) file: Handle<Following<T>>,
    copy: Arc<Copy<T>>,
    /// How many look-ups wait for the file.
    finding: Arc<AtomicUsize>,
}

impl<T: Followed> Shelf<T> {
    pub(super) fn open(path: &Path, thread: &str, room: usize) -> Result<Self, StoreError> {
        let copy = Arc::new(Copy::new());
        let file = Handle::open(path, thread, Following::new(Arc::clone(&copy), room))?;
        Ok(Self { file, copy, finding: Arc::default() })
    }

    /// The record with this digest. One in memory that is not `current` is read from the file, however young the memory.
    pub(super) fn find(
        &self,
        digest: &KeyDigest,
        now: Now,
        current: impl Fn(&T) -> bool + Send + 'static,
    ) -> Answer<Option<Arc<T>>> {
        let at = now.monotonic;
        let Some(held) = self.copy.believed(digest, at).filter(|held| current(held)) else {
            return self.find_in_file(*digest, at, current);
        };
        if self.copy.is_due(at) && self.file.send(Job::Check(at)).is_err() {
            self.copy.not_asked();
        }
        Outcome::Done(Ok(Some(held)))
    }

    /// Whether memory holds such a record, however old.
    pub(super) fn holds(&self, digest: &KeyDigest) -> bool {
        self.copy.index.find(digest).is_some()
    }

    /// Waits for the file. Only so many may: a flood of made-up secrets must not keep revocations from being written.
    fn find_in_file(
        &self,
        digest: KeyDigest,
        at: Monotonic,
        current: impl Fn(&T) -> bool + Send + 'static,
    ) -> Answer<Option<Arc<T>>> {
        let Some(place) = Place::take(&self.finding) else {
            return Outcome::Done(Err(busy()));
        };
        self.file.read(move |worker| {
            drop(place);
            worker.find(&digest, at, current)
        })
    }
}

/// A place among the look-ups that wait, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < FINDING).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
