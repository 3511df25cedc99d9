//! What an agent may spend. A budget is a transfer: the parent's account is charged before the child
//! is born, and when the child dies what is left goes back, once.
//!
//! Every unit is in one account, on its way, or spent. What is on its way is owed until it has
//! arrived, under a name of its own, so that a crash at any instant neither loses nor doubles it;
//! a loan for a child that came to nothing bounces. A wiped agent gives back what it has when
//! nothing that it lent is out any more, so that it gives back once.

mod transfer;

use super::call::{BilledCall, Reserved};
use super::{Budget, Spent};
use crate::agent::BudgetUnit;
use crate::behaviour::EffectId;
use crate::id::SessionId;
use crate::mutant::planted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What a thought took besides itself, or one that came to nothing, or an action. What was put
    /// aside for a call is back.
    Spent {
        thoughts: u64,
        tokens: u64,
        money: u64,
        ms: u64,
        /// The call of a model that took it, where there was one.
        call: Option<Box<BilledCall>>,
    },
    /// This has left the account and is on its way.
    Lent { id: EffectId, loan: Transfer },
    /// That has come to its end.
    Settled(Settlement),
    /// A model is asked, and this is the most that it may take.
    Reserved(Reserved),
}

impl LedgerEntry {
    pub(crate) fn spent(spent: Spent, call: Option<Box<BilledCall>>) -> LedgerEntry {
        let Spent { thoughts, tokens, money, ms, .. } = spent;
        LedgerEntry::Spent { thoughts, tokens, money, ms, call }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            LedgerEntry::Allotted(_) | LedgerEntry::Funded { .. } => "budget.given",
            LedgerEntry::Spent { .. } => "budget.spent",
            LedgerEntry::Reserved(_) => "budget.reserved",
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
    /// What a call may take that is being made.
    reserved: Option<Reserved>,
    /// Calls of a model of which it is told what they took.
    calls: u64,
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

    /// What a call may take that is being made.
    pub fn reserved(&self) -> Option<&Reserved> {
        self.reserved.as_ref()
    }

    /// Calls of a model so far of which it is told what they took.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// The unit that is used up, and how much of it was given; nothing while a turn may begin.
    pub fn used_up(&self) -> Option<String> {
        self.lacks(|_| true)
    }

    /// The same of what a turn needs that has begun.
    pub fn used_up_within(&self) -> Option<String> {
        self.lacks(|unit| unit != BudgetUnit::Turns)
    }

    fn lacks(&self, needed: impl Fn(BudgetUnit) -> bool) -> Option<String> {
        if planted("budget.never_used_up") {
            return None;
        }
        let left =
            Budget { turns: self.left.turns.filter(|_| needed(BudgetUnit::Turns)), ..self.left };
        let unit = left.lacking()?;
        Some(format!("{unit} = {}", unit.shown(self.given.of(unit).unwrap_or(0))))
    }

    /// Whether there is so much left.
    pub(super) fn covers(&self, needs: Budget) -> bool {
        let units = needs.units().into_iter();
        units.filter_map(|(unit, needs)| Some((needs?, self.left.of(unit)?))).all(|it| it.0 <= it.1)
    }

    fn spend(&mut self, spent: Spent) {
        self.release();
        self.spent = self.spent.plus(spent);
        self.left = self.left.minus(spent.budget());
    }

    /// What was put aside for a call is back.
    pub(super) fn release(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            self.left = self.left.plus(reserved.most.budget());
        }
    }

    /// A turn has begun.
    pub(super) fn begin_turn(&mut self) {
        let turns = u64::from(!planted("budget.turns_are_free"));
        self.spend(Spent { turns, ..Spent::default() });
    }

    /// A child is being brought up.
    pub(super) fn bring_up(&mut self) {
        if planted("budget.spawns_are_free") {
            return;
        }
        self.spent.spawns += 1;
        self.left = self.left.minus(Budget { spawns: Some(1), ..Budget::default() });
    }

    /// It did not come to be.
    pub(super) fn not_brought_up(&mut self) {
        self.spent.spawns = self.spent.spawns.saturating_sub(1);
        self.left = self.left.plus(Budget { spawns: Some(1), ..Budget::default() });
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
            self.spend(Spent { thoughts: 1, ..Spent::default() });
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
            LedgerEntry::Spent { thoughts, tokens, money, ms, call } => {
                let (thoughts, tokens, money, ms) = (*thoughts, *tokens, *money, *ms);
                self.spend(Spent { thoughts, tokens, money, ms, ..Spent::default() });
                self.calls += u64::from(call.is_some());
            }
            LedgerEntry::Reserved(reserved) => {
                self.release();
                if !planted("budget.reserves_nothing") {
                    self.left = self.left.minus(reserved.most.budget());
                }
                self.reserved = Some(*reserved);
            }
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
