//! What an agent may spend. A budget is a transfer: the parent's account is charged before the child
//! is born, and when the child dies what is left goes back, once.
//!
//! Every unit is in one account, on its way, or spent. What is on its way is owed until it has
//! arrived, under a name of its own, so that a crash at any instant neither loses nor doubles it;
//! a loan for a child that came to nothing bounces. A wiped agent gives back what it has when
//! nothing that it lent is out any more, so that it gives back once.

use super::lifecycle::{LEND, RETURNS, numbered};
use super::{Budget, Effect, Event, FollowSpec, Phase, Refusal, Reply, Session, Spent, TurnState};
use crate::behaviour::{Decision, Delivery, EffectId};
use crate::id::{Position, SessionId};
use crate::log::Cause;
use crate::mutant::planted;
use crate::rights::AgentSpawn;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A part of a parent's budget on its way to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Transfer {
    pub child: SessionId,
    pub budget: Budget,
    /// When in the child's life.
    pub when: TransferKind,
}

/// When a child gets a part of its parent's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// It is born with it; the child's id makes it one.
    Birth,
    /// It is handed more; the asker's key makes it one.
    Later,
}

/// What became of something that was on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Settlement {
    /// It has arrived.
    Arrived(EffectId),
    /// It is back, for there is nobody who could have it.
    Bounced(EffectId),
    /// A child has ended, and what it had left is back.
    Repaid { child: SessionId, rest: Budget },
    /// The agent itself has ended, and its parent has what was left.
    Returned,
}

/// What happened to a account, but for thoughts: each spends one of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum LedgerEntry {
    /// It was born with this.
    Allotted(Budget),
    /// It was handed more.
    Funded { by: SessionId, budget: Budget },
    /// What a thought took besides itself, or one that came to nothing.
    Spent { thoughts: u64, tokens: u64 },
    /// This has left the account and is on its way.
    Lent { id: EffectId, loan: Transfer },
    /// That has come to its end.
    Settled(Settlement),
}

impl LedgerEntry {
    pub(super) fn name(&self) -> &'static str {
        match self {
            LedgerEntry::Allotted(_) | LedgerEntry::Funded { .. } => "budget.given",
            LedgerEntry::Spent { .. } => "budget.spent",
            LedgerEntry::Lent { .. } => "budget.lent",
            LedgerEntry::Settled(Settlement::Arrived(_)) => "budget.arrived",
            LedgerEntry::Settled(Settlement::Bounced(_)) => "budget.bounced",
            LedgerEntry::Settled(Settlement::Repaid { .. }) => "budget.repaid",
            LedgerEntry::Settled(Settlement::Returned) => "budget.returned",
        }
    }
}

/// What an agent has, has spent and has lent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    given: Budget,
    left: Budget,
    spent: Spent,
    /// The children whose rest is to come back.
    lent: BTreeSet<SessionId>,
    /// What nobody has seen arrive.
    sent: BTreeMap<EffectId, Transfer>,
    /// The rest has gone back to the parent.
    returned: bool,
}

impl Account {
    /// All it was ever given.
    pub fn given(&self) -> Budget {
        self.given
    }

    /// What is left to spend or to lend.
    pub fn left(&self) -> Budget {
        self.left
    }

    /// What it has spent itself.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// The children whose rest is to come back.
    pub fn lent(&self) -> impl Iterator<Item = SessionId> {
        self.lent.iter().copied()
    }

    /// What is on its way, by the name of its effect.
    pub fn sent(&self) -> impl Iterator<Item = (EffectId, &Transfer)> {
        self.sent.iter().map(|(id, loan)| (*id, loan))
    }

    /// The unit that is used up, and how much of it was given; nothing while a thought may be made.
    pub fn used_up(&self) -> Option<String> {
        if planted("budget.never_used_up") {
            return None;
        }
        let units = self.left.units().into_iter().zip(self.given.units());
        let mut used_up = units.filter(|((_, left), _)| *left == Some(0));
        used_up.next().map(|((unit, _), (_, given))| format!("{unit} = {}", given.unwrap_or(0)))
    }

    fn spend(&mut self, thoughts: u64, tokens: u64) {
        self.spent.thoughts += thoughts;
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
        self.left = self.left.minus(Budget { thoughts: Some(thoughts), tokens: Some(tokens) });
    }

    /// Whether all that is its own business is settled, but for what children still have.
    pub(super) fn is_settled(&self) -> bool {
        self.sent.is_empty()
    }

    /// Whether a wiped agent has something to give back, and everything to give it back whole.
    fn is_due(&self) -> bool {
        let whole = self.is_settled() && (self.lent.is_empty() || planted("budget.returns_early"));
        whole && !self.given.is_unbounded() && !self.returned
    }

    /// A thought was made.
    pub(super) fn think(&mut self) {
        if !planted("budget.thoughts_are_free") {
            self.spend(1, 0);
        }
    }

    pub(super) fn take(&mut self, booking: &LedgerEntry) {
        match booking {
            LedgerEntry::Allotted(budget) => {
                self.given = *budget;
                self.left = *budget;
            }
            LedgerEntry::Funded { budget, .. } => {
                self.given = self.given.plus(*budget);
                self.left = self.left.plus(*budget);
            }
            LedgerEntry::Spent { thoughts, tokens } => self.spend(*thoughts, *tokens),
            LedgerEntry::Lent { id, loan } => {
                if !planted("budget.lends_and_keeps") {
                    self.left = self.left.minus(loan.budget);
                }
                if loan.when == TransferKind::Birth {
                    self.lent.insert(loan.child);
                }
                self.sent.insert(*id, *loan);
            }
            LedgerEntry::Settled(settlement) => self.settle(settlement),
        }
    }

    fn settle(&mut self, settlement: &Settlement) {
        match settlement {
            Settlement::Arrived(id) => drop(self.sent.remove(id)),
            Settlement::Bounced(id) => {
                if let Some(loan) = self.sent.remove(id) {
                    self.left = self.left.plus(loan.budget);
                    if loan.when == TransferKind::Birth {
                        self.lent.remove(&loan.child);
                    }
                }
            }
            Settlement::Repaid { child, rest } => {
                self.lent.remove(child);
                self.left = self.left.plus(*rest);
            }
            Settlement::Returned => {
                self.returned = true;
                self.left = self.left.minus(self.left);
            }
        }
    }
}

impl Session {
    /// What it has, has spent and has lent.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Brings up a child: its budget is taken out first, and comes back if the child does not come
    /// to be. Who has no bound itself has nothing taken out.
    pub(super) fn spawn(
        &self,
        spawn: AgentSpawn,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        if let Some((unit, _)) = spawn.budget.units().into_iter().find(|(_, n)| *n == Some(0)) {
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
    pub(super) fn lend(
        &self,
        loan: Transfer,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.may_lend(loan)?;
        let id = numbered(delivery.seq, LEND);
        let lent = Event::Booked(LedgerEntry::Lent { id, loan });
        Ok(Decision::event(lent, Reply::Sent(id)).effect(id, Effect::Send(loan)))
    }

    /// Whether there is as much left as is asked for.
    fn may_lend(&self, loan: Transfer) -> Result<(), Refusal> {
        let Transfer { budget, when, .. } = loan;
        let account = &self.account;
        let born = when == TransferKind::Birth;
        // The model is being asked, and will have been.
        let thinks = matches!(&self.phase, Phase::Turning(it) if !matches!(it.doing, TurnState::Acting { .. }));
        let asked = if thinks && !planted("budget.lends_what_is_being_spent") { 1 } else { 0 };
        let left = account.left.minus(Budget::thoughts(asked));
        for ((unit, left), (_, asked)) in left.units().into_iter().zip(budget.units()) {
            match (left, asked) {
                (Some(left), None) if born => return Err(Refusal::BudgetUnnamed { unit, left }),
                (Some(left), Some(asked)) if asked > left && !planted("budget.lends_too_much") => {
                    return Err(Refusal::BudgetShort { unit, asked, left });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes more in.
    pub(super) fn fund(
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
        if budget.units().iter().all(|(_, n)| n.unwrap_or(0) == 0) {
            return Ok(Decision::read(Reply::Done));
        }
        let by = delivery.asker;
        let funded = Event::Booked(LedgerEntry::Funded { by, budget });
        Ok(Decision::event(funded, Reply::Done))
    }

    /// What was sent has arrived or is back, what a child had left is back, or what it had left
    /// itself is with its parent: each once.
    pub(super) fn settle(&self, settlement: Settlement) -> Decision<Self> {
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
    pub(super) fn and_returns(
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
    pub(super) fn returns(&self) -> bool {
        !self.account.given.is_unbounded() && !self.account.returned
    }

    fn due(&self, account: &Account) -> Option<(EffectId, Effect)> {
        let parent = self.charter()?.parent;
        let back = Effect::Return { parent, rest: account.left };
        account.is_due().then_some((RETURNS, back))
    }

    /// What is owed of it after a crash.
    pub(super) fn owed_transfers(&self) -> Vec<(EffectId, Effect)> {
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
    pub(super) fn exhausted(&self, what: &str, cause: Cause) -> Decision<Self> {
        let text = format!("budget: {what} is spent; hand me more, and I go on");
        let event = Event::Exhausted { what: what.to_owned() };
        self.write(Decision::event(event, Reply::Done), "exhausted", text, cause)
    }
}
