//! What is revoked, at hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::Revocation;
use super::target::{Digest, Hashers, KINDS, Name};
use crate::clock::{Monotonic, Now, Timestamp};
use crate::principal::Identity;

/// Revocations lie in so many maps, so that adding one does not hold up who looks elsewhere.
const SHARDS: usize = 16;

/// A map with fewer is not worth looking through for what may be forgotten.
const FEW: usize = 64;

#[derive(Default)]
pub(super) struct List {
    hashers: Hashers,
    shards: [RwLock<Shard>; SHARDS],
    /// How many there are of each kind: most are never used, and need no look-up then.
    kinds: [AtomicUsize; KINDS],
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Digest, Entry>,
    /// How many may be here before it is looked for what may be forgotten.
    clean_at: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: usize,
    /// Everything, where it is the latest instant.
    issued_before: Timestamp,
    until: Timestamp,
    /// The same on the monotonic clock. Forgotten is what is over on both: a wall clock that is set forward and back
    /// again must not bring a revoked token back.
    until_monotonic: Monotonic,
}

/// What a list says about an identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// It is revoked.
    Revoked,
    /// It was, and that is over, as long as no clock is set back: look again next time.
    Over,
    Nothing,
}

impl List {
    pub(super) fn add(&self, revocation: &Revocation, now: Now) {
        let name = revocation.target.name();
        let left = revocation.until.unix_micros().saturating_sub(now.wall.unix_micros());
        let left = u64::try_from(left).unwrap_or(0).saturating_mul(1_000);
        let added = Entry {
            kind: name.kind(),
            issued_before: revocation.issued_before.unwrap_or(Timestamp::MAX),
            until: revocation.until,
            until_monotonic: Monotonic::from_nanos(now.monotonic.nanos().saturating_add(left)),
        };
        let digest = self.hashers.digest(name);
        let mut shard = self.shard(digest).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = self.kinds.get(added.kind)
            && !shard.entries.contains_key(&digest)
        {
            kind.fetch_add(1, Ordering::SeqCst);
        }
        shard.entries.entry(digest).and_modify(|entry| *entry = entry.joined(added)).or_insert(added);
        if shard.entries.len() > shard.clean_at.max(FEW) {
            self.clean(&mut shard, now);
        }
    }

    /// What is known against the identity.
    pub(super) fn finding(&self, identity: &Identity, now: Now) -> Finding {
        let mut finding = Finding::Nothing;
        for (name, issued) in Name::of(identity) {
            let some = self.kinds.get(name.kind()).is_some_and(|count| count.load(Ordering::SeqCst) > 0);
            let entry = if some { self.find(name) } else { None };
            match entry.filter(|entry| entry.covers(issued)) {
                Some(entry) if entry.is_in_force(now) => return Finding::Revoked,
                Some(_) => finding = Finding::Over,
                None => {}
            }
        }
        finding
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.iter().map(|count| count.load(Ordering::SeqCst)).sum()
    }

    fn find(&self, name: Name<'_>) -> Option<Entry> {
        let digest = self.hashers.digest(name);
        self.shard(digest).read().unwrap_or_else(PoisonError::into_inner).entries.get(&digest).copied()
    }

    fn clean(&self, shard: &mut Shard, now: Now) {
        shard.entries.retain(|_, entry| {
            let stays = entry.is_in_force(now);
            if let Some(kind) = self.kinds.get(entry.kind)
                && !stays
            {
                kind.fetch_sub(1, Ordering::SeqCst);
            }
            stays
        });
        shard.clean_at = 2 * shard.entries.len();
    }

    fn shard(&self, digest: Digest) -> &RwLock<Shard> {
        #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "masked to the number of shards")]
        &self.shards[digest.0 as usize % SHARDS]
    }
}

impl Entry {
    /// Both together: the wider one in each respect, which may take back more than either, never less.
    fn joined(self, other: Self) -> Self {
        Self {
            kind: self.kind,
            issued_before: self.issued_before.max(other.issued_before),
            until: self.until.max(other.until),
            until_monotonic: self.until_monotonic.max(other.until_monotonic),
        }
    }

    fn is_in_force(&self, now: Now) -> bool {
        now.wall < self.until || now.monotonic < self.until_monotonic
    }

    fn covers(&self, issued: Option<Timestamp>) -> bool {
        self.issued_before == Timestamp::MAX || issued.is_none_or(|issued| issued < self.issued_before)
    }
}
