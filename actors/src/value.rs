//! Metadata and JSON content: our own value, because an untagged one does not survive the codec.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// How deep a value may nest. Decoding a deeper one could overflow a thread's stack.
pub const VALUE_DEPTH_MAX: usize = 32;

/// A JSON-shaped value with an order and without NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Value {
    /// The JSON value `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite fraction; [`Value::check`] refuses NaN and infinities.
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// An object, ordered by key.
    Map(BTreeMap<String, Value>),
}

/// Why a value cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueRefusal {
    /// NaN is unequal to itself, so no comparison of two stores could hold.
    #[error("a number is not finite; JSON has no NaN or infinity, store it as text or null")]
    NotFinite,
    /// Nested deeper than [`VALUE_DEPTH_MAX`].
    #[error("a value nests deeper than {VALUE_DEPTH_MAX} levels; flatten it, or store it as text")]
    TooDeep,
}

impl Value {
    /// Refuses what cannot be stored and read back as itself.
    pub fn check(&self) -> Result<(), ValueRefusal> {
        self.check_within(VALUE_DEPTH_MAX)
    }

    fn check_within(&self, levels: usize) -> Result<(), ValueRefusal> {
        match self {
            Value::Float(f) if !f.is_finite() => Err(ValueRefusal::NotFinite),
            Value::List(_) | Value::Map(_) if levels == 0 => Err(ValueRefusal::TooDeep),
            Value::List(list) => list.iter().try_for_each(|it| it.check_within(levels - 1)),
            Value::Map(map) => map.values().try_for_each(|it| it.check_within(levels - 1)),
            _ => Ok(()),
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes it takes, roughly as stored.
    pub fn bytes(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) => 1,
            Value::Int(_) | Value::Float(_) => 9,
            Value::Text(text) => 2 + text.len(),
            Value::List(list) => 2 + list.iter().map(Value::bytes).sum::<usize>(),
            Value::Map(map) => 2 + map.iter().map(|(k, v)| 2 + k.len() + v.bytes()).sum::<usize>(),
        }
    }

    /// Equality as a query means it: `1` and `1.0` are one number.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Int(whole), Value::Float(fraction))
            | (Value::Float(fraction), Value::Int(whole)) => {
                order(*whole, *fraction) == Some(Ordering::Equal)
            }
            _ => self == other,
        }
    }

    /// How two numbers compare by what they are worth, and two texts by their code points; nothing
    /// else has an order.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
            (Value::Float(one), Value::Float(other)) => one.partial_cmp(other),
            (Value::Int(whole), Value::Float(fraction)) => order(*whole, *fraction),
            (Value::Float(fraction), Value::Int(whole)) => {
                order(*whole, *fraction).map(Ordering::reverse)
            }
            (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// Two to the power of 63: from there on no fraction is a whole number of ours.
const WHOLE_END: f64 = 9_223_372_036_854_775_808.0;

/// How a whole number compares with a fraction: exactly, where turning one into the other would
/// round.
pub(crate) fn order(whole: i64, fraction: f64) -> Option<Ordering> {
    if fraction >= WHOLE_END {
        return Some(Ordering::Less);
    }
    if fraction < -WHOLE_END {
        return Some(Ordering::Greater);
    }
    let rest = 0.0.partial_cmp(&fraction.fract())?;
    Some(whole.cmp(&(fraction as i64)).then(rest))
}

/// The whole number that a fraction is, if it is one.
pub(crate) fn whole(fraction: f64) -> Option<i64> {
    let near = fraction as i64;
    (order(near, fraction) == Some(Ordering::Equal)).then_some(near)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

/// Writes compact JSON, maps in the order of their keys.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(truth) => truth.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Text(text) => quote(text, f),
            Value::List(list) => {
                f.write_str("[")?;
                for (n, item) in list.iter().enumerate() {
                    if n > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Value::Map(map) => {
                f.write_str("{")?;
                for (n, (key, item)) in map.iter().enumerate() {
                    if n > 0 {
                        f.write_str(",")?;
                    }
                    quote(key, f)?;
                    f.write_str(":")?;
                    item.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
            c => fmt::Write::write_char(f, c)?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_be_read_back() {
        assert_eq!(Value::Float(f64::NAN).check(), Err(ValueRefusal::NotFinite));
        let nest = |n: usize| (0..n).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        assert_eq!(nest(VALUE_DEPTH_MAX).check(), Ok(()));
        assert_eq!(nest(VALUE_DEPTH_MAX + 1).check(), Err(ValueRefusal::TooDeep));
    }

    #[test]
    fn numbers_compare_by_value() {
        assert!(Value::Int(1).same(&Value::Float(1.0)));
        assert!(!Value::Int(1).same(&Value::from("1")));
        let big = 9_007_199_254_740_993; // 2^53 + 1, which as a fraction is 2^53.
        assert!(!Value::Int(big).same(&Value::Float(big as f64)));
        assert!(Value::Int(big - 1).same(&Value::Float(big as f64)));
        let order = |one, other| Value::Int(one).order(&Value::Float(other));
        assert_eq!(order(big, big as f64), Some(Ordering::Greater));
        assert_eq!(order(i64::MAX, i64::MAX as f64), Some(Ordering::Less));
        assert_eq!(order(i64::MIN, i64::MIN as f64), Some(Ordering::Equal));
        assert_eq!(order(i64::MIN, f64::NEG_INFINITY), Some(Ordering::Greater));
        assert_eq!(order(-2, -2.5), Some(Ordering::Greater));
        assert_eq!(order(-3, -2.5), Some(Ordering::Less));
        assert_eq!(order(0, -0.0), Some(Ordering::Equal));
        assert_eq!(order(0, f64::NAN), None);
        assert_eq!((whole(3.0), whole(3.5), whole(WHOLE_END)), (Some(3), None, None));
    }
}
