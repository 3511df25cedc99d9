//! What is known of an agent that is up without asking it: kept from what it has written.
//!
//! Nothing rests on it. Where it is not known the agent is asked, or its stream is read.

use crate::model::Exchange;
use parking_lot::Mutex;
use std::sync::Arc;
use stoa_actors::session::{Ear, Event, Session, Thought};

#[derive(Default)]
pub(super) struct Known {
    ear: Mutex<Ear>,
    past: Mutex<Option<Past>>,
}

/// What was thought and seen in the turn that runs.
pub(super) struct Past {
    pub(super) turn: u64,
    pub(super) steps: Vec<Exchange>,
    pub(super) said: Option<Thought>,
}

impl Past {
    pub(super) fn of(turn: u64) -> Past {
        Past { turn, steps: Vec::new(), said: None }
    }

    /// Takes in what happened next.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Thought { thought, .. } => self.said = Some(thought.clone()),
            Event::Observed(observation) => {
                let thought = self.said.take().unwrap_or_default();
                self.steps.push(Exchange { thought, observation: observation.clone() });
            }
            _ => {}
        }
    }
}

impl Known {
    /// These events are durable, in their order.
    pub(super) fn happened(&self, events: &[Event]) {
        self.ear.lock().happened(events);
        for event in events {
            match event {
                Event::TurnBegan { turn, .. } => *self.past.lock() = Some(Past::of(*turn)),
                Event::Thought { .. } | Event::Observed(_) => {
                    self.past.lock().iter_mut().for_each(|past| past.take(event));
                }
                Event::TurnFailed { .. }
                | Event::TurnEnded { .. }
                | Event::Quarantined { .. }
                | Event::Parked { .. }
                | Event::Stopped { .. }
                | Event::Wiped { .. }
                | Event::Exhausted { .. } => *self.past.lock() = None,
                _ => {}
            }
        }
    }

    /// It is so, and looks for what is new.
    pub(super) fn looks(&self, then: Arc<Session>) {
        self.ear.lock().listens(then);
    }

    pub(super) fn ear(&self) -> Ear {
        self.ear.lock().clone()
    }

    /// What was thought and seen in a turn, if that is known.
    pub(super) fn steps(&self, turn: u64) -> Option<Vec<Exchange>> {
        let past = self.past.lock();
        past.as_ref().filter(|it| it.turn == turn).map(|it| it.steps.clone())
    }

    /// The same, read from the stream.
    pub(super) fn keep(&self, past: Past) {
        *self.past.lock() = Some(past);
    }

    pub(super) fn forget(&self) {
        *self.past.lock() = None;
        *self.ear.lock() = Ear::Unknown;
    }
}
