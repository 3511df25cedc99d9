//! About where each stream was written last, in memory: most questions after what is new find that
//! nothing is, and need no look at the engine.

use super::Store;
use crate::failure::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};
use stoa_actors::id::{Position, StreamId};

/// Streams share 2 to the power of this places; one that is written to often only makes the others of
/// its place look.
const PLACES_LOG2: u32 = 13;

/// For each place a position that no entry of a stream of that place stands behind.
pub(super) struct Last(Box<[AtomicU64]>);

impl Last {
    pub(super) fn new() -> Last {
        Last((0..1 << PLACES_LOG2).map(|_| AtomicU64::new(u64::MAX)).collect())
    }

    fn of(&self, stream: StreamId) -> &AtomicU64 {
        let (front, back) = (&stream.0[..8], &stream.0[8..]);
        let number = |half: &[u8]| half.iter().fold(0u64, |sum, it| sum << 8 | u64::from(*it));
        let mixed = (number(front) ^ number(back)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The highest bits depend on all.
        &self.0[(mixed >> (u64::BITS - PLACES_LOG2)) as usize]
    }
}

impl Store {
    /// The log ends here, and who writes from now on says so by [`Store::writes_to`].
    pub(crate) fn ends_at(&self, head: Position) {
        self.last.0.iter().for_each(|it| it.store(head.0, Ordering::Release));
    }

    /// An entry of that stream is about to be written, the newest of the log by then.
    pub(crate) fn writes_to(&self, stream: StreamId, at: Position) {
        self.last.of(stream).store(at.0, Ordering::Release);
    }

    /// A position that no entry of a stream stands behind: that of its last one, or of a later one of
    /// another stream. Without a look at the engine.
    pub fn last_about(&self, stream: StreamId) -> Position {
        Position(self.last.of(stream).load(Ordering::Acquire))
    }

    /// Whether entries of a stream may stand behind a position.
    pub fn may_go_on(&self, stream: StreamId, after: Position) -> bool {
        self.last_about(stream) > after
    }

    /// Whether entries of a stream stand behind a position.
    pub fn goes_on(&self, stream: StreamId, after: Position) -> Result<bool, StoreError> {
        Ok(self.may_go_on(stream, after) && self.head_of_stream(stream)? > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shared_and_its_newest_write_counts() {
        let last = Last::new();
        let of = |n: u16| {
            let mut stream = [7; 16];
            stream[..2].copy_from_slice(&n.to_be_bytes());
            StreamId(stream)
        };
        let places: std::collections::BTreeSet<usize> =
            (0..1_000).map(|n| std::ptr::from_ref(last.of(of(n))).addr()).collect();
        assert!(places.len() > 900, "{} places of 1,000 streams", places.len());
        assert_eq!(last.of(of(3)).load(Ordering::Relaxed), u64::MAX, "nothing is known at first");
    }
}
