//! What is remembered of a running action's calls, so that after a crash it goes on where it
//! stopped and makes none twice.

use crate::code::{Item, Object, Raise};
use crate::id::AtomId;
use crate::log::Hash;
use crate::value::Value;

/// One call of an action: its intent, or its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CallNote {
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
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Recorded {
    /// One version of an atom.
    Atom {
        id: AtomId,
        version: u64,
    },
    Atoms(Vec<FoundVersion>),
    /// Anything else, whole.
    Said(RecordedItem),
    Raised {
        class: String,
        /// What it says.
        message: String,
    },
}

/// One version of an atom among several.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct FoundVersion {
    pub id: AtomId,
    pub version: u64,
    /// How well it fitted, if it was searched for.
    pub score: Option<f32>,
}

/// An answer as code gets it ([`Item`]), in a form that the log keeps.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum RecordedItem {
    Value(Value),
    Bytes(Vec<u8>),
    /// An object of the host.
    Object(SaidObject),
    List(Vec<RecordedItem>),
    /// A mapping, in its own order.
    Map(Vec<(String, RecordedItem)>),
}

/// A host object as code sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SaidObject {
    /// Its class's name.
    pub class: String,
    /// What the host knows it by.
    pub handle: u128,
    /// What may be read of it without asking.
    pub fields: Vec<(String, RecordedItem)>,
}

impl From<&Item> for RecordedItem {
    fn from(item: &Item) -> RecordedItem {
        let fields = |fields: &[(String, Item)]| {
            fields.iter().map(|(name, it)| (name.clone(), it.into())).collect()
        };
        match item {
            Item::Value(value) => RecordedItem::Value(value.clone()),
            Item::Bytes(bytes) => RecordedItem::Bytes(bytes.clone()),
            Item::Object(Object { class, handle, fields: of }) => {
                let (class, handle, fields) = (class.clone(), *handle, fields(of));
                RecordedItem::Object(SaidObject { class, handle, fields })
            }
            Item::List(list) => RecordedItem::List(list.iter().map(RecordedItem::from).collect()),
            Item::Map(map) => RecordedItem::Map(fields(map)),
        }
    }
}

impl From<&RecordedItem> for Item {
    fn from(said: &RecordedItem) -> Item {
        let fields = |fields: &[(String, RecordedItem)]| {
            fields.iter().map(|(name, it)| (name.clone(), it.into())).collect()
        };
        match said {
            RecordedItem::Value(value) => Item::Value(value.clone()),
            RecordedItem::Bytes(bytes) => Item::Bytes(bytes.clone()),
            RecordedItem::Object(SaidObject { class, handle, fields: of }) => {
                let (class, handle, fields) = (class.clone(), *handle, fields(of));
                Item::Object(Object { class, handle, fields })
            }
            RecordedItem::List(list) => Item::List(list.iter().map(Item::from).collect()),
            RecordedItem::Map(map) => Item::Map(fields(map)),
        }
    }
}

impl From<&Raise> for Recorded {
    fn from(Raise { class, message }: &Raise) -> Recorded {
        Recorded::Raised { class: class.clone(), message: message.clone() }
    }
}
