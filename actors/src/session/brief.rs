//! What whoever thinks or acts for an agent has to know of it.

use super::{AgentSpec, Budget, Effect, Event, LedgerEntry, Phase, Session};
use crate::behaviour::{Behaviour, Decision};
use crate::briefing::Sight;
use crate::mutant::planted;
use crate::space::Wake;
use std::sync::Arc;

/// An agent in a turn, as it is when an effect is started: so that nobody has to ask it.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// What it was brought up with.
    pub charter: Arc<AgentSpec>,
    /// The turn that is tried again: this one, unless the one before it failed. Writes that are made
    /// in each try go by it, so that none is made twice.
    pub first: u64,
    /// What woke it; nothing at its birth.
    pub wakes: Arc<Vec<Wake>>,
    /// What was said since the turn began that its model is to be told of and was not yet.
    pub said: Vec<Wake>,
    /// What it has left to spend.
    pub left: Budget,
    /// What its model was told of what holds; nothing where it is to be told everything.
    pub told: Option<Arc<Sight>>,
}

impl Session {
    /// The turn that one which begins now tries again: itself, unless the one before it failed.
    pub(super) fn first_try(&self) -> u64 {
        match &self.phase {
            Phase::Waiting { first, .. } if !planted("session.tries_anew") => *first,
            _ => self.turns + 1,
        }
    }

    /// Of a turn that was woken so; nothing before the birth.
    pub(super) fn brief(&self, first: u64, wakes: &Arc<Vec<Wake>>) -> Option<Brief> {
        let wakes = match planted("session.forgets_what_woke_it") {
            true => Arc::default(),
            false => wakes.clone(),
        };
        let charter = self.charter.clone()?;
        let told = self.told.clone();
        let said = Vec::new();
        Some(Brief { charter, first, wakes, said, left: self.account.left(), told })
    }

    /// And then it looks for what is new, by what it is then, where it has cause for it.
    pub(super) fn and_looks(&self, decision: Decision<Session>, seq: u64) -> Decision<Session> {
        let cause = |event: &Event| match event {
            Event::TurnEnded { .. } | Event::Told(_) | Event::Untold { .. } => true,
            Event::Booked(LedgerEntry::Settled(_)) => true,
            Event::Booked(LedgerEntry::Funded { .. }) => {
                matches!(self.phase, Phase::Exhausted { .. })
            }
            Event::FollowSet { .. } => self.phase == Phase::Idle,
            _ => false,
        };
        if !decision.events.iter().any(cause) {
            return decision;
        }
        let mut then = self.clone();
        if !planted("session.looks_as_it_was") {
            decision.events.iter().for_each(|event| then.apply(event));
        }
        if then.phase == Phase::Wiped {
            return decision;
        }
        let (id, effect) = (super::lifecycle::listen_id(seq), Effect::Listen(Arc::new(then)));
        decision.effect(id, effect)
    }
}
