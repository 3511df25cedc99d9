//! How far a shared order was taken in: in one batch with what was taken, so that after a crash the
//! order goes on behind it. A log whose order is its own has no such row.

use super::{Batch, Store, keys};
use crate::failure::StoreError;
use crate::order::OrderSlot;
use stoa_actors::commit::Authors;
use stoa_actors::id::NodeId;

/// The row of `meta` that says how far.
const ORDER: &[u8] = b"order";
/// The row that says which life of this node was begun last.
const LIFE: &[u8] = b"life";

impl Store {
    /// The last place whose commit was applied, and how far each author was judged then. What was
    /// void behind it comes again and is void again.
    pub(crate) fn ordered(&self) -> Result<(OrderSlot, Authors), StoreError> {
        let Some(value) = self.meta.get(ORDER)? else { return Ok(Default::default()) };
        let cut = || StoreError::Codec("the row of the order is cut short".into());
        let place = keys::number(&value, 0).map(OrderSlot).ok_or_else(cut)?;
        Ok((place, Authors::decode(value.get(8..).ok_or_else(cut)?)?))
    }

    /// Puts that into the batch of the commit.
    pub(crate) fn write_ordered(
        &self,
        batch: &mut Batch,
        place: OrderSlot,
        authors: &Authors,
    ) -> Result<(), StoreError> {
        let value = [&place.0.to_be_bytes()[..], &authors.encode()?].concat();
        batch.insert(&self.meta, ORDER, value);
        Ok(())
    }

    /// Begins another life of this node, durably: what an earlier one has offered may still come to
    /// stand, and must not be taken for an offer of this one.
    pub(crate) fn begin_life(&self, node: NodeId, authors: &Authors) -> Result<u64, StoreError> {
        let begun = self.meta.get(LIFE)?.and_then(|it| keys::number(&it, 0)).unwrap_or(0);
        let epoch = begun.max(authors.epoch(node)) + 1;
        let mut batch = self.batch(1);
        batch.insert(&self.meta, LIFE, epoch.to_be_bytes());
        batch.sync()?;
        Ok(epoch)
    }
}
