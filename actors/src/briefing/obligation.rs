//! What an agent owes and is owed: read from the log when its window is made anew, so that no summary
//! can forget it.

use super::AtomVersion;
use crate::id::{Millis, SessionId, SpaceId};

/// One of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Obligation {
    /// It has leased something: a task that it has claimed, or what the space's users call so.
    Leased {
        space: SpaceId,
        /// What is leased: an atom's id or a name.
        resource: String,
        /// The atom as it was then, where it is one.
        atom: Option<AtomVersion>,
        until: Millis,
        /// What it is for, in its own words.
        intent: String,
    },
    /// An agent that it has brought up and that lives.
    Child {
        session: SessionId,
        /// What it calls it.
        name: String,
        /// What that was doing then, in a word.
        state: String,
        /// The space that they share.
        dm: SpaceId,
    },
    /// It was told this in a space that it shares with one other, and has said nothing there since.
    Unanswered { space: SpaceId, atom: AtomVersion },
    /// It has asked this there, and the other has said nothing since.
    Awaited { space: SpaceId, atom: AtomVersion },
    /// It has promised this and not kept it yet: an atom of its own with `promise: open`.
    Promised { space: SpaceId, atom: AtomVersion },
}

/// The name in the metadata of an atom that is a promise.
pub const PROMISE: &str = "promise";

/// Letters of what a lease is for, and of what is leased, that are told.
const INTENT_CHARS: usize = 120;

/// What it is while it is not kept.
pub const PROMISE_OPEN: &str = "open";

impl Obligation {
    /// The atom that it is about.
    pub fn atom(&self) -> Option<AtomVersion> {
        match self {
            Obligation::Leased { atom, .. } => *atom,
            Obligation::Unanswered { atom, .. }
            | Obligation::Awaited { atom, .. }
            | Obligation::Promised { atom, .. } => Some(*atom),
            Obligation::Child { .. } => None,
        }
    }

    /// In a line: with what an atom says, and what the agent calls a space.
    pub fn line(
        &self,
        text: impl Fn(AtomVersion) -> String,
        alias: impl Fn(SpaceId) -> String,
    ) -> String {
        let of = |space: &SpaceId, atom: &AtomVersion| {
            format!("in {}, {} v{}: {}", alias(*space), atom.id, atom.version, text(*atom))
        };
        match self {
            Obligation::Leased { space, resource, atom, until, intent } => {
                let what = match atom {
                    Some(atom) => format!(": {}", text(*atom)),
                    None => String::new(),
                };
                let cut = |text: &str| text.chars().take(INTENT_CHARS).collect::<String>();
                let resource = cut(resource);
                let intent = match &*cut(intent) {
                    "" => String::new(),
                    intent => format!(" ({intent})"),
                };
                format!("leased in {} until {}: {resource}{intent}{what}", alias(*space), until.0)
            }
            Obligation::Child { session, name, state, dm } => {
                format!("your child {name} ({session}) is {state}; you share space {dm}")
            }
            Obligation::Unanswered { space, atom } => {
                format!("not answered yet, {}", of(space, atom))
            }
            Obligation::Awaited { space, atom } => {
                format!("you wait for an answer to this, {}", of(space, atom))
            }
            Obligation::Promised { space, atom } => format!("promised, {}", of(space, atom)),
        }
    }
}
