//! Budgets as their holders ask for them. What is lent arrives or comes back by messages between the
//! sessions themselves.

use super::context;
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use stoa_actors::id::ROOT;
use stoa_actors::incarnation::Request;
use stoa_actors::session::{Budget, Message, Refusal, Transfer, TransferKind};

impl Caller {
    /// Hands an agent more to spend; one whose budget was spent goes on. From an agent it is taken
    /// out of its own, and arrives a moment later; with the same key again it happens once.
    ///
    /// Errors: [`ProblemKind::Forbidden`] unless the caller is the agent's parent or the root, and for
    /// more than the caller has left; [`ProblemKind::Invalid`] for a unit in which the agent has no bound.
    pub async fn fund(
        &self,
        name: &str,
        budget: Budget,
        key: Option<String>,
    ) -> Result<super::AgentCard, Problem> {
        let session = self.governed(name)?;
        let parent = self.runtime.shared().rights.read().birth(session).and_then(|it| it.parent);
        if self.session() != ROOT && parent != Some(self.session()) {
            let text = format!("only its parent and the root hand {name:?} a budget");
            return Err(Problem::new(ProblemKind::Forbidden, text).hint("stoa agent list"));
        }
        let state = context::state(&self.runtime, session).await?;
        let bounds = state.account().left().units();
        if budget.depth.is_some() {
            return Err(Refusal::DepthAdded.into());
        }
        for ((unit, more), (_, left)) in budget.units().into_iter().zip(bounds) {
            match (more, left) {
                (Some(0), _) => return Err(Refusal::BudgetEmpty(unit).into()),
                (Some(_), None) => return Err(Refusal::BudgetUnbounded(unit).into()),
                _ => {}
            }
        }
        let lends = self.charter_of(self.session())?.is_some();
        let (to, message) = if lends {
            let loan = Transfer { child: session, budget, when: TransferKind::Later };
            (self.session(), Message::Lend(loan))
        } else {
            (session, Message::Fund(budget))
        };
        let ask = Request { key, ..Request::new(self.session(), message).comment("fund") };
        self.runtime.agent(to)?.ask(ask).await?;
        self.agent_card(session).await
    }
}
