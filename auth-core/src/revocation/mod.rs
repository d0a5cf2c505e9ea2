//! Taking back what was given: tokens, sessions, everything of a subject, a tenant or an issuer.
//!
//! The gate asks on every request, so the answer must cost next to nothing. Each list of revocations has a generation, a
//! number that changes with every revocation and that no other list ever has. An identity remembers the generation at
//! which it was last found in order; while that is the current one, nothing was revoked since, and one comparison is all.
//! Otherwise it is looked up once more.
//!
//! **When it acts.** When [`Revocations::revoke`] has answered, no request that begins later passes: the revocation is in
//! the list before the generation changes, and the generation changes before the answer.
//!
//! **What was made of it.** A token that another was exchanged for carries its [origins](crate::Origin), each with the time
//! of its own issue, and is looked up under their names too. So it falls with any of them, whether they were taken back before
//! or after the exchange, and the list knows nothing of families.
//!
//! **How it ends.** A revocation says until when it matters, which is when what it takes back has ended by itself. It is
//! forgotten then, so that the list is as long as what could still be misused.
//!
//! **Restarts and other processes.** A list may be [kept in](Revocations::kept_in) a
//! [`RevocationStore`]. Then `revoke` answers when the store has the revocation *and* it is
//! in force in this process; other processes take it up with their next [`refresh`](Revocations::refresh), which whoever
//! owns a timer calls every second or so. When the last good look is older than a bound, nobody passes any more: what was
//! revoked elsewhere since cannot be known, so the gate answers 503 rather than let it pass.
//!
//! - `target`: what is taken back
//! - `list`: what is revoked, at hand
//! - `kept`: what is kept over restarts, and how far this process has taken it up

mod kept;
mod list;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Now;
use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Outage, Rejection};
use crate::store::{Answer, RevocationStore};
use kept::Kept;
use list::{Finding, List};

pub use target::{Revocation, Target};

/// What is revoked; clones share everything.
///
/// ```
/// use auth_core::revocation::{Revocation, Revocations, Target};
/// use auth_core::{Clock, Identity, Method, Outcome, SystemClock, Timestamp};
///
/// let revocations = Revocations::new();
/// let ada = Identity::new(Method::Jwt, "https://login.example", "ada");
/// let now = SystemClock.now();
/// assert!(!revocations.cover(&ada, now));
///
/// let everything = Revocation::new(Target::subject("https://login.example", "ada"), Timestamp::MAX);
/// let Outcome::Done(Ok(())) = revocations.revoke(&everything, now) else { unreachable!("memory never waits or fails") };
/// assert!(revocations.cover(&ada, now));
/// ```
#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: List,
    generation: AtomicU64,
    kept: Option<Kept>,
}

/// The next generation of any list in this process. Zero is the generation of identities that nobody looked up yet.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn fresh_generation() -> u64 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}

impl Revocations {
    /// A list in memory, gone when the process ends.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// A list that is kept in a store, with everything that is there.
    ///
    /// The list is believed for `believed_for` after the last good [look](Self::refresh) began, by the monotonic clock: ten
    /// times the interval of the looks is a good choice, a few seconds in all. For that long another process's revocation
    /// may be unknown here while its store cannot be reached; afterwards nobody passes.
    ///
    /// # Errors
    /// The store cannot be read; then there is no list.
    pub async fn kept_in(
        store: Arc<dyn RevocationStore>,
        believed_for: Duration,
        now: Now,
    ) -> Result<Self, StoreError> {
        let list = Self::with(Some(Kept::new(store, believed_for, now)));
        list.refresh(now).await?;
        Ok(list)
    }

    fn with(kept: Option<Kept>) -> Self {
        Self(Arc::new(Shared { list: List::default(), generation: AtomicU64::new(fresh_generation()), kept }))
    }

    /// Takes something back. What begins after this has answered is refused.
    ///
    /// A list in memory answers at once and never fails. One that is kept in a store answers when the store has it too: a
    /// revocation that was answered outlives the process.
    ///
    /// # Errors
    /// The store could not keep it, or it is not known whether it could. Then it may be in force or not; try again, which
    /// does no harm. Wait for the answer: where it is not waited for, the revocation may be kept and yet not in force here
    /// before the next look.
    pub fn revoke(&self, revocation: &Revocation, now: Now) -> Answer<()> {
        let Some(kept) = &self.0.kept else {
            self.take_up([revocation], now);
            return Outcome::Done(Ok(()));
        };
        let (list, added) = (self.clone(), revocation.clone());
        kept.store.add(revocation.clone()).map(move |answer| {
            answer?;
            list.take_up([&added], now);
            Ok(())
        })
    }

    /// Takes up what other processes added to the store; a list in memory has nothing to do.
    ///
    /// Call it every second or so, from one place; it also deletes from the store what ended more than a day ago.
    ///
    /// # Errors
    /// The store cannot be read. The list goes on with what it has for as long as it is believed.
    pub async fn refresh(&self, now: Now) -> Result<(), StoreError> {
        let Some(kept) = &self.0.kept else { return Ok(()) };
        let mut mark = kept.mark();
        loop {
            let changes = kept.store.changes(mark).resolve().await?;
            if changes.revocations.is_empty() {
                break;
            }
            self.take_up(&changes.revocations, now);
            mark = changes.mark;
            kept.advance(mark);
        }
        kept.confirm(now);
        if kept.deletion_is_due(now) {
            kept.delete(now).await;
        }
        Ok(())
    }

    /// First into the list, then the generation: who sees the old generation began before.
    fn take_up<'r>(&self, revocations: impl IntoIterator<Item = &'r Revocation>, now: Now) {
        for revocation in revocations {
            self.0.list.add(revocation, now);
        }
        self.0.generation.store(fresh_generation(), Ordering::SeqCst);
    }

    /// Whether the identity's credential is good as far as revocation goes.
    ///
    /// # Errors
    /// [`CredentialFault::Revoked`] where it is taken back; [`Rejection::Unavailable`] where nothing is known against it,
    /// but the last look at the store is too old to say so.
    pub fn check(&self, identity: &Identity, now: Now) -> Result<(), Rejection> {
        // before looking: what is revoked meanwhile has another generation
        let generation = self.0.generation.load(Ordering::SeqCst);
        let finding = if identity.cleared.is(generation) { None } else { Some(self.0.list.finding(identity, now)) };
        if finding == Some(Finding::Revoked) {
            return Err(Rejection::InvalidCredential(CredentialFault::Revoked));
        }
        if !self.is_current(now) {
            return Err(Rejection::Unavailable(Outage::new("the last look at what is revoked is too old".to_owned())));
        }
        if finding == Some(Finding::Nothing) {
            identity.cleared.set(generation);
        }
        Ok(())
    }

    /// Whether the identity's credential is taken back, or nobody can say that it is not.
    pub fn cover(&self, identity: &Identity, now: Now) -> bool {
        self.check(identity, now).is_err()
    }

    /// Whether the last look at the store is recent enough to be believed: for readiness checks. A list in memory always
    /// is.
    pub fn is_current(&self, now: Now) -> bool {
        self.0.kept.as_ref().is_none_or(|kept| kept.is_current(now))
    }

    /// How many revocations are remembered.
    pub fn len(&self) -> usize {
        self.0.list.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("len", &self.len()).finish()
    }
}

/// The generation at which an identity was last found in order. A copy of the identity starts anew.
#[derive(Default)]
pub(crate) struct Cleared(AtomicU64);

impl Cleared {
    fn is(&self, generation: u64) -> bool {
        self.0.load(Ordering::Relaxed) == generation
    }

    fn set(&self, generation: u64) {
        self.0.store(generation, Ordering::Relaxed);
    }
}

impl Clone for Cleared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleared")
    }
}
