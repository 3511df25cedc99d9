//! The comparisons that a condition is made of, and what is said to those that there are not.

use super::predicate::RANGE_BYTES_MAX;
use crate::value::ValueRefusal;

/// The comparisons there are.
pub(super) const COMPARISONS: [&str; 8] = ["<", "<=", ">", ">=", "==", "!=", "in", "contains"];

/// The key that joins conditions of which one is enough.
pub(super) const ANY: &str = "any";

/// Ways to join conditions that other query languages have.
const JOINS: [&str; 12] =
    ["$or", "$and", "$not", "$nor", "$any", "$all", "$expr", "$where", "or", "and", "not", "anyOf"];

/// Whether a key of a condition is a way to join others in another language: `or` and the like only
/// where it is given conditions, as metadata may have a key of that name.
pub(crate) fn joins(key: &str, with_conditions: bool) -> bool {
    JOINS.contains(&key) && (key.starts_with('$') || with_conditions)
}

/// The comparison that may have been meant.
pub(crate) fn nearest(operator: &str) -> Option<&'static str> {
    let said = operator.trim().trim_start_matches('$').to_lowercase();
    let same = COMPARISONS.into_iter().find(|it| *it == said);
    same.or(match said.as_str() {
        "gt" | "more" | "after" => Some(">"),
        "gte" | "ge" | "min" | "=>" => Some(">="),
        "lt" | "less" | "before" => Some("<"),
        "lte" | "le" | "max" | "=<" => Some("<="),
        "eq" | "=" | "===" | "is" | "equals" => Some("=="),
        "ne" | "neq" | "not" | "<>" | "!" | "!==" | "nin" => Some("!="),
        "one_of" | "oneof" | "any_of" | "anyof" | "any" | "or" => Some("in"),
        "has" | "includes" | "include" | "contain" | "member" | "all" | "elemmatch" => {
            Some("contains")
        }
        _ => None,
    })
}

/// How to ask for a value in a map, where that may have been meant.
fn within(key: &str, said: &str) -> String {
    let name = said.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'));
    if name { format!(", and \"{key}.{said}\" for a value in it") } else { String::new() }
}

fn meant(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |it| format!(", but {it:?} is"))
}

/// Why a condition cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum ConditionRefusal {
    /// There is no such comparison.
    #[error(
        "{operator:?} is no comparison of {key:?}{}; there are <, <=, >, >=, ==, !=, in and \
         contains; {{\"==\": {{…}}}} asks for a map as it is{}",
        meant(.nearest), within(.key, .operator)
    )]
    Unknown {
        /// Under which key.
        key: String,
        /// What was said.
        operator: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// A way to join conditions that there is not.
    #[error(
        "{key:?} joins no conditions; everything that is said must hold, and \"any\" with a list \
         of conditions asks for one of them"
    )]
    NoJoin {
        /// What was said.
        key: String,
    },
    /// `any` takes conditions.
    #[error(
        "any takes a list of conditions, [{{\"status\": \"open\"}}, …], none of them empty; a list \
         under the key \"any\" itself is asked for by {{\"==\": […]}}"
    )]
    NoAlternatives,
    /// A map that says nothing.
    #[error("the condition on {key:?} is empty; {{\"==\": {{}}}} matches an empty map")]
    Nothing {
        /// Under which key.
        key: String,
    },
    /// Only numbers and texts have an order.
    #[error("{operator} on {key:?} compares with a number or a text, not with {found}")]
    Unordered {
        /// Under which key.
        key: String,
        operator: String,
        /// What kind of value it was given.
        found: &'static str,
    },
    /// `in` takes a list.
    #[error("in on {key:?} takes a list, not {found}")]
    NoList {
        /// Under which key.
        key: String,
        /// What kind of value it was given.
        found: &'static str,
    },
    /// Longer than [`RANGE_BYTES_MAX`].
    #[error(
        "{operator} on {key:?} compares with {bytes} bytes of text, and the limit is \
         {RANGE_BYTES_MAX}; compare with its beginning"
    )]
    Long {
        /// Under which key.
        key: String,
        operator: String,
        /// How long it is.
        bytes: usize,
    },
    /// No value of an atom can be like that.
    #[error("the condition on {key:?} fits nothing: {why}")]
    Value {
        /// Under which key.
        key: String,
        /// What is wrong with it.
        why: ValueRefusal,
    },
}
