//! What a store of revocations promises.

use crate::clock::Timestamp;
use crate::revocation::Revocation;

use super::Answer;

/// Keeps revocations over restarts and for other processes.
///
/// No request asks it: each process holds what is in force in memory
/// ([`Revocations`](crate::revocation::Revocations)) and takes up from here what others added.
pub trait RevocationStore: Send + Sync + 'static {
    /// Keeps a revocation. Once this has answered, it is there whatever happens to the process, and every
    /// [`changes`](Self::changes) that begins later answers it.
    ///
    /// # Errors
    /// [`StoreError`](crate::StoreError): then it may be there or not.
    fn add(&self, revocation: Revocation) -> Answer<()>;

    /// What was added after that mark, the oldest first: as much as one step carries, and nothing only where there is
    /// nothing.
    ///
    /// Whatever happens at the same moment, nothing is ever added at or before a mark that was answered: who goes on from
    /// the last mark misses nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where it cannot be known now,
    /// [`StoreError::Corrupt`](crate::StoreError::Corrupt) where something in between cannot be read. Never less in doubt.
    fn changes(&self, since: Mark) -> Answer<Changes>;

    /// Removes what has to be remembered until before that instant; answers how much. One step may leave some for the
    /// next call, but not all.
    fn delete_ended(&self, before: Timestamp) -> Answer<u64>;
}

/// How far a store was read. Marks of two stores have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Mark {
    /// Before everything.
    pub const START: Self = Self(0);

    /// The mark behind the entry with this number; numbers begin at 1.
    pub const fn after(number: u64) -> Self {
        Self(number)
    }

    /// The number of the last entry before the mark.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Some revocations, and how far they reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What was added, the oldest first.
    pub revocations: Vec<Revocation>,
    /// Where to go on.
    pub mark: Mark,
}
