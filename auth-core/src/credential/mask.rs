//! Which sources of a gate, in one machine word.

/// The position of a source in its [`CredentialReader`](super::CredentialReader).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceIndex(pub(super) u8);

impl SourceIndex {
    /// The position as a number, counted from 0 in the order in which the sources were given.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// Every position there can be, from the first on.
    pub(super) fn each() -> impl Iterator<Item = Self> {
        (0..).map(Self)
    }
}

/// A set of the sources of one [`CredentialReader`](super::CredentialReader).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceMask(u64);

impl SourceMask {
    /// No source: credentials are not looked at.
    pub const NONE: Self = Self(0);
    /// Every source.
    pub const ALL: Self = Self(u64::MAX);

    /// Whether the source is in the set.
    pub const fn contains(self, source: SourceIndex) -> bool {
        self.0 & (1 << source.0) != 0
    }

    /// The set and one more source.
    #[must_use]
    pub const fn with(self, source: SourceIndex) -> Self {
        Self(self.0 | 1 << source.0)
    }

    /// The sets of one source each, in the order in which the sources were given.
    pub fn each() -> impl Iterator<Item = Self> {
        (0..u64::BITS).map(|bit| Self(1 << bit))
    }

    /// What both sets have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every source of the other set is in this one.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the sets have a source in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl From<SourceIndex> for SourceMask {
    fn from(source: SourceIndex) -> Self {
        Self::NONE.with(source)
    }
}

impl FromIterator<SourceIndex> for SourceMask {
    fn from_iter<I: IntoIterator<Item = SourceIndex>>(sources: I) -> Self {
        sources.into_iter().fold(Self::NONE, Self::with)
    }
}
