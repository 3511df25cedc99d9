//! Search: meaning, structure and the state of references in one question (seed 000, "Search").
//!
//! An [`Index`] folds the events of one space and answers a [`Query`]: the metadata filter first,
//! through inverted sets; then a rank, `0.4·BM25/max + 0.6·cosine` with a text and the order of
//! birth without; then the reference conditions, in rank order until the limit is full. Nothing is
//! approximate: every row that may be found is looked at, but for what a segment covers, where the
//! runtime has made one of a large space ([`Nearest`]); scores are exact there as well. What the asker cannot read of other
//! spaces is not there ([`Elsewhere`]).

mod index;
mod lexicon;
mod ordered;
mod rank;
mod references;
mod sealed;
#[cfg(test)]
mod tests;
mod vector_table;
mod words;

pub use crate::conditions::{
    CREATED, Condition, ConditionRefusal, Direction, ORDER_KEYS_MAX, OrderBy, PATH_BYTES_MAX,
    RANGE_BYTES_MAX, SearchOrder, Which, kind, lookup, operands,
};
pub use index::Index;
pub use sealed::{Asking, Frozen, Nearest};
pub use words::{WORDS_BYTES_MAX, tokens, words};

use crate::atom::{Atom, Metadata};
use crate::conditions::{check_all, count_all};
use crate::id::{AtomId, Position};
use crate::limits::SearchLimits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hits of one search when the asker does not say how many.
pub const HITS_DEFAULT: usize = 20;

/// What part of the score is words; the rest is meaning. Measured best of what was tried.
pub const WORDS_WEIGHT: f32 = 0.4;

/// What is looked for. Everything that is said must hold; nothing said is everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Ranks by meaning and words. It never cuts off: a poor hit comes last.
    pub text: Option<String>,
    /// Keys that must have these values; `1` and `1.0` are one number. `{">=": 3, "<": 7}` is a
    /// range: a map says by `<`, `<=`, `>`, `>=`, `==`, `!=`, `in` and `contains` how the value
    /// compares. Numbers compare with numbers, exactly, and texts with texts, by code points; what
    /// has not the key fits none. A value that is a map itself is asked for by `{"==": …}`. `o.k`
    /// is the key `k` in the map `o`; the key `any` with a list of conditions asks for one of them.
    pub metadata: Metadata,
    /// By relation, or by `<-relation` for the atoms that refer to the one that is looked at.
    pub references: BTreeMap<String, Condition>,
    /// At most so many.
    pub limit: usize,
    /// What is out of use as well.
    pub include_deprecated: bool,
    /// What comes first when there is no text.
    pub order: SearchOrder,
    /// Only what comes behind this in the same answer: the next page.
    pub after: Option<PageEnd>,
}

/// Where a page ends: its last hit, or any atom of the space. What comes behind it is the next page of the same query.
///
/// In the order of birth an update moves nothing: pages together are one answer, and what is put
/// meanwhile is found at its end. With a text, or an order by what atoms say, they are one answer as
/// long as the space does not change; if it does, what has come to rank higher than this is left out,
/// and what has fallen behind it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct PageEnd {
    pub id: AtomId,
    /// What it scored then; what it scores now if nothing is said. Nothing to a query without a
    /// text.
    pub score: Option<f32>,
}

impl From<&Hit> for PageEnd {
    fn from(hit: &Hit) -> PageEnd {
        PageEnd { id: hit.id, score: Some(hit.score) }
    }
}

impl Default for Query {
    fn default() -> Self {
        Query {
            text: None,
            metadata: Metadata::new(),
            references: BTreeMap::new(),
            limit: HITS_DEFAULT,
            include_deprecated: false,
            order: SearchOrder::default(),
            after: None,
        }
    }
}

impl Query {
    /// By meaning and words.
    pub fn text(text: impl Into<String>) -> Query {
        Query { text: Some(text.into()), ..Query::default() }
    }
}

/// Why a query is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum QueryRefusal {
    /// Over a limit.
    #[error("{what}: {size}, and the limit is {max}; ask for less")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// A condition that nobody can have meant.
    #[error(transparent)]
    Condition(#[from] ConditionRefusal),
    /// A text ranks by itself.
    #[error("a query has its own order, best match first; leave out the query or the order")]
    TextAndOrder,
}

impl Query {
    /// Refuses what is over a limit, and conditions that nobody can have meant.
    pub fn check(&self, most: &SearchLimits) -> Result<(), QueryRefusal> {
        let text = self.text.as_ref().map_or(0, String::len);
        let limits = [
            ("hits asked for", self.limit, most.hits_max),
            ("bytes of text asked for", text, most.text_bytes_max),
            ("conditions", count_all(&self.metadata, &self.references), most.conditions_max),
            ("keys of the order", self.order.keys().len(), ORDER_KEYS_MAX),
        ];
        let over = limits.into_iter().find(|(_, size, max)| size > max);
        over.map_or(Ok(()), |(what, size, max)| Err(QueryRefusal::Limit { what, size, max }))?;
        if self.text.is_some() && matches!(self.order, SearchOrder::By(_)) {
            return Err(QueryRefusal::TextAndOrder);
        }
        Ok(check_all(&self.metadata, &self.references)?)
    }
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Hit {
    pub id: AtomId,
    /// Its version, as the index knows it.
    pub version: u64,
    /// How well it fits, for comparison within one answer; 0 without a text.
    pub score: f32,
    /// The entry that holds this version.
    pub position: Position,
}

/// The atoms of other spaces, as far as the asker may read them.
pub trait Elsewhere {
    /// The newest version, if the asker may read it.
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>>;
    /// The atoms that refer to `target` by `relation`, readable or not.
    fn sources(&self, target: AtomId, relation: &str) -> Vec<AtomId>;
}

/// No other spaces: for an index of its own, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Elsewhere for Nowhere {
    fn atom(&self, _: AtomId) -> Option<Arc<Atom>> {
        None
    }

    fn sources(&self, _: AtomId, _: &str) -> Vec<AtomId> {
        Vec::new()
    }
}
