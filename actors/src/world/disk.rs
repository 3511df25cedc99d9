//! What is durable in a world: one log of all kinds of actor, and the rows derived from it.

use super::kind::{AnyEvents, WorldKinds, typed};
use crate::atom::Atom;
use crate::behaviour::{Behaviour, EffectId, Row, View};
use crate::id::{AtomId, Millis, Position, SessionId, SpaceId, StreamId};
use crate::incarnation::{Append, Durable, Incarnation};
use crate::log::{Answered, Body, Head, Header, Walk};
use crate::space::{Change, Changed, Space};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The durable side: a log and its rows, in memory.
pub struct Disk {
    log: Vec<Entry>,
    /// What those who follow a space are shown of an entry.
    changes: BTreeMap<Position, Arc<Vec<Changed>>>,
    head: Head,
    /// The newest state of each stream that was written down, and after which entry.
    snapshots: BTreeMap<StreamId, (u64, Vec<u8>)>,
    streams: BTreeMap<StreamId, Vec<Position>>,
    atoms: BTreeMap<AtomId, Arc<Atom>>,
    versions: BTreeMap<(AtomId, u64), Arc<Atom>>,
    references: BTreeSet<(AtomId, String, AtomId)>,
    answers: BTreeMap<(StreamId, SessionId, String), (u64, Answered)>,
    due: BTreeSet<(Millis, StreamId, u64)>,
    owed: BTreeSet<(StreamId, EffectId)>,
    own: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    kinds: WorldKinds,
}

struct Entry {
    header: Header,
    bytes: Vec<u8>,
    /// The same, read back.
    body: Body,
    events: AnyEvents,
}

impl Disk {
    /// With nothing on it.
    pub fn new(kinds: WorldKinds) -> Disk {
        Disk {
            log: Vec::new(),
            changes: BTreeMap::new(),
            head: Head::default(),
            snapshots: BTreeMap::new(),
            streams: BTreeMap::new(),
            atoms: BTreeMap::new(),
            versions: BTreeMap::new(),
            references: BTreeSet::new(),
            answers: BTreeMap::new(),
            due: BTreeSet::new(),
            owed: BTreeSet::new(),
            own: BTreeMap::new(),
            kinds,
        }
    }

    pub(super) fn write(&mut self, append: Append) {
        let Append { stream, seq, body: bytes, digest, rows, snapshot } = append;
        if let Some(state) = snapshot {
            self.snapshots.insert(stream, (seq, state));
        }
        let (header, head) = self.head.then(stream, seq, digest);
        let places = self.streams.entry(stream).or_default();
        assert_eq!(seq, places.len() as u64 + 1, "a stream has no gap");
        places.push(head.position);
        self.head = head;
        let (body, events) = self.read(&bytes).unwrap_or_else(|| panic!("what was written reads"));
        self.derive(stream, seq, &body, &events, &rows);
        if let Some(events) = typed::<Space>(&events) {
            let changes = Change::of_read(SpaceId(stream.0), head.position, &body, events);
            self.changes.insert(head.position, Arc::new(changes));
        }
        self.log.push(Entry { header, bytes, body, events });
    }

    fn read(&self, bytes: &[u8]) -> Option<(Body, AnyEvents)> {
        let body = Body::decode(bytes).ok()?;
        let events = self.kinds.get(&body.kind)?.events(&body).ok()?;
        Some((body, events))
    }

    fn entry(&self, at: Position) -> &Entry {
        &self.log[at.0 as usize - 1]
    }

    fn derive(
        &mut self,
        stream: StreamId,
        seq: u64,
        body: &Body,
        events: &AnyEvents,
        rows: &[Row],
    ) {
        for row in rows {
            match row {
                Row::Atom { id, index, .. } => {
                    let kind = self.kinds.get(&body.kind);
                    if let Some(atom) = kind.and_then(|it| it.atom(events, *index)) {
                        self.versions.insert((*id, atom.version), atom.clone());
                        self.atoms.insert(*id, atom.clone());
                    }
                }
                // Here all are looked through.
                Row::NewAtom { .. } | Row::Version { .. } => {}
                Row::Reference { target, relation, source } => {
                    self.references.insert((*target, relation.clone(), *source));
                }
                Row::NoReference { target, relation, source } => {
                    self.references.remove(&(*target, relation.clone(), *source));
                }
                // Nothing is redacted here: what is read by id says so.
                Row::Erase { .. } | Row::Redacted { .. } => {}
                Row::Due { at, stream, token } => {
                    self.due.insert((*at, *stream, *token));
                }
                Row::NotDue { at, stream, token } => {
                    self.due.remove(&(*at, *stream, *token));
                }
                Row::Owed { stream, effect } => {
                    self.owed.insert((*stream, *effect));
                }
                Row::NotOwed { stream, effect } => {
                    self.owed.remove(&(*stream, *effect));
                }
                Row::Own { kind, key, value: Some(value) } => {
                    self.own.insert((kind, key.clone()), value.clone());
                }
                Row::Own { kind, key, value: None } => {
                    self.own.remove(&(*kind, key.clone()));
                }
                Row::Answer { asker, key, .. } => {
                    if let Some(answered) = &body.answers {
                        let key = (stream, *asker, key.clone());
                        self.answers.insert(key, (seq, answered.clone()));
                    }
                }
            }
        }
    }

    /// A row of a table that the kind keeps for itself.
    pub fn own_row<B: Behaviour>(&self, key: &[u8]) -> Option<&[u8]> {
        self.own.get(&(B::KIND, key.to_vec())).map(Vec::as_slice)
    }

    /// The rows whose keys begin so, in the order of their keys.
    pub fn own_rows<B: Behaviour>(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
        let rows = self.own.range((B::KIND, prefix.to_vec())..);
        let rows =
            rows.take_while(move |((kind, key), _)| *kind == B::KIND && key.starts_with(prefix));
        rows.map(|((_, key), value)| (key.as_slice(), value.as_slice()))
    }

    pub(super) fn last_seq(&self, stream: StreamId) -> u64 {
        self.streams.get(&stream).map_or(0, |it| it.len() as u64)
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }

    /// The actor of a stream: its newest state that was written down, and the entries behind that.
    pub(crate) fn incarnation<B: Behaviour>(&self, stream: StreamId) -> Incarnation<B> {
        let known = self.snapshots.get(&stream);
        let known = known.and_then(|(seq, state)| Incarnation::restore(stream, *seq, state));
        let mut incarnation = known.unwrap_or_else(|| Incarnation::unborn(stream));
        let before = incarnation.seq() as usize;
        let places = self.streams.get(&stream).into_iter().flatten();
        for (seq, position) in (1..).zip(places).skip(before) {
            let Entry { body, events, .. } = self.entry(*position);
            let events = typed::<B>(events);
            let events = events.unwrap_or_else(|| panic!("a stream is of one kind of actor"));
            incarnation.replay_read(seq, body, events);
        }
        incarnation
    }

    /// Deletes everything derived, folds the log anew, and says whether it is the same.
    pub fn folds(&self) -> bool {
        let mut anew = Disk::new(self.kinds.clone());
        for Entry { header, body, events, .. } in &self.log {
            let Some(kind) = self.kinds.get(&body.kind) else { return false };
            let rows = kind.rows(header.stream, body, events);
            anew.derive(header.stream, header.seq, body, events, &rows);
        }
        anew.atoms == self.atoms
            && anew.versions == self.versions
            && anew.references == self.references
            && anew.due == self.due
            && anew.owed == self.owed
            && anew.own == self.own
            && anew.answers.keys().eq(self.answers.keys())
    }

    /// Whether the log is dense and chained to its head.
    pub fn chains(&self) -> bool {
        let mut walk = Walk::new(Head::default(), Some(self.head));
        let whole = self.log.iter().enumerate().all(|(n, Entry { header, bytes, .. })| {
            let entry = [&header.to_bytes()[..], bytes].concat();
            walk.step(Position(n as u64 + 1), &entry).is_ok()
        });
        let empty = self.log.is_empty();
        whole && (empty || walk.finish() == Ok(self.head))
    }

    /// The last entry.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The bodies, in order.
    pub fn bodies(&self) -> impl Iterator<Item = (Position, StreamId, &Body)> {
        (1..).zip(&self.log).map(|(at, it)| (Position(at), it.header.stream, &it.body))
    }

    /// What happened, in order, and at which stream; of each entry the events of one kind of actor,
    /// none of where another one wrote it.
    pub fn happened<B: Behaviour>(&self) -> impl Iterator<Item = (StreamId, &[B::Event])> {
        self.log.iter().map(|it| (it.header.stream, typed::<B>(&it.events).unwrap_or_default()))
    }

    /// The bodies of one stream after its entry number `seq`, in order.
    pub fn stream_after(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Iterator<Item = (Position, &Body)> {
        let places = self.streams.get(&stream).into_iter().flatten().skip(seq as usize);
        places.map(|at| (*at, &self.entry(*at).body))
    }

    /// What happened at one stream, in order, and by whose request; nothing where another kind of
    /// actor writes it.
    pub fn events<B: Behaviour>(
        &self,
        stream: StreamId,
    ) -> impl Iterator<Item = (SessionId, &B::Event)> {
        let places = self.streams.get(&stream).into_iter().flatten();
        places.flat_map(|at| {
            let Entry { body, events, .. } = self.entry(*at);
            typed::<B>(events).unwrap_or_default().iter().map(|it| (body.by, it))
        })
    }

    /// The kind of actor that writes a stream; nothing before its first entry.
    pub(super) fn kind_of(&self, stream: StreamId) -> Option<&'static str> {
        let at = self.streams.get(&stream)?.first()?;
        self.kinds.get(&self.entry(*at).body.kind).map(|it| it.name())
    }

    /// Whose messages are not answered, by the rows.
    pub fn owed(&self) -> impl Iterator<Item = (StreamId, EffectId)> {
        self.owed.iter().copied()
    }

    /// What those who follow a space are shown of its entries after a position, in order.
    pub(super) fn changes_after(
        &self,
        space: SpaceId,
        after: Position,
    ) -> impl Iterator<Item = (Position, Arc<Vec<Changed>>)> {
        let places = self.streams.get(&space.stream()).map_or(&[][..], Vec::as_slice);
        let first = places.partition_point(|it| *it <= after);
        places[first..].iter().filter_map(|at| Some((*at, self.changes.get(at)?.clone())))
    }

    /// What is due, when, and whose business it is; the earliest first.
    pub fn due(&self) -> impl Iterator<Item = (Millis, StreamId)> {
        self.due.iter().map(|(at, stream, _)| (*at, *stream))
    }

    /// The newest versions.
    pub fn atoms(&self) -> impl Iterator<Item = &Arc<Atom>> {
        self.atoms.values()
    }

    pub(super) fn position_of(&self, stream: StreamId, seq: u64) -> Option<Position> {
        self.streams.get(&stream)?.get(usize::try_from(seq.checked_sub(1)?).ok()?).copied()
    }
}

impl View for Disk {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.atoms.get(&id).cloned()
    }

    fn version(&self, id: AtomId, version: u64) -> Option<Arc<Atom>> {
        self.versions.get(&(id, version)).cloned()
    }

    fn space_of(&self, id: AtomId) -> Option<SpaceId> {
        self.atoms.get(&id).map(|it| it.space)
    }

    fn sources(&self, target: AtomId, relation: Option<&str>) -> Vec<(String, AtomId)> {
        let from = (target, String::new(), AtomId([0; 16]));
        let rows = self.references.range(from..).take_while(|(to, ..)| *to == target);
        let wanted = rows.filter(|(_, how, _)| relation.is_none_or(|it| it == how));
        wanted.map(|(_, how, source)| (how.clone(), *source)).collect()
    }

    fn each_atom(&self, space: SpaceId, to: &mut dyn FnMut(&Arc<Atom>)) {
        self.atoms.values().filter(|it| it.space == space).for_each(to);
    }
}

impl Durable for Disk {
    fn answered(&self, stream: StreamId, asker: SessionId, key: &str) -> Option<(u64, Answered)> {
        self.answers.get(&(stream, asker, key.to_owned())).cloned()
    }
}
