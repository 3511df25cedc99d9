//! Spaces as a plain list of what was accepted; the whole state is this list read from the start.

use crate::laws::world::{SPACES, level};
use std::collections::BTreeMap;
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;
use stoa_actors::space::{Expect, Message, Mutation};
use stoa_actors::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) ticket: u64,
    pub(crate) space: usize,
    pub(crate) who: u8,
    pub(crate) key: Option<u8>,
    pub(crate) message: Message,
    /// The ticket of the put that made the atom.
    pub(crate) atom: u64,
    pub(crate) version: u64,
    /// Whether it was acknowledged, or found at an open: from then on it is there for ever.
    pub(crate) stays: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) version: u64,
    pub(crate) space: usize,
    pub(crate) word: Option<u8>,
    pub(crate) refers: Vec<AtomId>,
    pub(crate) deprecated: bool,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Foretold {
    Version {
        atom: u64,
        version: u64,
    },
    Unknown,
    Right,
    NoAtom,
    Conflict {
        current: u64,
    },
    Deprecated,
    InUse,
    KeyReused,
    /// A write has failed: there is no answer.
    Stopped,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) ids: BTreeMap<u64, AtomId>,
}

impl Model {
    /// Reads the list from the start, every time.
    pub(crate) fn naive(&self, counts: impl Fn(&Accepted) -> bool) -> BTreeMap<u64, Naive> {
        let mut atoms: BTreeMap<u64, Naive> = BTreeMap::new();
        for it in self.accepted.iter().filter(|it| counts(it)) {
            let atom = atoms.entry(it.atom).or_default();
            atom.version += 1;
            atom.space = it.space;
            match &it.message {
                Message::Change(Mutation::Put(draft)) => {
                    atom.word = word(&draft.metadata);
                    atom.refers = draft.references.get("on").cloned().unwrap_or_default();
                }
                Message::Change(Mutation::Update { patch, .. }) => {
                    atom.word = word(&patch.metadata).or(atom.word);
                    if let Some(refers) = patch.references.get("on") {
                        atom.refers.clone_from(refers);
                    }
                }
                Message::Change(Mutation::Deprecate { .. }) => atom.deprecated = true,
                Message::Change(Mutation::Reinstate { .. }) => atom.deprecated = false,
                _ => {}
            }
        }
        atoms
    }

    /// What was accepted in one space, in order.
    pub(crate) fn of(&self, space: usize) -> impl Iterator<Item = &Accepted> {
        assert!(space < SPACES);
        self.accepted.iter().filter(move |it| it.space == space)
    }

    pub(crate) fn ticket_of(&self, id: AtomId) -> u64 {
        self.ids.iter().find(|(_, it)| **it == id).map_or(u64::MAX, |(ticket, _)| *ticket)
    }

    /// The answer, and whether something new happens; an atom that the request makes is 0.
    pub(crate) fn foretell(
        &self,
        who: u8,
        space: usize,
        key: Option<u8>,
        message: &Message,
    ) -> (Foretold, bool) {
        let earlier = self
            .accepted
            .iter()
            .find(|it| key.is_some() && it.key == key && it.who == who && it.space == space);
        if let Some(earlier) = earlier {
            return if earlier.message == *message {
                (Foretold::Version { atom: earlier.atom, version: earlier.version }, false)
            } else {
                (Foretold::KeyReused, false)
            };
        }
        let put = matches!(message, Message::Change(Mutation::Put(_)));
        let needed = if put { Level::Append } else { Level::Write };
        match level(who, space) {
            None => return (Foretold::Unknown, false),
            Some(level) if level < needed => return (Foretold::Right, false),
            Some(_) => {}
        }
        let atoms = self.naive(|_| true);
        let (mut version, mut atom, mut before) = (1, 0, Vec::new());
        if let Message::Change(
            Mutation::Update { id, expect, .. }
            | Mutation::Deprecate { id, expect, .. }
            | Mutation::Reinstate { id, expect },
        ) = message
        {
            atom = self.ticket_of(*id);
            let Some(naive) = atoms.get(&atom).filter(|it| it.space == space) else {
                return (Foretold::NoAtom, false);
            };
            let current = naive.version;
            if matches!(expect, Expect::Version(expected) if *expected != current) {
                return (Foretold::Conflict { current }, false);
            }
            match (naive.deprecated, matches!(message, Message::Change(Mutation::Reinstate { .. })))
            {
                (true, false) => return (Foretold::Deprecated, false),
                (false, true) => return (Foretold::InUse, false),
                _ => {}
            }
            before.clone_from(&naive.refers);
            version = current + 1;
        }
        let seen = |target: &AtomId| {
            let target = atoms.get(&self.ticket_of(*target));
            target.is_some_and(|it| level(who, it.space).is_some())
        };
        if refers(message).iter().any(|it| !before.contains(it) && !seen(it)) {
            return (Foretold::NoAtom, false);
        }
        (Foretold::Version { atom, version }, true)
    }
}

fn refers(message: &Message) -> Vec<AtomId> {
    let references = match message {
        Message::Change(Mutation::Put(draft)) => &draft.references,
        Message::Change(Mutation::Update { patch, .. }) => &patch.references,
        _ => return Vec::new(),
    };
    references.get("on").cloned().unwrap_or_default()
}

pub(crate) fn word(metadata: &BTreeMap<String, Value>) -> Option<u8> {
    match metadata.get("word") {
        Some(Value::Int(it)) => Some(*it as u8),
        _ => None,
    }
}
