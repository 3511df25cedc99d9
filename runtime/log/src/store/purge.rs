//! What was erased leaves the files as well. The engine keeps the old bytes in two places: in its
//! tables until they are compacted, and in its journal until that is sealed and done with.

use super::Store;
use crate::failure::StoreError;
use fjall::Keyspace;

/// The engine seals its journal behind so much, when something is flushed, and not before.
const SEAL_BYTES: usize = 72 << 20;
/// One value of what fills it up.
const FILL_BYTES: usize = 1 << 20;
/// So many of them are held in memory.
const FILL_ENTRIES: usize = 8;
/// How long the engine may take to remove a journal that it is done with.
const SEALED_MS: u64 = 10_000;

/// Room that a purge leaves free.
const SPARE_BYTES: u64 = 16 << 20;

impl Store {
    /// Rewrites the log and the snapshots without what was replaced, and has every journal removed
    /// that may hold it. Nobody may write meanwhile. It takes as long as to write the whole log
    /// anew, and room for it. After an error the residue is still noted; one that was begun is
    /// finished by the next open.
    ///
    /// Errors: [`StoreError::NoRoom`] before anything is written, where the disk has too little:
    /// the engine does not survive a disk that becomes full.
    pub fn purge(&self) -> Result<(), StoreError> {
        let needed = self.purge_bytes()?;
        if let Some(free) = self.room().filter(|free| *free < needed) {
            let path = self.folder.clone();
            return Err(StoreError::NoRoom { path, needed, free });
        }
        self.begin_purge()?;
        let filler = self.seal_journal()?;
        self.flush()?;
        self.put_away([&filler])?;
        self.until("a sealed journal is removed", SEALED_MS, || {
            self.db.journal_count().saturating_sub(1)
        })?;
        for keyspace in [&self.log, &self.snapshots, &self.vectors, &filler] {
            keyspace.major_compact()?;
        }
        self.no_residue()
    }

    /// What fills the journal up, once in it and once in tables; all that is in the journal, in
    /// tables; and the tables that are written anew.
    fn purge_bytes(&self) -> Result<u64, StoreError> {
        let anew = [&self.log, &self.snapshots, &self.vectors];
        let tables: u64 = anew.into_iter().map(Keyspace::disk_space).sum();
        Ok(2 * SEAL_BYTES as u64 + self.db.journal_disk_space()? + tables + SPARE_BYTES)
    }

    /// Finishes a purge that was interrupted. Why not, where it cannot be done now.
    pub(super) fn resume_purge(&self) -> Result<Option<String>, StoreError> {
        if !self.is_purge_begun()? {
            return Ok(None);
        }
        match self.purge() {
            Ok(()) => Ok(None),
            Err(error @ StoreError::NoRoom { .. }) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Fills the journal up with what cannot be packed, so that the engine begins another.
    fn seal_journal(&self) -> Result<Keyspace, StoreError> {
        let filler = self.db.keyspace("filler", fjall::KeyspaceCreateOptions::default)?;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut value = vec![0; FILL_BYTES];
        for _ in 0..SEAL_BYTES / FILL_BYTES / FILL_ENTRIES {
            for key in 0..FILL_ENTRIES as u64 {
                for bytes in value.chunks_exact_mut(8) {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    bytes.copy_from_slice(&state.to_le_bytes());
                }
                filler.insert(key.to_be_bytes(), &value[..])?;
            }
            self.put_away([&filler])?;
        }
        // Removed, not cleared: a keyspace without a trace keeps the engine from letting go.
        (0..FILL_ENTRIES as u64).try_for_each(|key| filler.remove(key.to_be_bytes()))?;
        Ok(filler)
    }

    /// Puts everything that is in memory into tables.
    fn flush(&self) -> Result<(), StoreError> {
        let own = [&self.log, &self.repls, &self.vectors, &self.meta];
        self.put_away(own.into_iter().chain(self.derived()))
    }
}
