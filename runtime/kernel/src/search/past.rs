//! Indexes of spaces as they were: each has read its stream up to a position and no further.

use super::live::Live;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use stoa_actors::id::SpaceId;

/// A space, and the number of the last of its entries that is in.
type Key = (SpaceId, u64);

/// The indexes of the past that were asked last: whoever pages through an answer asks one again.
#[derive(Default)]
pub(crate) struct Pasts(Mutex<VecDeque<(Key, Arc<Live>)>>);

impl Pasts {
    /// The index of a space at an entry of its own, an empty one at first. At most so many are kept,
    /// and so many atoms in them together; the one that was asked last stays.
    pub(crate) fn live(
        &self,
        key: Key,
        (most, atoms_max): (usize, usize),
        new: impl FnOnce() -> Live,
    ) -> Arc<Live> {
        let mut kept = self.0.lock();
        let known = kept.iter().position(|(it, _)| *it == key);
        let (_, live) = match known.and_then(|at| kept.remove(at)) {
            Some(found) => found,
            None => (key, Arc::new(new())),
        };
        kept.push_back((key, live.clone()));
        let atoms = |kept: &VecDeque<(Key, Arc<Live>)>| {
            kept.iter().map(|(_, live)| live.atoms()).sum::<u64>() as usize
        };
        while kept.len() > 1 && (kept.len() > most || atoms(&kept) > atoms_max) {
            kept.pop_front();
        }
        live
    }

    /// Drops them all.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}
