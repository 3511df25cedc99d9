//! Any actor in memory: the same order of a delivery, the same rows, and a crash whenever a test
//! wants one. Virtual time, ids from a seed, no thread.
//!
//! What is decided waits in a queue until [`Simulation::commit`] makes it durable; only then is it
//! answered. [`Simulation::crash`] loses the queue and every state, and the next delivery finds
//! what was durable, as after `kill -9`. [`Simulation::fail_append`] makes a write fail, and from
//! there on nothing is acknowledged until it crashes and is open again.

mod disk;

pub use disk::Disk;

use crate::behaviour::{Anyone, Authority, Behaviour, EffectId};
use crate::id::{Millis, Position, StreamId};
use crate::incarnation::{Answer, Append, Ask, Given, Incarnation, Refused};
use crate::limits::Limits;
use crate::mutant;
use std::collections::{BTreeMap, VecDeque};

/// One answer that was given: to which question, and the entry it is about.
pub struct Told<B: Behaviour> {
    /// The question, in the order of asking.
    pub ticket: u64,
    /// The answer.
    pub answer: Answer<B>,
    /// The entry it is about.
    pub position: Option<Position>,
}

/// What becomes of the commit that reports an error. Nobody can tell before the next open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing of it reached the medium.
    Lost,
    /// All of it did; the error came after that.
    Kept,
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
    /// How many appends until one fails, and what becomes of it.
    fault: Option<(u64, Fate)>,
    /// An append has failed, and this is what is found of it at the next open.
    stopped: Option<Vec<Append>>,
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
            fault: None,
            stopped: None,
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
        self.tickets += 1;
        let ticket = self.tickets;
        if self.stopped() {
            self.queue.push_back(Waiting {
                ticket,
                append: None,
                answer: Err(Refused::Stopped),
                stream,
                seq: None,
                effects: Vec::new(),
            });
            return ticket;
        }
        let incarnation =
            self.incarnations.entry(stream).or_insert_with(|| self.disk.incarnation(stream));
        let ids = &mut self.ids;
        let given = Given {
            now: self.now,
            fresh: &mut || fresh(ids),
            durable: &self.disk,
            durable_seq: self.disk.last_seq(stream),
            authority,
            limits: &self.limits,
        };
        let mut step = incarnation.deliver(ask, given);
        self.queue.push_back(Waiting {
            ticket,
            append: step.append.take(),
            answer: step.answer,
            stream,
            seq: step.seq,
            effects: step.effects,
        });
        ticket
    }

    /// Makes the oldest `count` decisions durable, as one commit, and answers them. If the commit
    /// fails, or one has failed before, all of them are told so and none is acknowledged, reads and
    /// refusals included: they rest on what may be lost.
    pub fn commit(&mut self, count: usize) -> Vec<Told<B>> {
        let count = count.min(self.queue.len());
        let commit: Vec<Waiting<B>> = self.queue.drain(..count).collect();
        if self.fails(&commit) || self.stopped() {
            return commit.into_iter().map(refuse).collect();
        }
        let mut told = Vec::new();
        for waiting in commit {
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

    /// Lets the `nth` append from now on fail, 1 being the next, and with it the commit it is in.
    /// Then nothing is acknowledged until [`Simulation::crash`]: the store is opened again.
    pub fn fail_append(&mut self, nth: u64, fate: Fate) {
        assert!(nth > 0, "the next append is number 1");
        self.fault = Some((nth, fate));
    }

    /// Whether an append has failed since the last open.
    pub fn stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether this commit is the one that fails; if so the store stops.
    fn fails(&mut self, commit: &[Waiting<B>]) -> bool {
        let Some((left, fate)) = self.fault.filter(|_| !self.stopped()) else { return false };
        let appends = commit.iter().filter_map(|it| it.append.clone());
        let count = appends.clone().count() as u64;
        if count < left {
            self.fault = Some((left - count, fate));
            return false;
        }
        self.fault = None;
        if !mutant::planted("stop.goes_on") {
            self.stopped = Some(if fate == Fate::Kept { appends.collect() } else { Vec::new() });
        }
        true
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
    /// owed comes again from [`Behaviour::resume`]. A store that had stopped is open again, with
    /// what it had acknowledged and, of the append that failed, what its [`Fate`] says.
    pub fn crash(&mut self) {
        self.fault = None;
        self.stopped.take().into_iter().flatten().for_each(|append| self.disk.write(append));
        self.queue.clear();
        self.incarnations.clear();
        self.started.clear();
        let streams: Vec<StreamId> = self.disk.streams().collect();
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

/// The store has stopped: what was asked is told so, whatever it would have heard.
fn refuse<B: Behaviour>(waiting: Waiting<B>) -> Told<B> {
    let Waiting { ticket, append, answer, .. } = waiting;
    let planted = match append {
        Some(_) => mutant::planted("stop.acknowledges_what_failed"),
        None => mutant::planted("stop.answers_reads"),
    };
    let answer = if planted { answer } else { Err(Refused::Stopped) };
    Told { ticket, answer, position: None }
}

/// Sixteen bytes that never repeat within a run, and are the same in every run of a seed.
fn fresh(ids: &mut u64) -> [u8; 16] {
    *ids = ids.wrapping_add(1);
    let mut out = [0; 16];
    out[..8].copy_from_slice(&ids.to_be_bytes());
    out[8..].copy_from_slice(&ids.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
    out
}
