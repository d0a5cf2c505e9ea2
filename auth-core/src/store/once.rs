//! What a store of things that may be used once promises, and one in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

use crate::clock::Timestamp;
use crate::outcome::Outcome;

use super::{Answer, Spending};

/// Something that may be used once, such as the id of an assertion: a digest of what it is and whose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnceKey([u8; 32]);

impl OnceKey {
    /// The thing that has this name with somebody, among things of one purpose.
    pub fn new(purpose: &str, whose: &str, name: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [purpose, whose, name] {
            // with its length in front, no part runs over into the next
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }

    /// The bytes for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Remembers what was used.
///
/// Every operation is one atomic step. It grows with what is used: whoever owns a timer calls
/// [`delete_ended`](Self::delete_ended). Use only what was found good otherwise, so that strangers cannot fill it.
pub trait OnceStore: Send + Sync + 'static {
    /// Uses something, which is remembered until then at least. Of several that use it at once, one is answered
    /// [`Spent`](Spending::Spent); it, and everybody later, [`Refused`](Spending::Refused).
    fn use_once(&self, key: &OnceKey, until: Timestamp) -> Answer<Spending>;

    /// Forgets what had to be remembered until before that instant; answers how much that was.
    ///
    /// One step forgets at least one where there is any, and may leave others for the next call.
    fn delete_ended(&self, before: Timestamp) -> Answer<u64>;
}

/// Remembers until the process ends.
#[derive(Default)]
pub struct MemoryOnceStore(Mutex<BTreeMap<OnceKey, Timestamp>>);

impl MemoryOnceStore {
    /// A store that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn used(&self) -> MutexGuard<'_, BTreeMap<OnceKey, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnceStore for MemoryOnceStore {
    fn use_once(&self, key: &OnceKey, until: Timestamp) -> Answer<Spending> {
        let mut used = self.used();
        if used.contains_key(key) {
            return Outcome::Done(Ok(Spending::Refused));
        }
        used.insert(*key, until);
        Outcome::Done(Ok(Spending::Spent))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        let mut used = self.used();
        let all = used.len();
        used.retain(|_, until| *until >= before);
        Outcome::Done(Ok(u64::try_from(all - used.len()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for MemoryOnceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOnceStore").field("used", &self.used().len()).finish()
    }
}

impl fmt::Debug for OnceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "conformance")]
    #[test]
    fn it_keeps_its_promises() {
        super::super::conformance::check_once(|| std::sync::Arc::new(MemoryOnceStore::new())).unwrap();
    }

    #[test]
    fn no_part_of_a_key_runs_over_into_the_next() {
        let keys = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "ab", "c"), ("a", "b", "cc")];
        let keys = keys.map(|(purpose, whose, name)| OnceKey::new(purpose, whose, name));
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len());
        assert_eq!(OnceKey::new("a", "b", "c"), keys[0]);
    }
}
