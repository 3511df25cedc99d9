//! The atom: the unit of content (seed 000, "Atoms").

use crate::id::{AtomId, Millis, SessionId, SpaceId};
use crate::value::Value;
use std::collections::BTreeMap;

/// Keys and values in the order of the keys.
pub type Metadata = BTreeMap<String, Value>;

/// One version of an atom, whole.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Atom {
    /// Identity, the same in every version.
    pub id: AtomId,
    /// Where it lives; it never moves.
    pub space: SpaceId,
    /// 1 for the first, then one more with every mutation.
    pub version: u64,
    /// The entry of its space's stream that made version 1: the order of birth.
    pub born: u64,
    /// Who wrote this version. What a claim is decided by, never metadata.
    pub author: SessionId,
    /// When this version was written.
    pub at: Millis,
    pub content: Content,
    /// What it is about, in words, for search.
    pub annotation: String,
    /// Status, owner, priority, …: whatever the space's convention says.
    pub metadata: Metadata,
    /// Typed links to other atoms, of this or another space.
    pub references: Vec<Reference>,
    /// The meaning of annotation, metadata words and text, as a vector.
    pub embedding: Option<Embedding>,
    /// Set once it is deprecated: out of search, still readable by id.
    pub deprecated: Option<Deprecation>,
    /// How often it was claimed by claims that count; a write may set it back.
    pub attempts: u64,
}

impl Atom {
    /// About how much room it takes: what it says, its words and its references.
    pub fn bytes(&self) -> usize {
        let metadata = self.metadata.iter().map(|(key, it)| key.len() + it.bytes()).sum::<usize>();
        let reference = |it: &Reference| it.relation.len() + size_of::<AtomId>();
        let references = self.references.iter().map(reference).sum::<usize>();
        self.content.bytes() + self.annotation.len() + metadata + references
    }
}

/// What an atom holds.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Content {
    Text(String),
    Json(Value),
    /// Anything else, with its media type.
    Bytes {
        /// For instance `image/png`.
        media_type: String,
        /// The bytes themselves.
        bytes: Vec<u8>,
    },
    /// Nothing, for good: the last version of an atom that was erased, by its author, then.
    Erased,
    /// Nothing any more: an earlier version of an atom that was erased.
    Redacted,
}

impl Content {
    /// Size as the limit counts it.
    pub fn bytes(&self) -> usize {
        match self {
            Content::Text(text) => text.len(),
            Content::Json(value) => value.bytes(),
            Content::Bytes { media_type, bytes } => media_type.len() + bytes.len(),
            Content::Erased | Content::Redacted => 0,
        }
    }

    /// Whether it is what an erase has left, and nothing that anybody can write.
    pub fn is_gone(&self) -> bool {
        matches!(self, Content::Erased | Content::Redacted)
    }
}

impl Default for Content {
    fn default() -> Self {
        Content::Text(String::new())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned())
    }
}

/// A typed link. Stored and walked from both ends, never interpreted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// For instance `blocked_by`.
    pub relation: String,
    /// The atom it points at.
    pub target: AtomId,
}

/// Marked as superseded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// What to read instead, if anything.
    pub superseded_by: Option<AtomId>,
}

/// A unit vector in eight bits a dimension, and whose model it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// The embedder that made it; vectors of two embedders are never compared.
    pub fingerprint: u32,
    /// What one step of a dimension is worth.
    pub scale: f32,
    /// The dimensions, as signed bytes in two's complement.
    pub dims: Vec<u8>,
}

/// Why numbers are no vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoVector {
    /// There is none.
    #[error("an embedding has dimensions, and this has none")]
    Empty,
    /// A dimension is no number, or has no end.
    #[error("dimension {0} is not a finite number")]
    NotFinite(usize),
    /// What its steps are worth is no number, has no end, or is below nothing.
    #[error("the scale of an embedding is a finite number from 0 on")]
    Scale,
    /// It points nowhere.
    #[error("it has no length")]
    Zero,
}

impl Embedding {
    /// A vector of whatever length, in eight bits a dimension.
    pub fn of(fingerprint: u32, vector: &[f32]) -> Result<Embedding, NoVector> {
        if vector.is_empty() {
            return Err(NoVector::Empty);
        }
        if let Some(at) = vector.iter().position(|it| !it.is_finite()) {
            return Err(NoVector::NotFinite(at));
        }
        // In double precision nothing that is finite in single precision overflows.
        let length = vector.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>().sqrt();
        let most = vector.iter().fold(0f64, |most, it| most.max(f64::from(it.abs())));
        let step = most / f64::from(i8::MAX);
        if length == 0.0 || step == 0.0 {
            return Err(NoVector::Zero);
        }
        let dims = vector.iter().map(|it| (f64::from(*it) / step).round() as i8 as u8).collect();
        Ok(Embedding { fingerprint, scale: (step / length) as f32, dims })
    }
}

/// Turns words into a vector. Wired to a real table outside; a test may count letters.
pub trait Embed: Send + Sync {
    /// Names the model: rows of another one are not compared with its own.
    fn fingerprint(&self) -> u32;
    /// The vector of a text, or nothing when no word of it is known.
    fn embed(&self, text: &str) -> Option<Embedding>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_vector_are_refused() {
        let of = |vector: &[f32]| Embedding::of(1, vector).map(|it| it.dims.len());
        assert_eq!(of(&[]), Err(NoVector::Empty));
        assert_eq!(of(&[0.0, -0.0]), Err(NoVector::Zero));
        assert_eq!(of(&[1.0, f32::NAN]), Err(NoVector::NotFinite(1)));
        assert_eq!(of(&[f32::NEG_INFINITY]), Err(NoVector::NotFinite(0)));
        assert_eq!(of(&[f32::MAX, f32::MIN, f32::MIN_POSITIVE]), Ok(3));
        assert_eq!(of(&[f32::from_bits(1); 300]), Ok(300));
    }

    #[test]
    fn a_vector_is_kept_at_unit_length() {
        for factor in [1e-30, 1.0, 1e30] {
            let kept = Embedding::of(1, &[3.0 * factor, -4.0 * factor]).unwrap();
            let dims: Vec<f32> =
                kept.dims.iter().map(|it| f32::from(*it as i8) * kept.scale).collect();
            assert!((dims[0] - 0.6).abs() < 0.005 && (dims[1] + 0.8).abs() < 0.005, "{dims:?}");
        }
    }
}
