//! One thing that a space declares, and how it is typed.

pub use crate::conditions::KeyType;

use std::fmt;
use std::str::FromStr;

/// What is declared of a metadata key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeclaredKey {
    /// What its values are. Atoms are not held to it: a value of another type has no place in an
    /// order, and comes last.
    pub kind: KeyType,
    /// Whether claims and searches may order by it; only numbers and texts have an order.
    pub ordered: bool,
}

/// What is declared of a relation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeclaredRelation {
    /// Whether a reference that closes a circle of it is refused. References to atoms of other spaces
    /// do not count: what those refer to is not followed. A circle that is there before this is
    /// declared stays.
    pub acyclic: bool,
}

/// One thing that is declared, as it is typed: `priority:number`, `title:text:ordered`,
/// `part_of:relation`, `blocked_by:relation:acyclic`.
///
/// The name ends at the last colon before the type. A number is ordered unless `:unordered` is said;
/// a text is where `:ordered` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declaration {
    /// Of a metadata key.
    Key(String, DeclaredKey),
    /// Of a relation.
    Relation(String, DeclaredRelation),
}

/// Why something cannot be declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Misdeclared {
    /// It is not written as a declaration is.
    #[error(
        "{said:?} is not a declaration; write NAME:TYPE with number, text, bool, list, map or any, \
         NAME:text:ordered, NAME:relation or NAME:relation:acyclic"
    )]
    Malformed {
        /// What was said.
        said: String,
    },
    /// The name means something else in a condition or an order.
    #[error("{name:?} cannot be declared: it means something else in a condition or an order")]
    Reserved { name: String },
    /// Only numbers and texts have an order.
    #[error("{name:?} cannot be ordered: it is declared as {}, and only numbers and texts have an \
             order", .kind.name())]
    NoOrder {
        name: String,
        /// What its values are.
        kind: KeyType,
    },
    /// One name is declared twice, as two different things.
    #[error("{name:?} is declared twice, and not alike")]
    Twice { name: String },
}

impl FromStr for Declaration {
    type Err = Misdeclared;

    fn from_str(said: &str) -> Result<Self, Misdeclared> {
        let malformed = || Misdeclared::Malformed { said: said.to_owned() };
        let (front, last) = said.rsplit_once(':').ok_or_else(malformed)?;
        let (front, word, kind) = match last {
            "acyclic" | "ordered" | "unordered" => {
                let (name, kind) = front.rsplit_once(':').ok_or_else(malformed)?;
                (name, Some(last), kind)
            }
            kind => (front, None, kind),
        };
        if front.is_empty() {
            return Err(malformed());
        }
        let name = front.to_owned();
        if kind == "relation" {
            let acyclic = word == Some("acyclic");
            return match word {
                None | Some("acyclic") => {
                    Ok(Declaration::Relation(name, DeclaredRelation { acyclic }))
                }
                Some(_) => Err(malformed()),
            };
        }
        let known = KeyType::NAMES.into_iter().find(|(_, known)| *known == kind);
        let (kind, _) = known.filter(|_| word != Some("acyclic")).ok_or_else(malformed)?;
        let ordered = word.map_or(kind == KeyType::Number, |it| it == "ordered");
        Ok(Declaration::Key(name, DeclaredKey { kind, ordered }))
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Declaration::Key(name, DeclaredKey { kind, ordered }) => {
                let word = match (*ordered, *kind == KeyType::Number) {
                    (true, false) => ":ordered",
                    (false, true) => ":unordered",
                    _ => "",
                };
                write!(f, "{name}:{}{word}", kind.name())
            }
            Declaration::Relation(name, DeclaredRelation { acyclic }) => {
                write!(f, "{name}:relation{}", if *acyclic { ":acyclic" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_written_as_it_is_read() {
        let number = DeclaredKey { kind: KeyType::Number, ordered: true };
        let acyclic = DeclaredRelation { acyclic: true };
        for (said, meant) in [
            ("priority:number", Declaration::Key("priority".into(), number)),
            (
                "n:number:unordered",
                Declaration::Key("n".into(), DeclaredKey { ordered: false, ..number }),
            ),
            (
                "title:text",
                Declaration::Key(
                    "title".into(),
                    DeclaredKey { kind: KeyType::Text, ordered: false },
                ),
            ),
            (
                "a:b:text:ordered",
                Declaration::Key("a:b".into(), DeclaredKey { kind: KeyType::Text, ordered: true }),
            ),
            ("x:any", Declaration::Key("x".into(), DeclaredKey::default())),
            ("see:relation", Declaration::Relation("see".into(), DeclaredRelation::default())),
            ("blocked_by:relation:acyclic", Declaration::Relation("blocked_by".into(), acyclic)),
        ] {
            assert_eq!(said.parse(), Ok(meant.clone()), "{said}");
            assert_eq!(meant.to_string(), said);
        }
        for said in [
            "",
            "priority",
            ":number",
            "n:numbers",
            "n:relation:ordered",
            "n:number:acyclic",
            "n:ordered",
            ":relation:acyclic",
        ] {
            assert!(said.parse::<Declaration>().is_err(), "{said}");
        }
    }
}
