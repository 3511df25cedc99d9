//! What is written that does not go with what its space declares. It is written all the same: a
//! declaration is there to be asked by, not to keep anybody from work. Whoever writes is told.

use super::declare::Declarations;
use crate::atom::Metadata;
use crate::conditions::{KeyType, kind};
use crate::nearest::nearest;
use crate::value::Value;
use std::fmt;

/// One thing in an atom that does not go with the declarations of its space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Stray {
    /// A metadata key that is not declared.
    Key {
        name: String,
        /// The declared one that may have been meant.
        nearest: Option<String>,
    },
    /// A relation that is not declared.
    Relation {
        name: String,
        /// The declared one that may have been meant.
        nearest: Option<String>,
    },
    /// A value of another type than what is declared of its key.
    Type {
        name: String,
        declared: KeyType,
        /// What it is instead: `a text`.
        found: &'static str,
        /// Whether the space orders by the key, in which such a value comes last.
        ordered: bool,
    },
}

impl Stray {
    /// The key or the relation.
    pub fn name(&self) -> &str {
        match self {
            Stray::Key { name, .. } | Stray::Relation { name, .. } | Stray::Type { name, .. } => {
                name
            }
        }
    }

    /// What may have been meant.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Stray::Key { nearest, .. } | Stray::Relation { nearest, .. } => nearest.as_deref(),
            Stray::Type { .. } => None,
        }
    }
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stray::Key { name, nearest } => undeclared(f, "key", name, nearest.as_deref()),
            Stray::Relation { name, nearest } => {
                undeclared(f, "relation", name, nearest.as_deref())
            }
            Stray::Type { name, declared, found, ordered } => {
                write!(
                    f,
                    "the key {name:?} is declared as {}, and this is {found}",
                    declared.name()
                )?;
                f.write_str(if *ordered { ": it comes last in an order" } else { "" })
            }
        }
    }
}

fn undeclared(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    nearest: Option<&str>,
) -> fmt::Result {
    write!(f, "this space declares no {what} {name:?}")?;
    nearest.map_or(Ok(()), |it| write!(f, "; it declares {it:?}"))
}

impl Declarations {
    /// What of this metadata and these relations is not as declared; nothing where nothing is
    /// declared.
    pub fn strays<'a>(
        &self,
        metadata: &Metadata,
        relations: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Stray> {
        if self.is_empty() {
            return Vec::new();
        }
        let meant = |name: &str, all: &mut dyn Iterator<Item = &String>| {
            nearest(name, all.map(String::as_str)).map(str::to_owned)
        };
        // Null stands for a key that is taken out.
        let set = metadata.iter().filter(|(_, value)| **value != Value::Null);
        let key = |(name, value): (&String, _)| match self.keys.get(name) {
            Some(it) => (!it.kind.takes(value)).then(|| Stray::Type {
                name: name.clone(),
                declared: it.kind,
                found: kind(value),
                ordered: it.ordered,
            }),
            None if self.covers(name) => None,
            None => {
                Some(Stray::Key { name: name.clone(), nearest: meant(name, &mut self.keys.keys()) })
            }
        };
        let relations = relations.into_iter().filter(|it| !self.relations.contains_key(*it));
        let relation = |name: &str| Stray::Relation {
            name: name.to_owned(),
            nearest: meant(name, &mut self.relations.keys()),
        };
        set.filter_map(key).chain(relations.map(relation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_with_what_is_declared() {
        let mut declares = Declarations::default();
        let metadata: Metadata = [
            ("priorty".to_owned(), Value::Int(1)),
            ("priority".to_owned(), Value::from("high")),
            ("place".to_owned(), Value::Map([("x".to_owned(), Value::Int(1))].into())),
            ("place.y".to_owned(), Value::Int(2)),
            ("colour".to_owned(), Value::Null),
            ("gone".to_owned(), Value::Null),
            ("other".to_owned(), Value::Bool(true)),
        ]
        .into();
        let relations = ["blocked", "part_of"];
        assert_eq!(declares.strays(&metadata, relations), []);
        for it in ["priority:number", "place:map", "colour:text", "blocked_by:relation"] {
            assert_eq!(it.parse().map(|it| declares.add(it)), Ok(Ok(())));
        }
        let told: Vec<String> =
            declares.strays(&metadata, relations).iter().map(Stray::to_string).collect();
        assert_eq!(
            told,
            [
                "this space declares no key \"other\"",
                "the key \"priority\" is declared as number, and this is a text: it comes last in \
                 an order",
                "this space declares no key \"priorty\"; it declares \"priority\"",
                "this space declares no relation \"blocked\"; it declares \"blocked_by\"",
                "this space declares no relation \"part_of\"",
            ]
        );
    }
}
