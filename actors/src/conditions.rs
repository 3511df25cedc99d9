//! Conditions on what atoms say, and orders by it: the ground that spaces, claims and search share.
//!
//! A condition is asked of one atom's metadata (`holds`, `says`), or of all atoms of a space at once
//! through sets of slots (`Columns`, `Facets`). Both ways give the same answer.

mod bits;
mod columns;
mod dictionary;
mod facets;
mod key_type;
mod operators;
mod order;
mod predicate;

pub(crate) use bits::Bits;
pub(crate) use columns::Columns;
pub(crate) use dictionary::Dictionary;
pub(crate) use facets::Facets;
pub use key_type::KeyType;
pub use operators::ConditionRefusal;
pub(crate) use order::Rank;
pub use order::{CREATED, Direction, ORDER_KEYS_MAX, OrderBy, SearchOrder};
pub use predicate::{PATH_BYTES_MAX, RANGE_BYTES_MAX, kind, lookup, operands};
pub(crate) use predicate::{check, count, excludes, holds, says};

use crate::atom::Metadata;
use crate::mutant::planted;
use std::collections::BTreeMap;

/// The mark of the reverse direction.
const REVERSE: &str = "<-";

/// A relation without its mark, and whether it had one.
pub(crate) fn direction(relation: &str) -> (&str, bool) {
    relation.strip_prefix(REVERSE).map_or((relation, false), |relation| (relation, true))
}

/// How many conditions there are, on an atom and on those at the other ends of its references.
pub(crate) fn count_all(metadata: &Metadata, ends: &BTreeMap<String, Condition>) -> usize {
    count(metadata) + ends.values().map(|it| 1 + count(&it.metadata)).sum::<usize>()
}

/// Refuses conditions that nobody can have meant.
pub(crate) fn check_all(
    metadata: &Metadata,
    ends: &BTreeMap<String, Condition>,
) -> Result<(), ConditionRefusal> {
    check(metadata)?;
    ends.values().try_for_each(|it| check(&it.metadata))
}

/// What the atoms at the other end of a relation must be like.
///
/// A target that the asker cannot read, or that does not exist, does not match. An atom that
/// refers from a space that the asker cannot read is not listed, so it decides nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// How many of them.
    pub which: Which,
    /// Keys that must have these values, as in the query of a search; none matches whatever can be read.
    pub metadata: Metadata,
}

/// How many of the atoms at the other end must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Which {
    /// Every one; so it holds where there is none.
    #[default]
    All,
    /// At least one.
    Any,
    None,
}

/// What is known of the atom at the other end of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Whether it fits.
    Is(bool),
    /// The asker cannot read it.
    Hidden,
    /// It is looked at later, and taken to fit meanwhile.
    Open,
}

impl Which {
    /// Whether enough of them fit.
    pub(crate) fn enough(self, mut ends: impl Iterator<Item = End>) -> bool {
        let fits = |it| matches!(it, End::Is(true) | End::Open);
        match self {
            Which::All if planted("search.all_is_any") => ends.any(fits),
            Which::All => ends.all(fits),
            Which::Any => ends.any(fits),
            Which::None => !ends.any(|it| it == End::Is(true)),
        }
    }
}
