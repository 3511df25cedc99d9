//! What sessions leave behind for their next action, outside the log.

use super::Store;
use crate::failure::StoreError;
use stoa_actors::id::SessionId;

impl Store {
    /// What a session's REPL left behind; lost with nothing but comfort.
    pub(crate) fn repl(&self, session: SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.repls.get(session.0)?.map(|it| it.to_vec()))
    }

    pub(crate) fn keep_repl(&self, session: SessionId, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.repls.insert(session.0, bytes)?)
    }
}
