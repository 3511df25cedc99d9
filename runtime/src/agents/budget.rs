//! The outside half of budgets: seeing to it that what an agent lends arrives or comes back.
//!
//! A spawn by an agent takes the child's budget out of the agent's purse first. Whether the child
//! came to be is for the rights to say, and nobody asks them while the spawn is still on its way:
//! both hold the agent's turnstile.

use super::context;
use crate::caller::Caller;
use crate::problem::{Kind, Problem};
use crate::runtime::Runtime;
use crate::seat::AskError;
use stoa_actors::behaviour::{Behaviour, EffectId};
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::incarnation::{Ask, Refused};
use stoa_actors::rights;
use stoa_actors::session::{
    Budget, Effect, Lending, Loan, Message, Phase, Refusal, Session, Settlement,
};
use tokio::sync::OwnedMutexGuard;

/// A spawn on its way: as long as this is held, nobody decides whether the child came to be.
pub(super) type OnItsWay = Option<OwnedMutexGuard<()>>;

impl Caller {
    /// Takes a child's budget out of the caller's, if the caller is an agent.
    pub(super) async fn lend_for(
        &self,
        child: SessionId,
        budget: Budget,
    ) -> Result<OnItsWay, Problem> {
        if let Some((unit, _)) = budget.units().into_iter().find(|(_, n)| *n == Some(0)) {
            return Err(Refusal::BudgetEmpty(unit).into());
        }
        let lender = self.session();
        if self.charter_of(lender)?.is_none() {
            return Ok(None);
        }
        let one = self.runtime.agents().lending.of(lender).lock_owned().await;
        // A spawn that is made again after a crash has been paid for.
        if self.runtime.shared().rights.read().birth(child).is_none() {
            let lend = Message::Lend(Loan { child, budget, when: Lending::Birth });
            self.runtime.agent(lender)?.ask(Ask::new(lender, lend).comment("lend")).await?;
        }
        Ok(Some(one))
    }

    /// A spawn was refused, or nobody knows: what was lent for it comes back unless there is a
    /// child. A crash before this is made good by the loan itself, which is owed.
    pub(super) async fn take_back(&self, child: SessionId, _: OnItsWay) -> Result<(), Problem> {
        let lender = self.session();
        if self.charter_of(lender)?.is_none() || self.runtime.came_to_be(child).await? {
            return Ok(());
        }
        let state = context::state(&self.runtime, lender).await?;
        let of = |(_, loan): &(EffectId, &Loan)| loan.child == child;
        if let Some((id, _)) = state.purse().sent().find(of) {
            let bounced = Message::Settle(Settlement::Bounced(id));
            self.runtime.agent(lender)?.ask(Ask::new(ROOT, bounced)).await?;
        }
        Ok(())
    }

    /// Hands an agent more to spend; one whose budget was spent goes on. From an agent it is taken
    /// out of its own, and arrives a moment later; with the same key again it happens once.
    ///
    /// Errors: [`Kind::Forbidden`] unless the caller is the agent's parent or the root, and for
    /// more than the caller has left; [`Kind::Invalid`] for a unit in which the agent has no bound.
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
            return Err(Problem::new(Kind::Forbidden, text).hint("stoa agent list"));
        }
        let state = context::state(&self.runtime, session).await?;
        let bounds = state.purse().left().units();
        for ((unit, more), (_, left)) in budget.units().into_iter().zip(bounds) {
            match (more, left) {
                (Some(0), _) => return Err(Refusal::BudgetEmpty(unit).into()),
                (Some(_), None) => return Err(Refusal::BudgetUnbounded(unit).into()),
                _ => {}
            }
        }
        let lends = self.charter_of(self.session())?.is_some();
        let (to, message) = if lends {
            let loan = Loan { child: session, budget, when: Lending::Later };
            (self.session(), Message::Lend(loan))
        } else {
            (session, Message::Fund(budget))
        };
        let ask = Ask { key, ..Ask::new(self.session(), message).comment("fund") };
        self.runtime.agent(to)?.ask(ask).await?;
        if !lends {
            self.runtime.go_on_if_funded(session).await?;
        }
        self.agent_card(session).await
    }
}

impl Caller {
    /// What the caller has left to spend: without a bound for who is no agent.
    pub(crate) async fn left(&self) -> Result<Budget, Problem> {
        if self.charter_of(self.session())?.is_none() {
            return Ok(Budget::default());
        }
        Ok(context::state(&self.runtime, self.session()).await?.purse().left())
    }
}

impl Runtime {
    /// Whether there is, or was, a session of that id, once all that is under way is decided.
    async fn came_to_be(&self, child: SessionId) -> Result<bool, Problem> {
        // Behind whatever spawn is in the mailbox; what has expired is tidied away besides.
        self.rights().ask(Ask::new(ROOT, rights::Message::Expire).comment("tidy")).await?;
        Ok(self.shared().rights.read().birth(child).is_some())
    }

    /// One that stood still for want of a budget, and has one now, gets a turn.
    async fn go_on_if_funded(&self, session: SessionId) -> Result<(), Problem> {
        let state = context::state(self, session).await?;
        let waits = matches!(state.phase(), Phase::Exhausted { .. });
        if waits && state.purse().used_up().is_none() {
            let news = self.news(session, &state).await?.wakes;
            let ask = Ask::new(ROOT, Message::Resume(news)).comment("funded");
            self.agent(session)?.ask(ask).await?;
            self.wake_up(session);
        }
        Ok(())
    }

    /// Brings one transfer to its end; what is to be told of it.
    pub(super) async fn transfer(
        &self,
        session: SessionId,
        id: EffectId,
        effect: Effect,
    ) -> Result<Option<Message>, Problem> {
        let settlement = match effect {
            Effect::Send(Loan { child, when: Lending::Birth, .. }) => {
                let _one = self.agents().lending.of(session).lock_owned().await;
                match self.came_to_be(child).await? {
                    true => Settlement::Arrived(id),
                    false => Settlement::Bounced(id),
                }
            }
            Effect::Send(Loan { child, budget, when: Lending::Later }) => {
                let fund = Ask::new(session, Message::Fund(budget)).comment("fund");
                match self.agent(child)?.ask(fund.key(format!("fund-{id}"))).await {
                    Ok(_) => {
                        self.go_on_if_funded(child).await?;
                        Settlement::Arrived(id)
                    }
                    Err(AskError::Refused(_)) => Settlement::Bounced(id),
                    Err(error) => return Err(error.into()),
                }
            }
            Effect::Return { parent, rest } => {
                let repaid = Message::Settle(Settlement::Repaid { child: session, rest });
                let repay = Ask::new(session, repaid).comment("repay");
                match self.agent(parent)?.ask(repay).await {
                    Ok(_) => {}
                    // The root, or a session that is no agent: it keeps no purse.
                    Err(AskError::Refused(Refused::Actor(Refusal::Unborn))) => {}
                    Err(error) => return Err(error.into()),
                }
                Settlement::Returned
            }
            _ => return Ok(None),
        };
        Ok(Some(Message::Settle(settlement)))
    }

    /// Brings all that a wiped agent still owes to its end: after this its rights may go.
    pub(super) async fn settle_estate(&self, session: SessionId) -> Result<(), Problem> {
        let seat = self.agent(session)?;
        let state = context::state(self, session).await?;
        let ids = |owed: &[(EffectId, Effect)]| owed.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let mut owed: Vec<(EffectId, Effect)> = Session::resume(&state);
        seat.keep_effects(&ids(&owed));
        while !owed.is_empty() {
            for (id, effect) in owed {
                if let Some(message) = self.transfer(session, id, effect).await? {
                    seat.ask(Ask::new(ROOT, message)).await?;
                }
            }
            owed = context::state(self, session).await?.resume();
        }
        Ok(())
    }
}
