//! What a table writes on the values that it keeps.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Fingerprint, Span};

/// A value with a place for the mark of the table that keeps it.
///
/// The mark is a part of the value because a look-up among many mostly waits for memory: in an allocation of its own
/// it would be waited for before the value is.
pub(crate) trait Kept {
    fn mark(&self) -> &Mark;
    fn mark_mut(&mut self) -> &mut Mark;
}

/// Which text a value was found under, when it holds, and what it takes. A copy of the value is kept nowhere, and starts
/// without.
#[derive(Default)]
pub(crate) struct Mark {
    pub(super) print: Fingerprint,
    pub(super) span: Span,
    pub(super) bytes: u32,
    /// Whether somebody asked for it since room was last looked for here.
    wanted: AtomicBool,
}

// With the two counts in front of it, and what a decision reads of an identity behind it, less than two cache lines.
const _: () = assert!(size_of::<Mark>() <= 64);

impl Mark {
    pub(super) fn new(print: Fingerprint, span: Span, bytes: u32) -> Self {
        Self { print, span, bytes, wanted: AtomicBool::new(false) }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// A line that is only read stays with every processor that reads it.
    #[inline]
    pub(super) fn want(&self) {
        if !self.is_wanted() {
            self.wanted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was wanted until now; from now on it is not.
    pub(super) fn unwant(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }
}

impl Clone for Mark {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}
