//! What was: the log read in both directions, and atoms as they were at a position.

use super::{LogEntry, Store, entry, keys, short};
use crate::blocking::{assert_may_block, in_turns};
use crate::failure::StoreError;
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::id::{AtomId, Position, StreamId};

/// So many rows of a stream are looked through from its end before it is halved.
const NEAR_ROWS: usize = 16;

impl Store {
    /// The entries after a position, in order.
    pub fn entries_from(
        &self,
        after: Position,
    ) -> impl Iterator<Item = Result<LogEntry, StoreError>> + use<> {
        in_turns(self.raw_after(after).map(|raw| raw.and_then(|(at, value)| entry(at, &value))))
    }

    /// The entries before a position, the last of them first.
    pub fn entries_before(
        &self,
        before: Position,
    ) -> impl Iterator<Item = Result<LogEntry, StoreError>> + use<> {
        assert_may_block();
        in_turns(self.log.range(..keys::position(before)).rev().map(|guard| {
            let (key, value) = guard.into_inner()?;
            entry(keys::number(&key, 0).map(Position).ok_or_else(short)?, &value)
        }))
    }

    /// The number of the last entry of a stream at or before a position; 0 before the first.
    pub fn seq_at(&self, stream: StreamId, at: Position) -> Result<u64, StoreError> {
        let mut behind = None;
        // Most who ask have read it nearly to its end.
        for guard in self.streams.prefix(stream.0).rev().take(NEAR_ROWS) {
            let (key, value) = guard.into_inner()?;
            let first = keys::number(&key, 16).ok_or_else(short)?;
            let upto = value.chunks_exact(8).filter(|it| keys::number(it, 0) <= Some(at.0)).count();
            if upto > 0 {
                return Ok(first + upto as u64 - 1);
            }
            behind = Some(first);
        }
        let Some(behind) = behind else { return Ok(0) };
        last_upto(behind - 1, at, |seq| self.position_of(stream, seq))
    }

    /// The number of an atom's last version that was written at or before a position; 0 before the
    /// first.
    pub fn version_number_at(&self, id: AtomId, at: Position) -> Result<u64, StoreError> {
        let Some((newest_at, newest)) = self.newest(id)? else { return Ok(0) };
        if newest_at <= at {
            return Ok(newest.version);
        }
        let place = |version| Ok(self.version(id, version)?.map(|(place, _)| place));
        last_upto(newest.version, at, place)
    }

    /// An atom as it was at a position, and where that version stands.
    pub fn atom_as_of(
        &self,
        id: AtomId,
        at: Position,
    ) -> Result<Option<(Position, Arc<Atom>)>, StoreError> {
        match self.version_number_at(id, at)? {
            0 => Ok(None),
            version => self.version(id, version),
        }
    }
}

/// Of the numbers `1..=last` the last whose place is at or before a position; 0 if none is. Places
/// lie in order.
fn last_upto(
    last: u64,
    at: Position,
    place: impl Fn(u64) -> Result<Option<Position>, StoreError>,
) -> Result<u64, StoreError> {
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match place(middle)? {
            Some(found) if found <= at => low = middle,
            _ => high = middle - 1,
        }
    }
    Ok(low)
}
