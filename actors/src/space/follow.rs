//! Reading a space by cursor: the pure half of whoever follows one.

use super::{Event, Filter, Notice, Origin, Resource, Space};
use crate::atom::Atom;
use crate::behaviour::Behaviour;
use crate::behaviour::events;
use crate::codec::CodecError;
use crate::id::{AtomId, EventId, Millis, Position, SessionId, SpaceId};
use crate::log::Body;
use crate::mutant;
use crate::right::{Fact, RightChange};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One entry of a space, as those who follow it get it: the comment, never the content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Change {
    pub position: Position,
    /// Its name outside the log.
    pub id: EventId,
    pub at: Millis,
    pub space: SpaceId,
    /// What happened: `atom.put`, …
    pub kind: String,
    pub by: SessionId,
    pub comment: String,
    /// The idempotency key it was asked with.
    pub key: Option<String>,
    /// The atom it made a version of.
    pub atom: Option<(AtomId, u64)>,
    /// The lease that it began, prolonged or ended.
    pub lease: Option<Box<LeaseChange>>,
    /// The right on the space that it gave, took or refused.
    pub right: Option<Box<RightChange>>,
    /// How many reactions it took.
    pub hop: u16,
    /// The entry from outside that began them; nothing when this is one.
    pub root: Option<EventId>,
    /// What is said of it where it was imported from.
    pub origin: Option<Box<Origin>>,
}

/// A lease that has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct LeaseChange {
    pub resource: Resource,
    pub token: u64,
    /// When it ends, or would have ended.
    pub until: Millis,
}

impl LeaseChange {
    fn of(event: &Event) -> Option<Box<LeaseChange>> {
        let (resource, token, until) = match event {
            Event::Leased(it) => (&it.resource, it.token, it.until),
            Event::LeaseRenewed { resource, token, until, .. }
            | Event::LeaseEnded { resource, token, until, .. } => (resource, *token, *until),
            _ => return None,
        };
        Some(Box::new(LeaseChange { resource: resource.clone(), token, until }))
    }
}

/// A change, and the atom version that it left behind.
pub type Changed = (Change, Option<Arc<Atom>>);

impl Change {
    /// The changes of one entry, in order.
    pub fn of(space: SpaceId, position: Position, body: &Body) -> Result<Vec<Changed>, CodecError> {
        Ok(Change::of_read(space, position, body, &events::<Space>(body)?))
    }

    /// The same of an entry whose events are known.
    pub(crate) fn of_read(
        space: SpaceId,
        position: Position,
        body: &Body,
        events: &[Event],
    ) -> Vec<Changed> {
        let change = |event: &Event| {
            let atom = Space::atom(event).cloned();
            let change = Change {
                position,
                id: body.id,
                at: body.at,
                space,
                kind: Space::name(event).to_owned(),
                by: body.by,
                comment: body.comment.clone(),
                key: body.answers.as_ref().map(|it| it.key.clone()),
                atom: atom.as_ref().map(|it| (it.id, it.version)),
                lease: LeaseChange::of(event),
                right: None,
                hop: body.cause.hop,
                root: body.cause.root,
                origin: match event {
                    Event::AtomImported { origin, .. } => Some(origin.clone()),
                    Event::AtomErased { origin, .. } => origin.clone(),
                    _ => None,
                },
            };
            (change, atom)
        };
        events.iter().map(change).collect()
    }

    /// What became of a right on the space, by an entry of the log of rights.
    pub fn of_right(fact: Fact, position: Position, body: &Body) -> Change {
        Change {
            position,
            id: body.id,
            at: body.at,
            space: fact.space,
            kind: fact.kind.to_owned(),
            by: fact.by,
            comment: fact.reason,
            key: None,
            atom: None,
            lease: None,
            right: Some(Box::new(fact.right)),
            hop: 0,
            root: None,
            origin: None,
        }
    }

    /// What of it goes into a wake.
    pub fn notice(self) -> Notice {
        let Change { space, position, by, comment, hop, .. } = self;
        Notice { space, position, by, comment, hop }
    }
}

/// A reader's place in one space. The log is the only copy of what happened, so this is all there
/// is to following: a crash of the reader costs nothing but what its cursor did not cover yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Follower {
    space: SpaceId,
    cursor: Position,
    filter: Filter,
}

impl Follower {
    /// Reads what comes after the cursor.
    pub fn new(space: SpaceId, cursor: Position, filter: Filter) -> Follower {
        Follower { space, cursor, filter }
    }

    /// Everything up to here has been looked at, of interest or not.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// Takes the next durable entry of the space in; what of it is of interest.
    ///
    /// Panics on an entry at or before the cursor: it has been seen.
    pub fn take(&mut self, at: Position, body: &Body) -> Result<Vec<Change>, CodecError> {
        Ok(self.take_changes(at, &Change::of(self.space, at, body)?))
    }

    /// The same of an entry whose changes are known.
    pub(crate) fn take_changes(&mut self, at: Position, changes: &[Changed]) -> Vec<Change> {
        assert!(at > self.cursor, "an entry is seen once");
        if !mutant::planted("cursor.looks_again") {
            self.cursor = at;
        }
        let passing =
            changes.iter().filter(|(it, atom)| self.filter.passes(&it.kind, atom.as_deref()));
        passing.map(|(change, _)| change.clone()).collect()
    }
}
