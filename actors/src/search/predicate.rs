//! What a condition asks of one metadata value: that it is the same, or that it compares.
//!
//! `3` asks for the number three. A map whose keys are all comparisons is a range: `{">=": 3}`,
//! `{">=": 3, "<": 7}`, `{"!=": "done"}`, `{"in": ["a", "b"]}`; everything it says must hold. A
//! number compares with numbers, whole or not, by what they are worth; a text with texts, by the
//! code points of their letters; nothing else comes before or after anything. An atom without the
//! key never fits, not even `!=`. A value that *is* such a map is asked for by `{"==": …}`.

use crate::atom::Metadata;
use crate::mutant::planted;
use crate::value::{Value, ValueRefusal};
use std::cmp::Ordering;

/// A text that others are compared with is at most this long: so far an index keeps the order of
/// texts.
pub const RANGE_BYTES_MAX: usize = 256;

/// The comparisons there are.
const COMPARISONS: [&str; 7] = ["<", "<=", ">", ">=", "==", "!=", "in"];

/// Why a condition cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionRefusal {
    /// It looks like a comparison, and is none.
    #[error(
        "{operator:?} does not compare {key:?}; there are <, <=, >, >=, ==, != and in, and a map \
         as it is asked for by {{\"==\": {{…}}}}"
    )]
    Unknown {
        /// Under which key.
        key: String,
        /// What was said.
        operator: String,
    },
    /// Only numbers and texts have an order.
    #[error("{operator} on {key:?} compares with a number or a text, not with {found}")]
    Unordered {
        /// Under which key.
        key: String,
        /// Which comparison.
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
        /// Which comparison.
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

/// The comparisons that a value stands for; nothing where it stands for itself.
pub(super) fn comparisons(wanted: &Value) -> Option<impl Iterator<Item = (&str, &Value)>> {
    let Value::Map(map) = wanted else { return None };
    let all = !map.is_empty() && map.keys().all(|it| COMPARISONS.contains(&it.as_str()));
    all.then(|| map.iter().map(|(operator, bound)| (operator.as_str(), bound)))
}

/// Whether a value is as wanted.
pub(crate) fn fits(found: &Value, wanted: &Value) -> bool {
    match comparisons(wanted) {
        Some(mut all) if !planted("search.range_is_a_map") => {
            all.all(|(operator, bound)| compares(found, operator, bound))
        }
        _ => found.same(wanted),
    }
}

/// Whether it stands to the other as the comparison says.
fn compares(found: &Value, operator: &str, bound: &Value) -> bool {
    let order = || found.order(bound);
    match operator {
        "<" => order().is_some_and(Ordering::is_lt),
        "<=" => order().is_some_and(Ordering::is_le),
        ">" => order().is_some_and(Ordering::is_gt),
        ">=" => order().is_some_and(Ordering::is_ge),
        "!=" => !found.same(bound),
        "in" => matches!(bound, Value::List(list) if list.iter().any(|it| found.same(it))),
        _ => found.same(bound),
    }
}

/// Whether metadata says all of this.
pub(crate) fn says(metadata: &Metadata, wanted: &Metadata) -> bool {
    let mut wanted = wanted.iter();
    wanted.all(|(key, value)| metadata.get(key).is_some_and(|it| fits(it, value)))
}

/// How many values are compared with.
pub(crate) fn count(wanted: &Metadata) -> usize {
    let of = |value: &Value| match comparisons(value) {
        Some(all) => all
            .map(|(operator, bound)| match bound {
                Value::List(list) if operator == "in" => list.len().max(1),
                _ => 1,
            })
            .sum(),
        None => 1,
    };
    wanted.values().map(of).sum()
}

/// Refuses what nobody can have meant.
pub(crate) fn check(wanted: &Metadata) -> Result<(), ConditionRefusal> {
    for (key, value) in wanted {
        value.check().map_err(|why| ConditionRefusal::Value { key: key.clone(), why })?;
        if let Some(mut comparisons) = comparisons(value) {
            comparisons.try_for_each(|(operator, bound)| bounds(key, operator, bound))?;
            continue;
        }
        let Value::Map(map) = value else { continue };
        let other = map.keys().find(|it| !COMPARISONS.contains(&it.as_str()));
        if let Some(operator) = other.filter(|_| map.keys().any(|it| looks_like_one(it))) {
            let (key, operator) = (key.clone(), operator.clone());
            return Err(ConditionRefusal::Unknown { key, operator });
        }
    }
    Ok(())
}

/// It has no letter that a name could have.
fn looks_like_one(key: &str) -> bool {
    let mark = |letter| matches!(letter, '<' | '>' | '=' | '!' | '~');
    key.contains(mark) && key.chars().all(|letter| mark(letter) || letter == ' ')
}

fn bounds(key: &str, operator: &str, bound: &Value) -> Result<(), ConditionRefusal> {
    let (key, said) = (|| key.to_owned(), || operator.to_owned());
    match (operator, bound) {
        ("==" | "!=", _) | ("in", Value::List(_)) => Ok(()),
        ("in", other) => Err(ConditionRefusal::NoList { key: key(), found: kind(other) }),
        (_, Value::Int(_) | Value::Float(_)) => Ok(()),
        (_, Value::Text(text)) if text.len() <= RANGE_BYTES_MAX => Ok(()),
        (_, Value::Text(text)) => {
            Err(ConditionRefusal::Long { key: key(), operator: said(), bytes: text.len() })
        }
        (_, other) => {
            Err(ConditionRefusal::Unordered { key: key(), operator: said(), found: kind(other) })
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect())
    }

    fn checked(value: Value) -> Result<(), ConditionRefusal> {
        check(&[("n".to_owned(), value)].into())
    }

    #[test]
    fn numbers_and_texts_compare_and_nothing_else() {
        let within = map(&[(">=", Value::Int(3)), ("<", Value::Float(7.5))]);
        let fitting = [Value::Int(3), Value::Float(7.25)];
        let others = [Value::Int(2), Value::Float(7.5), "5".into(), Value::Bool(true), Value::Null];
        assert!(fitting.iter().all(|it| fits(it, &within)));
        assert!(!others.iter().any(|it| fits(it, &within)));
        let texts = map(&[(">", "b".into()), ("<=", "é".into())]);
        assert!(["c", "ba", "é"].iter().all(|it| fits(&Value::from(*it), &texts)));
        assert!(!["b", "B", "éa"].iter().any(|it| fits(&Value::from(*it), &texts)));
    }

    #[test]
    fn sets_and_maps_as_they_are() {
        let either = map(&[("in", Value::List(vec!["a".into(), Value::Float(1.0)]))]);
        assert!(fits(&"a".into(), &either) && fits(&Value::Int(1), &either));
        assert!(!fits(&"b".into(), &either));
        let other = map(&[("!=", Value::Int(1))]);
        assert!(fits(&"1".into(), &other) && !fits(&Value::Float(1.0), &other));
        let really = map(&[(">=", Value::Int(3))]);
        assert!(fits(&really, &map(&[("==", really.clone())])) && !fits(&really, &really));
        let plain = map(&[("of", Value::Int(3))]);
        assert!(fits(&plain, &plain) && !fits(&plain, &map(&[])) && fits(&map(&[]), &map(&[])));
    }

    #[test]
    fn what_nobody_can_have_meant_is_refused() {
        let list = Value::List(vec![]);
        for fine in [
            map(&[(">=", Value::Int(3)), ("in", list.clone()), ("==", Value::Null)]),
            map(&[]),
            map(&[("a->b", Value::Int(1)), ("in", Value::Int(1))]),
            list.clone(),
        ] {
            assert_eq!(checked(fine.clone()), Ok(()), "{fine}");
        }
        for wrong in [
            map(&[(">>", Value::Int(3))]),
            map(&[(">=", Value::Int(3)), ("=>", Value::Int(3))]),
            map(&[(">= ", Value::Int(3))]),
            map(&[(">=", Value::Int(3)), ("x", Value::Int(3))]),
            map(&[(">=", list.clone())]),
            map(&[("<", Value::Float(f64::NAN))]),
            map(&[("<", Value::Bool(true))]),
            map(&[("in", "a".into())]),
            map(&[("<", "x".repeat(RANGE_BYTES_MAX + 1).into())]),
        ] {
            assert!(checked(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
