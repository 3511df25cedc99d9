//! Atoms by the ends of their ids.

use super::{Store, keys};
use crate::failure::StoreError;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::ending::IdSuffix;
use stoa_actors::id::AtomId;
use stoa_actors::space::Space;

/// Rows that are written at once.
const BATCH_ROWS: usize = 4_096;

impl Store {
    /// A directory of a build that did not list atoms by the ends of their ids gets that list.
    pub(super) fn list_endings(&self) -> Result<(), StoreError> {
        if self.meta.contains_key(keys::ENDINGS)? {
            return Ok(());
        }
        let mut batch = self.batch(BATCH_ROWS);
        for guard in self.atoms.iter() {
            let key = guard.key()?;
            let Ok(id) = <[u8; 16]>::try_from(&key[..]) else { continue };
            let row = Space::endings_key(&IdSuffix::key(AtomId(id)));
            batch.insert(&self.own, keys::own(Space::KIND, &row), Vec::new());
            if batch.rows() >= BATCH_ROWS {
                std::mem::replace(&mut batch, self.batch(BATCH_ROWS)).buffer()?;
            }
        }
        batch.insert(&self.meta, keys::ENDINGS, [1]);
        batch.sync_all()
    }
}
