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

/// A power of two, so that a byte of the digest chooses evenly.
const SHARDS: usize = 256;

type Shard = HashMap<KeyDigest, Arc<HeldKey>, BuildHasherDefault<AsIs>>;

/// See the module.
pub(super) struct Index(Box<[ArcSwap<Shard>]>);

impl Index {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| ArcSwap::default()).collect())
    }

    pub(super) fn find(&self, digest: &KeyDigest) -> Option<Arc<HeldKey>> {
        self.shard(digest).load().get(digest).cloned()
    }

    pub(super) fn insert(&self, key: Arc<HeldKey>) {
        let shard = self.shard(&key.digest);
        let mut copy = Shard::clone(&shard.load());
        copy.insert(key.digest, key);
        shard.store(Arc::new(copy));
    }

    pub(super) fn remove(&self, digest: &KeyDigest) {
        let shard = self.shard(digest);
        let mut copy = Shard::clone(&shard.load());
        if copy.remove(digest).is_some() {
            shard.store(Arc::new(copy));
        }
    }

    fn shard(&self, digest: &KeyDigest) -> &ArcSwap<Shard> {
        &self.0[usize::from(digest.as_bytes()[0]) % SHARDS]
    }
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

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
