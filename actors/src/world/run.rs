//! What happens, one thing after the other.

use super::host::{Answered, Told};
use super::kind::{AnyAsk, AnyEffect};
use super::work::{AnyWork, WorkStep, WorldView};
use super::{AppendOutcome, RequestId, Stuck, World};
use crate::behaviour::EffectId;
use crate::behaviour::outbox::{self, Outcome, Outgoing};
use crate::id::{Millis, ROOT, StreamId};
use crate::log::Cause;
use crate::mutant::planted;
use std::any::Any;
use std::rc::Rc;

/// An effect that runs.
pub(super) enum Running {
    /// A message, until it is answered.
    Message(Outgoing, Rc<dyn Any>, Delivery),
    /// Work, and what it has asked last.
    Work(Box<dyn AnyWork>, Option<(Outgoing, String)>),
    /// It is over, and the actor is being told: it is not begun again, whatever becomes of the actor.
    Over,
}

/// How far a message has come. A host has one delivery of it under way at a time, and makes none after
/// a refusal that it has heard of: what was refused under a key may be accepted another time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// On its way, or accepted: what comes besides is answered as it was.
    Sent,
    /// Before its receiver.
    Asked,
    Refused,
}

/// Who waits for an answer.
pub(super) enum Waiter {
    Effect(StreamId, EffectId),
    Outside(RequestId),
    /// An actor that was told of an outcome; it is told again unless it has taken that in.
    Told(Telling),
    Timer(StreamId),
}

pub(super) struct Telling {
    stream: StreamId,
    kind: &'static str,
    id: EffectId,
    message: Box<dyn Any>,
}

pub(super) enum Happening {
    /// What an effect asks arrives.
    Arrive(StreamId, EffectId),
    /// The answer arrives at who has asked.
    Answer(StreamId, EffectId, Outcome),
    /// Work goes on.
    GoOn(StreamId, EffectId),
    Tell(Telling),
    Outside(RequestId),
    Commit,
    Ring,
    Crash,
    Death,
    Rest,
    Quarantine,
    Revive(StreamId),
    Fail,
}

impl World {
    /// Goes on until nothing is left to do.
    ///
    /// Errors: [`Stuck`] after so many steps.
    pub fn run(&mut self, steps_max: u64) -> Result<(), Stuck> {
        let until = self.steps + steps_max;
        while let Some(((at, _), (_, happening))) = self.calendar.pop_first() {
            if self.steps == until {
                return Err(Stuck { steps: self.steps, now: self.host.now });
            }
            self.steps += 1;
            self.host.now = self.host.now.max(at);
            self.happens(happening);
        }
        Ok(())
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(stream, id) => self.arrive(stream, id),
            Happening::Answer(stream, id, outcome) => self.answered(stream, id, outcome),
            Happening::GoOn(stream, id) => self.go_on(stream, id, None),
            Happening::Tell(telling) => self.tell(telling),
            Happening::Outside(request) => self.outside(request),
            Happening::Commit => self.commit(),
            Happening::Ring => self.ring(),
            Happening::Crash => self.crash(),
            Happening::Death => self.death(),
            Happening::Rest => self.rest(),
            Happening::Quarantine => self.quarantine(),
            Happening::Revive(stream) => self.revive(stream),
            Happening::Fail => {
                let fate = if self.chance.below(2) == 0 {
                    AppendOutcome::Lost
                } else {
                    AppendOutcome::Kept
                };
                let nth = 1 + self.chance.below(4);
                self.host.fail_append(nth, fate);
            }
        }
    }

    /// After as long as anything may take, unless everything dies before.
    fn soon(&mut self, happening: Happening) {
        let at = Millis(self.host.now.0 + 1 + self.chance.below(self.chances.latency_ms_max));
        self.then(at, true, happening);
    }

    /// Asks an actor; the answer comes with a commit.
    pub(super) fn ask(&mut self, kind: &str, stream: StreamId, ask: AnyAsk, waiter: Waiter) {
        self.mark(&[1, number(stream), ask.key.as_ref().map_or(0, |it| it.len() as u64)]);
        if self.out.contains(&stream) {
            return match planted("outbox.gives_up_on_who_is_out") {
                true => self.heard(waiter, Outcome::nobody("it is out of service")),
                false => self.unheard(waiter),
            };
        }
        if !self.host.is_up(stream) {
            // Behind what its last life has appended; then it goes on with what it owes.
            if let Some(pending) = self.host.is_pending(stream) {
                let told = self.host.commit(pending);
                self.tell_all(told);
            }
            let owed = self.host.bring_up(stream);
            self.start(stream, owed);
        }
        match self.host.ask(kind, stream, ask, None) {
            Some(ticket) => drop(self.waiters.insert(ticket, waiter)),
            None => {
                let text = "another kind of actor sits there";
                self.heard(waiter, Outcome::nobody(text));
            }
        }
        if !self.commit_due {
            self.commit_due = true;
            self.soon(Happening::Commit);
        }
    }

    fn commit(&mut self) {
        self.commit_due = false;
        let waiting = self.host.waiting() as u64;
        let count = 1 + self.chance.below(waiting);
        let told = self.host.commit(count as usize);
        self.tell_all(told);
        if self.host.stopped() {
            // The store has failed: it is opened again, and everything with it.
            return self.crash();
        }
        if self.host.waiting() > 0 && !self.commit_due {
            self.commit_due = true;
            self.soon(Happening::Commit);
        }
        self.ring_when_due();
    }

    pub(super) fn tell_all(&mut self, told: Vec<Told>) {
        for told in told {
            let Told { ticket, stream, kind, answer, position, effects, goes_on, wrote } = told;
            if wrote {
                self.mark(&[2, number(stream), position.map_or(0, |it| it.0)]);
                self.noticed(kind, stream);
            }
            if let Some(owed) = goes_on {
                self.running.retain(|(of, id), _| *of != stream || owed.contains(id));
            }
            self.start(stream, effects);
            let Some(waiter) = self.waiters.remove(&ticket) else { continue };
            let outcome = match answer {
                Answered::Decided(answer) => self.host.kinds.get(kind).map(|it| it.outcome(answer)),
                Answered::Stopped => None,
            };
            match outcome {
                Some(outcome) => self.heard(waiter, outcome),
                // Whether it took effect is not known: after the crash that comes now it is asked
                // again.
                None => self.unheard(waiter),
            }
        }
    }

    /// Somebody hears an answer, sooner or later.
    fn heard(&mut self, waiter: Waiter, outcome: Outcome) {
        match waiter {
            Waiter::Effect(stream, id) => {
                let lost = self.chance.of_1000(self.chances.lost);
                self.delivery(
                    stream,
                    id,
                    match lost || outcome.refused().is_none() {
                        true => Delivery::Sent,
                        false => Delivery::Refused,
                    },
                );
                if lost {
                    if planted("outbox.takes_silence_for_no") {
                        let outcome = Outcome::nobody("no answer");
                        return self.soon(Happening::Answer(stream, id, outcome));
                    }
                    return self.soon(Happening::Arrive(stream, id));
                }
                self.soon(Happening::Answer(stream, id, outcome));
            }
            Waiter::Outside(request) => drop(self.answers.insert(request, outcome)),
            Waiter::Told(Telling { stream, id, .. }) => drop(self.running.remove(&(stream, id))),
            Waiter::Timer(stream) => {
                // Who records nothing is left alone for a while.
                self.alarm.failed(stream, Millis(self.host.now.0 + 50));
            }
        }
    }

    fn delivery(&mut self, stream: StreamId, id: EffectId, now: Delivery) {
        if let Some(Running::Message(_, _, delivery)) = self.running.get_mut(&(stream, id)) {
            *delivery = now;
        }
    }

    fn unheard(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Effect(stream, id) => {
                self.delivery(stream, id, Delivery::Sent);
                self.soon(Happening::Arrive(stream, id));
            }
            Waiter::Outside(request) => self.ask_again(request),
            Waiter::Told(telling) => self.soon(Happening::Tell(telling)),
            Waiter::Timer(_) => {}
        }
    }

    /// Starts what is not running.
    pub(super) fn start(&mut self, stream: StreamId, effects: Vec<(EffectId, AnyEffect)>) {
        for (id, AnyEffect { effect, outgoing, kind }) in effects {
            if self.running.contains_key(&(stream, id)) {
                continue;
            }
            self.mark(&[3, number(stream), id]);
            match outgoing {
                Some(outgoing) => {
                    self.running
                        .insert((stream, id), Running::Message(outgoing, effect, Delivery::Sent));
                    if self.chance.of_1000(self.chances.duplicated) {
                        self.soon(Happening::Arrive(stream, id));
                    }
                    self.soon(Happening::Arrive(stream, id));
                }
                None => {
                    let Some(performer) = self.performers.get_mut(kind) else { continue };
                    let work = performer.begin(stream, id, &*effect);
                    self.running.insert((stream, id), Running::Work(work, None));
                    self.soon(Happening::GoOn(stream, id));
                }
            }
        }
    }

    /// What an effect asks arrives, or finds no room and comes again.
    fn arrive(&mut self, stream: StreamId, id: EffectId) {
        let (outgoing, key) = match self.running.get(&(stream, id)) {
            Some(Running::Message(_, _, Delivery::Asked | Delivery::Refused)) => return,
            Some(Running::Message(outgoing, ..)) => (outgoing.clone(), outbox::key(stream, id)),
            Some(Running::Work(_, Some((outgoing, key)))) => (outgoing.clone(), key.clone()),
            // Answered already: this one was a second one.
            _ => return,
        };
        if self.chance.of_1000(self.chances.no_room) {
            if planted("outbox.gives_up") {
                let outcome = Outcome::nobody("no room");
                return self.soon(Happening::Answer(stream, id, outcome));
            }
            return self.soon(Happening::Arrive(stream, id));
        }
        let key = match planted("outbox.another_key_each_time") {
            true => format!("{key}-{}", self.steps),
            false => key,
        };
        let kind = outgoing.kind();
        let ask = self.host.kinds.get(kind).and_then(|it| it.ask(&outgoing, &key));
        match ask {
            Some(ask) => {
                self.delivery(stream, id, Delivery::Asked);
                self.ask(kind, outgoing.to(), ask, Waiter::Effect(stream, id));
            }
            None => {
                let outcome = Outcome::nobody("nobody here knows that kind of actor");
                self.soon(Happening::Answer(stream, id, outcome));
            }
        }
    }

    /// An answer has arrived at who has asked.
    fn answered(&mut self, stream: StreamId, id: EffectId, outcome: Outcome) {
        match self.running.get(&(stream, id)) {
            Some(Running::Message(_, effect, _)) => {
                let Some(kind) = self.host.disk.kind_of(stream) else { return };
                let known = self.host.kinds.get(kind);
                let message = known.and_then(|it| it.settled(id, &**effect, &outcome));
                match message {
                    Some(message) => {
                        self.running.insert((stream, id), Running::Over);
                        self.soon(Happening::Tell(Telling { stream, kind, id, message }));
                    }
                    None => drop(self.running.remove(&(stream, id))),
                }
            }
            Some(Running::Work(_, Some(_))) => self.go_on(stream, id, Some(outcome)),
            _ => {}
        }
    }

    /// Work goes on.
    fn go_on(&mut self, stream: StreamId, id: EffectId, heard: Option<Outcome>) {
        let Some(Running::Work(work, asked)) = self.running.get_mut(&(stream, id)) else { return };
        *asked = None;
        let (host, chance) = (&mut self.host, &mut self.chance);
        let latency_ms_max = self.chances.latency_ms_max;
        let step = work.next(heard, &mut WorldView { host, chance, latency_ms_max });
        match step {
            WorkStep::Tell(message) => {
                self.running.insert((stream, id), Running::Over);
                let Some(kind) = self.host.disk.kind_of(stream) else { return };
                self.soon(Happening::Tell(Telling { stream, kind, id, message }));
            }
            WorkStep::Ask(outgoing, key) => {
                *asked = Some((outgoing, key));
                self.soon(Happening::Arrive(stream, id));
            }
            WorkStep::Wait(until) => self.then(until, true, Happening::GoOn(stream, id)),
            WorkStep::End => drop(self.running.remove(&(stream, id))),
        }
    }

    /// An actor is told what became of an effect.
    fn tell(&mut self, telling: Telling) {
        let Telling { stream, kind, id, message } = telling;
        let Some(again) = self.host.kinds.get(kind).and_then(|it| it.again(&*message)) else {
            return;
        };
        let ask = AnyAsk {
            message,
            asker: ROOT,
            key: Some(outbox::outcome_key(id)),
            comment: String::new(),
            cause: Cause::default(),
        };
        let waiter = Waiter::Told(Telling { stream, kind, id, message: again });
        self.ask(kind, stream, ask, waiter);
    }

    fn outside(&mut self, request: RequestId) {
        let Some((outgoing, key)) = self.requests.get(request).cloned() else { return };
        let kind = outgoing.kind();
        if let Some(ask) = self.host.kinds.get(kind).and_then(|it| it.ask(&outgoing, &key)) {
            self.ask(kind, outgoing.to(), ask, Waiter::Outside(request));
        }
    }

    /// Whoever is outside lives on, and repeats what was not answered.
    pub(super) fn ask_again(&mut self, request: RequestId) {
        let at = Millis(self.host.now.0 + 1 + self.chance.below(self.chances.latency_ms_max));
        self.then(at, false, Happening::Outside(request));
    }
}

/// What stands for a stream in the trace.
pub(super) fn number(stream: StreamId) -> u64 {
    u64::from_be_bytes(stream.0[8..].first_chunk().copied().unwrap_or_default())
}
