//! Vectors of an embedder that is asked: a cache outside the log. Rows, or all of them, can go at
//! any time: they are made again.

use super::{Batch, Store, keys};
use crate::failure::StoreError;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::id::{AtomId, Position};

/// Rows that are taken out together.
const FORGET_ROWS: usize = 4_096;

/// How far an embedder has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Every atom of the log up to here has its vector, or none.
    pub upto: Position,
    /// Whether it has come to the end of the log once: from then on it serves.
    pub serves: bool,
}

/// The first byte of a key: how far an embedder has come, and a vector.
const PROGRESS: u8 = 0;
const VECTOR: u8 = 1;

fn progress(fingerprint: u32) -> Vec<u8> {
    [&[PROGRESS][..], &fingerprint.to_be_bytes()].concat()
}

fn row(fingerprint: u32, id: AtomId) -> Vec<u8> {
    [&[VECTOR][..], &id.0, &fingerprint.to_be_bytes()].concat()
}

impl Store {
    /// How far it has come.
    pub fn embedded(&self, fingerprint: u32) -> Result<Embedded, StoreError> {
        let Some(value) = self.vectors.get(progress(fingerprint))? else {
            return Ok(Embedded::default());
        };
        let upto = Position(keys::number(&value, 0).unwrap_or_default());
        Ok(Embedded { upto, serves: value.get(8) == Some(&1) })
    }

    /// The vector of one version of an atom.
    pub fn vector(
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

    /// Keeps vectors and how far they reach, together; an atom without one has no row. An erase that
    /// came in between has taken out what was there: it is not brought back.
    pub fn keep_vectors(
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
        batch.write()?;
        let mut late = self.batch(0);
        for (id, ..) in made.iter().filter(|(.., embedding)| embedding.is_some()) {
            if self.newest(*id)?.is_some_and(|(_, atom)| atom.content == Content::Erased) {
                late.remove(&self.vectors, row(fingerprint, *id));
                self.note_residue(&mut late);
            }
        }
        late.write()
    }

    /// Takes out rows of other embedders, in pieces; goes through all there are.
    pub fn forget_vectors_but(&self, fingerprint: u32) -> Result<(), StoreError> {
        let own = fingerprint.to_be_bytes();
        let mut others = Vec::new();
        for guard in self.vectors.iter() {
            let key = guard.key()?;
            if !key.ends_with(&own) {
                others.push(key);
            }
            if others.len() >= FORGET_ROWS {
                self.forget_rows(&mut others)?;
            }
        }
        self.forget_rows(&mut others)
    }

    fn forget_rows(&self, keys: &mut Vec<fjall::UserKey>) -> Result<(), StoreError> {
        let mut batch = self.batch(keys.len());
        keys.drain(..).for_each(|key| batch.remove(&self.vectors, key));
        batch.write()
    }

    /// Takes an atom's vectors out, of all embedders.
    pub(super) fn forget_vectors_of(
        &self,
        batch: &mut Batch,
        id: AtomId,
    ) -> Result<(), StoreError> {
        for guard in self.vectors.prefix([&[VECTOR][..], &id.0].concat()) {
            batch.remove(&self.vectors, guard.key()?);
        }
        Ok(())
    }
}
