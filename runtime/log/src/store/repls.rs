//! What sessions leave behind for their next action, outside the log.

use super::{Batch, Store};
use crate::blocking::assert_may_block;
use crate::failure::StoreError;
use stoa_actors::id::SessionId;

impl Store {
    /// What a session's REPL left behind; lost with nothing but comfort.
    pub fn repl(&self, session: SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.repls.get(session.0)?.map(|it| it.to_vec()))
    }

    /// Waits for the commit that is being made. Not on a thread of the executor.
    pub fn keep_repl(&self, session: SessionId, bytes: &[u8]) -> Result<(), StoreError> {
        assert_may_block();
        Ok(self.repls.insert(session.0, bytes)?)
    }

    pub(crate) fn write_repl(&self, batch: &mut Batch, session: SessionId, bytes: &[u8]) {
        batch.insert(&self.repls, session.0, bytes);
    }
}
