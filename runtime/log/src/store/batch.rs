//! What is written together, or not at all. Outside the store nobody knows which engine takes it.

use super::Store;
use crate::failure::StoreError;
use fjall::{Keyspace, OwnedWriteBatch, PersistMode, UserKey, UserValue};

/// Rows that one entry takes in most batches.
const ROWS: usize = 6;

/// Rows of any keyspaces that become durable together.
pub(crate) struct Batch(OwnedWriteBatch);

impl Store {
    /// An empty batch, with room for what so many entries take.
    pub(crate) fn batch(&self, entries: usize) -> Batch {
        Batch(OwnedWriteBatch::with_capacity(self.db.clone(), entries * ROWS))
    }
}

impl Batch {
    pub(super) fn insert(
        &mut self,
        into: &Keyspace,
        key: impl Into<UserKey>,
        value: impl Into<UserValue>,
    ) {
        self.0.insert(into, key, value);
    }

    pub(super) fn remove(&mut self, from: &Keyspace, key: impl Into<UserKey>) {
        self.0.remove(from, key);
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn rows(&self) -> usize {
        self.0.len()
    }

    /// Returns once it is on the medium.
    pub(crate) fn sync(self) -> Result<(), StoreError> {
        Ok(self.0.durability(Some(PersistMode::SyncData)).commit()?)
    }

    /// The same, and the metadata of its files as well.
    pub(super) fn sync_all(self) -> Result<(), StoreError> {
        Ok(self.0.durability(Some(PersistMode::SyncAll)).commit()?)
    }

    /// Returns once the system has it: a crash of the process does not lose it, one of the machine
    /// may.
    pub(super) fn buffer(self) -> Result<(), StoreError> {
        Ok(self.0.durability(Some(PersistMode::Buffer)).commit()?)
    }

    /// Returns once the engine has it. For what can be lost.
    pub(super) fn write(self) -> Result<(), StoreError> {
        Ok(self.0.commit()?)
    }
}
