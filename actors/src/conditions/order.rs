//! What comes first: the order of an answer by birth, or by what atoms say.

use super::facets::{Form, form};
use super::key_type::KeyType;
use super::predicate::lookup;
use crate::atom::Atom;
use crate::id::AtomId;
use crate::mutant::planted;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// What comes first without a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchOrder {
    /// The atom that was put first. An update moves nothing.
    #[default]
    Oldest,
    /// The atom that was put last. An update moves nothing.
    Newest,
    /// By what atoms say under keys that their space declares as ordered, the first key first; of
    /// equals the oldest.
    By(Vec<OrderBy>),
}

impl SearchOrder {
    /// The keys that it goes by; none in the order of birth.
    pub fn keys(&self) -> &[OrderBy] {
        match self {
            SearchOrder::By(keys) => keys,
            SearchOrder::Oldest | SearchOrder::Newest => &[],
        }
    }
}

/// The word for the order of birth; no key that is declared has this name.
pub const CREATED: &str = "created";

/// Keys of one order.
pub const ORDER_KEYS_MAX: usize = 4;

/// One key of an order, as it is typed: `priority`, or `-priority` for what is greatest first.
///
/// Numbers compare by what they are worth, texts by their first 256 bytes. What lacks the key, or has
/// a value of another type than the space declares, comes last in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// A key, or [`CREATED`].
    pub key: String,
    /// Which end comes first.
    pub direction: Direction,
    /// What the space declares of the key; whoever asks leaves it open.
    pub(crate) kind: KeyType,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

impl OrderBy {
    /// The least first.
    pub fn ascending(key: impl Into<String>) -> OrderBy {
        OrderBy { key: key.into(), direction: Direction::Ascending, kind: KeyType::Any }
    }

    /// The greatest first.
    pub fn descending(key: impl Into<String>) -> OrderBy {
        OrderBy { direction: Direction::Descending, ..OrderBy::ascending(key) }
    }

    pub(crate) fn of_kind(&self, kind: KeyType) -> OrderBy {
        OrderBy { kind, ..self.clone() }
    }
}

impl FromStr for OrderBy {
    type Err = Infallible;

    fn from_str(said: &str) -> Result<Self, Infallible> {
        Ok(match said.strip_prefix('-') {
            Some(key) => OrderBy::descending(key),
            None => OrderBy::ascending(said),
        })
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.direction == Direction::Descending { "-" } else { "" };
        write!(f, "{sign}{}", self.key)
    }
}

/// Where an atom stands in an order: the lesser one comes first. Those of two orders do not compare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    parts: Box<[Part]>,
    born: u64,
    id: AtomId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Least(Form),
    Greatest(Reverse<Form>),
    Last(Reverse<(u64, AtomId)>),
    Lacks,
}

impl Rank {
    pub(crate) fn of(atom: &Atom, order: &[OrderBy]) -> Rank {
        let (born, id) = (atom.born, atom.id);
        let mut parts = Vec::with_capacity(order.len());
        for by in order {
            let down = by.direction == Direction::Descending && !planted("order.goes_up_only");
            match by.key == CREATED {
                true if down => parts.push(Part::Last(Reverse((born, id)))),
                true => break,
                false => {
                    let found = lookup(&atom.metadata, &by.key);
                    parts.push(match found.and_then(|it| worth(it, by.kind)) {
                        None => Part::Lacks,
                        Some(worth) if down => Part::Greatest(Reverse(worth)),
                        Some(worth) => Part::Least(worth),
                    });
                }
            }
        }
        Rank { parts: parts.into(), born, id }
    }

    pub(crate) fn id(&self) -> AtomId {
        self.id
    }

    /// About the bytes that it takes in a set.
    pub(crate) fn bytes(&self) -> usize {
        let heap = |it: &Part| match it {
            Part::Least(form) | Part::Greatest(Reverse(form)) => form.heap_bytes(),
            _ => 0,
        };
        let parts = self.parts.iter().map(|it| size_of::<Part>() + heap(it)).sum::<usize>();
        size_of::<Rank>() + parts
    }
}

/// What a value is worth in an order of values of this type; nothing where it has no place there.
fn worth(value: &Value, kind: KeyType) -> Option<Form> {
    match (value, kind) {
        (Value::Int(_) | Value::Float(_), KeyType::Number | KeyType::Any)
        | (Value::Text(_), KeyType::Text | KeyType::Any) => Some(form(value).without_hash()),
        _ => None,
    }
}

/// Whether values of this form have a place in an order of values of this type.
pub(crate) fn has_place(form: &Form, kind: KeyType) -> bool {
    match form {
        Form::Number(_) => matches!(kind, KeyType::Number | KeyType::Any),
        Form::Text(..) => matches!(kind, KeyType::Text | KeyType::Any),
        Form::Other(_) | Form::LongOther(_) => false,
    }
}
