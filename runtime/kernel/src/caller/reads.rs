//! Reading atoms, and those at the other ends of their references.

use super::Caller;
use crate::envelope::instant;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stoa_actors::atom::{Atom, Reference};
use stoa_actors::id::{AtomId, Position};
use stoa_actors::redaction::erased_by;

/// An atom as read, and where it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ReadAtom {
    pub atom: Arc<Atom>,
    pub position: Position,
}

/// Atoms at the other ends of references.
#[derive(Clone, Debug, PartialEq)]
pub struct Referred {
    /// How, and which.
    pub found: Vec<(String, ReadAtom)>,
    /// How many to skip to go on, where there is more.
    pub next: Option<usize>,
}

impl Caller {
    /// The newest durable version of an atom, of whatever space the caller can read.
    pub async fn get(&self, id: AtomId) -> Result<ReadAtom, Problem> {
        self.read(id)
    }

    pub(super) fn read(&self, id: AtomId) -> Result<ReadAtom, Problem> {
        let found = self.runtime.store().newest(id)?;
        self.permitted(id, found)
    }

    /// One version of an atom.
    pub async fn get_version(&self, id: AtomId, version: u64) -> Result<ReadAtom, Problem> {
        let found = if version == 0 { None } else { self.runtime.store().version(id, version)? };
        let newest = self.get(id).await?.atom;
        if let Some((by, at)) = erased_by(&newest).filter(|_| version < newest.version) {
            let text = format!("atom {id} was erased by {by} at {}", instant(at));
            return Err(Problem::new(ProblemKind::Unknown, text).hint(format!("stoa history {id}")));
        }
        let newest = newest.version;
        self.permitted(id, found).map_err(|_| {
            Problem::new(ProblemKind::Unknown, format!("atom {id} has versions 1 to {newest}"))
                .hint(format!("stoa get {id} --version {newest}"))
        })
    }

    /// Rights are looked at after the row was read, never before.
    pub(super) fn permitted(
        &self,
        id: AtomId,
        found: Option<(Position, Arc<Atom>)>,
    ) -> Result<ReadAtom, Problem> {
        let found = found.filter(|(_, atom)| self.level(atom.space).is_some());
        let (position, atom) = found.ok_or_else(|| Problem::no_atom(id))?;
        Ok(ReadAtom { atom, position })
    }

    /// The atoms that an atom refers to, in its own order: those the caller can read, behind the
    /// first `skip` references of that relation. One answer's worth; [`Referred::next`] says where
    /// to go on.
    pub async fn targets(
        &self,
        id: AtomId,
        relation: Option<&str>,
        skip: usize,
    ) -> Result<Referred, Problem> {
        let atom = self.get(id).await?.atom;
        let relation = relation.map(str::to_owned);
        self.reading(move |caller| {
            let wanted = |it: &&Reference| relation.as_ref().is_none_or(|of| *of == it.relation);
            let references = atom.references.iter().filter(wanted).skip(skip);
            let rows = references.map(|it| Ok((it.relation.clone(), it.target)));
            caller.collect_referred(rows, skip)
        })
        .await
    }

    /// The atoms that refer to an atom, and how: those the caller can read, by relation and id,
    /// behind the first `skip`. One answer's worth; [`Referred::next`] says where to go on.
    pub async fn sources(
        &self,
        id: AtomId,
        relation: Option<&str>,
        skip: usize,
    ) -> Result<Referred, Problem> {
        self.get(id).await?;
        let relation = relation.map(str::to_owned);
        self.reading(move |caller| {
            let rows = caller.runtime.store().referrers(id, relation.as_deref());
            caller.collect_referred(rows.skip(skip), skip)
        })
        .await
    }

    fn collect_referred(
        &self,
        rows: impl Iterator<Item = Result<(String, AtomId), StoreError>>,
        skip: usize,
    ) -> Result<Referred, Problem> {
        let config = &self.runtime.shared().config;
        let (mut found, mut bytes) = (Vec::new(), 0);
        for (looked, row) in rows.enumerate() {
            let (relation, id) = row?;
            let Ok(read) = self.permitted(id, self.runtime.store().newest(id)?) else { continue };
            bytes += read.atom.bytes();
            let full = found.len() >= config.limits.search.hits_max;
            if full || (bytes > config.answer_bytes_max && !found.is_empty()) {
                return Ok(Referred { found, next: Some(skip + looked) });
            }
            found.push((relation, read));
        }
        Ok(Referred { found, next: None })
    }
}
