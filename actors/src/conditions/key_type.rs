//! What the values of a metadata key are.

use crate::value::Value;

/// What the values of a key are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum KeyType {
    /// Whatever they are.
    #[default]
    Any,
    /// Numbers, whole or not.
    Number,
    Text,
    /// True or false.
    Bool,
    List,
    Map,
}

impl KeyType {
    pub(crate) const NAMES: [(KeyType, &str); 6] = [
        (KeyType::Any, "any"),
        (KeyType::Number, "number"),
        (KeyType::Text, "text"),
        (KeyType::Bool, "bool"),
        (KeyType::List, "list"),
        (KeyType::Map, "map"),
    ];

    /// Whether a value is of this type. Null is: it stands for a key that is not there.
    pub(crate) fn takes(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (KeyType::Any, _)
                | (_, Value::Null)
                | (KeyType::Number, Value::Int(_) | Value::Float(_))
                | (KeyType::Text, Value::Text(_))
                | (KeyType::Bool, Value::Bool(_))
                | (KeyType::List, Value::List(_))
                | (KeyType::Map, Value::Map(_))
        )
    }

    pub(crate) fn has_order(self) -> bool {
        matches!(self, KeyType::Number | KeyType::Text)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(it, _)| *it == self).map_or("any", |(_, name)| name)
    }
}
