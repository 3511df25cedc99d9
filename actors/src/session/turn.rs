//! One turn of an agent: think, act, observe, until it has nothing more to do.

use super::call::Billing;
use super::lifecycle::{act_id, think_id};
use super::{
    Brief, CallNote, Deferral, Effect, Event, Generation, LedgerEntry, Message, Phase, Refusal,
    Reply, Session, Thought,
};
use crate::behaviour::{Decision, Delivery, EffectId};
use crate::briefing::Briefing;
use crate::id::Millis;
use crate::log::Cause;
use crate::mutant::planted;
use crate::space::Wake;
use crate::weight::weight;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a note may take when there is no room for more: that a call was refused is noted as well, or
/// the action would go another way when it is run again.
const SMALL_NOTE_BYTES: usize = 1 << 10;

/// Where a turn stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number in the session, from 1.
    pub number: u64,
    /// The turn that this one tries again: itself, unless the one before it failed.
    pub first: u64,
    /// What woke the agent; nothing at its birth.
    pub wakes: Arc<Vec<Wake>>,
    /// What set it off: goes with everything that is written in it.
    pub cause: Cause,
    /// When it began.
    pub began: Millis,
    /// The step it is at, from 1: one thought and what came of it.
    pub step: u32,
    /// What is being done.
    pub doing: TurnState,
    /// The calls of the running action.
    pub notes: Arc<Vec<CallNote>>,
    /// What they take in memory.
    pub noted_bytes: usize,
    /// Whether anything has been changed.
    pub changed: bool,
    /// What its thought waits for; nothing where the model is asked for the first time.
    pub deferral: Option<Box<Deferral>>,
    /// How long it has waited for its model altogether: that is not counted as its own time.
    pub deferred_ms: u64,
    /// Requests of this step that have come to no thought: each has a name of its own.
    pub requests: u32,
    /// How often its window was made anew at this step.
    pub compactions: u32,
    /// What was said since it began that its model is to be told of and was not yet.
    pub steered: Vec<Wake>,
}

/// What a turn is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum TurnState {
    /// The model is asked.
    Thinking,
    /// An action runs.
    Acting {
        code: String,
        /// When it was said.
        since: Millis,
    },
    /// Its window is full: what came before is summed up.
    Compacting {
        /// The model is asked for it.
        by_model: bool,
    },
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// The model had no more to do.
    Done,
    /// It was cut at this limit.
    Exhausted(String),
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it printed and the value of its last expression, or its traceback; cut at the limit.
    pub text: String,
    /// The class of the exception that ended it.
    pub failed: Option<String>,
}

impl Turn {
    pub(super) fn new(
        number: u64,
        first: u64,
        wakes: Vec<Wake>,
        cause: Cause,
        began: Millis,
    ) -> Turn {
        let (doing, notes, wakes) = (TurnState::Thinking, Arc::default(), Arc::new(wakes));
        Turn {
            number,
            first,
            wakes,
            cause,
            began,
            step: 1,
            doing,
            notes,
            noted_bytes: 0,
            changed: false,
            deferral: None,
            deferred_ms: 0,
            requests: 0,
            compactions: 0,
            steered: Vec::new(),
        }
    }
}

impl Session {
    /// What a turn waits for: started again after a crash, with what is known by then.
    pub(super) fn owed_by(&self, turn: &Turn) -> Option<(EffectId, Effect)> {
        let brief = self.brief(turn.first, &turn.wakes)?;
        let brief = Brief { said: turn.steered.clone(), ..brief };
        let Turn { number, step, requests: attempt, .. } = *turn;
        let not_before = turn.deferral.as_ref().map_or(Millis(0), |it| it.until);
        Some(match &turn.doing {
            TurnState::Thinking => {
                let think = Effect::Think { turn: number, step, brief, attempt, not_before };
                (think_id(number, step, attempt), think)
            }
            TurnState::Compacting { by_model } => {
                let (by_model, again) = (*by_model, turn.compactions > 0);
                let of = (number, step);
                let compact = Effect::Compact { of, brief, attempt, not_before, by_model, again };
                (think_id(number, step, attempt), compact)
            }
            TurnState::Acting { code, since } => {
                let act = Effect::Act {
                    turn: number,
                    step,
                    code: code.clone(),
                    at: *since,
                    cause: turn.cause,
                    notes: turn.notes.clone(),
                    after: self.acted,
                    brief,
                };
                (act_id(number, step), act)
            }
        })
    }

    /// The turn, if it is at this step and an action runs.
    pub(super) fn acting_at(&self, turn: u64, step: u32) -> Result<&Turn, Refusal> {
        self.at(turn, step, |doing| matches!(doing, TurnState::Acting { .. }))
    }

    /// The turn, if it is at this step and a model is asked.
    pub(super) fn asking_at(&self, turn: u64, step: u32) -> Result<&Turn, Refusal> {
        self.at(turn, step, |doing| !matches!(doing, TurnState::Acting { .. }))
    }

    /// The same, if that request is the one that is under way.
    pub(super) fn asked_at(&self, turn: u64, step: u32, attempt: u32) -> Result<&Turn, Refusal> {
        let at = self.asking_at(turn, step)?;
        match at.requests == attempt || planted("session.takes_the_stale") {
            true => Ok(at),
            false => Err(Refusal::Stale { turn, step }),
        }
    }

    /// The turn, if it is at this step and does so.
    pub(super) fn at(
        &self,
        turn: u64,
        step: u32,
        does: impl Fn(&TurnState) -> bool,
    ) -> Result<&Turn, Refusal> {
        match &self.phase {
            Phase::Turning(it) if it.number == turn && it.step == step && does(&it.doing) => Ok(it),
            _ if planted("session.takes_the_stale") => match &self.phase {
                Phase::Turning(it) => Ok(it),
                _ => Err(Refusal::Stale { turn, step }),
            },
            _ => Err(Refusal::Stale { turn, step }),
        }
    }

    pub(super) fn think(
        &self,
        at: &Turn,
        attempt: u32,
        thought: Thought,
        briefing: Arc<Briefing>,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let (turn, step) = (at.number, at.step);
        if attempt != at.requests && !planted("session.takes_the_stale") {
            return Err(Refusal::Stale { turn, step });
        }
        let limits = &delivery.limits.session;
        let made = thought.generation.as_deref().map_or(0, Generation::bytes);
        let bytes = thought.text.len() + thought.code.as_ref().map_or(0, String::len) + made;
        let now = delivery.now;
        if let Some(overdrawn) = self.overdrawn(at, &thought, delivery) {
            return Ok(overdrawn);
        }
        if bytes > limits.thought_bytes_max {
            let max = limits.thought_bytes_max;
            let why = format!("the model said {bytes} bytes; thought_bytes_max is {max}");
            return Ok(paid(self.took(at, 1, &thought, now), self.failed(why, delivery)));
        }
        let took = self.took(at, 0, &thought, now).map(Event::Booked);
        let answered = at.deferral.is_some().then_some(Event::Answered);
        let briefed = (!briefing.is_empty()).then_some(Event::Briefed(briefing));
        let spoken = answered
            .into_iter()
            .chain(briefed)
            .chain([Event::Thought { thought: thought.clone(), at: delivery.now }]);
        if let Some(text) = thought.unusable {
            return Ok(self.unusable(at, text, spoken.chain(took).collect(), delivery));
        }
        if thought.code.is_none() {
            let mut ended = self.end(at, TurnOutcome::Done, thought.text, delivery);
            ended.events.splice(0..0, spoken.chain(took));
            return Ok(ended);
        }
        let steps_max = limits.turn_steps_max;
        if step > steps_max && !planted("session.steps_unbounded") {
            let cut = format!("turn_steps_max = {steps_max}");
            let cut = self.end(at, TurnOutcome::Exhausted(cut), String::new(), delivery);
            return Ok(paid(self.took(at, 1, &thought, now), cut));
        }
        let mut acts = Decision::read(Reply::Done);
        acts.events.extend(spoken.chain(took));
        Ok(self.goes_on(acts))
    }

    pub(super) fn note(
        &self,
        turn: u64,
        step: u32,
        note: CallNote,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let at = self.acting_at(turn, step)?;
        let (size, max) = (at.notes.len() + 1, delivery.limits.session.notes_max);
        if size > max {
            return Err(Refusal::Limit { what: "the notes of an action", size, max });
        }
        let (bytes, max) = (weight(&note), delivery.limits.session.notes_bytes_max);
        let size = at.noted_bytes.saturating_add(bytes);
        if bytes > SMALL_NOTE_BYTES && size > max && !planted("session.notes_unbounded") {
            return Err(Refusal::NotesFull { size, max });
        }
        Ok(Decision::event(Event::Noted(note), Reply::Done))
    }

    pub(super) fn observe(
        &self,
        turn: u64,
        step: u32,
        observation: Observation,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let at = self.acting_at(turn, step)?;
        Ok(self.action_over(at, [Event::Observed(observation)], delivery))
    }

    /// The action is over, and with these events the turn goes on where it may.
    pub(super) fn action_over(
        &self,
        at: &Turn,
        events: impl IntoIterator<Item = Event>,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let max = delivery.limits.session.turn_ms_max;
        let spent = (delivery.now.0 - at.began.0).saturating_sub(at.deferred_ms);
        let took = self.acted(delivery.now, max);
        let mut account = self.account.clone();
        took.iter().for_each(|it| account.take(it));
        let events = took.map(Event::Booked).into_iter().chain(events);
        if spent > max {
            let cut = format!("turn_ms_max = {max}");
            let mut ended = self.end(at, TurnOutcome::Exhausted(cut), String::new(), delivery);
            ended.events.splice(0..0, events);
            return ended;
        }
        if let Some(what) = account.used_up_within() {
            let mut exhausted = self.end_exhausted(at, what, delivery);
            exhausted.events.splice(0..0, events);
            return exhausted;
        }
        let mut observed = Decision::read(Reply::Done);
        observed.events.extend(events);
        self.goes_on(observed)
    }

    pub(super) fn fail(
        &self,
        at: &Turn,
        why: String,
        billing: Billing,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        match at.doing {
            TurnState::Compacting { by_model: true } => {
                self.sum_up_without(at, (why, billing), delivery)
            }
            // A model that was asked and did not answer has been asked all the same.
            TurnState::Thinking => {
                let spent = self.failing(at, 1, billing, delivery.now);
                paid(Some(spent), self.failed(why, delivery))
            }
            _ => self.failed(why, delivery),
        }
    }

    /// Ends the turn; what woke it counts as seen from this very event on.
    pub(super) fn end(
        &self,
        turn: &Turn,
        outcome: TurnOutcome,
        said: String,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let limits = &delivery.limits.session;
        let rest_ms = match (turn.changed, self.barren.checked_add(1)) {
            (false, Some(barren)) => {
                (limits.rest_first_ms << (barren - 1).min(16)).min(limits.rest_ms_max)
            }
            _ => 0,
        };
        let letter = match &outcome {
            TurnOutcome::Done if said.is_empty() => None,
            TurnOutcome::Done => Some((super::trouble::SAID, said)),
            TurnOutcome::Exhausted(limit) => {
                Some(("exhausted", format!("turn {} was cut at {limit}", turn.number)))
            }
        };
        let rest_until = Millis(delivery.now.0 + rest_ms);
        let ended = Decision::event(Event::TurnEnded { outcome, rest_until }, Reply::Done);
        match letter {
            None => ended,
            Some((subject, text)) => self.write(ended, subject, text, turn.cause),
        }
    }

    /// Begins a turn, if there is something left to think with. If not, what woke it stays new.
    pub(super) fn turn(
        &self,
        wakes: Vec<Wake>,
        cause: Cause,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        if let Some(what) = self.account.used_up() {
            return self.exhausted(&what, cause);
        }
        match self.brief(self.first_try(), &Arc::new(wakes)) {
            Some(brief) => self.turn_by(brief, cause, delivery),
            None => Decision::read(Reply::Busy),
        }
    }

    /// Begins a turn of an agent that is as it is told.
    pub(super) fn turn_by(
        &self,
        brief: Brief,
        cause: Cause,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let turn = self.turns + 1;
        let wakes = Vec::clone(&brief.wakes);
        let event = Event::TurnBegan { turn, wakes, cause, at: delivery.now };
        let effect = Effect::Think { turn, step: 1, brief, attempt: 0, not_before: Millis(0) };
        Decision::event(event, Reply::Done).effect(think_id(turn, 1, 0), effect)
    }
}

/// What was spent comes first in the entry.
pub(super) fn paid(
    spent: Option<LedgerEntry>,
    mut decision: Decision<Session>,
) -> Decision<Session> {
    decision.events.splice(0..0, spent.map(Event::Booked));
    decision
}

impl Message {
    /// Whether it is one of many in a turn that nobody waits for: it becomes durable with the
    /// next thing that is.
    pub fn is_aside(&self) -> bool {
        matches!(self, Message::Note { note, .. } if note.answer.is_some())
    }
}
