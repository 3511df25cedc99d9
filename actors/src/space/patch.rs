//! What an asker says of an atom: all of a new one, or what changes in an old one.

use super::{Refusal, limit, next, readable};
use crate::atom::{Atom, Content, Embedding, Metadata, NoVector, Reference};
use crate::behaviour::Delivery;
use crate::conditions::{check as check_conditions, holds};
use crate::id::{AtomId, SpaceId};
use crate::limits::Limits;
use crate::mutant::planted;
use crate::value::Value;
use std::collections::BTreeMap;

/// A new atom.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Draft {
    /// Its id, where the asker has one: for a reference within the same transaction.
    pub id: Option<AtomId>,
    pub content: Content,
    /// What it is about.
    pub annotation: String,
    /// Key and value.
    pub metadata: Metadata,
    /// Relation and targets.
    pub references: BTreeMap<String, Vec<AtomId>>,
    /// Its vector, made before the delivery; no part of what makes two requests the same.
    pub embedding: Option<Embedding>,
}

/// What changes; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// What the atom's metadata must say, as in a search, else nothing changes; null for a key it
    /// must not have.
    pub expect: Metadata,
    /// Replaces the payload.
    pub content: Option<Content>,
    /// Replaces the annotation.
    pub annotation: Option<String>,
    /// Sets these keys; null removes one (RFC 7396, at the top level).
    pub metadata: Metadata,
    /// Replaces the targets of these relations; none removes the relation.
    pub references: BTreeMap<String, Vec<AtomId>>,
    /// Sets how often it was claimed: zero lets it be tried anew.
    pub attempts: Option<u64>,
    /// The vector of the result, if the atom is still what it was made for.
    pub embedding: Option<MadeFor>,
}

/// A vector made for one version of an atom; of no use once another has come in between.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeFor {
    /// The version it was read from.
    pub base: u64,
    /// The vector of what the change would make of it.
    pub embedding: Embedding,
}

impl Draft {
    pub(super) fn atom(self, space: SpaceId, delivery: &mut Delivery<'_>) -> Result<Atom, Refusal> {
        if self.content.is_gone() {
            return Err(Refusal::Gone);
        }
        if let Some(id) = self.id.filter(|id| delivery.view.space_of(*id).is_some()) {
            return Err(Refusal::Taken(id));
        }
        let atom = Atom {
            id: self.id.unwrap_or_else(|| AtomId((delivery.fresh)())),
            space,
            version: 1,
            born: delivery.seq,
            author: delivery.asker,
            at: delivery.now,
            content: self.content,
            annotation: self.annotation,
            metadata: self.metadata,
            references: flat(&self.references),
            embedding: self.embedding,
            deprecated: None,
            attempts: 0,
        };
        check(&atom, &[], delivery)?;
        Ok(atom)
    }
}

impl Patch {
    /// The relations by which it refers to anything; one that it only takes out is not among them.
    pub fn relations(&self) -> Vec<String> {
        let set = self.references.iter().filter(|(_, targets)| !targets.is_empty());
        set.map(|(name, _)| name.clone()).collect()
    }

    /// Takes one reference out of what the patch leaves of the atom's; false if it is not there.
    pub fn without(&mut self, atom: &Atom, relation: &str, target: AtomId) -> bool {
        let targets = self.references.entry(relation.to_owned()).or_insert_with(|| {
            let same = atom.references.iter().filter(|it| it.relation == relation);
            same.map(|it| it.target).collect()
        });
        let before = targets.len();
        targets.retain(|it| *it != target);
        targets.len() < before
    }

    /// What it makes of an atom, apart from version, author and time.
    pub fn merge(&self, atom: &mut Atom) {
        if let Some(content) = &self.content {
            atom.content = content.clone();
        }
        if let Some(annotation) = &self.annotation {
            atom.annotation.clone_from(annotation);
        }
        for (key, value) in &self.metadata {
            match value {
                Value::Null => atom.metadata.remove(key),
                value => atom.metadata.insert(key.clone(), value.clone()),
            };
        }
        atom.attempts = self.attempts.unwrap_or(atom.attempts);
        atom.references.retain(|it| !self.references.contains_key(&it.relation));
        atom.references.extend(flat(&self.references));
    }

    pub(super) fn apply(&self, before: &Atom, delivery: &Delivery<'_>) -> Result<Atom, Refusal> {
        check_conditions(&self.expect)?;
        let lacks = |key: &String| !before.metadata.contains_key(key);
        let differs = |(key, value): &(&String, &Value)| match value {
            Value::Null if lacks(key) => false,
            value => !holds(&before.metadata, key, value),
        };
        if let Some((key, _)) = self.expect.iter().find(differs)
            && !planted("space.expects_nothing")
        {
            return Err(Refusal::Unexpected { id: before.id, key: key.clone() });
        }
        if self.content.as_ref().is_some_and(Content::is_gone) {
            return Err(Refusal::Gone);
        }
        let mut atom = next(before, delivery);
        self.merge(&mut atom);
        let fits = self.embedding.as_ref().filter(|made| made.base == before.version);
        atom.embedding = fits.map(|made| made.embedding.clone());
        check(&atom, &before.references, delivery)?;
        Ok(atom)
    }
}

fn flat(references: &BTreeMap<String, Vec<AtomId>>) -> Vec<Reference> {
    let mut out: Vec<Reference> = Vec::new();
    for (relation, targets) in references {
        for &target in targets {
            let reference = Reference { relation: relation.clone(), target };
            if !out.contains(&reference) {
                out.push(reference);
            }
        }
    }
    out
}

/// Refuses what is over a limit, cannot be stored, or refers to what the asker cannot read.
pub(super) fn check(
    atom: &Atom,
    known: &[Reference],
    delivery: &Delivery<'_>,
) -> Result<(), Refusal> {
    let limits = delivery.limits;
    vector(atom.embedding.as_ref(), limits)?;
    within_limits(&atom.content, &atom.annotation, &atom.metadata, &atom.references, limits)?;
    for reference in atom.references.iter().filter(|it| !known.contains(it)) {
        named("a relation", &reference.relation, limits.name_bytes_max)?;
        readable(reference.target, delivery)?;
    }
    Ok(())
}

/// Refuses what is no vector. One of another embedder than the index's is stored, and not compared.
pub(super) fn vector(embedding: Option<&Embedding>, limits: &Limits) -> Result<(), Refusal> {
    let Some(Embedding { scale, dims, .. }) = embedding else { return Ok(()) };
    limit("the embedding's dimensions", dims.len(), limits.embedding_dims_max)?;
    if dims.is_empty() {
        return Err(Refusal::Vector(NoVector::Empty));
    }
    if !scale.is_finite() || *scale < 0.0 {
        return Err(Refusal::Vector(NoVector::Scale));
    }
    Ok(())
}

/// Refuses what is over a limit or cannot be stored, whoever asks.
pub(super) fn within_limits(
    content: &Content,
    annotation: &str,
    metadata: &Metadata,
    references: &[Reference],
    limits: &Limits,
) -> Result<(), Refusal> {
    limit("the content", content.bytes(), limits.content_bytes_max)?;
    limit("the annotation", annotation.len(), limits.annotation_bytes_max)?;
    limit("the references", references.len(), limits.references_max)?;
    if let Content::Json(value) = content {
        value.check()?;
    }
    let mut bytes = 0;
    for (key, value) in metadata {
        named("a metadata key", key, limits.name_bytes_max)?;
        value.check()?;
        bytes += key.len() + value.bytes();
    }
    limit("the metadata", bytes, limits.metadata_bytes_max)
}

pub(super) fn named(what: &'static str, name: &str, max: usize) -> Result<(), Refusal> {
    if name.is_empty() { Err(Refusal::Empty(what)) } else { limit(what, name.len(), max) }
}
