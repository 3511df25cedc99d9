//! Tables that kinds of actor keep for themselves: derived by their `project`, read here.

use super::{Store, keys};
use crate::blocking::assert_may_block;
use crate::failure::StoreError;
use stoa_actors::behaviour::Behaviour;

/// Key and value of a row.
pub type OwnRow = (Vec<u8>, Vec<u8>);

impl Store {
    /// One row of the table that a kind keeps for itself.
    pub fn own_row<B: Behaviour>(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.own.get(keys::own(B::KIND, key))?.map(|it| it.to_vec()))
    }

    /// The rows whose keys begin so, in the order of their keys. It blocks for as long as it is read:
    /// not on a thread of the executor.
    pub fn own_rows<B: Behaviour>(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<OwnRow, StoreError>> + use<B> {
        assert_may_block();
        let front = keys::own(B::KIND, &[]).len();
        self.own.prefix(keys::own(B::KIND, prefix)).map(move |guard| {
            let (key, value) = guard.into_inner()?;
            Ok((key[front..].to_vec(), value.to_vec()))
        })
    }
}
