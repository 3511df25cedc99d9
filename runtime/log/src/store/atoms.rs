//! Atom versions as they were read last; an entry of many atoms is decoded once, not once for each.
//!
//! What is durable changes in one way only: of an erased atom nothing stays. Who reads an entry and
//! keeps what it held may be overtaken by that, so it looks afterwards whether it was, and takes
//! out again what it has put in.

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stoa_actors::atom::Atom;
use stoa_actors::id::Position;

/// An entry, and which of its events.
pub(super) type Place = (Position, u16);

/// The last of them, up to so many bytes.
pub(super) struct Atoms {
    kept: Cache<Place, Arc<Atom>, Weight>,
    /// How often something has left the log.
    left: AtomicU64,
}

#[derive(Clone)]
struct Weight;

/// What an atom takes apart from what it says.
const ATOM_BYTES: u64 = 512;

impl Weighter<Place, Arc<Atom>> for Weight {
    fn weight(&self, _: &Place, atom: &Arc<Atom>) -> u64 {
        let metadata = atom.metadata.iter().map(|(key, value)| key.len() + value.bytes() + 64);
        let references = atom.references.iter().map(|it| it.relation.len() + 48);
        let embedding = atom.embedding.as_ref().map_or(0, |it| it.dims.len());
        let said = atom.content.bytes() + atom.annotation.len() + embedding;
        ATOM_BYTES + (said + metadata.chain(references).sum::<usize>()) as u64
    }
}

impl Atoms {
    /// An empty one.
    pub(super) fn new(bytes_max: u64) -> Atoms {
        let kept = Cache::with_weighter((bytes_max / ATOM_BYTES) as usize, bytes_max, Weight);
        Atoms { kept, left: AtomicU64::new(0) }
    }

    pub(super) fn get(&self, place: Place) -> Option<Arc<Atom>> {
        self.kept.get(&place)
    }

    /// To be said before an entry is read that is to be kept.
    pub(super) fn begin(&self) -> u64 {
        self.left.load(Ordering::SeqCst)
    }

    /// Keeps what an entry holds, unless something has left the log since it was begun to be read.
    pub(super) fn keep(&self, begun: u64, held: impl Iterator<Item = (Place, Arc<Atom>)> + Clone) {
        held.clone().for_each(|(place, atom)| self.kept.insert(place, atom));
        if self.left.load(Ordering::SeqCst) != begun {
            held.for_each(|(place, _)| drop(self.kept.remove(&place)));
        }
    }

    /// To be said once something else stands in these places: what was read of them is forgotten,
    /// also by whoever is just reading it.
    pub(super) fn leave(&self, places: impl Iterator<Item = Place>) {
        self.left.fetch_add(1, Ordering::SeqCst);
        places.for_each(|place| drop(self.kept.remove(&place)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::atom::Content;
    use stoa_actors::id::{AtomId, Millis, SessionId, SpaceId};

    fn atom() -> Arc<Atom> {
        Arc::new(Atom {
            id: AtomId([1; 16]),
            space: SpaceId([2; 16]),
            version: 1,
            born: 1,
            author: SessionId([3; 16]),
            at: Millis(1),
            content: Content::from("a secret"),
            annotation: String::new(),
            metadata: Default::default(),
            references: Vec::new(),
            embedding: None,
            deprecated: None,
            attempts: 0,
        })
    }

    #[test]
    fn what_left_the_log_while_it_was_read_is_not_kept() {
        let (atoms, place) = (Atoms::new(1 << 20), (Position(7), 0));
        let held = || std::iter::once((place, atom()));
        let begun = atoms.begin();
        atoms.keep(begun, held());
        assert_eq!(atoms.get(place), Some(atom()));
        // Read before it left, and kept after.
        let begun = atoms.begin();
        atoms.leave(std::iter::once(place));
        atoms.keep(begun, held());
        assert_eq!(atoms.get(place), None);
        // And what is read from then on is kept again.
        atoms.keep(atoms.begin(), held());
        assert_eq!(atoms.get(place), Some(atom()));
    }
}
