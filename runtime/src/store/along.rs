//! Reading a stream from the log, along it where its entries lie close together.

use super::{Entry, Store, entry, missing};
use crate::failure::StoreError;
use stoa_actors::id::{Position, StreamId};

/// After so many neighbours the log is read along.
const NEIGHBOURS: u32 = 8;
/// So many entries of others in between are passed over; behind more it is begun anew.
const PASSED_MAX: u64 = 32;

impl Store {
    /// The entries of a stream after number `seq`, in order.
    pub(crate) fn entries_after(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + use<> {
        let mut log = Along { store: self.clone(), read: Position(0), neighbours: 0, along: None };
        self.stream_after(stream, seq).map(move |place| log.entry(place?.1))
    }
}

type Raw = Box<dyn Iterator<Item = Result<(Position, fjall::UserValue), StoreError>>>;

struct Along {
    store: Store,
    /// The last one read.
    read: Position,
    /// How many were close to the one before, in a row.
    neighbours: u32,
    along: Option<Raw>,
}

impl Along {
    fn entry(&mut self, at: Position) -> Result<Entry, StoreError> {
        let close = at.0.saturating_sub(self.read.0) <= PASSED_MAX;
        self.neighbours = if close { self.neighbours.saturating_add(1) } else { 0 };
        self.read = at;
        if self.neighbours < NEIGHBOURS {
            self.along = None;
            return self.store.entry(at)?.ok_or_else(|| missing(at));
        }
        let before = Position(at.0 - 1);
        let along = self.along.get_or_insert_with(|| Box::new(self.store.raw_after(before)));
        for found in along {
            let (position, value) = found?;
            if position == at {
                return entry(position, &value);
            }
            if position > at {
                break;
            }
        }
        Err(missing(at))
    }
}
