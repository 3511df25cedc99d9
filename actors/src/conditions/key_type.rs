//! What the values of a metadata key are.

/// What the values of a key are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyType {
    /// Whatever they are.
    #[default]
    Any,
    /// Numbers, whole or not.
    Number,
    /// Texts.
    Text,
    /// True or false.
    Bool,
    /// Lists.
    List,
    /// Maps.
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

    pub(crate) fn has_order(self) -> bool {
        matches!(self, KeyType::Number | KeyType::Text)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(it, _)| *it == self).map_or("any", |(_, name)| name)
    }
}
