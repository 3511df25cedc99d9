//! A word to an agent that it is to see before its turn is over.
//!
//! What is said in the space that an agent shares with its parent wakes it when its turn is over. Who
//! governs it can have it see that sooner: at its next step, or at once, and then what it is doing is
//! cancelled. Such a word counts as seen only when the model has been told of it: until then a turn
//! that ends leaves it new, and one that fails has it told when it is tried again.

use super::call::Billing;
use super::lifecycle::lets_go_id;
use super::turn::paid;
use super::{Effect, Event, Observation, Phase, Refusal, Reply, Session, Turn, TurnState};
use crate::behaviour::{Decision, Delivery, EffectId};
use crate::briefing::Briefing;
use crate::id::{Millis, Position, SpaceId};
use crate::mutant::planted;
use crate::space::Wake;
use serde::Serialize;
use std::sync::Arc;

/// When an agent that is in a turn sees a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Steering {
    /// At its next step.
    NextStep,
    /// At once: the request or the code that runs is cancelled.
    Interrupt,
}

/// An action that was cancelled.
#[derive(Clone, Debug, PartialEq)]
pub struct CancelledAction {
    /// What the model sees of it.
    pub observation: Observation,
    /// When it began.
    pub since: Millis,
    /// The effect that gives back what it has leased.
    pub lets_go: EffectId,
}

/// Comments of words that are told together.
const TOLD_TOGETHER_MAX: usize = 20;

/// What an action is called that was cancelled, where an exception of code would be named.
pub const INTERRUPTED: &str = "Interrupted";

impl Session {
    /// Up to where a space was seen, or is told to the turn that runs.
    pub fn heard_upto(&self, space: SpaceId) -> Position {
        let (woke, said): (&[Wake], &[Wake]) = match &self.phase {
            Phase::Turning(turn) => (&turn.wakes, &turn.steered),
            Phase::Waiting { wakes, .. } => (wakes, &[]),
            _ => (&[], &[]),
        };
        let told = woke.iter().chain(said).filter(|it| it.space == space);
        let cursor = self.follows.get(&space).map(|it| it.cursor);
        told.map(|it| it.last).chain(cursor).max().unwrap_or_default()
    }

    /// A word that the agent is to see now.
    pub(super) fn steer(
        &self,
        wake: Option<Wake>,
        how: Steering,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let new =
            |it: &Wake| it.last > self.heard_upto(it.space) && self.follows.contains_key(&it.space);
        let Some(wake) = wake.filter(new) else {
            // It may be told of it already, and not be interrupted yet.
            let known = Decision::read(Reply::Done);
            return Ok(match &self.phase {
                Phase::Turning(turn) if how == Steering::Interrupt && !turn.steered.is_empty() => {
                    self.interrupted(turn, how, known, delivery)
                }
                _ => known,
            });
        };
        let heard = self.heard_upto(wake.space);
        let (turn, step) = match &self.phase {
            Phase::Turning(turn) => (turn.number, turn.step),
            Phase::Waiting { .. } => (self.turns, 0),
            _ => return Ok(self.wake(vec![wake], delivery)),
        };
        if wake.first <= heard {
            // Somebody has told a part of it meanwhile: what is left is for the asker to look up.
            return Err(Refusal::Stale { turn, step });
        }
        if how == Steering::NextStep
            && let Phase::Turning(turn) = &self.phase
            && turn.doing == TurnState::Thinking
        {
            let (size, max) = (turn.steered.len() + 1, delivery.limits.session.steered_max);
            if size > max {
                return Err(Refusal::Limit { what: "what waits for its next step", size, max });
            }
        }
        let steered = Decision::event(Event::Steered { wake }, Reply::Done);
        Ok(match &self.phase {
            Phase::Turning(turn) => self.interrupted(turn, how, steered, delivery),
            _ => steered,
        })
    }

    /// What runs is cancelled, if it is to be; a request that is put off goes out with the word.
    fn interrupted(
        &self,
        turn: &Turn,
        how: Steering,
        steered: Decision<Self>,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let (by, at) = (delivery.asker, delivery.now);
        let put_off = turn.deferral.as_ref().is_some_and(|it| it.until > at);
        match &turn.doing {
            TurnState::Thinking if put_off => {
                let mut anew = steered;
                anew.events.push(Event::Interrupted { by, at, action: None });
                self.goes_on(anew)
            }
            _ if how == Steering::NextStep => steered,
            TurnState::Thinking => {
                // Before it was asked what it may take, a bounded one was not asked.
                let made = self.account.reserved().is_some() || !self.account.left().bounds_calls();
                let spent = made.then(|| self.failing(turn, 1, Billing::Unknown, at));
                let mut account = self.account.clone();
                spent.iter().for_each(|it| account.take(it));
                let interrupted = Event::Interrupted { by, at, action: None };
                match account.used_up_within() {
                    // It sees the word when it is handed more.
                    Some(what) => {
                        let mut over = self.end_exhausted(turn, what, delivery);
                        over.events.insert(0, interrupted);
                        paid(spent, over)
                    }
                    None => {
                        let mut anew = steered;
                        anew.events.push(interrupted);
                        self.goes_on(paid(spent, anew))
                    }
                }
            }
            TurnState::Acting { since, .. } => {
                let (since, lets_go) = (*since, lets_go_id(delivery.seq));
                let action = Some(CancelledAction { observation: cancelled(turn), since, lets_go });
                let event = Event::Interrupted { by, at, action };
                let events = steered.events.into_iter().chain([event]);
                let over = self.action_over(turn, events, delivery);
                over.effect(lets_go, Effect::LetGo { since, until: at })
            }
            // A summary is made to the end: the word is told behind it.
            TurnState::Compacting { .. } => steered,
        }
    }

    pub(super) fn take_steered(&mut self, wake: &Wake) {
        match &mut self.phase {
            Phase::Turning(turn) => {
                turn.steered.push(wake.clone());
                // A request that is under way may tell of those before it, each as it is.
                if turn.doing != TurnState::Thinking || planted("session.joins_what_is_being_told")
                {
                    turn.join_steered();
                }
            }
            Phase::Waiting { wakes, .. } => {
                wakes.push(wake.clone());
                *wakes = joined(std::mem::take(wakes));
            }
            phase => panic!("nobody is steered who is {phase:?}"),
        }
    }
}

/// One wake for each space, in the order of the first.
fn joined(all: Vec<Wake>) -> Vec<Wake> {
    let mut joined: Vec<Wake> = Vec::new();
    for wake in all {
        match joined.iter_mut().find(|it| it.space == wake.space) {
            Some(before) => before.join(wake, TOLD_TOGETHER_MAX),
            None => joined.push(wake),
        }
    }
    joined
}

impl Turn {
    /// No request is under way that could tell of these words one by one.
    pub(super) fn join_steered(&mut self) {
        self.steered = joined(std::mem::take(&mut self.steered));
    }

    /// What was done at this step is over.
    pub(super) fn next_step(&mut self) {
        self.step += 1;
        (self.requests, self.compactions) = (0, 0);
        self.doing = TurnState::Thinking;
        (self.notes, self.noted_bytes) = (Arc::default(), 0);
    }

    /// The model was told of words: they are among what this turn has seen.
    pub(super) fn told_of(&mut self, briefing: &Briefing) {
        // What is not there any more is of a space that is no longer followed.
        let told = self.steered.extract_if(.., |it| briefing.said.contains(it));
        Arc::make_mut(&mut self.wakes).extend(told);
    }
}

/// What the model sees of an action that was cancelled: what of it may have happened.
fn cancelled(turn: &Turn) -> Observation {
    let calls = turn.notes.iter().filter(|it| it.answer.is_some()).count();
    let text = format!(
        "Interrupted before it was done. {calls} of its calls were answered, and what they wrote \
         stays; one more may have been under way, so look whether it has happened before you repeat \
         it. What it leased is given back, what it printed is lost, and its variables are as they \
         were before it."
    );
    Observation { text, failed: Some(INTERRUPTED.to_owned()) }
}
