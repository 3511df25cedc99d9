//! States that actors come back to. Losing one costs the time of a replay and nothing else.

use super::{Batch, Store, keys};
use crate::failure::StoreError;
use fjall::UserValue;
use stoa_actors::id::StreamId;

/// What stands in front of a state: the number of the entry it was taken after.
const SEQ: usize = 8;

/// A stored state, as the engine lent it.
pub struct Snapshot {
    value: UserValue,
    /// The entry it was taken after.
    pub seq: u64,
}

impl Snapshot {
    /// The encoded state.
    pub fn state(&self) -> &[u8] {
        &self.value[SEQ..]
    }
}

impl Store {
    /// The last snapshot of a stream's state.
    pub fn snapshot(&self, stream: StreamId) -> Result<Option<Snapshot>, StoreError> {
        let Some(value) = self.snapshots.get(stream.0)? else { return Ok(None) };
        Ok(keys::number(&value, 0).map(|seq| Snapshot { value, seq }))
    }

    /// Puts one into a batch.
    pub(crate) fn write_snapshot(
        &self,
        batch: &mut Batch,
        stream: StreamId,
        seq: u64,
        state: &[u8],
    ) {
        let value = [&seq.to_be_bytes()[..], state].concat();
        batch.insert(&self.snapshots, stream.0, value);
    }

    /// Takes the state away that an actor would come back to: it replays its stream instead.
    pub(crate) fn forget_snapshot(&self, batch: &mut Batch, stream: StreamId) {
        batch.remove(&self.snapshots, stream.0);
    }
}
