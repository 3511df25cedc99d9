//! Atoms by the ends of their ids, so that people can type no more of one than they are shown.
//!
//! Ids of one time end by chance: a row for each, in the order of the ends, would cost a put a tenth
//! of its time. So the ids of a commit are listed in one row, as they came, and those of many commits
//! are then sorted into buckets by their last bits, a row for each bucket. Whoever looks one up reads
//! what is not sorted yet, and one bucket.

use super::{Batch, Store, keys};
use crate::blocking::assert_may_block;
use crate::failure::StoreError;
use std::collections::BTreeSet;
use stoa_actors::behaviour::{Behaviour, Row};
use stoa_actors::ending::IdSuffix;
use stoa_actors::id::{AtomId, Position};
use stoa_actors::space::Space;

/// Ids that are listed as they came before they are sorted.
pub(super) const UNSORTED_IDS_MAX: usize = 1_024;

/// How `meta` says that every atom is listed here.
const LISTED: [u8; 1] = [2];

/// Where those who listed each atom by itself had them, in a table of the spaces' own.
const ONE_BY_ONE: &[u8] = b"ending";

/// Rows that are written at once where all are listed anew.
const BATCH_ROWS: usize = 4_096;

/// Ids that are in the list as they came, with where.
#[derive(Default)]
pub(crate) struct Unsorted {
    rows: Vec<u64>,
    ids: Vec<AtomId>,
}

/// The atoms that are new with these rows.
pub(crate) fn born(rows: &[Row]) -> impl Iterator<Item = AtomId> + '_ {
    rows.iter().filter_map(|row| match row {
        Row::NewAtom { id } => Some(*id),
        _ => None,
    })
}

fn bucket(id: AtomId) -> u8 {
    IdSuffix::bucket(&id.0)
}

fn ids(value: &[u8]) -> impl Iterator<Item = AtomId> + '_ {
    value.as_chunks::<16>().0.iter().map(|id| AtomId(*id))
}

fn bytes(ids: impl IntoIterator<Item = AtomId>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| id.0).collect()
}

impl Store {
    /// What is not sorted yet.
    pub(crate) fn unsorted(&self) -> Result<Unsorted, StoreError> {
        let mut unsorted = Unsorted::default();
        for guard in self.own.prefix(keys::UNSORTED) {
            let (key, value) = guard.into_inner()?;
            unsorted.rows.extend(keys::number(&key, keys::UNSORTED.len()));
            unsorted.ids.extend(ids(&value));
        }
        Ok(unsorted)
    }

    /// Lists new atoms. `at` is behind all that were listed before.
    pub(crate) fn list(
        &self,
        batch: &mut Batch,
        at: Position,
        new: Vec<AtomId>,
        unsorted: &mut Unsorted,
    ) {
        if unsorted.ids.len() + new.len() < UNSORTED_IDS_MAX {
            batch.insert(&self.own, keys::unsorted(at.0), bytes(new.iter().copied()));
            unsorted.rows.push(at.0);
            unsorted.ids.extend(new);
            return;
        }
        let Unsorted { rows, mut ids } = std::mem::take(unsorted);
        rows.into_iter().for_each(|row| batch.remove(&self.own, keys::unsorted(row)));
        ids.extend(new);
        self.sort(batch, at, ids);
    }

    /// Lists atoms by what they end in.
    pub(super) fn sort(&self, batch: &mut Batch, at: Position, mut ids: Vec<AtomId>) {
        ids.sort_unstable_by_key(|id| (bucket(*id), *id));
        for alike in ids.chunk_by(|one, other| bucket(*one) == bucket(*other)) {
            let key = keys::sorted(bucket(alike[0]), at.0);
            batch.insert(&self.own, key, bytes(alike.iter().copied()));
        }
    }

    /// Lists atoms that are not, though their entries are there.
    pub(super) fn list_again(
        &self,
        batch: &mut Batch,
        head: Position,
        mut missing: Vec<AtomId>,
    ) -> Result<(), StoreError> {
        // What the last commit has sorted stands in the same place.
        for bucket in missing.iter().copied().map(bucket).collect::<BTreeSet<u8>>() {
            let there = self.own.get(keys::sorted(bucket, head.0))?;
            missing.extend(ids(&there.unwrap_or_default()));
        }
        self.sort(batch, head, missing);
        Ok(())
    }

    /// The atoms whose ids end so, in order; no more than so many of them. It blocks: not on a thread
    /// of the executor.
    pub fn atoms_ending(
        &self,
        ending: IdSuffix,
        most: usize,
    ) -> Result<BTreeSet<AtomId>, StoreError> {
        assert_may_block();
        // In this sequence: what is sorted meanwhile is met twice, and not missed.
        let all = self
            .own
            .prefix(keys::UNSORTED)
            .chain(self.own.prefix(keys::bucket(ending.its_bucket())));
        let mut found = BTreeSet::new();
        for guard in all {
            let (_, value) = guard.into_inner()?;
            for id in ids(&value).filter(|id| ending.is_of(&id.0)) {
                // Ids that come from elsewhere may all end alike.
                if found.len() >= most {
                    return Ok(found);
                }
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// Those of so many atoms that are not listed.
    pub(super) fn unlisted(
        &self,
        mut atoms: BTreeSet<AtomId>,
    ) -> Result<BTreeSet<AtomId>, StoreError> {
        if atoms.is_empty() {
            return Ok(atoms);
        }
        for id in self.unsorted()?.ids {
            atoms.remove(&id);
        }
        let buckets: BTreeSet<u8> = atoms.iter().copied().map(bucket).collect();
        for bucket in buckets {
            for guard in self.own.prefix(keys::bucket(bucket)) {
                let (_, value) = guard.into_inner()?;
                for id in ids(&value) {
                    atoms.remove(&id);
                }
            }
        }
        Ok(atoms)
    }

    /// A directory of a build that did not list atoms, or each by itself, gets this list.
    pub(super) fn list_endings(&self) -> Result<(), StoreError> {
        if self.meta.get(keys::ENDINGS)?.as_deref() == Some(&LISTED) {
            return Ok(());
        }
        let mut batch = self.batch(BATCH_ROWS);
        for guard in self.own.prefix(keys::own(Space::KIND, ONE_BY_ONE)) {
            batch.remove(&self.own, guard.key()?);
            if batch.rows() >= BATCH_ROWS {
                std::mem::replace(&mut batch, self.batch(BATCH_ROWS)).buffer()?;
            }
        }
        let (mut ids, mut part) = (Vec::new(), 0);
        for guard in self.atoms.iter() {
            // A longer key is that of a version.
            let Ok(id) = <[u8; 16]>::try_from(&guard.key()?[..]) else { continue };
            ids.push(AtomId(id));
            if ids.len() >= UNSORTED_IDS_MAX {
                part += 1;
                // There are more entries than parts, so no commit comes in the place of one.
                self.sort(&mut batch, Position(part), std::mem::take(&mut ids));
            }
            if batch.rows() >= BATCH_ROWS {
                std::mem::replace(&mut batch, self.batch(BATCH_ROWS)).buffer()?;
            }
        }
        self.sort(&mut batch, Position(part + 1), ids);
        batch.insert(&self.meta, keys::ENDINGS, LISTED);
        batch.sync_all()
    }
}
