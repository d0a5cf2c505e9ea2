//! Records by digest, read without a lock.
//!
//! The table is cut into shards, and each shard is an immutable map behind one atomic pointer. A reader takes the
//! pointer and looks; it waits for nobody. A writer copies the one shard it changes and swaps the pointer: keys are
//! made and changed rarely, and read with every request. Writers have to take turns by themselves.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::api_key::{HeldKey, KeyDigest};
use crate::opaque::HeldToken;

/// A power of two, so that a byte of the digest chooses evenly.
const SHARDS: usize = 256;

/// A record that is found by the digest of its secret.
pub(super) trait Held: Send + Sync + 'static {
    fn id(&self) -> &Arc<str>;
    fn digest(&self) -> &KeyDigest;
}

impl Held for HeldKey {
    fn id(&self) -> &Arc<str> {
        &self.id
    }

    fn digest(&self) -> &KeyDigest {
        &self.digest
    }
}

impl Held for HeldToken {
    fn id(&self) -> &Arc<str> {
        &self.id
    }

    fn digest(&self) -> &KeyDigest {
        &self.digest
    }
}

type Shard<T> = HashMap<KeyDigest, Arc<T>, BuildHasherDefault<AsIs>>;

/// See the module.
pub(super) struct Index<T>(Box<[ArcSwap<Shard<T>>]>);

impl<T: Held> Index<T> {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| ArcSwap::default()).collect())
    }

    pub(super) fn find(&self, digest: &KeyDigest) -> Option<Arc<T>> {
        self.shard(digest).load().get(digest).cloned()
    }

    pub(super) fn insert(&self, key: Arc<T>) {
        let shard = self.shard(key.digest());
        let mut copy = Shard::<T>::clone(&shard.load());
        copy.insert(*key.digest(), key);
        shard.store(Arc::new(copy));
    }

    /// Removes the key with this id, unless another key has the digest by now.
    pub(super) fn remove(&self, digest: &KeyDigest, id: &str) {
        let shard = self.shard(digest);
        let mut copy = Shard::<T>::clone(&shard.load());
        if copy.get(digest).is_some_and(|key| **key.id() == *id) {
            copy.remove(digest);
            shard.store(Arc::new(copy));
        }
    }

    /// Puts these keys in place of all that were there.
    #[cfg(feature = "sqlite")]
    pub(super) fn replace(&self, keys: impl IntoIterator<Item = Arc<T>>) {
        let mut shards: Vec<Shard<T>> = std::iter::repeat_with(Shard::default).take(SHARDS).collect();
        for key in keys {
            shards[place(key.digest())].insert(*key.digest(), key);
        }
        self.0.iter().zip(shards).for_each(|(shard, keys)| shard.store(Arc::new(keys)));
    }

    /// Some key that would share the place of this one. Which one, the digest decides, as evenly as a die.
    #[cfg(feature = "sqlite")]
    pub(super) fn any_beside(&self, digest: &KeyDigest) -> Option<Arc<T>> {
        let shard = self.shard(digest).load();
        let [_, high, low, ..] = *digest.as_bytes();
        let nth = usize::from(u16::from_be_bytes([high, low])).checked_rem(shard.len())?;
        shard.values().nth(nth).cloned()
    }

    fn shard(&self, digest: &KeyDigest) -> &ArcSwap<Shard<T>> {
        &self.0[place(digest)]
    }
}

fn place(digest: &KeyDigest) -> usize {
    usize::from(digest.as_bytes()[0]) % SHARDS
}

/// Digests are hashes already: their last bytes serve as they are, while the first byte chose the shard.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
