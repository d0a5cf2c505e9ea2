//! What is revoked, at hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::Revocation;
use super::target::{Ages, Digest, Hashers, KINDS, Name};
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
    /// How many there are of each kind, by ages: most are never used, and need no look-up then.
    kinds: [[AtomicUsize; Ages::BOTH.len()]; KINDS],
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
    /// Where it takes back something of any age, that instant does not come.
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
        let (name, ages) = (revocation.target.name(), Ages::of(revocation));
        let left = revocation.until.unix_micros().saturating_sub(now.wall.unix_micros());
        let left = u64::try_from(left).unwrap_or(0).saturating_mul(1_000);
        let added = Entry {
            kind: name.kind(),
            issued_before: revocation.issued_before.unwrap_or(Timestamp::MAX),
            until: revocation.until,
            until_monotonic: Monotonic::from_nanos(now.monotonic.nanos().saturating_add(left)),
        };
        let digest = self.hashers.digest(name, ages);
        let mut shard = self.shard(digest).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = self.count(added.kind, ages)
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
        let names = Name::of(identity).flat_map(|(name, issued)| Ages::BOTH.map(|ages| (name, ages, issued)));
        for (name, ages, issued) in names {
            let some = self.count(name.kind(), ages).is_some_and(|count| count.load(Ordering::SeqCst) > 0);
            let entry = if some { self.find(name, ages) } else { None };
            match entry.filter(|entry| entry.covers(issued)) {
                Some(entry) if entry.is_in_force(now) => return Finding::Revoked,
                Some(_) => finding = Finding::Over,
                None => {}
            }
        }
        finding
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.iter().flatten().map(|count| count.load(Ordering::SeqCst)).sum()
    }

    fn count(&self, kind: usize, ages: Ages) -> Option<&AtomicUsize> {
        self.kinds.get(kind)?.get(ages as usize)
    }

    fn find(&self, name: Name<'_>, ages: Ages) -> Option<Entry> {
        let digest = self.hashers.digest(name, ages);
        self.shard(digest).read().unwrap_or_else(PoisonError::into_inner).entries.get(&digest).copied()
    }

    fn clean(&self, shard: &mut Shard, now: Now) {
        shard.entries.retain(|_, entry| {
            let stays = entry.is_in_force(now);
            if let Some(kind) = self.count(entry.kind, entry.ages())
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
    /// Both together: the wider one in each respect. Of two instants before which all is taken back, the later one counts
    /// until both are over; that may take back more than either, never less.
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

    fn ages(&self) -> Ages {
        if self.issued_before == Timestamp::MAX { Ages::Any } else { Ages::Older }
    }

    fn covers(&self, issued: Option<Timestamp>) -> bool {
        self.ages() == Ages::Any || issued.is_none_or(|issued| issued < self.issued_before)
    }
}
