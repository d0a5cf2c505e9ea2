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
//! **How it ends.** A revocation says until when it matters, which is when what it takes back has ended by itself. It is
//! forgotten then, so that the list is as long as what could still be misused.
//!
//! - `target`: what is taken back
//! - `list`: what is revoked, at hand

mod list;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Now;
use crate::principal::Identity;
use list::List;

pub use target::{Revocation, Target};

/// What is revoked; clones share everything.
///
/// ```
/// use auth_core::revocation::{Revocation, Revocations, Target};
/// use auth_core::{Clock, Identity, Method, SystemClock, Timestamp};
///
/// let revocations = Revocations::new();
/// let ada = Identity::new(Method::Jwt, "https://login.example", "ada");
/// let now = SystemClock.now();
/// assert!(!revocations.cover(&ada, now));
///
/// revocations.revoke(&Revocation::new(Target::subject("https://login.example", "ada"), Timestamp::MAX), now);
/// assert!(revocations.cover(&ada, now));
/// ```
#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: List,
    generation: AtomicU64,
}

/// The next generation of any list in this process. Zero is the generation of identities that nobody looked up yet.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn fresh_generation() -> u64 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}

impl Revocations {
    /// A list in memory, gone when the process ends.
    pub fn new() -> Self {
        Self(Arc::new(Shared { list: List::default(), generation: AtomicU64::new(fresh_generation()) }))
    }

    /// Takes something back. What begins after this has returned is refused.
    pub fn revoke(&self, revocation: &Revocation, now: Now) {
        self.0.list.add(revocation, now);
        self.0.generation.store(fresh_generation(), Ordering::SeqCst);
    }

    /// Whether the identity's credential is taken back.
    pub fn cover(&self, identity: &Identity, now: Now) -> bool {
        // before looking: what is revoked meanwhile has another generation
        let generation = self.0.generation.load(Ordering::SeqCst);
        if identity.cleared.is(generation) {
            return false;
        }
        if self.0.list.covers(identity, now) {
            return true;
        }
        identity.cleared.set(generation);
        false
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
