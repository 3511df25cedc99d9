//! A space: a shared store of atoms (seed 000, "Spaces in depth").
//!
//! Its actor holds little: a description and subscriptions. The atoms are in the view. One space is
//! one actor and one stream, and an actor takes one delivery at a time: of two updates that expect
//! the same version the second finds it gone, so two agents can never both take one task.

mod follow;
mod patch;
mod subscription;

pub use follow::{Change, Changed, Follower};

pub use patch::{Draft, MadeFor, Patch};
pub use subscription::{Filter, Notice, Subscription, Wake};

use crate::atom::{Atom, Deprecation, Reference};
use crate::behaviour::{Behaviour, Decision, Delivery, Row};
use crate::id::{AtomId, Position, SpaceId, StreamId, SubscriptionId};
use crate::mutant;
use crate::rights::Level;
use crate::value::ValueRefusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of a space, without its atoms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    id: SpaceId,
    description: String,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
}

/// What a space can be asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message {
    /// Says what the space is for: its convention.
    Describe(String),
    /// Adds an atom.
    PutAtom(Box<Draft>),
    /// Changes an atom: a new version.
    UpdateAtom {
        /// Which.
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
        /// What changes.
        patch: Box<Patch>,
    },
    /// Takes an atom out of search; it stays readable by id.
    DeprecateAtom {
        /// Which.
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
        /// What to read instead.
        superseded_by: Option<AtomId>,
    },
    /// Keeps a cursor for the asker, and wakes it when something matches.
    Subscribe {
        /// What is of interest.
        filter: Filter,
        /// From where on.
        cursor: Position,
    },
    /// Ends a subscription of the asker.
    Unsubscribe(SubscriptionId),
    /// Moves the cursor of a subscription of the asker forward.
    Advance {
        /// Which.
        id: SubscriptionId,
        /// The last position seen.
        cursor: Position,
    },
}

/// Which version a change is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// Exactly this one, else nothing changes.
    Version(u64),
    /// Whatever it is at: the asker accepts to overwrite what it has not read.
    Any,
}

/// What happened in a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It says what it is for.
    Described(String),
    /// An atom was added.
    AtomPut(Arc<Atom>),
    /// An atom has a new version.
    AtomUpdated {
        /// All of it.
        atom: Arc<Atom>,
        /// The references it did not have before.
        added: Vec<Reference>,
        /// The references it no longer has.
        dropped: Vec<Reference>,
    },
    /// An atom is out of search.
    AtomDeprecated(Arc<Atom>),
    /// A session follows the space.
    Subscribed(Subscription),
    /// It no longer does.
    Unsubscribed(SubscriptionId),
    /// It has seen everything up to here.
    Advanced {
        /// Which subscription.
        id: SubscriptionId,
        /// The last position seen.
        cursor: Position,
    },
}

/// What the asker gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// It is so.
    Done,
    /// The atom is at this version now.
    Version {
        /// Which atom.
        id: AtomId,
        /// Its version.
        version: u64,
    },
    /// The subscription's name.
    Subscribed(SubscriptionId),
}

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The asker may not read the space: said as if it were not there.
    #[error("no space here that you can read; ask its owner for access")]
    Unknown,
    /// The asker may read, but not this.
    #[error("you hold {held} here and this needs {needed}; ask whoever granted it to you")]
    Right {
        /// What it holds.
        held: Level,
        /// What it would need.
        needed: Level,
    },
    /// The atom is not in this space, or nowhere that the asker can read.
    #[error("no atom {0} that you can read")]
    NoAtom(AtomId),
    /// Somebody was first.
    #[error("atom {id} is at version {current}, not {expected}; read it again and decide anew")]
    Conflict {
        /// Which atom.
        id: AtomId,
        /// What was expected.
        expected: u64,
        /// What it is at.
        current: u64,
    },
    /// It is out of use.
    #[error("atom {id} is deprecated{}; put a new one", superseded(.by))]
    Deprecated {
        /// Which atom.
        id: AtomId,
        /// What to read instead.
        by: Option<AtomId>,
    },
    /// An atom cannot supersede itself.
    #[error("an atom cannot supersede itself")]
    OwnSuccessor,
    /// A value that cannot be stored.
    #[error(transparent)]
    Value(#[from] ValueRefusal),
    /// Over a limit.
    #[error("{what} takes {size}; the limit is {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large.
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// A name must be there.
    #[error("{0} is empty; give it a name")]
    Empty(&'static str),
    /// Not a subscription of the asker.
    #[error("no subscription {0} of yours here")]
    NoSubscription(SubscriptionId),
}

fn superseded(by: &Option<AtomId>) -> String {
    by.map_or_else(String::new, |id| format!(", superseded by {id}"))
}

impl Behaviour for Space {
    const KIND: &'static str = "space";
    type Message = Message;
    type Event = Event;
    type Effect = std::convert::Infallible;
    type Reply = Reply;
    type Refusal = Refusal;

    fn unborn(stream: StreamId) -> Self {
        let id = SpaceId(stream.0);
        Space { id, description: String::new(), subscriptions: BTreeMap::new() }
    }

    fn decide(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        match message {
            Message::Describe(text) => {
                self.need(Level::Write, delivery)?;
                limit("the description", text.len(), delivery.limits.description_bytes_max)?;
                Ok(Decision::event(Event::Described(text), Reply::Done))
            }
            Message::PutAtom(draft) => {
                self.need(Level::Append, delivery)?;
                let atom = draft.atom(self.id, delivery)?;
                let reply = Reply::Version { id: atom.id, version: 1 };
                Ok(Decision::event(Event::AtomPut(Arc::new(atom)), reply))
            }
            Message::UpdateAtom { id, expect, patch } => {
                let needed = if mutant::planted("space.append_updates") {
                    Level::Append
                } else {
                    Level::Write
                };
                self.need(needed, delivery)?;
                let before = self.current(id, expect, delivery)?;
                let atom = Arc::new(patch.apply(&before, delivery)?);
                let added = patch::lacking(&atom.references, &before.references);
                let dropped = patch::lacking(&before.references, &atom.references);
                let reply = Reply::Version { id, version: atom.version };
                Ok(Decision::event(Event::AtomUpdated { atom, added, dropped }, reply))
            }
            Message::DeprecateAtom { id, expect, superseded_by } => {
                self.need(Level::Write, delivery)?;
                let before = self.current(id, expect, delivery)?;
                if superseded_by == Some(id) {
                    return Err(Refusal::OwnSuccessor);
                }
                superseded_by.map_or(Ok(()), |by| readable(by, delivery))?;
                let mut atom = next(&before, delivery);
                atom.deprecated = Some(Deprecation { superseded_by });
                let reply = Reply::Version { id, version: atom.version };
                Ok(Decision::event(Event::AtomDeprecated(Arc::new(atom)), reply))
            }
            Message::Subscribe { filter, cursor } => self.subscribe(filter, cursor, delivery),
            Message::Unsubscribe(id) => {
                self.own(id, delivery.asker)?;
                Ok(Decision::event(Event::Unsubscribed(id), Reply::Done))
            }
            Message::Advance { id, cursor } => self.advance(id, cursor, delivery.asker),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Described(text) => self.description.clone_from(text),
            Event::Subscribed(subscription) => {
                self.subscriptions.insert(subscription.id, subscription.clone());
            }
            Event::Unsubscribed(id) => {
                self.subscriptions.remove(id);
            }
            Event::Advanced { .. } if mutant::planted("cursor.advance_is_forgotten") => {}
            Event::Advanced { id, cursor } => {
                if let Some(subscription) = self.subscriptions.get_mut(id) {
                    assert!(*cursor > subscription.cursor, "a cursor only advances");
                    subscription.cursor = *cursor;
                }
            }
            Event::AtomPut(_) | Event::AtomUpdated { .. } | Event::AtomDeprecated(_) => {}
        }
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Described(_) => "space.described",
            Event::AtomPut(_) => "atom.put",
            Event::AtomUpdated { .. } => "atom.updated",
            Event::AtomDeprecated(_) => "atom.deprecated",
            Event::Subscribed(_) => "subscription.created",
            Event::Unsubscribed(_) => "subscription.ended",
            Event::Advanced { .. } => "subscription.advanced",
        }
    }

    fn project(event: &Event, index: u16, rows: &mut Vec<Row>) {
        let Some(atom) = Self::atom(event) else { return };
        let source = atom.id;
        rows.push(Row::Atom { id: source, space: atom.space, index });
        if atom.version > 1 {
            rows.push(Row::Version { id: source, version: atom.version, index });
        }
        let (added, dropped) = match event {
            Event::AtomPut(atom) => (&atom.references[..], &[][..]),
            Event::AtomUpdated { added, dropped, .. } => (&added[..], &dropped[..]),
            _ => return,
        };
        rows.extend(added.iter().cloned().map(|Reference { relation, target }| Row::Reference {
            target,
            relation,
            source,
        }));
        if mutant::planted("space.keeps_dropped_references") {
            return;
        }
        rows.extend(
            dropped.iter().cloned().map(|Reference { relation, target }| Row::NoReference {
                target,
                relation,
                source,
            }),
        );
    }

    fn atom(event: &Event) -> Option<&Arc<Atom>> {
        match event {
            Event::AtomPut(atom)
            | Event::AtomUpdated { atom, .. }
            | Event::AtomDeprecated(atom) => Some(atom),
            _ => None,
        }
    }
}

impl Space {
    /// What the space is for, in its creator's words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who follows it, from where.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values()
    }

    fn need(&self, needed: Level, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        match delivery.authority.level(delivery.asker, self.id, delivery.now) {
            None => Err(Refusal::Unknown),
            Some(_) if mutant::planted("space.read_is_enough") => Ok(()),
            Some(held) if held < needed => Err(Refusal::Right { held, needed }),
            Some(_) => Ok(()),
        }
    }

    /// The atom as it is, if it is here, in use, and at the expected version.
    fn current(
        &self,
        id: AtomId,
        expect: Expect,
        delivery: &Delivery<'_>,
    ) -> Result<Arc<Atom>, Refusal> {
        let here = delivery.view.atom(id).filter(|it| it.space == self.id);
        let atom = here.ok_or(Refusal::NoAtom(id))?;
        if let Expect::Version(expected) = expect
            && expected != atom.version
            && !mutant::planted("space.ignores_expected_version")
        {
            return Err(Refusal::Conflict { id, expected, current: atom.version });
        }
        match &atom.deprecated {
            Some(_) if mutant::planted("space.updates_the_deprecated") => Ok(atom),
            Some(Deprecation { superseded_by: by }) => Err(Refusal::Deprecated { id, by: *by }),
            None => Ok(atom),
        }
    }
}

/// The next version of an atom, still the same otherwise.
fn next(before: &Atom, delivery: &Delivery<'_>) -> Atom {
    let skip = u64::from(mutant::planted("space.skips_a_version"));
    Atom {
        version: before.version + 1 + skip,
        author: delivery.asker,
        at: delivery.now,
        ..before.clone()
    }
}

/// Whether the asker can read an atom, of whatever space.
fn readable(id: AtomId, delivery: &Delivery<'_>) -> Result<(), Refusal> {
    let (asker, now) = (delivery.asker, delivery.now);
    let space = delivery.view.space_of(id).ok_or(Refusal::NoAtom(id))?;
    if mutant::planted("space.refers_to_the_forbidden") {
        return Ok(());
    }
    delivery.authority.level(asker, space, now).map(drop).ok_or(Refusal::NoAtom(id))
}

fn limit(what: &'static str, size: usize, max: usize) -> Result<(), Refusal> {
    if size > max { Err(Refusal::Limit { what, size, max }) } else { Ok(()) }
}
