//! What is remembered of a running action's calls, so that after a crash it goes on where it
//! stopped and makes none twice.

use crate::code::{Item, Raise};
use crate::id::AtomId;
use crate::log::Hash;
use serde::{Deserialize, Serialize};

/// One call of an action: its intent, or its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Which call of the action, counted from 1.
    pub call: u64,
    /// What was asked, hashed: a re-run that asks something else is not the same run.
    pub asked: Hash,
    /// What it was answered; nothing for an intent alone.
    pub answer: Option<Recorded>,
    /// Whether it changed anything.
    pub wrote: bool,
}

/// An answer as it is kept. Atoms are kept as what they were, not copied: versions never change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Recorded {
    /// One version of an atom.
    Atom(AtomId, u64),
    /// Several, with their scores if they were searched for.
    Atoms(Vec<(AtomId, u64, Option<f32>)>),
    /// Anything else, whole.
    Item(Item),
    /// An exception.
    Raised(Raise),
}
