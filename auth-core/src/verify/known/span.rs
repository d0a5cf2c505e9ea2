//! When a verdict holds.

use crate::clock::Timestamp;

/// From the first instant on, and before the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Span {
    /// Whenever it is asked for.
    pub(crate) const EVER: Self = Self { from: Timestamp::MIN, until: Timestamp::MAX };

    pub(crate) fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::EVER
    }
}
