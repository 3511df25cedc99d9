//! Any actor in memory: the same order of a delivery, the same rows, and a crash whenever a test
//! wants one. Virtual time, ids from a seed, no thread.
//!
//! What is decided waits in a queue until [`Simulation::commit`] makes it durable; only then is it
//! answered. [`Simulation::crash`] loses the queue and every state, and the next delivery finds
//! what was durable, as after `kill -9`.

use crate::atom::Atom;
use crate::behaviour::{Anyone, Authority, Behaviour, EffectId, Row, View};
use crate::id::{AtomId, Millis, Position, SessionId, SpaceId, StreamId};
use crate::incarnation::{self, Answer, Append, Ask, Durable, Given, Incarnation};
use crate::limits::Limits;
use crate::log::{Answered, Body, Hash, Head, Header, Walk};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// One answer that was given: to which question, and the entry it is about.
pub struct Told<B: Behaviour> {
    /// The question, in the order of asking.
    pub ticket: u64,
    /// The answer.
    pub answer: Answer<B>,
    /// The entry it is about.
    pub position: Option<Position>,
}

struct Waiting<B: Behaviour> {
    ticket: u64,
    append: Option<Append>,
    answer: Answer<B>,
    stream: StreamId,
    seq: Option<u64>,
    effects: Vec<(EffectId, B::Effect)>,
}

/// Actors of one kind over one log, in memory.
pub struct Simulation<B: Behaviour> {
    /// The clock; a test moves it.
    pub now: Millis,
    /// What one mutation may carry.
    pub limits: Limits,
    incarnations: BTreeMap<StreamId, Incarnation<B>>,
    queue: VecDeque<Waiting<B>>,
    disk: Disk<B>,
    tickets: u64,
    ids: u64,
    started: Vec<(StreamId, EffectId, B::Effect)>,
}

impl<B: Behaviour> Simulation<B> {
    /// An empty log; ids are drawn from the seed.
    pub fn new(seed: u64) -> Self {
        Simulation {
            now: Millis(1),
            limits: Limits::default(),
            incarnations: BTreeMap::new(),
            queue: VecDeque::new(),
            disk: Disk::default(),
            tickets: 0,
            ids: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            started: Vec::new(),
        }
    }

    /// Asks an actor; the ticket names the answer that comes once it is durable.
    pub fn ask(&mut self, stream: StreamId, ask: Ask<B::Message>) -> u64 {
        self.ask_under(stream, ask, &Anyone)
    }

    /// The same under given rights.
    pub fn ask_under(
        &mut self,
        stream: StreamId,
        ask: Ask<B::Message>,
        authority: &dyn Authority,
    ) -> u64 {
        let incarnation =
            self.incarnations.entry(stream).or_insert_with(|| self.disk.incarnation(stream));
        let ids = &mut self.ids;
        let given = Given {
            now: self.now,
            fresh: &mut || fresh(ids),
            durable: &self.disk,
            durable_seq: self.disk.streams.get(&stream).map_or(0, |it| it.len() as u64),
            authority,
            limits: &self.limits,
        };
        let mut step = incarnation.deliver(ask, given);
        self.tickets += 1;
        self.queue.push_back(Waiting {
            ticket: self.tickets,
            append: step.append.take(),
            answer: step.answer,
            stream,
            seq: step.seq,
            effects: step.effects,
        });
        self.tickets
    }

    /// Makes the oldest `count` decisions durable, as one commit, and answers them.
    pub fn commit(&mut self, count: usize) -> Vec<Told<B>> {
        let mut told = Vec::new();
        for _ in 0..count {
            let Some(waiting) = self.queue.pop_front() else { break };
            if let Some(append) = waiting.append {
                self.disk.write(append);
            }
            let stream = waiting.stream;
            self.started.extend(waiting.effects.into_iter().map(|(id, it)| (stream, id, it)));
            let place = waiting.seq.and_then(|seq| self.disk.position_of(stream, seq));
            told.push(Told { ticket: waiting.ticket, answer: waiting.answer, position: place });
        }
        told
    }

    /// Makes everything durable.
    pub fn settle(&mut self) -> Vec<Told<B>> {
        self.commit(usize::MAX)
    }

    /// Asks and settles: the answer to this one question.
    pub fn call(&mut self, stream: StreamId, ask: Ask<B::Message>) -> Answer<B> {
        let ticket = self.ask(stream, ask);
        let told = self.settle().into_iter().find(|it| it.ticket == ticket);
        told.map(|it| it.answer).unwrap_or_else(|| unreachable!("everything was settled"))
    }

    /// Loses what is not durable, and every state. Effects that ran are lost too: what is still
    /// owed comes again from [`Behaviour::resume`].
    pub fn crash(&mut self) {
        self.queue.clear();
        self.incarnations.clear();
        self.started.clear();
        let streams: Vec<StreamId> = self.disk.streams.keys().copied().collect();
        for stream in streams {
            let incarnation = self.disk.incarnation(stream);
            let owed = incarnation.state().resume();
            self.started.extend(owed.into_iter().map(|(id, it)| (stream, id, it)));
            self.incarnations.insert(stream, incarnation);
        }
    }

    /// The effects that were started since this was asked last.
    pub fn effects(&mut self) -> Vec<(StreamId, EffectId, B::Effect)> {
        std::mem::take(&mut self.started)
    }

    /// How many decisions wait to become durable.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The state of an actor, as it will be once everything is durable.
    pub fn state(&mut self, stream: StreamId) -> &B {
        let incarnation =
            self.incarnations.entry(stream).or_insert_with(|| self.disk.incarnation(stream));
        incarnation.state()
    }

    /// What is durable.
    pub fn disk(&self) -> &Disk<B> {
        &self.disk
    }
}

/// Sixteen bytes that never repeat within a run, and are the same in every run of a seed.
fn fresh(ids: &mut u64) -> [u8; 16] {
    *ids = ids.wrapping_add(1);
    let mut out = [0; 16];
    out[..8].copy_from_slice(&ids.to_be_bytes());
    out[8..].copy_from_slice(&ids.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
    out
}

/// The durable side: a log and its rows, in memory.
pub struct Disk<B: Behaviour> {
    log: Vec<(Header, Vec<u8>)>,
    head: Head,
    streams: BTreeMap<StreamId, Vec<Position>>,
    atoms: BTreeMap<AtomId, Arc<Atom>>,
    references: BTreeSet<(AtomId, String, AtomId)>,
    answers: BTreeMap<(StreamId, SessionId, String), (u64, Answered)>,
    kind: std::marker::PhantomData<fn() -> B>,
}

impl<B: Behaviour> Default for Disk<B> {
    fn default() -> Self {
        Disk {
            log: Vec::new(),
            head: Head::default(),
            streams: BTreeMap::new(),
            atoms: BTreeMap::new(),
            references: BTreeSet::new(),
            answers: BTreeMap::new(),
            kind: std::marker::PhantomData,
        }
    }
}

impl<B: Behaviour> Disk<B> {
    fn write(&mut self, append: Append) {
        let Append { stream, seq, body, digest, rows, .. } = append;
        assert_eq!(digest, Hash::of(&body), "a body is what its hash says");
        let position = Position(self.head.position.0 + 1);
        let places = self.streams.entry(stream).or_default();
        assert_eq!(seq, places.len() as u64 + 1, "a stream has no gap");
        places.push(position);
        let header = Header { previous: self.head.hash, stream, seq, body: digest };
        self.head = header.head(position);
        self.derive(stream, seq, &body, &rows);
        self.log.push((header, body));
    }

    fn derive(&mut self, stream: StreamId, seq: u64, bytes: &[u8], rows: &[Row]) {
        let body = Body::decode(bytes).unwrap_or_else(|it| panic!("what was written reads: {it}"));
        let events = incarnation::events::<B>(&body).unwrap_or_default();
        for row in rows {
            match row {
                Row::Atom { id, index, .. } => {
                    if let Some(atom) = events.get(usize::from(*index)).and_then(B::atom) {
                        self.atoms.insert(*id, atom.clone());
                    }
                }
                Row::Version { .. } => {}
                Row::Reference { target, relation, source } => {
                    self.references.insert((*target, relation.clone(), *source));
                }
                Row::NoReference { target, relation, source } => {
                    self.references.remove(&(*target, relation.clone(), *source));
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

    fn incarnation(&self, stream: StreamId) -> Incarnation<B> {
        let mut incarnation = Incarnation::unborn(stream);
        for (seq, position) in (1..).zip(self.streams.get(&stream).into_iter().flatten()) {
            let body = Body::decode(&self.log[position.0 as usize - 1].1);
            let replayed = body.and_then(|body| incarnation.replay(seq, &body));
            replayed.unwrap_or_else(|it| panic!("what was written reads: {it}"));
        }
        incarnation
    }

    /// Deletes everything derived, folds the log anew, and says whether it is the same.
    pub fn folds(&self) -> bool {
        let mut anew = Disk::<B>::default();
        for (header, bytes) in &self.log {
            let Ok(body) = Body::decode(bytes) else { return false };
            let Ok(rows) = incarnation::rows::<B>(header.stream, &body) else { return false };
            anew.derive(header.stream, header.seq, bytes, &rows);
        }
        anew.atoms == self.atoms
            && anew.references == self.references
            && anew.answers.keys().eq(self.answers.keys())
    }

    /// Whether the log is dense and chained to its head.
    pub fn chains(&self) -> bool {
        let mut walk = Walk::new(Head::default(), Some(self.head));
        let whole = self.log.iter().enumerate().all(|(n, (header, body))| {
            let entry = [&header.to_bytes()[..], body].concat();
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
    pub fn bodies(&self) -> impl Iterator<Item = (Position, StreamId, Body)> {
        (1..).zip(&self.log).filter_map(|(at, (header, bytes))| {
            Some((Position(at), header.stream, Body::decode(bytes).ok()?))
        })
    }

    /// The newest versions.
    pub fn atoms(&self) -> impl Iterator<Item = &Arc<Atom>> {
        self.atoms.values()
    }

    fn position_of(&self, stream: StreamId, seq: u64) -> Option<Position> {
        self.streams.get(&stream)?.get(usize::try_from(seq.checked_sub(1)?).ok()?).copied()
    }
}

impl<B: Behaviour> View for Disk<B> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.atoms.get(&id).cloned()
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
}

impl<B: Behaviour> Durable for Disk<B> {
    fn answered(&self, stream: StreamId, asker: SessionId, key: &str) -> Option<(u64, Answered)> {
        self.answers.get(&(stream, asker, key.to_owned())).cloned()
    }
}
