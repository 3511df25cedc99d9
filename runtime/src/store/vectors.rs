//! Vectors of an embedder that is asked: a cache outside the log. Rows, or all of them, can go at
//! any time: they are made again.

use super::{Store, keys};
use crate::failure::StoreError;
use stoa_actors::atom::Embedding;
use stoa_actors::id::{AtomId, Position};

/// Rows that are taken out together.
const FORGET_ROWS: usize = 4_096;

/// How far an embedder has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Embedded {
    /// Every atom of the log up to here has its vector, or none.
    pub(crate) upto: Position,
    /// Whether it has come to the end of the log once: from then on it serves.
    pub(crate) serves: bool,
}

fn progress(fingerprint: u32) -> Vec<u8> {
    [&fingerprint.to_be_bytes()[..], &[0]].concat()
}

fn row(fingerprint: u32, id: AtomId) -> Vec<u8> {
    [&fingerprint.to_be_bytes()[..], &[1], &id.0].concat()
}

impl Store {
    /// How far it has come.
    pub(crate) fn embedded(&self, fingerprint: u32) -> Result<Embedded, StoreError> {
        let Some(value) = self.vectors.get(progress(fingerprint))? else {
            return Ok(Embedded::default());
        };
        let upto = Position(keys::number(&value, 0).unwrap_or_default());
        Ok(Embedded { upto, serves: value.get(8) == Some(&1) })
    }

    /// The vector of one version of an atom.
    pub(crate) fn vector(
        &self,
        fingerprint: u32,
        id: AtomId,
        version: u64,
    ) -> Result<Option<Embedding>, StoreError> {
        let Some(value) = self.vectors.get(row(fingerprint, id))? else { return Ok(None) };
        let scale = value.get(8..12).and_then(|it| it.first_chunk()).copied();
        let of_version = keys::number(&value, 0) == Some(version) && value.len() > 12;
        Ok(scale.filter(|_| of_version).map(|scale| {
            let (scale, dims) = (f32::from_be_bytes(scale), value[12..].to_vec());
            Embedding { fingerprint, scale, dims }
        }))
    }

    /// Keeps vectors and how far they reach, together; an atom without one has no row.
    pub(crate) fn keep_vectors(
        &self,
        fingerprint: u32,
        made: &[(AtomId, u64, Option<Embedding>)],
        so_far: Embedded,
    ) -> Result<(), StoreError> {
        let mut batch = self.batch(made.len() + 1);
        for (id, version, embedding) in made {
            let key = row(fingerprint, *id);
            match embedding {
                None => batch.remove(&self.vectors, key),
                Some(Embedding { scale, dims, .. }) => {
                    let value = [&version.to_be_bytes()[..], &scale.to_be_bytes(), dims].concat();
                    batch.insert(&self.vectors, key, value);
                }
            }
        }
        let value = [&so_far.upto.0.to_be_bytes()[..], &[u8::from(so_far.serves)]].concat();
        batch.insert(&self.vectors, progress(fingerprint), value);
        Ok(batch.commit()?)
    }

    /// Takes out some rows of other embedders; whether there may be more.
    pub(crate) fn forget_vectors_but(&self, fingerprint: u32) -> Result<bool, StoreError> {
        let own = fingerprint.to_be_bytes();
        let (mut batch, mut rows) = (self.batch(FORGET_ROWS), 0);
        let below = self.vectors.range(..own.to_vec());
        let above = fingerprint.checked_add(1).map(|it| self.vectors.range(it.to_be_bytes()..));
        for guard in below.chain(above.into_iter().flatten()).take(FORGET_ROWS) {
            batch.remove(&self.vectors, guard.key()?);
            rows += 1;
        }
        batch.commit()?;
        Ok(rows == FORGET_ROWS)
    }
}
