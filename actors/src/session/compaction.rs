//! A window that is full is made anew: the model sums up what came before, in a request of its own, and
//! the turn goes on behind the summary.
//!
//! A model that fails at it, or says nothing that is a summary, is not needed for it: then what came
//! before is summed up by what stands in the log. What the agent owes is in neither: it is read from
//! the log when the window is told anew.

use super::call::Billing;
use super::{Event, LedgerEntry, Refusal, Reply, Session, Thought, Turn, TurnState};
use crate::behaviour::{Behaviour, Decision, Delivery};
use crate::briefing::Summary;
use crate::mutant::planted;

/// What is left out of a summary that is too long.
const CUT: &str = "\n(the summary was cut here)";

impl Session {
    /// What is to be told to the model does not fit.
    pub(super) fn window_full(
        &self,
        at: &Turn,
        attempt: u32,
        (why, billing): (String, Billing),
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        if attempt != at.requests {
            return Err(Refusal::Stale { turn: at.number, step: at.step });
        }
        let by_model = match (&at.doing, at.compactions) {
            (TurnState::Thinking, 0) => true,
            (TurnState::Thinking, 1) | (TurnState::Compacting { by_model: true }, _) => false,
            // It has been made anew twice: what never changes is too long for it.
            _ if planted("window.made_anew_for_ever") => false,
            _ => return Ok(self.fail(at, why, billing, delivery)),
        };
        let full = Event::WindowFull { by_model, why };
        let spent = self.failing(at, 0, billing, delivery.now);
        let counts = self.account().reserved().is_some() || billing == Billing::Unknown;
        let spent = counts.then_some(Event::Booked(spent));
        Ok(self.goes_on(self.answered(at, spent.into_iter().chain([full]))))
    }

    /// What the model says when it is asked for a summary, or what was made without one.
    pub(super) fn sum_up(
        &self,
        at: &Turn,
        attempt: u32,
        thought: &Thought,
        since: (u64, u32),
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let TurnState::Compacting { by_model } = at.doing else {
            return Err(Refusal::Stale { turn: at.number, step: at.step });
        };
        if attempt != at.requests {
            return Err(Refusal::Stale { turn: at.number, step: at.step });
        }
        if let Some(overdrawn) = self.overdrawn(at, thought, delivery) {
            return Ok(overdrawn);
        }
        let summed_up = match summary(thought, delivery.limits.session.summary_bytes_max) {
            None if by_model => {
                let why = "the model's summary says nothing".to_owned();
                Event::WindowFull { by_model: false, why }
            }
            text => {
                let since = since.min((at.number, at.step));
                let text = text.unwrap_or_default();
                Event::Compacted(Summary { text, since, by_model })
            }
        };
        let spent = by_model.then(|| self.took(at, 1, thought, delivery.now)).flatten();
        Ok(self.summed_up(at, spent, summed_up))
    }

    /// The model was asked for a summary and has failed: it is made without it.
    pub(super) fn sum_up_without(
        &self,
        at: &Turn,
        (why, billing): (String, Billing),
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let spent = self.failing(at, 1, billing, delivery.now);
        let full = Event::WindowFull { by_model: false, why };
        self.summed_up(at, Some(spent), full)
    }

    /// The turn goes on; whether there is enough left for it is seen when the model is asked.
    fn summed_up(&self, at: &Turn, spent: Option<LedgerEntry>, event: Event) -> Decision<Self> {
        let spent = spent.filter(|_| !planted("window.summed_up_for_nothing"));
        self.goes_on(self.answered(at, spent.map(Event::Booked).into_iter().chain([event])))
    }

    /// A model that was waited for has answered.
    fn answered(&self, at: &Turn, events: impl IntoIterator<Item = Event>) -> Decision<Self> {
        let mut decision = Decision::read(Reply::Done);
        decision.events.extend(at.deferral.is_some().then_some(Event::Answered));
        decision.events.extend(events);
        decision
    }

    /// And then what is owed is what the turn goes on with.
    pub(super) fn goes_on(&self, mut decision: Decision<Self>) -> Decision<Self> {
        let mut then = self.clone();
        decision.events.iter().for_each(|event| then.apply(event));
        if let super::Phase::Turning(turn) = then.phase() {
            decision.effects.extend(then.owed_by(turn));
        }
        decision
    }
}

/// What of it is a summary; nothing where it says nothing, or where nobody knows what it wanted to say.
fn summary(thought: &Thought, bytes_max: usize) -> Option<String> {
    let text = thought.text.trim();
    // Words beside code say what the code is for.
    if thought.unusable.is_some() || thought.code.is_some() || text.is_empty() {
        return None;
    }
    match text.len() <= bytes_max {
        true => Some(text.to_owned()),
        false => Some(format!("{}{CUT}", &text[..text.floor_char_boundary(bytes_max)])),
    }
}
