//! How much is remembered, and how often it helped.

use std::num::NonZeroUsize;

/// How much a verifier may remember.
///
/// ```
/// use auth_core::verify::CacheSize;
///
/// let small = CacheSize::entries(1_000);
/// assert_eq!(CacheSize::default(), CacheSize::entries(16_384).bytes(64 << 20));
/// # assert_ne!(small, CacheSize::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    pub(super) entries: NonZeroUsize,
    pub(super) bytes: NonZeroUsize,
}

impl CacheSize {
    /// So many credentials at most, at least one, in 64 MiB at most.
    ///
    /// Of exactly as many, one in a hundred is verified again now and then, because its part of the memory is full.
    #[must_use]
    pub fn entries(entries: usize) -> Self {
        Self { entries: NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN), ..Self::default() }
    }

    /// So many bytes at most, counted as what the identities hold.
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes: NonZeroUsize::new(bytes).unwrap_or(NonZeroUsize::MIN), ..self }
    }
}

/// 16,384 credentials in 64 MiB: as many as are in use at once behind most services, and four times the room that they
/// usually take.
impl Default for CacheSize {
    fn default() -> Self {
        const ENTRIES: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
        const BYTES: NonZeroUsize = NonZeroUsize::new(64 << 20).unwrap();
        Self { entries: ENTRIES, bytes: BYTES }
    }
}

/// What a cache holds, and what it was good for since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCounts {
    /// Requests whose credential was known.
    pub hits: u64,
    /// Requests whose credential had to be verified.
    pub misses: u64,
    /// Verdicts that had to go for others while they still held.
    pub evictions: u64,
    /// Verdicts held now.
    pub entries: usize,
    /// What they take, in bytes.
    pub bytes: usize,
}
