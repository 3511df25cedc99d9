//! Whose vectors an index goes by: the built-in embedder's, which every atom has in the log, or those
//! that another one has made of it.

use crate::store::Store;
use crate::vectors::Vectors;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Embed, Embedding};

/// Where the vectors of an index come from, for as long as there is the index.
#[derive(Clone)]
pub(crate) enum Source {
    BuiltIn(Arc<dyn Embed>),
    Rows { fingerprint: u32, store: Store },
}

/// Makes nothing: what has no row is found by its words.
struct Rows(u32);

impl Embed for Rows {
    fn fingerprint(&self) -> u32 {
        self.0
    }

    fn embed(&self, _: &str) -> Option<Embedding> {
        None
    }
}

impl Source {
    /// That of an embedder that is asked, if it serves by now.
    pub(super) fn now(built_in: &Arc<dyn Embed>, remote: Option<&(Arc<Vectors>, Store)>) -> Source {
        match remote.filter(|(vectors, _)| vectors.serves()) {
            None => Source::BuiltIn(built_in.clone()),
            Some((vectors, store)) => {
                Source::Rows { fingerprint: vectors.fingerprint(), store: store.clone() }
            }
        }
    }

    /// What an index makes vectors with.
    pub(super) fn embed(&self) -> Arc<dyn Embed> {
        match self {
            Source::BuiltIn(embed) => embed.clone(),
            Source::Rows { fingerprint, .. } => Arc::new(Rows(*fingerprint)),
        }
    }

    /// The atom with the vector that is its own here. A row that cannot be read is none.
    pub(super) fn dressed(&self, atom: &Arc<Atom>) -> Arc<Atom> {
        let Source::Rows { fingerprint, store } = self else { return atom.clone() };
        let row = store.vector(*fingerprint, atom.id, atom.version);
        let embedding = row.unwrap_or_default();
        Arc::new(Atom { embedding, ..Atom::clone(atom) })
    }
}
