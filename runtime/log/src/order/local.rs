//! The order of one process: commits stand as they are offered. They are durable by the sync with
//! which the store takes them.

use super::{CommitOrder, Ordered};
use crate::failure::StoreError;
use std::collections::VecDeque;
use stoa_actors::commit::Commit;

/// A queue; with one writer it holds one commit.
#[derive(Debug, Default)]
pub(crate) struct Local(VecDeque<Commit>);

impl CommitOrder for Local {
    fn offer(&mut self, commit: Commit) -> Result<(), StoreError> {
        self.0.push_back(commit);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Ordered>, StoreError> {
        Ok(self.0.pop_front().map(|commit| Ordered::Stands { place: None, commit }))
    }
}
