//! Verdicts on credentials that were found good, so that the next request with the same text need not ask again.
//!
//! What is kept is the verdict under a fingerprint of the whole text, never the text. Refusals are not kept: whoever
//! sends rubbish must not be able to fill a memory, and a key that becomes known must act at once. What holds for a
//! verdict — times, keys, revocation — is checked by its owner on every hit; this only remembers.
//!
//! The memory is a table of small sets, each one line of memory. A fingerprint belongs to one set; looking it up reads
//! seven tags and, where one fits, the pointer that goes with it, without a lock. In a large table of texts that end in what
//! is different for each, the set follows from the ending, so that it can be fetched before anything else is known of the
//! text. Room is bounded by entries and by bytes: whoever needs a place takes that of a verdict that is over, or else of
//! one that was not asked for lately.
//!
//! - `fingerprint`: the keyed fingerprint of a text
//! - `mark`: what the table writes on what it keeps
//! - `set`: what fits into one line of memory
//! - `size`: the bounds, and what is counted
//! - `span`: when a verdict holds
//! - `table`: the sets, and what is bounded and counted over all of them
//! - `tally`: how hits are counted

mod fingerprint;
mod mark;
mod set;
mod size;
mod span;
mod table;
mod tally;

pub(crate) use fingerprint::{Fingerprint, Fingerprints};
pub(crate) use mark::{Kept, Mark};
pub use size::{CacheCounts, CacheSize};
pub(crate) use span::Span;
pub(crate) use table::{Known, Memory};
