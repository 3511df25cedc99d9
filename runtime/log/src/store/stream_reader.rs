//! Reading a stream from the log, along it where its entries lie close together.

use super::{LogEntry, Store, entry, keys, missing, short};
use crate::blocking::{assert_may_block, in_turns};
use crate::failure::StoreError;
use fjall::UserValue;
use stoa_actors::id::{Position, StreamId};

/// After so many neighbours the log is read along.
const NEIGHBOURS: u32 = 8;
/// So many entries of others in between are passed over; behind more it is begun anew.
const PASSED_MAX: u64 = 32;

/// A stored entry: its header and its body, as the engine lent them.
pub(crate) struct Raw(UserValue);

impl std::ops::Deref for Raw {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Store {
    /// The raw entries after a position, in order. Not on a thread of the executor.
    pub(crate) fn raw_after(
        &self,
        at: Position,
    ) -> impl Iterator<Item = Result<(Position, Raw), StoreError>> + use<> {
        assert_may_block();
        self.raw_from(at)
    }

    /// The same, wherever it is read.
    fn raw_from(
        &self,
        at: Position,
    ) -> impl Iterator<Item = Result<(Position, Raw), StoreError>> + use<> {
        self.log.range(keys::position(Position(at.0 + 1))..).map(|guard| {
            let (key, value) = guard.into_inner()?;
            Ok((keys::number(&key, 0).map(Position).ok_or_else(short)?, Raw(value)))
        })
    }

    /// The positions of a stream's entries after number `seq`, in order, with their numbers. It
    /// blocks for as long as it is read: not on a thread of the executor.
    pub fn stream_after(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = Result<(u64, Position), StoreError>> + use<> {
        assert_may_block();
        self.places_after(stream, seq)
    }

    /// The same, wherever it is read.
    fn places_after(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = Result<(u64, Position), StoreError>> + use<> {
        let from = match self
            .streams
            .range(keys::stream(stream, 0)..=keys::stream(stream, seq))
            .next_back()
        {
            Some(guard) => guard.key().map(|key| key.to_vec()).unwrap_or_default(),
            None => keys::stream(stream, 0),
        };
        self.streams
            .range(from..=keys::stream(stream, u64::MAX))
            .flat_map(|guard| match guard.into_inner() {
                Err(error) => vec![Err(error.into())],
                Ok((key, value)) => positions(&key, &value),
            })
            .filter(move |it| it.as_ref().map_or(true, |(found, _)| *found > seq))
    }

    /// The entries of a stream after number `seq`, in order. Not on a thread of the executor.
    pub fn entries_after(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = Result<LogEntry, StoreError>> + use<> {
        assert_may_block();
        in_turns(self.along(stream, seq))
    }

    /// The same, wherever it is read: a decision waits for what it rests on.
    pub(super) fn along(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = Result<LogEntry, StoreError>> + use<> {
        let mut log = Along { store: self.clone(), read: Position(0), neighbours: 0, along: None };
        self.places_after(stream, seq).map(move |place| log.entry(place?.1))
    }
}

type Entries = Box<dyn Iterator<Item = Result<(Position, Raw), StoreError>>>;

fn positions(key: &[u8], value: &[u8]) -> Vec<Result<(u64, Position), StoreError>> {
    let Some(first) = keys::number(key, 16) else { return vec![Err(short())] };
    let places = value.chunks_exact(8).map(|it| keys::number(it, 0).unwrap_or_default());
    (first..).zip(places).map(|(seq, at)| Ok((seq, Position(at)))).collect()
}

struct Along {
    store: Store,
    /// The last one read.
    read: Position,
    /// How many were close to the one before, in a row.
    neighbours: u32,
    along: Option<Entries>,
}

impl Along {
    fn entry(&mut self, at: Position) -> Result<LogEntry, StoreError> {
        let close = at.0.saturating_sub(self.read.0) <= PASSED_MAX;
        self.neighbours = if close { self.neighbours.saturating_add(1) } else { 0 };
        self.read = at;
        if self.neighbours < NEIGHBOURS {
            self.along = None;
            return self.store.entry(at)?.ok_or_else(|| missing(at));
        }
        let before = Position(at.0 - 1);
        let along = self.along.get_or_insert_with(|| Box::new(self.store.raw_from(before)));
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
