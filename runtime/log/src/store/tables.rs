//! What the derived rows must say after a stretch of the log: the last word on each key.

use super::{ATOMS, Batch, DUE, ERASURES, OWED, OWN, REFERENCES, Store, endings, keys};
use crate::failure::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::Row;
use stoa_actors::id::{AtomId, Position};

/// Table and key, and the value that must be there; none where nothing must be.
#[derive(Default)]
pub(crate) struct Tables {
    rows: BTreeMap<(u8, Vec<u8>), Option<Vec<u8>>>,
    /// Atoms that must be listed by the ends of their ids.
    born: BTreeSet<AtomId>,
}

impl Tables {
    pub(crate) fn add(&mut self, at: Position, rows: Vec<Row>) {
        self.born.extend(endings::born(&rows));
        for (table, key, value) in rows.iter().filter_map(|row| Store::row(at, row)) {
            self.rows.insert((table, key), value);
        }
    }

    /// Puts what is not there as it should be into a batch.
    pub(crate) fn repair(
        self,
        store: &Store,
        head: Position,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        store.list_again(batch, head, store.unlisted(self.born)?.into_iter().collect())?;
        for ((table, key), value) in self.rows {
            let keyspace = store.table(table);
            if keyspace.get(&key)?.as_deref() != value.as_deref() {
                match value {
                    Some(value) => batch.insert(keyspace, key, value),
                    None => batch.remove(keyspace, key),
                }
            }
        }
        Ok(())
    }

    /// How many rows say what they must, and which do not. Entries after `upto` may have moved an
    /// atom's row on, or a reference, or what is due: those are not held against the store.
    pub(crate) fn compare(
        &self,
        store: &Store,
        upto: Position,
    ) -> Result<(u64, Vec<String>), StoreError> {
        let (mut right, mut wrong, mut open) = (0, Vec::new(), Vec::new());
        for ((table, key), value) in &self.rows {
            let found = store.table(*table).get(key)?;
            let moved_on =
                *table == ATOMS && found.as_ref().and_then(|it| keys::number(it, 0)) > Some(upto.0);
            if found.as_deref() == value.as_deref() || moved_on {
                right += 1;
                continue;
            }
            let may_move = matches!(*table, REFERENCES | DUE | ERASURES | OWN | OWED);
            let what = format!("a derived row differs from the log: table {table}, {key:02x?}");
            if may_move { open.push(what) } else { wrong.push(what) }
        }
        let unlisted = store.unlisted(self.born.clone())?;
        right += (self.born.len() - unlisted.len()) as u64;
        let unlisted = unlisted.iter();
        wrong.extend(unlisted.map(|it| format!("atom {it} is not listed by the end of its id")));
        // Looked at last: an entry may have come while the rows were read.
        match store.last_position()? == upto {
            true => wrong.extend(open),
            false => right += open.len() as u64,
        }
        Ok((right, wrong))
    }

    /// The references that are listed from their targets.
    pub(crate) fn references(&self) -> BTreeSet<(AtomId, String, AtomId)> {
        let rows =
            self.rows.iter().filter(|((table, _), value)| *table == REFERENCES && value.is_some());
        rows.filter_map(|((_, key), _)| {
            let target = AtomId(*key.first_chunk()?);
            keys::referrer(key).map(|(relation, source)| (target, relation, source))
        })
        .collect()
    }
}
