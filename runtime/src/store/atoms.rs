//! Atom versions as they were read last. What is durable never changes, so nothing here is ever
//! out of date; an entry of many atoms is decoded once, not once for each.

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::id::Position;

/// An entry, and which of its events.
pub(super) type Place = (Position, u16);

/// The last of them, up to so many bytes.
pub(super) type Atoms = Cache<Place, Arc<Atom>, Weight>;

#[derive(Clone)]
pub(super) struct Weight;

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

/// An empty one.
pub(super) fn atoms(bytes_max: u64) -> Atoms {
    Cache::with_weighter((bytes_max / ATOM_BYTES) as usize, bytes_max, Weight)
}
