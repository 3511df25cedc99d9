//! What a space declares: the metadata keys and the relations that its atoms have.
//!
//! A space that declares nothing is asked anything. In one that declares, a condition on a name that
//! is neither declared nor used by any atom is a slip: it is refused with the nearest name, where it
//! would match nothing, or everything, without a word. Declared keys also give an order, and a
//! declared relation can be one that never leads in a circle.

use super::declaration::{Declaration, DeclaredKey, DeclaredRelation, Misdeclared};
use super::{Event, Refusal, Reply, Space, front_matter, limit, patch};
use crate::atom::Metadata;
use crate::behaviour::{Behaviour, Decision, Delivery, Row};
use crate::codec::{self, CodecError};
use crate::conditions::{CREATED, Condition, OrderBy, direction, operands};
use crate::id::SpaceId;
use crate::limits::Limits;
use crate::mutant::planted;
use crate::nearest::nearest;
use crate::right::Level;
use std::collections::{BTreeMap, BTreeSet};

/// What a space declares. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declarations {
    /// Metadata keys by their name. A path into a map is covered by the key of the map.
    pub keys: BTreeMap<String, DeclaredKey>,
    /// Relations by their name, without a direction.
    pub relations: BTreeMap<String, DeclaredRelation>,
}

/// Why a condition or an order is refused in a space that declares; in any other only an order is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undeclared {
    /// No atom has the key, and it is not declared.
    #[error("no atom here has the key {name:?}, and it is not declared{}", meant(.nearest))]
    Key {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// No atom refers to another by the relation, and it is not declared.
    #[error("no atom here has the relation {name:?}, and it is not declared{}", meant(.nearest))]
    Relation {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// The space does not declare that there is an order of this key.
    #[error("there is no order by {name:?}: it is not declared here as ordered{}", meant(.nearest))]
    Order {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
}

impl Undeclared {
    /// The name that was asked for.
    pub fn name(&self) -> &str {
        match self {
            Undeclared::Key { name, .. }
            | Undeclared::Relation { name, .. }
            | Undeclared::Order { name, .. } => name,
        }
    }

    /// What may have been meant.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Undeclared::Key { nearest, .. }
            | Undeclared::Relation { nearest, .. }
            | Undeclared::Order { nearest, .. } => nearest.as_deref(),
        }
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |it| format!("; there is {it:?}"))
}

/// Which names the atoms of a space use, whether they are declared or not. Atoms that are out of use
/// count, erased ones do not.
pub trait Used {
    /// Whether an atom has a key, or a path into a map.
    fn key(&self, path: &str) -> bool;
    /// Whether an atom refers to another by a relation.
    fn relation(&self, name: &str) -> bool;
    /// At most so many of the keys, to find what was meant by another.
    fn keys(&self, most: usize) -> Vec<String>;
    /// At most so many of the relations.
    fn relations(&self, most: usize) -> Vec<String>;
}

impl Declarations {
    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.relations.is_empty()
    }

    /// How many things are declared.
    pub fn len(&self) -> usize {
        self.keys.len() + self.relations.len()
    }

    /// Adds one. Errors: [`Misdeclared::Twice`] where the name is there as something else.
    pub fn add(&mut self, one: Declaration) -> Result<(), Misdeclared> {
        let alike = match &one {
            Declaration::Key(name, it) => self.keys.get(name).is_none_or(|known| known == it),
            Declaration::Relation(name, it) => {
                self.relations.get(name).is_none_or(|known| known == it)
            }
        };
        match one {
            Declaration::Key(name, _) | Declaration::Relation(name, _) if !alike => {
                Err(Misdeclared::Twice { name })
            }
            Declaration::Key(name, it) => {
                self.keys.insert(name, it);
                Ok(())
            }
            Declaration::Relation(name, it) => {
                self.relations.insert(name, it);
                Ok(())
            }
        }
    }

    /// What both declare; where they differ the other one counts.
    pub fn extend(&mut self, other: Declarations) {
        self.keys.extend(other.keys);
        self.relations.extend(other.relations);
    }

    /// Every declaration, as it is typed.
    pub fn iter(&self) -> impl Iterator<Item = Declaration> {
        let keys = self.keys.iter().map(|(name, it)| Declaration::Key(name.clone(), *it));
        let relations = self.relations.iter();
        keys.chain(relations.map(|(name, it)| Declaration::Relation(name.clone(), *it)))
    }

    /// What the front matter of a description declares; nothing if it says nothing about it.
    ///
    /// Front matter stands between two lines `---` at the beginning of a text. Its `declares` is a
    /// list, `[priority:number, blocked_by:relation]`, or one `- priority:number` a line.
    pub fn of(description: &str) -> Result<Option<Declarations>, Misdeclared> {
        front_matter::declares(description)
    }

    /// Refuses what no space can declare: too much, and what cannot be asked for or ordered by.
    pub fn permitted(&self, limits: &Limits) -> Result<(), Refusal> {
        limit("the declarations", self.len(), limits.declarations_max)?;
        for name in self.keys.keys().chain(self.relations.keys()) {
            patch::named("a declared name", name, limits.name_bytes_max)?;
        }
        Ok(self.check()?)
    }

    /// Refuses what cannot be asked for or ordered by.
    fn check(&self) -> Result<(), Misdeclared> {
        for (name, it) in &self.keys {
            if name == CREATED || name.starts_with('-') && it.ordered {
                return Err(Misdeclared::Reserved { name: name.clone() });
            }
            if it.ordered && !it.kind.has_order() {
                return Err(Misdeclared::NoOrder { name: name.clone(), kind: it.kind });
            }
        }
        match self.relations.keys().find(|name| direction(name).1) {
            Some(name) => Err(Misdeclared::Reserved { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The names in a condition that are not declared: keys, and relations.
    pub fn undeclared<'a>(
        &self,
        metadata: &'a Metadata,
        references: &'a BTreeMap<String, Condition>,
    ) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        let ends = references.values().map(|it| &it.metadata);
        let keys = std::iter::once(metadata).chain(ends).flat_map(operands).map(|it| it.0);
        let relations = references.keys().map(|it| direction(it).0);
        (
            keys.filter(|it| !self.covers(it)).collect(),
            relations.filter(|it| !self.relations.contains_key(*it)).collect(),
        )
    }

    /// Refuses conditions on names that are neither declared nor used, where anything is declared.
    ///
    /// The keys of atoms at the other ends of references are held to the same: one that only atoms
    /// of other spaces have is to be declared here.
    pub fn permit(
        &self,
        metadata: &Metadata,
        references: &BTreeMap<String, Condition>,
        used: &dyn Used,
    ) -> Result<(), Undeclared> {
        if self.is_empty() {
            return Ok(());
        }
        let (keys, relations) = self.undeclared(metadata, references);
        if let Some(name) = relations.into_iter().find(|it| !used.relation(it))
            && !planted("declare.relations_are_not_looked_at")
        {
            let nearest = like(name, self.relations.keys().cloned());
            let nearest = nearest.or_else(|| like(name, used.relations(NEAREST_AMONG_MAX)));
            return Err(Undeclared::Relation { nearest, name: name.to_owned() });
        }
        match keys.into_iter().find(|it| !used.key(it)) {
            Some(_) if planted("declare.keys_are_not_looked_at") => Ok(()),
            Some(name) => {
                // What is declared comes first: what is used may be a slip itself.
                let nearest = like(name, self.keys.keys().cloned());
                let nearest = nearest.or_else(|| like(name, used.keys(NEAREST_AMONG_MAX)));
                Err(Undeclared::Key { nearest, name: name.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// An order with what is declared of its keys. Errors: a key that is not declared as ordered.
    pub fn order(&self, order: &[OrderBy]) -> Result<Vec<OrderBy>, Undeclared> {
        let one = |it: &OrderBy| match self.keys.get(&it.key).filter(|known| known.ordered) {
            _ if it.key == CREATED => Ok(it.clone()),
            Some(known) => Ok(it.of_kind(known.kind)),
            None => {
                let ordered = self.keys.iter().filter(|(_, it)| it.ordered);
                let all = ordered.map(|(name, _)| name.clone());
                let nearest = like(&it.key, all.chain([CREATED.to_owned()]));
                Err(Undeclared::Order { name: it.key.clone(), nearest })
            }
        };
        order.iter().map(one).collect()
    }

    /// Whether a key is declared, or the map that a path leads into.
    pub(super) fn covers(&self, path: &str) -> bool {
        let fronts = path.match_indices('.').map(|(at, _)| &path[..at]);
        fronts.chain([path]).any(|it| self.keys.contains_key(it))
    }
}

/// Names that another is compared with, to tell which was meant.
const NEAREST_AMONG_MAX: usize = 1_000;

fn like(name: &str, all: impl IntoIterator<Item = String>) -> Option<String> {
    let all: BTreeSet<String> = all.into_iter().collect();
    nearest(name, all.iter().map(String::as_str)).map(str::to_owned)
}

impl Space {
    /// What the space declares.
    pub fn declares(&self) -> &Declarations {
        &self.declares
    }

    /// The key of its row that says what it declares.
    pub fn declares_key(space: SpaceId) -> Vec<u8> {
        [&b"declared"[..], &space.0].concat()
    }

    /// What that row says.
    pub fn read_declares(row: &[u8]) -> Result<Declarations, CodecError> {
        codec::decode(Space::FORM, row)
    }

    /// Says what the space declares, and what it is for where that is said as well.
    pub(super) fn declare(
        &self,
        description: Option<String>,
        declares: Declarations,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        let (mut events, mut all) = (Vec::new(), Declarations::default());
        if let Some(text) = description {
            limit("the description", text.len(), delivery.limits.description_bytes_max)?;
            all = Declarations::of(&text)?.unwrap_or_default();
            events.push(Event::Described(text));
        }
        all.extend(declares);
        all.permitted(delivery.limits)?;
        events.push(Event::Declared(all));
        Ok(Decision { events, effects: Vec::new(), reply: Reply::Done, refused: None })
    }

    /// Adds to what the space declares.
    pub(super) fn declare_more(
        &self,
        more: Declarations,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let mut all = self.declares.clone();
        all.extend(more);
        self.declare(None, all, delivery)
    }

    /// Says what the space is for; what stands in front of that may declare.
    pub(super) fn describe(
        &self,
        text: String,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        limit("the description", text.len(), delivery.limits.description_bytes_max)?;
        let declares = Declarations::of(&text)?;
        let mut events = vec![Event::Described(text)];
        if let Some(declares) = declares {
            declares.permitted(delivery.limits)?;
            events.push(Event::Declared(declares));
        }
        Ok(Decision { events, effects: Vec::new(), reply: Reply::Done, refused: None })
    }
}

/// The row that says what a space declares.
pub(super) fn row(space: SpaceId, declares: &Declarations) -> Row {
    let said = codec::encode(Space::FORM, declares).ok();
    Row::own::<Space>(Space::declares_key(space), said.filter(|_| !declares.is_empty()))
}
