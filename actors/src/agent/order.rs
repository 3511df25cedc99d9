//! What an agent's actor is told by the actor of the rights.

use super::{AgentSpec, Budget};
use crate::behaviour::Outgoing;
use crate::id::SessionId;
use std::sync::Arc;

/// A message to the actor of an agent, which takes it as one of its own
/// ([`Behaviour::received`](crate::behaviour::Behaviour::received)). So who sends it need not know
/// what else that actor can be asked.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum AgentOrder {
    /// It begins, with so much to spend.
    Begin(Arc<AgentSpec>, Budget),
    Wipe {
        reason: String,
    },
    /// A child of it was not begun, or has ended: the rest of that one's budget is back.
    Repaid {
        child: SessionId,
        /// What it had left.
        rest: Budget,
    },
}

impl AgentOrder {
    /// The kind of actor that takes it.
    pub const KIND: &'static str = "session";

    /// On its way to an agent, in the name of `asker`.
    pub fn to(self, agent: SessionId, asker: SessionId) -> Outgoing {
        Outgoing::to_kind(AgentOrder::KIND, agent.stream(), asker, self)
    }
}
