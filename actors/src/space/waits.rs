//! What an atom waits for: which atoms at the other ends of its references are not as a condition
//! wants them, and which of these never will be.

use super::claim_predicate::ClaimPredicate;
use crate::atom::Atom;
use crate::conditions::{Condition, Which, direction, lookup, operands, says};
use crate::id::AtomId;
use crate::mutant::planted;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One thing that an atom waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocker {
    /// By which relation, as the condition names it: `<-relation` for those that refer to the atom.
    pub relation: String,
    /// The atom at the other end; nothing where there is none, and one is wanted.
    pub target: Option<AtomId>,
    /// What is wrong with it.
    pub why: Blocked,
    /// What it says now under the keys that the condition asks for; null where it has no such key.
    /// Empty where it is gone.
    pub now: BTreeMap<String, Value>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        for (place, (key, value)) in self.now.iter().enumerate() {
            let before = if place == 0 { ": " } else { ", " };
            write!(f, "{before}{key} is {value}")?;
        }
        Ok(())
    }
}

/// Why an atom at the other end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Blocked {
    /// It is not yet as the condition wants it.
    Unfit,
    /// It is as the condition does not want it.
    Unwanted,
    /// There is none.
    Missing,
    /// It is gone: it was erased, and says nothing any more.
    Erased,
    /// It is gone: it is out of use, and cannot change any more. Perhaps another is in its place.
    Deprecated(Option<AtomId>),
    /// It is not there, or not for the asker to read, which is not told apart.
    Hidden,
}

impl Blocked {
    /// Whether it stays so: what waits for it waits for ever, unless it refers to another one.
    pub fn is_gone(self) -> bool {
        matches!(self, Blocked::Erased | Blocked::Deprecated(_) | Blocked::Hidden)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Blocked::Unfit => f.write_str("not yet as it must be"),
            Blocked::Unwanted => f.write_str("as it must not be"),
            Blocked::Missing => f.write_str("there is none"),
            Blocked::Erased => f.write_str("gone: erased"),
            Blocked::Deprecated(None) => f.write_str("gone: deprecated"),
            Blocked::Deprecated(Some(by)) => write!(f, "gone: deprecated, see {by}"),
            Blocked::Hidden => f.write_str("gone, or not yours to read"),
        }
    }
}

/// The atoms as an asker may read them.
pub trait Readable {
    /// The newest version, if the asker may read it.
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>>;
    /// The atoms that refer to `target` by `relation`, and that the asker may read.
    fn sources(&self, target: AtomId, relation: &str) -> Vec<Arc<Atom>>;
}

impl ClaimPredicate {
    /// What an atom waits for before its references are as wanted; nothing if they are.
    ///
    /// A condition that says nothing of the atoms at the other end asks which of them are gone.
    pub fn waits(&self, atom: &Atom, to: &dyn Readable) -> Vec<Blocker> {
        let all = self.references.iter();
        all.flat_map(|(relation, condition)| blockers(atom, relation, condition, to)).collect()
    }
}

fn blockers(atom: &Atom, named: &str, condition: &Condition, to: &dyn Readable) -> Vec<Blocker> {
    let (relation, reverse) = direction(named);
    let ends: BTreeMap<AtomId, Option<Arc<Atom>>> = if reverse {
        to.sources(atom.id, relation).into_iter().map(|it| (it.id, Some(it))).collect()
    } else {
        let targets = atom.references.iter().filter(|it| it.relation == relation);
        targets.map(|it| (it.target, to.atom(it.target))).collect()
    };
    let fits = |it: &Option<Arc<Atom>>| {
        it.as_ref().is_some_and(|it| says(&it.metadata, &condition.metadata))
    };
    let blocker = |(id, it): (&AtomId, &Option<Arc<Atom>>), why: Blocked| Blocker {
        relation: named.to_owned(),
        target: Some(*id),
        now: it
            .as_deref()
            .filter(|_| !why.is_gone())
            .map_or_else(BTreeMap::new, |it| now(it, condition)),
        why,
    };
    let unfit = |end: (&AtomId, &Option<Arc<Atom>>)| {
        blocker(end, gone(end.1.as_deref()).unwrap_or(Blocked::Unfit))
    };
    let missing = || Blocker {
        relation: named.to_owned(),
        target: None,
        why: Blocked::Missing,
        now: BTreeMap::new(),
    };
    match condition.which {
        Which::None => {
            let fitting = ends.iter().filter(|(_, it)| fits(it));
            fitting.map(|end| blocker(end, Blocked::Unwanted)).collect()
        }
        Which::Any if ends.values().any(fits) => Vec::new(),
        Which::Any if ends.is_empty() => vec![missing()],
        Which::Any => ends.iter().map(unfit).collect(),
        Which::All if condition.metadata.is_empty() => {
            let gone = ends.iter().filter(|(_, it)| gone(it.as_deref()).is_some());
            gone.map(unfit).collect()
        }
        Which::All => ends.iter().filter(|(_, it)| !fits(it)).map(unfit).collect(),
    }
}

/// What an atom says under the keys of a condition.
fn now(atom: &Atom, condition: &Condition) -> BTreeMap<String, Value> {
    let keys = operands(&condition.metadata).into_iter().map(|it| it.0);
    let says = |key: &str| lookup(&atom.metadata, key).cloned().unwrap_or(Value::Null);
    keys.map(|key| (key.to_owned(), says(key))).collect()
}

fn gone(atom: Option<&Atom>) -> Option<Blocked> {
    match atom {
        None => Some(Blocked::Hidden),
        Some(it) if it.content.is_gone() => Some(Blocked::Erased),
        Some(_) if planted("waits.forgets_who_is_out_of_use") => None,
        Some(it) => it.deprecated.as_ref().map(|it| Blocked::Deprecated(it.superseded_by)),
    }
}
