//! Many small pieces hashed as one.

use std::hash::Hasher;

/// Gathers what is written and hands it on in few pieces, since the hasher of the standard library spends more on each
/// piece than on the bytes of it. What comes out is the same.
pub(super) struct Gathered<H> {
    bytes: [u8; ROOM],
    count: usize,
    inner: H,
}

/// Holds an owner of usual length.
const ROOM: usize = 192;

impl<H: Hasher> Gathered<H> {
    pub(super) fn new(inner: H) -> Self {
        Self { bytes: [0; ROOM], count: 0, inner }
    }

    #[cold]
    fn hand_on(&mut self, piece: &[u8]) {
        let Self { bytes, count, inner } = self;
        inner.write(bytes.get(..*count).unwrap_or_default());
        inner.write(piece);
        *count = 0;
    }

    /// What was written, hashed; nothing can follow.
    pub(super) fn hash(mut self) -> u64 {
        self.inner.write(self.bytes.get(..self.count).unwrap_or_default());
        self.inner.finish()
    }
}

impl<H: Hasher> Hasher for Gathered<H> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        let end = self.count + piece.len();
        match self.bytes.get_mut(self.count..end) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.count = end;
            }
            None => self.hand_on(piece),
        }
    }

    /// Of what was handed on so far; [`hash`](Self::hash) is of everything.
    fn finish(&self) -> u64 {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_pieces() {
        let state = RandomState::new();
        for lengths in [vec![], vec![1, 8, 0, 30], vec![ROOM, 1], vec![ROOM - 1, 2, 500, 7], vec![500, 500]] {
            let (mut one, mut other) = (Gathered::new(state.build_hasher()), state.build_hasher());
            for (number, length) in lengths.into_iter().enumerate() {
                let piece = vec![u8::try_from(number).unwrap(); length];
                one.write(&piece);
                other.write(&piece);
            }
            assert_eq!(one.hash(), other.finish());
        }
    }
}
