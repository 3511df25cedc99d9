//! What was erased leaves the files as well. The engine keeps the old bytes in two places: in its
//! tables until they are compacted, and in its journal until that is sealed and done with.

use super::Store;
use crate::failure::StoreError;
use fjall::Keyspace;
use std::time::{Duration, Instant};

/// The engine seals its journal behind so much, when something is flushed, and not before.
const SEAL_BYTES: usize = 72 << 20;
/// One value of what fills it up.
const FILL_BYTES: usize = 1 << 20;
/// So many of them are held in memory.
const FILL_ENTRIES: usize = 8;
/// How long the engine may take to remove a journal that it is done with.
const SEALED_MS: u64 = 10_000;

impl Store {
    /// Rewrites the log and the snapshots without what was replaced, and has every journal removed
    /// that may hold it. Nobody may write meanwhile. It takes as long as to write the whole log
    /// anew, and room for it; after an error the residue is still noted.
    pub(crate) fn purge(&self) -> Result<(), StoreError> {
        let filler = self.seal_journal()?;
        self.flush()?;
        flushed(&filler)?;
        let begun = Instant::now();
        while self.db.journal_count() > 1 {
            if begun.elapsed() >= Duration::from_millis(SEALED_MS) {
                return Err(StoreError::Engine("a sealed journal is not let go of".into()));
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        for keyspace in [&self.log, &self.snapshots, &self.vectors, &filler] {
            keyspace.major_compact()?;
        }
        self.no_residue()
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
            flushed(&filler)?;
        }
        // Removed, not cleared: a keyspace without a trace keeps the engine from letting go.
        (0..FILL_ENTRIES as u64).try_for_each(|key| filler.remove(key.to_be_bytes()))?;
        Ok(filler)
    }

    /// Puts everything that is in memory into tables.
    fn flush(&self) -> Result<(), StoreError> {
        let own = [&self.log, &self.repls, &self.vectors, &self.meta];
        own.into_iter().chain(self.derived()).try_for_each(flushed)
    }
}

fn flushed(keyspace: &Keyspace) -> Result<(), StoreError> {
    keyspace.rotate_memtable()?;
    while keyspace.sealed_memtable_count() > 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Ok(())
}
