//! A filter as it is stored in what an agent is born with.

use super::Filter;
use crate::atom::Metadata;
use serde::{Deserialize, Serialize};

/// The first form of a [`Filter`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter1 {
    /// Types of entry; none is all.
    pub types: Vec<String>,
    /// What the atom's metadata must say.
    pub metadata: Metadata,
}

impl From<Filter1> for Filter {
    fn from(Filter1 { types, metadata }: Filter1) -> Filter {
        Filter { types, metadata, ..Filter::default() }
    }
}
