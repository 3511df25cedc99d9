//! What was: histories in both directions, atoms and spaces as they were at a moment, and what two
//! versions of an atom differ in.
//!
//! Rights are those of now: who may read a space may read all of its past, and who may not reads
//! none of it.

use super::{Caller, Change, ReadAtom};
use crate::as_of::Moment;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::store::{LogEntry, Store};
use serde::{Deserialize, Serialize};
use std::iter::Peekable;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, RIGHTS, SessionId, SpaceId};
use stoa_actors::rights::Rights;
use stoa_actors::space::Space;

pub use stoa_actors::difference::Difference;

/// What a history is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Of {
    /// Every space that the caller can read.
    Everything,
    Space(SpaceId),
    /// One atom: its versions.
    Atom(AtomId),
}

/// Which part of a history, and in which order.
///
/// A page goes on behind the position of its last change: `after` it, or `before` it when the
/// newest come first. A page holds the changes of an entry together, so it may be longer than
/// `limit` by those of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// After this cursor.
    pub after: Position,
    /// Before this position.
    pub before: Option<Position>,
    /// As it was then: nothing that came later.
    pub as_of: Option<Moment>,
    /// About so many.
    pub limit: usize,
    /// The newest first.
    pub newest: bool,
    /// By this session alone.
    pub by: Option<SessionId>,
    /// Whose comment says this, whatever its case.
    pub comment: Option<String>,
}

impl HistoryQuery {
    /// The first so many.
    pub fn first(limit: usize) -> HistoryQuery {
        HistoryQuery { limit, ..HistoryQuery::default() }
    }
}

impl Caller {
    /// What happened, by cursor. Reads the part of the log that it is about: a history of an author
    /// or of a word looks at every entry between its ends until the page is full.
    ///
    /// Errors: [`ProblemKind::Unknown`] for what the caller cannot read, [`ProblemKind::Invalid`] for a moment
    /// that is still to come.
    pub async fn history(&self, of: Of, query: HistoryQuery) -> Result<Vec<Change>, Problem> {
        self.may_read(of).await?;
        let upto = match query.as_of {
            Some(moment) => self.runtime.moment(moment).await?,
            None => self.runtime.durable(),
        };
        let found = self.reading(move |caller| caller.history_page(of, &query, upto)).await?;
        // Rights second: what was read before a revoke is not handed out after it.
        self.may_read(of).await?;
        Ok(found)
    }

    async fn may_read(&self, of: Of) -> Result<(), Problem> {
        match of {
            Of::Everything => Ok(()),
            Of::Atom(id) => self.get(id).await.map(drop),
            Of::Space(space) => {
                self.level(space).map(drop).ok_or_else(|| Problem::no_space(&space.to_string()))
            }
        }
    }

    fn history_page(
        &self,
        of: Of,
        query: &HistoryQuery,
        upto: Position,
    ) -> Result<Vec<Change>, Problem> {
        let before = query.before.unwrap_or(Position(u64::MAX)).0.min(upto.0 + 1);
        let within = Within { after: query.after, before: Position(before), newest: query.newest };
        let comment = query.comment.as_ref().map(|it| it.to_lowercase());
        let wanted = |change: &Change| {
            let by = query.by.is_none_or(|by| change.by == by);
            let says = |word: &String| change.comment.to_lowercase().contains(word);
            let atom = |id| change.atom.is_some_and(|(atom, _)| atom == id);
            by && comment.as_ref().is_none_or(says) && !matches!(of, Of::Atom(id) if !atom(id))
        };
        let mut found: Vec<Change> = Vec::new();
        for entry in self.entries_of(within, of)? {
            let entry = entry?;
            let space = SpaceId(entry.header.stream.0);
            let mut changes: Vec<Change> = match entry.body.kind.as_str() {
                Space::KIND if of != Of::Everything || self.level(space).is_some() => {
                    let changes = Change::of(space, entry.position, &entry.body);
                    changes.map_err(StoreError::from)?.into_iter().map(|(it, _)| it).collect()
                }
                Rights::KIND if entry.header.stream == RIGHTS => self.told_of_rights(&entry)?,
                _ => continue,
            };
            let here = |it: &Change| !matches!(of, Of::Space(space) if space != it.space);
            changes.retain(|it| here(it) && wanted(it));
            if query.newest {
                changes.reverse();
            }
            found.extend(changes);
            if found.len() >= query.limit {
                break;
            }
        }
        Ok(found)
    }

    /// The entries that tell of it: those of a space together with those of its rights, in the order
    /// of the log.
    fn entries_of(&self, within: Within, of: Of) -> Result<Entries, StoreError> {
        let store = self.runtime.store();
        let entries = within.entries(store, of)?;
        let Of::Space(space) = of else { return Ok(entries) };
        let Within { after, before, newest } = within;
        let mut numbers = self.runtime.facts().of(store, space, after, before)?;
        if numbers.is_empty() {
            return Ok(entries);
        }
        if newest {
            numbers.reverse();
        }
        let own = store.clone();
        let places =
            numbers.into_iter().filter_map(move |seq| own.position_of(RIGHTS, seq).transpose());
        let rights: Entries = Box::new(at_each(store.clone(), places));
        Ok(Box::new(Merged { one: entries.peekable(), other: rights.peekable(), newest }))
    }

    /// An atom as it was at a moment.
    ///
    /// Errors: [`ProblemKind::Unknown`] when it was not there yet; the text names when it was born.
    pub async fn get_as_of(&self, id: AtomId, moment: Moment) -> Result<ReadAtom, Problem> {
        let at = self.runtime.moment(moment).await?;
        let newest = self.get(id).await?.atom;
        let found = self.reading(move |it| Ok(it.runtime.store().atom_as_of(id, at)?)).await?;
        let Some((position, atom)) = found else {
            let born = self.runtime.store().position_of(newest.space.stream(), newest.born)?;
            let born = born.unwrap_or_default();
            let text = format!("atom {id} was not there at {at}; it was put at {born}");
            return Err(Problem::new(ProblemKind::Unknown, text)
                .hint(format!("stoa get {id} --as-of {born}")));
        };
        // Rights second.
        self.get(id).await?;
        Ok(ReadAtom { atom, position })
    }

    /// What changed from one version of an atom to another: the newest if it is not said, and the
    /// one before that.
    pub async fn difference(
        &self,
        id: AtomId,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Difference, Problem> {
        let to = match to {
            Some(to) => to,
            None => self.get(id).await?.atom.version,
        };
        let from = from.unwrap_or(to.saturating_sub(1).max(1));
        let version = async |version| Ok::<ReadAtom, Problem>(self.get_version(id, version).await?);
        let (before, after) = (version(from).await?, version(to).await?);
        let (before, after): (&Atom, &Atom) = (&before.atom, &after.atom);
        Ok(Difference::between(before, after))
    }
}

/// A part of the log, in one of its directions.
#[derive(Clone, Copy)]
struct Within {
    after: Position,
    before: Position,
    newest: bool,
}

type Entries = Box<dyn Iterator<Item = Result<LogEntry, StoreError>>>;

impl Within {
    fn entries(self, store: &Store, of: Of) -> Result<Entries, StoreError> {
        let Within { after, before, newest } = self;
        let last = Position(before.0.saturating_sub(1));
        let inside = move |it: &Result<LogEntry, StoreError>| {
            it.as_ref().map_or(true, |it| it.position > after && it.position < before)
        };
        let own = store.clone();
        Ok(match (of, newest) {
            (Of::Everything, false) => Box::new(store.entries_from(after).take_while(inside)),
            (Of::Everything, true) => Box::new(store.entries_before(before).take_while(inside)),
            (Of::Space(space), false) => {
                let from = store.seq_at(space.stream(), after)?;
                Box::new(store.entries_after(space.stream(), from).take_while(inside))
            }
            (Of::Space(space), true) => {
                let stream = space.stream();
                let numbers = store.seq_at(stream, after)? + 1..=store.seq_at(stream, last)?;
                let place = move |seq| own.position_of(stream, seq).transpose();
                Box::new(at_each(store.clone(), numbers.rev().filter_map(place)))
            }
            (Of::Atom(id), newest) => {
                let first = store.version_number_at(id, after)? + 1;
                let numbers = first..=store.version_number_at(id, last)?;
                let place = move |version| {
                    let found = own.version(id, version).transpose()?;
                    Some(found.map(|(at, _)| at))
                };
                match newest {
                    true => Box::new(at_each(store.clone(), numbers.rev().filter_map(place))),
                    false => Box::new(at_each(store.clone(), numbers.filter_map(place))),
                }
            }
        })
    }
}

/// Two readings of the log as one, in its order.
struct Merged {
    one: Peekable<Entries>,
    other: Peekable<Entries>,
    newest: bool,
}

impl Iterator for Merged {
    type Item = Result<LogEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = match (self.one.peek(), self.other.peek()) {
            (Some(Ok(one)), Some(Ok(other))) => (one.position < other.position) != self.newest,
            // What has failed is told at once.
            (Some(Err(_)), _) | (Some(_), None) => true,
            (_, Some(_)) => false,
            (None, None) => return None,
        };
        if first { self.one.next() } else { self.other.next() }
    }
}

/// The entries at these places, each once: a transaction may have written several versions.
fn at_each(
    store: Store,
    places: impl Iterator<Item = Result<Position, StoreError>>,
) -> impl Iterator<Item = Result<LogEntry, StoreError>> {
    let mut last = None;
    places.filter_map(move |at| {
        let at = match at {
            Ok(at) if last == Some(at) => return None,
            Ok(at) => at,
            Err(error) => return Some(Err(error)),
        };
        last = Some(at);
        store.entry(at).transpose()
    })
}
