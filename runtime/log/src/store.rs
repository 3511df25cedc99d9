//! The store: what is durable, in a few fixed keyspaces, and how it is read.
//!
//! Only the log writer writes here (`log.rs`); everybody reads, without any lock. What
//! is in the log is the truth, every other keyspace is derived from it, but for `repls` and
//! `vectors`, which can be lost.

mod atoms;
mod batch;
pub(crate) mod endings;
mod engine;
mod failures;
mod fold;
mod ignored;
mod journal;
mod keys;
mod last;
mod open;
mod order;
mod owed;
mod own;
mod past;
mod private;
mod purge;
mod redact;
mod repls;
mod restore;
mod scrub;
mod snapshots;
mod stream_reader;
mod tables;
mod undone;
mod vectors;
mod view;
mod witness;

pub(crate) use batch::Batch;
pub(crate) use endings::Unsorted;
pub use open::Owned;
pub use open::{AcceptError, Loss, accept_loss, rebuild};
pub use open::{BEGUN, RESTORING};
pub use open::{Opened, ready_directory};
pub use own::OwnRow;
pub(crate) use redact::{Accounts, Leaving, account};
pub(crate) use restore::Vacant;
pub use scrub::Scrub;
pub(crate) use tables::Tables;
pub use undone::Undone;
pub use vectors::Embedded;
pub(crate) use witness::Witness;

use crate::failure::{StoreError, StoreFailure};
use crate::limits::LogConfig;
use atoms::{Atoms, Place};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use std::path::PathBuf;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::behaviour::Row;
use stoa_actors::id::{AtomId, Millis, Position, SessionId, StreamId};
use stoa_actors::incarnation;
use stoa_actors::log::{Answered, Body, Head, Header};
use stoa_actors::redaction::redacted_version;
use stoa_actors::space::{self, Space};

/// One entry of the log, as read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct LogEntry {
    /// Where it stands.
    pub position: Position,
    /// What the chain covers.
    pub header: Header,
    pub body: Body,
}

impl LogEntry {
    /// About how much room it takes.
    pub fn bytes(&self) -> usize {
        self.body.events.len() + self.body.comment.len() + size_of::<LogEntry>()
    }
}

const ATOMS: u8 = 0;
const REFERENCES: u8 = 1;
const ANSWERS: u8 = 2;
const DUE: u8 = 3;
const ERASURES: u8 = 4;
const OWN: u8 = 5;
const OWED: u8 = 6;

/// A handle on what is durable; cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Database,
    log: Keyspace,
    atoms: Keyspace,
    streams: Keyspace,
    references: Keyspace,
    answers: Keyspace,
    due: Keyspace,
    erasures: Keyspace,
    own: Keyspace,
    owed: Keyspace,
    snapshots: Keyspace,
    repls: Keyspace,
    vectors: Keyspace,
    meta: Keyspace,
    /// Atoms that were read.
    read: Arc<Atoms>,
    last: Arc<last::Last>,
    /// Tripped by the first error; from then on nothing is acknowledged.
    pub failure: StoreFailure,
    engine_ms_max: u64,
    folder: PathBuf,
    /// Dropped last: the directory is ours until the engine has let go of it.
    owned: Arc<Owned>,
}

impl Store {
    fn open(config: &LogConfig, owned: Owned) -> Result<Store, StoreError> {
        let open = || {
            Database::builder(config.data.join("db"))
                .cache_size(config.cache_bytes)
                .max_journaling_size(config.journal_bytes_max)
                .open()
        };
        let db = match open() {
            Err(torn @ fjall::Error::JournalRecovery(_)) => {
                match journal::cut_torn_batch(&config.data)? {
                    true => open()?,
                    false => return Err(torn.into()),
                }
            }
            opened => opened?,
        };
        let space = |name: &str| db.keyspace(name, KeyspaceCreateOptions::default);
        Ok(Store {
            log: space("log")?,
            atoms: space("atoms")?,
            streams: space("streams")?,
            references: space("references")?,
            answers: space("answers")?,
            due: space("due")?,
            erasures: space("erasures")?,
            own: space("own")?,
            owed: space("owed")?,
            snapshots: space("snapshots")?,
            repls: space("repls")?,
            vectors: space("vectors")?,
            meta: space("meta")?,
            db,
            read: Arc::new(Atoms::new(config.atoms_bytes_max)),
            last: Arc::new(last::Last::new()),
            failure: StoreFailure::default(),
            engine_ms_max: config.engine_ms_max,
            folder: config.data.clone(),
            owned: Arc::new(owned),
        })
    }

    /// The derived keyspaces: what a rebuild may empty.
    fn derived(&self) -> [&Keyspace; 9] {
        let rows = [&self.atoms, &self.streams, &self.references, &self.answers, &self.due];
        let [atoms, streams, references, answers, due] = rows;
        let rest = [&self.erasures, &self.snapshots, &self.own, &self.owed];
        let [erasures, snapshots, own, owed] = rest;
        [atoms, streams, references, answers, due, erasures, snapshots, own, owed]
    }

    /// The entry at a position.
    pub fn entry(&self, at: Position) -> Result<Option<LogEntry>, StoreError> {
        let Some(value) = self.log.get(keys::position(at))? else { return Ok(None) };
        Ok(Some(entry(at, &value)?))
    }

    /// Where the log ends; 0 before the first entry.
    pub(crate) fn last_position(&self) -> Result<Position, StoreError> {
        let Some(guard) = self.log.last_key_value() else { return Ok(Position(0)) };
        keys::number(&guard.key()?, 0).map(Position).ok_or_else(short)
    }

    /// The head of a log that ends at a position.
    pub fn head_of(&self, position: Position) -> Result<Option<Head>, StoreError> {
        if position == Position(0) {
            return Ok(Some(Head::default()));
        }
        let Some(value) = self.log.get(keys::position(position))? else { return Ok(None) };
        Ok(Header::split(&value).ok().map(|(header, _)| header.head(position)))
    }

    /// Where entry `seq` of a stream stands.
    pub fn position_of(&self, stream: StreamId, seq: u64) -> Result<Option<Position>, StoreError> {
        let range = keys::stream(stream, 0)..=keys::stream(stream, seq);
        let Some(guard) = self.streams.range(range).next_back() else { return Ok(None) };
        let (key, value) = guard.into_inner()?;
        let first = keys::number(&key, 16).ok_or_else(short)?;
        Ok(keys::number(&value, (seq - first) as usize * 8).map(Position))
    }

    /// Where the last entry of a stream stands; 0 before the first.
    pub fn head_of_stream(&self, stream: StreamId) -> Result<Position, StoreError> {
        let Some(guard) = self.streams.prefix(stream.0).next_back() else { return Ok(Position(0)) };
        let (_, places) = guard.into_inner()?;
        let last = places.len().checked_sub(8).and_then(|at| keys::number(&places, at));
        last.map(Position).ok_or_else(short)
    }

    /// The number of the last entry of a stream; 0 before the first.
    pub fn last_seq(&self, stream: StreamId) -> Result<u64, StoreError> {
        let Some(guard) = self.streams.prefix(stream.0).next_back() else { return Ok(0) };
        let (key, value) = guard.into_inner()?;
        Ok(keys::number(&key, 16).ok_or_else(short)? + (value.len() / 8) as u64 - 1)
    }

    /// The atom version at a place in the log.
    fn atom_at(&self, (at, index): Place) -> Result<Arc<Atom>, StoreError> {
        if let Some(atom) = self.read.get((at, index)) {
            return Ok(atom);
        }
        let begun = self.read.begin();
        let entry = self.entry(at)?.ok_or_else(|| missing(at))?;
        let events = incarnation::events::<Space>(&entry.body)?;
        let atom = |(index, event)| Some(((at, index), space_atom(event)?.clone()));
        self.read.keep(begun, (0..).zip(&events).filter_map(atom));
        let atom = events.get(usize::from(index)).and_then(space_atom).cloned();
        atom.ok_or_else(|| missing(at))
    }

    /// The newest durable version of an atom, and where it stands.
    pub fn newest(&self, id: AtomId) -> Result<Option<(Position, Arc<Atom>)>, StoreError> {
        let Some(value) = self.atoms.get(id.0)? else { return Ok(None) };
        let place = keys::place(&value).ok_or_else(short)?;
        Ok(Some((place.0, self.atom_at(place)?)))
    }

    /// One version of an atom, and where it stands.
    pub fn version(
        &self,
        id: AtomId,
        version: u64,
    ) -> Result<Option<(Position, Arc<Atom>)>, StoreError> {
        let Some((at, newest)) = self.newest(id)? else { return Ok(None) };
        if version == newest.version {
            return Ok(Some((at, newest)));
        }
        let found = self.older(&newest, version)?;
        // Also while its entry still says more.
        let erased = newest.content == Content::Erased;
        Ok(found
            .map(|(at, atom)| (at, if erased { Arc::new(redacted_version(&atom)) } else { atom })))
    }

    fn older(
        &self,
        newest: &Atom,
        version: u64,
    ) -> Result<Option<(Position, Arc<Atom>)>, StoreError> {
        let id = newest.id;
        if version == 1 {
            let Some(at) = self.position_of(newest.space.stream(), newest.born)? else {
                return Ok(None);
            };
            let entry = self.entry(at)?.ok_or_else(|| missing(at))?;
            let events = incarnation::events::<Space>(&entry.body)?;
            let first = events.iter().filter_map(space_atom).find(|it| it.id == id).cloned();
            return Ok(first.map(|atom| (at, atom)));
        }
        let Some(value) = self.atoms.get(keys::version(id, version))? else { return Ok(None) };
        let place = keys::place(&value).ok_or_else(short)?;
        Ok(Some((place.0, self.atom_at(place)?)))
    }

    fn answer(
        &self,
        stream: StreamId,
        asker: SessionId,
        key: &str,
    ) -> Result<Option<(u64, Answered)>, StoreError> {
        let Some(value) = self.answers.get(keys::answer(stream, asker, key))? else {
            return Ok(None);
        };
        let at = keys::number(&value, 0).map(Position).ok_or_else(short)?;
        let entry = self.entry(at)?.ok_or_else(|| missing(at))?;
        Ok(entry.body.answers.map(|answered| (entry.header.seq, answered)))
    }

    /// The kind of actor that writes a stream; nothing before its first entry.
    pub fn kind_of(&self, stream: StreamId) -> Result<Option<String>, StoreError> {
        let Some(at) = self.position_of(stream, 1)? else { return Ok(None) };
        Ok(self.entry(at)?.map(|it| it.body.kind))
    }

    /// What is due, when, and whose business it is: the earliest `limit`, in order.
    pub fn due(&self, limit: usize) -> Result<Vec<(Millis, StreamId)>, StoreError> {
        let rows = self.due.iter().take(limit);
        rows.map(|guard| keys::due_of(&guard.key()?).ok_or_else(short)).collect()
    }

    /// Puts one entry and its rows into a batch.
    pub(crate) fn write(&self, batch: &mut Batch, at: Position, entry: Vec<u8>, rows: &[Row]) {
        batch.insert(&self.log, keys::position(at), entry);
        rows.iter().for_each(|row| self.write_row(batch, at, row));
    }

    /// Puts a stream's new positions into a batch: one row, however many.
    pub(crate) fn write_stream(
        &self,
        batch: &mut Batch,
        stream: StreamId,
        first_seq: u64,
        positions: &[u8],
    ) {
        batch.insert(&self.streams, keys::stream(stream, first_seq), positions);
    }

    fn write_row(&self, batch: &mut Batch, at: Position, row: &Row) {
        match Store::row(at, row) {
            Some((table, key, Some(value))) => batch.insert(self.table(table), key, value),
            Some((table, key, None)) => batch.remove(self.table(table), key),
            None => {}
        }
    }

    fn table(&self, table: u8) -> &Keyspace {
        match table {
            ATOMS => &self.atoms,
            REFERENCES => &self.references,
            DUE => &self.due,
            ERASURES => &self.erasures,
            OWN => &self.own,
            OWED => &self.owed,
            _ => &self.answers,
        }
    }

    /// Table, key and value of a derived row; no value means that there must be none. Nothing for
    /// what is listed many in a row: see `endings`.
    fn row(at: Position, row: &Row) -> Option<(u8, Vec<u8>, Option<Vec<u8>>)> {
        Some(match row {
            Row::NewAtom { .. } => return None,
            Row::Atom { id, space, index } => {
                (ATOMS, id.0.to_vec(), Some(keys::atom_value(at, *index, *space)))
            }
            Row::Version { id, version, index } => {
                (ATOMS, keys::version(*id, *version), Some(keys::version_value(at, *index)))
            }
            Row::Reference { target, relation, source } => {
                (REFERENCES, keys::reference(*target, relation, *source), Some(Vec::new()))
            }
            Row::NoReference { target, relation, source } => {
                (REFERENCES, keys::reference(*target, relation, *source), None)
            }
            Row::Due { at, stream, token } => {
                (DUE, keys::due(*at, *stream, *token), Some(Vec::new()))
            }
            Row::NotDue { at, stream, token } => (DUE, keys::due(*at, *stream, *token), None),
            Row::Erase { id } => (ERASURES, id.0.to_vec(), Some(keys::position(at).to_vec())),
            Row::Redacted { id } => (ERASURES, id.0.to_vec(), None),
            Row::Owed { stream, effect } => (OWED, keys::owed(*stream, *effect), Some(Vec::new())),
            Row::NotOwed { stream, effect } => (OWED, keys::owed(*stream, *effect), None),
            Row::Own { kind, key, value } => (OWN, keys::own(kind, key), value.clone()),
            Row::Answer { stream, asker, key } => {
                let key = keys::answer(*stream, *asker, key);
                (ANSWERS, key, Some(keys::position(at).to_vec()))
            }
        })
    }
}

fn space_atom(event: &space::Event) -> Option<&Arc<Atom>> {
    <Space as stoa_actors::behaviour::Behaviour>::atom(event)
}

fn entry(position: Position, value: &[u8]) -> Result<LogEntry, StoreError> {
    let (header, body) = Header::split(value)?;
    Ok(LogEntry { position, header, body: Body::decode(body)? })
}

fn short() -> StoreError {
    StoreError::Codec("a derived row is cut short; run `stoa doctor`".into())
}

fn missing(at: Position) -> StoreError {
    StoreError::Codec(format!(
        "a derived row points at {at}, which holds no such thing; run `stoa doctor`"
    ))
}
