//! Deriving every row of a log, entry by entry, in batches.

use super::endings::{self, UNSORTED_IDS_MAX};
use super::{Batch, Store, keys};
use crate::decoders::Decoders;
use crate::failure::StoreError;
use std::collections::BTreeMap;
use stoa_actors::id::{AtomId, Position, StreamId};
use stoa_actors::log::{Body, Header};

const BATCH_ENTRIES: usize = 512;
/// Bytes of entries that are restored in one batch.
const BATCH_BYTES: usize = 8 << 20;

/// Into a store whose derived tables are empty.
pub(super) struct Fold<'a> {
    store: &'a Store,
    kinds: &'a Decoders,
    batch: Batch,
    entries: usize,
    bytes: usize,
    places: BTreeMap<StreamId, (u64, Vec<u8>)>,
    /// Atoms that are not listed yet by the ends of their ids.
    born: Vec<AtomId>,
    last: Position,
}

impl<'a> Fold<'a> {
    pub(super) fn new(store: &'a Store, kinds: &'a Decoders) -> Fold<'a> {
        Fold {
            store,
            kinds,
            batch: store.batch(BATCH_ENTRIES),
            entries: 0,
            bytes: 0,
            places: BTreeMap::new(),
            born: Vec::new(),
            last: Position(0),
        }
    }

    /// The rows of an entry that is in the log.
    pub(super) fn derive(
        &mut self,
        at: Position,
        header: &Header,
        body: &Body,
    ) -> Result<(), StoreError> {
        let rows = self.kinds.rows(header.stream, body)?;
        rows.iter().for_each(|row| self.store.write_row(&mut self.batch, at, row));
        self.born.extend(endings::born(&rows));
        self.last = at;
        if self.born.len() >= UNSORTED_IDS_MAX {
            self.store.sort(&mut self.batch, at, std::mem::take(&mut self.born));
        }
        let place = self.places.entry(header.stream).or_insert((header.seq, Vec::new()));
        place.1.extend(keys::position(at));
        self.entries += 1;
        if self.entries >= BATCH_ENTRIES || self.bytes >= BATCH_BYTES {
            self.cut().buffer()?;
        }
        Ok(())
    }

    /// The entry itself, and its rows.
    pub(super) fn add(
        &mut self,
        at: Position,
        header: &Header,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let entry = [&header.to_bytes()[..], body].concat();
        self.bytes += entry.len();
        self.batch.insert(&self.store.log, keys::position(at), entry);
        self.derive(at, header, &Body::decode(body)?)
    }

    /// Returns once all of it is on the medium.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.store.sort(&mut self.batch, self.last, std::mem::take(&mut self.born));
        self.cut().sync_all()
    }

    /// What was gathered, as a batch of its own.
    fn cut(&mut self) -> Batch {
        for (stream, (first, positions)) in std::mem::take(&mut self.places) {
            self.store.write_stream(&mut self.batch, stream, first, &positions);
        }
        (self.entries, self.bytes) = (0, 0);
        std::mem::replace(&mut self.batch, self.store.batch(BATCH_ENTRIES))
    }
}
