//! What a message to the rights comes to.

use super::{Event, Refusal, Reply};
use crate::id::{Millis, SessionId};
use crate::limits::RightsLimits;

/// Events to append, and what the asker hears behind them. Both an event and a refusal come of a
/// spawn that asked for too much: it is refused *and* recorded.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct RightsDecision {
    /// In order; none for what changes nothing.
    pub events: Vec<Event>,
    pub answer: Result<Reply, Refusal>,
}

/// Who asks, when, and within which limits.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) by: SessionId,
    pub(super) now: Millis,
    pub(super) limits: &'a RightsLimits,
}

impl RightsDecision {
    pub(super) fn one(event: Event, reply: Reply) -> RightsDecision {
        RightsDecision { events: vec![event], answer: Ok(reply) }
    }

    /// The same behind an event that makes room for it.
    pub(super) fn after(mut self, first: Option<Event>) -> RightsDecision {
        self.events.splice(0..0, first);
        self
    }

    pub(super) fn nothing(reply: Reply) -> RightsDecision {
        RightsDecision { events: Vec::new(), answer: Ok(reply) }
    }
}
