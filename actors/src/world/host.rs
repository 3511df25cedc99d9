//! The host's half of a delivery, in memory: decide, wait until it is durable, then answer. A commit
//! takes the oldest of what waits; a crash loses the rest.

use super::kind::{AnyAsk, AnyEffect, AnyStep, Life, WorldKinds};
use super::{AppendOutcome, Disk};
use crate::behaviour::{Authority, EffectId};
use crate::id::{Millis, Position, RIGHTS, StreamId};
use crate::incarnation::{Append, HostContext};
use crate::limits::Limits;
use crate::mutant::planted;
use crate::rights::{Event, RightsTable};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};

/// Actors over one log.
pub(crate) struct Host {
    pub(crate) now: Millis,
    pub(crate) limits: Limits,
    pub(super) kinds: WorldKinds,
    lives: BTreeMap<StreamId, Box<dyn Life>>,
    queue: VecDeque<Waiting>,
    pub(crate) disk: Disk,
    /// The rights as readers see them: the actor's own state is here between two deliveries.
    pub(crate) rights: RightsTable,
    tickets: u64,
    ids: u64,
    /// How many appends until one fails, and what becomes of it.
    fault: Option<(u64, AppendOutcome)>,
    /// An append has failed, and this is what is found of it at the next open.
    stopped: Option<Vec<Append>>,
}

struct Waiting {
    ticket: u64,
    kind: &'static str,
    append: Option<Append>,
    answer: Answered,
    stream: StreamId,
    seq: Option<u64>,
    events: Box<dyn Any>,
    effects: Vec<(EffectId, AnyEffect)>,
    goes_on: Option<Vec<EffectId>>,
}

/// What is told once it may be.
pub(crate) enum Answered {
    /// A `Result` of the kind's reply and refusal.
    Decided(Box<dyn Any>),
    /// The store has stopped: whether it took effect is not known.
    Stopped,
}

/// What was made durable, and is told.
pub(crate) struct Told {
    pub(crate) ticket: u64,
    pub(crate) stream: StreamId,
    pub(super) kind: &'static str,
    pub(crate) answer: Answered,
    pub(crate) position: Option<Position>,
    pub(super) effects: Vec<(EffectId, AnyEffect)>,
    pub(crate) goes_on: Option<Vec<EffectId>>,
    /// Whether an entry was written.
    pub(crate) wrote: bool,
}

impl Host {
    pub(crate) fn new(kinds: WorldKinds, seed: u64) -> Host {
        Host {
            now: Millis(1),
            limits: Limits::default(),
            disk: Disk::new(kinds.clone()),
            kinds,
            lives: BTreeMap::new(),
            queue: VecDeque::new(),
            rights: RightsTable::default(),
            tickets: 0,
            ids: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            fault: None,
            stopped: None,
        }
    }

    /// The actor of a stream, brought up if it is not there. What it has appended before is durable
    /// first: that is the barrier behind which an incarnation loads.
    fn life(&mut self, kind: &str, stream: StreamId) -> bool {
        if self.lives.contains_key(&stream) {
            return true;
        }
        let Some(known) = self.kinds.get(kind) else { return false };
        let mut life = known.load(stream, &self.disk);
        if stream == RIGHTS
            && let Some(rights) = life.rights_mut()
        {
            self.rights = RightsTable::new(std::mem::take(rights));
        }
        self.lives.insert(stream, life);
        true
    }

    /// Whether entries of a stream wait to become durable.
    pub(super) fn is_pending(&self, stream: StreamId) -> Option<usize> {
        let of = |it: &Waiting| it.stream == stream && it.append.is_some();
        self.queue.iter().rposition(of).map(|last| last + 1)
    }

    /// Who is up, and could be put away.
    pub(super) fn resting(&self) -> impl Iterator<Item = StreamId> {
        let up = self.lives.iter().filter(|(stream, life)| **stream != RIGHTS && life.may_rest());
        up.map(|(stream, _)| *stream).filter(|it| self.is_pending(*it).is_none())
    }

    pub(super) fn is_up(&self, stream: StreamId) -> bool {
        self.lives.contains_key(&stream)
    }

    /// Asks an actor; nothing where the message is for another kind of actor than sits there. What
    /// it decides goes by the rights there are, or by a given authority.
    pub(super) fn ask(
        &mut self,
        kind: &str,
        stream: StreamId,
        ask: AnyAsk,
        under: Option<&dyn Authority>,
    ) -> Option<u64> {
        let kind = self.kinds.get(kind)?.name();
        self.tickets += 1;
        let ticket = self.tickets;
        if self.stopped() {
            self.queue.push_back(Waiting {
                ticket,
                kind,
                append: None,
                answer: Answered::Stopped,
                stream,
                seq: None,
                events: Box::new(()),
                effects: Vec::new(),
                goes_on: None,
            });
            return Some(ticket);
        }
        if !self.life(kind, stream) {
            return None;
        }
        let life = self.lives.get_mut(&stream)?;
        let is_rights = stream == RIGHTS;
        if is_rights && let Some(rights) = life.rights_mut() {
            self.rights.exchange(rights);
        }
        let ids = &mut self.ids;
        let given = HostContext {
            now: self.now,
            fresh: &mut || fresh(ids),
            durable: &self.disk,
            durable_seq: self.disk.last_seq(stream),
            authority: under.unwrap_or(&*self.rights),
            limits: &self.limits,
        };
        let step = life.deliver(ask, given);
        if is_rights && let Some(rights) = life.rights_mut() {
            self.rights.exchange(rights);
        }
        let AnyStep { append, answer, seq, events, effects, goes_on } = step?;
        if is_rights && let Some(events) = events.downcast_ref::<Vec<Event>>() {
            events.iter().for_each(|event| self.rights.hide(event));
        }
        let answer = Answered::Decided(answer);
        self.queue.push_back(Waiting {
            ticket,
            kind,
            append,
            answer,
            stream,
            seq,
            events,
            effects,
            goes_on,
        });
        Some(ticket)
    }

    /// Makes the oldest `count` decisions durable, as one commit, and answers them. If the commit
    /// fails, or one has failed before, all of them are told so and none is acknowledged, reads and
    /// refusals included: they rest on what may be lost.
    pub(crate) fn commit(&mut self, count: usize) -> Vec<Told> {
        let count = count.min(self.queue.len());
        let commit: Vec<Waiting> = self.queue.drain(..count).collect();
        if self.fails(&commit) || self.stopped() {
            return commit.into_iter().map(refuse).collect();
        }
        let mut told = Vec::new();
        for waiting in commit {
            let Waiting { ticket, kind, append, answer, stream, seq, events, effects, goes_on } =
                waiting;
            let wrote = append.is_some();
            if let Some(append) = append {
                self.disk.write(append);
            }
            if stream == RIGHTS
                && let Some(events) = events.downcast_ref::<Vec<Event>>()
            {
                events.iter().for_each(|event| self.rights.show(event));
            }
            let position = seq.and_then(|seq| self.disk.position_of(stream, seq));
            told.push(Told { ticket, stream, kind, answer, position, effects, goes_on, wrote });
        }
        told
    }

    pub(crate) fn fail_append(&mut self, nth: u64, fate: AppendOutcome) {
        assert!(nth > 0, "the next append is number 1");
        self.fault = Some((nth, fate));
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether this commit is the one that fails; if so the store stops.
    fn fails(&mut self, commit: &[Waiting]) -> bool {
        let Some((left, fate)) = self.fault.filter(|_| !self.stopped()) else { return false };
        let appends = commit.iter().filter_map(|it| it.append.clone());
        let count = appends.clone().count() as u64;
        if count < left {
            self.fault = Some((left - count, fate));
            return false;
        }
        self.fault = None;
        if !planted("stop.goes_on") {
            self.stopped =
                Some(if fate == AppendOutcome::Kept { appends.collect() } else { Vec::new() });
        }
        true
    }

    /// One actor dies. What it has appended is with the log writer, and answered by it.
    pub(super) fn kill(&mut self, stream: StreamId) {
        self.lives.remove(&stream);
    }

    /// Loses what is not durable, and every state.
    pub(crate) fn crash(&mut self) {
        self.fault = None;
        self.stopped.take().into_iter().flatten().for_each(|append| self.disk.write(append));
        self.queue.clear();
        self.lives.clear();
        self.rights = RightsTable::default();
        if let Some(kind) = self.disk.kind_of(RIGHTS) {
            self.life(kind, RIGHTS);
        }
    }

    /// Brings up the actor of a stream that has written something, and says what it owes.
    pub(super) fn bring_up(&mut self, stream: StreamId) -> Vec<(EffectId, AnyEffect)> {
        let Some(kind) = self.disk.kind_of(stream) else { return Vec::new() };
        self.life(kind, stream);
        self.owed(stream)
    }

    /// What the actor of a stream owes, if it is up.
    pub(super) fn owed(&mut self, stream: StreamId) -> Vec<(EffectId, AnyEffect)> {
        let Some(life) = self.lives.get_mut(&stream) else { return Vec::new() };
        if stream != RIGHTS {
            return life.owed();
        }
        let Some(rights) = life.rights_mut() else { return life.owed() };
        self.rights.exchange(rights);
        let owed = life.owed();
        if let Some(rights) = life.rights_mut() {
            self.rights.exchange(rights);
        }
        owed
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The state of an actor, as it will be once everything is durable; of the rights see the table.
    pub(crate) fn state<B: crate::behaviour::Behaviour>(&mut self, stream: StreamId) -> &B {
        self.life(B::KIND, stream);
        let state = self.lives.get(&stream).and_then(|it| it.state().downcast_ref());
        state.unwrap_or_else(|| panic!("stream {stream} is not of kind {}", B::KIND))
    }
}

/// The store has stopped: what was asked is told so, whatever it would have heard.
fn refuse(waiting: Waiting) -> Told {
    let Waiting { ticket, kind, append, answer, stream, .. } = waiting;
    let planted = match append {
        Some(_) => planted("stop.acknowledges_what_failed"),
        None => planted("stop.answers_reads"),
    };
    let answer = if planted { answer } else { Answered::Stopped };
    Told {
        ticket,
        stream,
        kind,
        answer,
        position: None,
        effects: Vec::new(),
        goes_on: None,
        wrote: false,
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

impl Told {
    /// What it has started, as its kind has it.
    pub(crate) fn started<B: crate::behaviour::Behaviour>(
        &self,
    ) -> Vec<(StreamId, EffectId, B::Effect)> {
        typed::<B>(self.stream, &self.effects)
    }
}

fn typed<B: crate::behaviour::Behaviour>(
    stream: StreamId,
    effects: &[(EffectId, AnyEffect)],
) -> Vec<(StreamId, EffectId, B::Effect)> {
    let typed = |it: &AnyEffect| it.effect.downcast_ref::<B::Effect>().cloned();
    effects.iter().filter_map(|(id, it)| Some((stream, *id, typed(it)?))).collect()
}

/// For a host of one kind.
impl Host {
    pub(crate) fn ask_of<B: crate::behaviour::Behaviour>(
        &mut self,
        stream: StreamId,
        ask: crate::incarnation::Request<B::Message>,
        under: Option<&dyn Authority>,
    ) -> u64 {
        let asked = self.ask(B::KIND, stream, AnyAsk::of::<B>(ask), under);
        asked.unwrap_or_else(|| panic!("stream {stream} is not of kind {}", B::KIND))
    }

    /// Brings up everybody who has written something, and says what they owe.
    pub(crate) fn bring_all_up<B: crate::behaviour::Behaviour>(
        &mut self,
    ) -> Vec<(StreamId, EffectId, B::Effect)> {
        let streams: Vec<StreamId> = self.disk.streams().collect();
        let owed = streams.into_iter().flat_map(|it| typed::<B>(it, &self.bring_up(it)));
        owed.collect()
    }
}
