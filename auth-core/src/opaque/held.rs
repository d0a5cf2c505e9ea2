//! A record in use: what its uses change, at hand and without a lock.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::api_key::{Activity, Used};
use crate::clock::Timestamp;
use crate::principal::Identity;
use crate::rejection::CredentialFault;

use super::TokenRecord;

/// By how much the end in an identity may lag behind the true one before it is written anew.
const GRAIN: Duration = Duration::from_secs(1);

/// A record as a store hands it out for verification, with room to note its use.
///
/// A store that keeps records in memory hands out the same one every time, and lets a changed record
/// [succeed](Self::succeed) it: then no use is forgotten.
pub struct HeldToken {
    record: TokenRecord,
    /// As of a use less than [`GRAIN`] before the latest.
    identity: ArcSwap<Identity>,
    /// Shared with the records that this one succeeded, and requests may still hold.
    activity: Arc<Activity>,
}

impl HeldToken {
    /// A record without a use to be written.
    pub fn new(record: TokenRecord) -> Self {
        let identity = ArcSwap::from_pointee(record.identity(record.last_seen));
        let activity = Arc::new(Activity::since(record.last_seen));
        Self { record, identity, activity }
    }

    /// Takes the place of an older state of the same token, with all uses that were noted there or will yet be.
    #[must_use]
    pub fn succeed(self, replaced: &Self) -> Self {
        replaced.activity.advance(self.record.last_seen);
        Self { activity: Arc::clone(&replaced.activity), ..self }
    }

    /// When it was last used, written down or not.
    pub fn last_used(&self) -> Timestamp {
        self.activity.latest()
    }

    /// From when on it is refused unless it is used: the earlier of its absolute end and its idle end.
    pub fn end(&self) -> Timestamp {
        self.record.end_after(self.last_used())
    }

    /// Whether it is good at that time.
    ///
    /// # Errors
    /// `Revoked`, or `Expired` from the very instant of the end on.
    pub fn check(&self, wall: Timestamp) -> Result<(), CredentialFault> {
        self.record.check(self.last_used(), wall)
    }

    /// What the token says about its bearer. The end it tells is exact to a second, and never later than the true one.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        let current = self.identity.load();
        if current.expires.is_some_and(|told| self.end() < told.saturating_add(GRAIN)) {
            return Arc::clone(&current);
        }
        let fresh = Arc::new(self.record.identity(self.last_used()));
        self.identity.store(Arc::clone(&fresh));
        fresh
    }
}

/// Every use counts: the idle end is exact.
impl Used for HeldToken {
    const GRAIN_MICROS: i64 = 1;

    fn activity(&self) -> &Activity {
        &self.activity
    }
}

impl Deref for HeldToken {
    type Target = TokenRecord;

    fn deref(&self) -> &TokenRecord {
        &self.record
    }
}

impl fmt::Debug for HeldToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::{KeyDigest, Uses};

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn record() -> TokenRecord {
        let mut record =
            TokenRecord::new("tok_1", KeyDigest::from_bytes([1; 32]), "p", ("us", "ada"), at(0), at(1_000));
        record.idle_limit = Some(Duration::from_secs(100));
        record
    }

    #[test]
    fn use_moves_the_idle_end_and_never_the_absolute_one() {
        let (uses, token) = (Uses::new(), Arc::new(HeldToken::new(record())));
        assert_eq!(token.check(Timestamp::from_unix_micros(99_999_999)), Ok(()));
        assert_eq!(token.check(at(100)), Err(CredentialFault::Expired));
        for (used, end) in [(50, 150), (149, 249), (60, 249), (950, 1_000)] {
            uses.note(&token, at(used), || None);
            assert_eq!(token.end(), at(end), "used at {used}");
            assert_eq!(token.identity().expires, Some(at(end)));
        }
    }

    #[test]
    fn the_end_that_an_identity_tells_is_never_late_and_the_identity_is_kept_for_a_second() {
        let (uses, token) = (Uses::new(), Arc::new(HeldToken::new(record())));
        let first = token.identity();
        uses.note(&token, Timestamp::from_unix_micros(999_999), || None);
        assert!(Arc::ptr_eq(&first, &token.identity()));
        uses.note(&token, at(1), || None);
        assert_eq!(token.identity().expires, Some(at(101)));
    }

    #[test]
    fn uses_noted_on_a_replaced_record_count_for_its_successor() {
        let (uses, old) = (Uses::new(), Arc::new(HeldToken::new(record())));
        let new = HeldToken::new(TokenRecord { last_seen: at(20), ..record() }).succeed(&old);
        assert_eq!((new.end(), old.end()), (at(120), at(120)));
        uses.note(&old, at(70), || None);
        assert_eq!(new.check(at(169)), Ok(()));
        assert_eq!(new.identity().expires, Some(at(170)));
    }
}
