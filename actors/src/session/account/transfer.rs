//! What becomes of budgets on their way: taken out for a child, handed on, brought back.

use super::{Account, LedgerEntry, Settlement, Transfer, TransferKind};
use crate::agent::{Amount, BudgetUnit};
use crate::behaviour::{Decision, Delivery, EffectId};
use crate::id::Position;
use crate::log::Cause;
use crate::mutant::planted;
use crate::rights::AgentSpawn;
use crate::session::lifecycle::{LEND, RETURNS, numbered};
use crate::session::{
    Budget, Effect, Event, FollowSpec, Phase, Refusal, Reply, Session, spent_out,
};
use std::sync::Arc;

impl Session {
    /// What it has, has spent and has lent.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Brings up a child: its budget is taken out first, and comes back if the child does not come
    /// to be. Who has no bound itself has nothing taken out.
    pub(in crate::session) fn spawn(
        &self,
        mut spawn: AgentSpawn,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        if let Some(unit) = spawn.budget.lacking() {
            return Err(Refusal::BudgetEmpty(unit));
        }
        let known = self.account.lent.contains(&spawn.child)
            || self.spawning.values().any(|it| it.child == spawn.child);
        if known && !planted("budget.pays_for_a_child_twice") {
            return Ok(Decision::read(Reply::Done));
        }
        let (size, max) = (self.follows.len() + 1, delivery.limits.session.follows_max);
        if size > max {
            return Err(Refusal::Limit { what: "the spaces an agent follows", size, max });
        }
        spawn.budget.depth = self.depth_below(spawn.budget.depth)?;
        let loan = Transfer { child: spawn.child, budget: spawn.budget, when: TransferKind::Birth };
        self.may_lend(loan)?;
        let id = numbered(delivery.seq, LEND);
        let spawn = Arc::new(spawn);
        let mut spawning =
            Decision::event(Event::Spawning { id, spawn: spawn.clone() }, Reply::Sent(id));
        if !self.account.given.is_unbounded() && !planted("budget.spawns_for_nothing") {
            spawning.events.push(Event::Booked(LedgerEntry::Lent { id, loan }));
        }
        Ok(spawning.effect(id, Effect::Spawn(spawn)))
    }

    /// Takes a part of its budget out for a child that lives, before the child has it.
    pub(in crate::session) fn lend(
        &self,
        loan: Transfer,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.may_lend(loan)?;
        let id = numbered(delivery.seq, LEND);
        let lent = Event::Booked(LedgerEntry::Lent { id, loan });
        Ok(Decision::event(lent, Reply::Sent(id)).effect(id, Effect::Send(loan)))
    }

    /// How many generations may be below a child.
    fn depth_below(&self, asked: Option<u64>) -> Result<Option<u64>, Refusal> {
        let Some(depth) = self.account.left.depth.filter(|_| !planted("budget.goes_deeper")) else {
            return Ok(asked);
        };
        let below = depth.checked_sub(1).ok_or(Refusal::TooDeep)?;
        match asked {
            Some(count) if count > below => {
                let amount = |count| Amount { unit: BudgetUnit::Depth, count };
                Err(Refusal::BudgetShort { asked: amount(count), left: amount(below) })
            }
            asked => Ok(asked.or(Some(below))),
        }
    }

    /// Whether there is as much left as is asked for.
    fn may_lend(&self, loan: Transfer) -> Result<(), Refusal> {
        let Transfer { budget, when, .. } = loan;
        let account = &self.account;
        let born = when == TransferKind::Birth;
        // What a call may take that is being made is not in it.
        let left = match account.reserved {
            Some(it) if planted("budget.lends_what_is_being_spent") => {
                account.left.plus(it.most.budget())
            }
            _ => account.left,
        };
        if born && left.spawns == Some(0) {
            return Err(Refusal::NoMoreSpawns);
        }
        // The child is one of those that may be brought up.
        let one = Budget { spawns: Some(u64::from(born)), ..Budget::default() };
        let left = left.minus(one);
        for unit in BudgetUnit::ALL.into_iter().filter(|it| it.is_handed_on()) {
            let amount = |count| Amount { unit, count };
            match (left.of(unit), budget.of(unit)) {
                (Some(left), None) if born => {
                    return Err(Refusal::BudgetUnnamed(amount(left)));
                }
                (Some(left), Some(asked)) if asked > left && !planted("budget.lends_too_much") => {
                    return Err(Refusal::BudgetShort { asked: amount(asked), left: amount(left) });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes more in.
    pub(in crate::session) fn fund(
        &self,
        budget: Budget,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let units = budget.units().into_iter().zip(self.account.left.units());
        for ((unit, more), (_, left)) in units {
            if more.is_some() && left.is_none() {
                return Err(Refusal::BudgetUnbounded(unit));
            }
        }
        if budget.depth.is_some() {
            return Err(Refusal::DepthAdded);
        }
        if budget.units().iter().all(|(_, n)| n.unwrap_or(0) == 0) {
            return Ok(Decision::read(Reply::Done));
        }
        let by = delivery.asker;
        let funded = Event::Booked(LedgerEntry::Funded { by, budget });
        Ok(Decision::event(funded, Reply::Done))
    }

    /// What was sent has arrived or is back, what a child had left is back, or what it had left
    /// itself is with its parent: each once.
    pub(in crate::session) fn settle(&self, settlement: Settlement) -> Decision<Self> {
        let wiped = self.phase == Phase::Wiped;
        let news = match &settlement {
            Settlement::Arrived(id) | Settlement::Bounced(id) => {
                self.account.sent.contains_key(id) || self.spawning.contains_key(id)
            }
            Settlement::Repaid { child, .. } => {
                self.account.lent.contains(child) || planted("budget.repaid_twice")
            }
            Settlement::Returned => wiped && self.account.is_due(),
        };
        if !news {
            return Decision::read(Reply::Done);
        }
        let mut after = self.account.clone();
        after.settle(&settlement);
        // A child that did not come to be is one more that may be, also for whoever that goes back to.
        if let Settlement::Bounced(id) = &settlement
            && self.spawning.contains_key(id)
        {
            after.not_brought_up();
        }
        // An agent hears what its children say to it.
        let heard = match &settlement {
            Settlement::Arrived(_) if planted("session.does_not_hear_its_child") => None,
            Settlement::Arrived(id) if !wiped => self.spawning.get(id),
            _ => None,
        };
        let heard = heard.map(|it| it.charter.dm).filter(|it| !self.follows.contains_key(it));
        let event = Event::Booked(LedgerEntry::Settled(settlement));
        let mut settled = Decision::event(event, Reply::Done);
        let all = FollowSpec::all(Position(0));
        settled.events.extend(heard.map(|space| Event::FollowSet { space, follow: all }));
        if wiped { self.and_returns(settled, &after) } else { settled }
    }

    /// Gives back what is left, if it is time.
    pub(in crate::session) fn and_returns(
        &self,
        decision: Decision<Self>,
        account: &Account,
    ) -> Decision<Self> {
        match self.due(account) {
            Some((id, effect)) => decision.effect(id, effect),
            None => decision,
        }
    }

    /// Whether there will be something to give back once it is wiped.
    pub(in crate::session) fn returns(&self) -> bool {
        !self.account.given.is_unbounded() && !self.account.returned
    }

    fn due(&self, account: &Account) -> Option<(EffectId, Effect)> {
        let parent = self.charter()?.parent;
        let back = Effect::Return { parent, rest: account.left };
        account.is_due().then_some((RETURNS, back))
    }

    /// What is owed of it after a crash.
    pub(in crate::session) fn owed_transfers(&self) -> Vec<(EffectId, Effect)> {
        if planted("budget.forgets_what_it_owes") {
            return Vec::new();
        }
        let sent = self.account.sent.iter().filter(|(_, loan)| loan.when == TransferKind::Later);
        let sent = sent.map(|(id, loan)| (*id, Effect::Send(*loan)));
        let spawning = self.spawning.iter().map(|(id, spawn)| (*id, Effect::Spawn(spawn.clone())));
        let sent = sent.chain(spawning);
        let back = (self.phase == Phase::Wiped).then(|| self.due(&self.account)).flatten();
        sent.chain(back).collect()
    }

    /// There is nothing left to think with: nothing wakes it until it is handed more.
    pub(in crate::session) fn exhausted(&self, what: &str, cause: Cause) -> Decision<Self> {
        self.exhausted_for(what, Budget::default(), cause)
    }

    /// The same where it goes on with so much.
    pub(in crate::session) fn exhausted_for(
        &self,
        what: &str,
        needs: Budget,
        cause: Cause,
    ) -> Decision<Self> {
        let text = format!("budget: {}; hand me more, and I go on", spent_out(what, &needs));
        let event = Event::Exhausted { what: what.to_owned(), needs };
        self.write(Decision::event(event, Reply::Done), "exhausted", text, cause)
    }
}
