//! Who owes a message to another actor: looked at once, after an open.

use super::{Store, short};
use crate::blocking::assert_may_block;
use crate::failure::StoreError;
use std::collections::BTreeSet;
use stoa_actors::id::StreamId;

impl Store {
    /// The streams whose actors owe a message. It reads a row of each: not on a thread of the
    /// executor.
    pub fn owing(&self) -> Result<BTreeSet<StreamId>, StoreError> {
        assert_may_block();
        let stream = |key: &[u8]| key.first_chunk().copied().map(StreamId).ok_or_else(short);
        self.owed.iter().map(|guard| stream(&guard.key()?)).collect()
    }
}
