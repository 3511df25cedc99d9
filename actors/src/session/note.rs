//! What is remembered of a running action's calls, so that after a crash it goes on where it
//! stopped and makes none twice.

use crate::code::{Item, Object, Raise};
use crate::id::AtomId;
use crate::log::Hash;
use crate::value::Value;

/// One call of an action: its intent, or its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Which call of the action, counted from 1.
    pub call: u64,
    /// The form of the digest of what was asked.
    pub form: u8,
    /// What was asked, digested: a re-run that asks something else is not the same run.
    pub asked: Hash,
    /// What it was answered; nothing for an intent alone.
    pub answer: Option<Recorded>,
    /// Whether it changed anything.
    pub wrote: bool,
    /// What was called, for people who look on: `tasks.claim`. Nothing in what older builds noted.
    pub called: String,
}

/// An answer as it is kept. Atoms are kept as what they were, not copied: versions never change.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// One version of an atom.
    Atom {
        /// Which atom.
        id: AtomId,
        /// Which version.
        version: u64,
    },
    /// Several.
    Atoms(Vec<Found>),
    /// Anything else, whole.
    Said(Said),
    /// An exception.
    Raised {
        /// Its class.
        class: String,
        /// What it says.
        message: String,
    },
}

/// One version of an atom among several.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which atom.
    pub id: AtomId,
    /// Which version.
    pub version: u64,
    /// How well it fitted, if it was searched for.
    pub score: Option<f32>,
}

/// An answer as code gets it ([`Item`]), in a form that the log keeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Plain data.
    Value(Value),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// An object of the host.
    Object(SaidObject),
    /// A list.
    List(Vec<Said>),
    /// A mapping, in its own order.
    Map(Vec<(String, Said)>),
}

/// A host object as code sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SaidObject {
    /// Its class's name.
    pub class: String,
    /// What the host knows it by.
    pub handle: u128,
    /// What may be read of it without asking.
    pub fields: Vec<(String, Said)>,
}

impl From<&Item> for Said {
    fn from(item: &Item) -> Said {
        let fields = |fields: &[(String, Item)]| {
            fields.iter().map(|(name, it)| (name.clone(), it.into())).collect()
        };
        match item {
            Item::Value(value) => Said::Value(value.clone()),
            Item::Bytes(bytes) => Said::Bytes(bytes.clone()),
            Item::Object(Object { class, handle, fields: of }) => {
                let (class, handle, fields) = (class.clone(), *handle, fields(of));
                Said::Object(SaidObject { class, handle, fields })
            }
            Item::List(list) => Said::List(list.iter().map(Said::from).collect()),
            Item::Map(map) => Said::Map(fields(map)),
        }
    }
}

impl From<&Said> for Item {
    fn from(said: &Said) -> Item {
        let fields = |fields: &[(String, Said)]| {
            fields.iter().map(|(name, it)| (name.clone(), it.into())).collect()
        };
        match said {
            Said::Value(value) => Item::Value(value.clone()),
            Said::Bytes(bytes) => Item::Bytes(bytes.clone()),
            Said::Object(SaidObject { class, handle, fields: of }) => {
                let (class, handle, fields) = (class.clone(), *handle, fields(of));
                Item::Object(Object { class, handle, fields })
            }
            Said::List(list) => Item::List(list.iter().map(Item::from).collect()),
            Said::Map(map) => Item::Map(fields(map)),
        }
    }
}

impl From<&Raise> for Recorded {
    fn from(Raise { class, message }: &Raise) -> Recorded {
        Recorded::Raised { class: class.clone(), message: message.clone() }
    }
}
