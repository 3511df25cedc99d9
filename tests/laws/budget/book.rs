//! A naive book: who has what, and every move takes from one place what it puts into another.

use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::EffectId;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::session::{
    Account, Budget, Message, PassingKind, Settlement, Transfer, TransferKind,
};

/// Thoughts and tokens.
type Sum = [i64; 2];

fn sum(budget: Budget) -> Sum {
    budget.units().map(|(_, n)| n.unwrap_or(0) as i64)
}

fn plus(one: Sum, other: Sum) -> Sum {
    [one[0] + other[0], one[1] + other[1]]
}

fn minus(one: Sum, other: Sum) -> Sum {
    [one[0] - other[0], one[1] - other[1]]
}

#[derive(Clone, Debug)]
struct Page {
    parent: SessionId,
    left: Sum,
    spent: Sum,
    lent: BTreeSet<SessionId>,
    wiped: bool,
    /// Its rest is booked with its parent, or at the root.
    handed_over: bool,
    returned: bool,
}

#[derive(Clone, Debug)]
struct Way {
    loan: Transfer,
    /// The child has it.
    used: bool,
    open: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    accounts: BTreeMap<SessionId, Page>,
    ways: BTreeMap<(SessionId, EffectId), Way>,
    funded: BTreeSet<(SessionId, SessionId, String)>,
    /// Given from outside, and back there.
    given: Sum,
    home: Sum,
}

impl Book {
    /// What a message that left an entry comes to.
    pub(crate) fn take(
        &mut self,
        whom: SessionId,
        by: SessionId,
        key: Option<&str>,
        message: &Message,
    ) -> Result<(), String> {
        match message {
            Message::Begin(charter, budget) => self.born(whom, charter.parent, *budget),
            Message::Think { thought, .. } => {
                let account = self.of(whom)?;
                let tokens = (thought.tokens as i64).min(account.left[1]);
                self.spend(whom, [1, tokens])
            }
            Message::SumUp { thought, .. } if thought.text != super::UNASKED => {
                let account = self.of(whom)?;
                let tokens = (thought.tokens as i64).min(account.left[1]);
                self.spend(whom, [1, tokens])
            }
            Message::Fail { .. } => self.spend(whom, [1, 0]),
            Message::Defer { passing, .. } if passing.kind == PassingKind::Failed => {
                self.spend(whom, [1, 0])
            }
            Message::Fund(budget) => self.fund(whom, by, key.unwrap_or_default(), *budget),
            Message::Wipe { .. } => {
                self.of(whom)?.wiped = true;
                Ok(())
            }
            Message::Settle(settlement) => self.settle(whom, settlement),
            _ => Ok(()),
        }
    }

    fn of(&mut self, who: SessionId) -> Result<&mut Page, String> {
        self.accounts.get_mut(&who).ok_or_else(|| format!("birth: {who} was never born"))
    }

    fn born(&mut self, who: SessionId, parent: SessionId, budget: Budget) -> Result<(), String> {
        if self.accounts.contains_key(&who) {
            return Err(format!("birth: {who} was born twice"));
        }
        let paid = self.ways.values_mut().find(|it| it.loan.child == who && !it.used);
        match paid {
            Some(way) if way.loan.budget == budget => way.used = true,
            None if parent == ROOT => self.given = plus(self.given, sum(budget)),
            other => return Err(format!("birth: {who} has {budget}, and was paid {other:?}")),
        }
        let (lent, spent) = (BTreeSet::new(), [0, 0]);
        let (wiped, handed_over, returned) = (false, false, false);
        let left = sum(budget);
        let account = Page { parent, left, spent, lent, wiped, handed_over, returned };
        self.accounts.insert(who, account);
        Ok(())
    }

    fn spend(&mut self, who: SessionId, what: Sum) -> Result<(), String> {
        let account = self.of(who)?;
        account.left = minus(account.left, what);
        account.spent = plus(account.spent, what);
        if account.left.iter().any(|left| *left < 0) {
            return Err(format!("spend: {who} has {:?} left", account.left));
        }
        Ok(())
    }

    fn fund(
        &mut self,
        whom: SessionId,
        by: SessionId,
        key: &str,
        budget: Budget,
    ) -> Result<(), String> {
        if !self.funded.insert((whom, by, key.to_owned())) {
            return Ok(());
        }
        let lender = key.split_once('-').and_then(|(of, id)| {
            let of: SessionId = of.parse().ok()?;
            Some((of, id.parse().ok()?))
        });
        match lender.and_then(|way| self.ways.get_mut(&way)) {
            Some(way) if !way.used && way.loan.budget == budget => way.used = true,
            None if by == ROOT => self.given = plus(self.given, sum(budget)),
            other => return Err(format!("once: {whom} got {budget} of {other:?}")),
        }
        let account = self.of(whom)?;
        account.left = plus(account.left, sum(budget));
        Ok(())
    }

    /// A loan is on its way: it was the lender's.
    pub(crate) fn sent(
        &mut self,
        who: SessionId,
        id: EffectId,
        loan: Transfer,
    ) -> Result<(), String> {
        let account = self.of(who)?;
        account.left = minus(account.left, sum(loan.budget));
        if loan.when == TransferKind::Birth {
            account.lent.insert(loan.child);
        }
        if account.left.iter().any(|left| *left < 0) {
            return Err(format!("spend: {who} has lent, and has {:?} left", account.left));
        }
        self.ways.insert((who, id), Way { loan, used: false, open: true });
        Ok(())
    }

    fn settle(&mut self, who: SessionId, settlement: &Settlement) -> Result<(), String> {
        match settlement {
            Settlement::Arrived(id) => {
                if let Some(way) = self.ways.get_mut(&(who, *id)) {
                    way.open = false;
                }
            }
            Settlement::Bounced(id) => {
                let Some(way) = self.ways.remove(&(who, *id)) else { return Ok(()) };
                if way.used || !way.open {
                    return Err(format!("birth: {way:?} came back, and the child has it"));
                }
                let account = self.of(who)?;
                account.left = plus(account.left, sum(way.loan.budget));
                if way.loan.when == TransferKind::Birth {
                    account.lent.remove(&way.loan.child);
                }
            }
            Settlement::Repaid { child, rest } => {
                if !self.of(who)?.lent.remove(child) {
                    return Err(format!("once: {child} repays {who} again"));
                }
                let back = self.hand_over(*child)?;
                if back != sum(*rest) {
                    return Err(format!("once: {child} had {back:?}, and repaid {rest}"));
                }
                let account = self.of(who)?;
                account.left = plus(account.left, back);
            }
            Settlement::Returned => {
                if self.of(who)?.parent == ROOT {
                    let back = self.hand_over(who)?;
                    self.home = plus(self.home, back);
                }
                self.of(who)?.returned = true;
            }
        }
        Ok(())
    }

    /// Empties the account of a dead one, once.
    fn hand_over(&mut self, who: SessionId) -> Result<Sum, String> {
        let account = self.of(who)?;
        if !account.wiped || account.handed_over || !account.lent.is_empty() {
            return Err(format!("once: it is not for {who} to hand over: {account:?}"));
        }
        account.handed_over = true;
        Ok(std::mem::take(&mut account.left))
    }

    pub(crate) fn has_lent(&self, who: SessionId, child: SessionId) -> bool {
        self.accounts.get(&who).is_some_and(|it| it.lent.contains(&child))
    }

    pub(crate) fn knows(&self, who: SessionId, id: EffectId) -> bool {
        self.ways.contains_key(&(who, id))
    }

    pub(crate) fn agrees(&self, who: SessionId, purse: &Account) -> Result<(), String> {
        let Some(account) = self.accounts.get(&who) else { return Ok(()) };
        let left = sum(purse.left());
        let spent = [purse.spent().thoughts as i64, purse.spent().tokens as i64];
        let bounded = purse.left().units().iter().all(|(_, n)| n.is_some());
        // Between its parent's entry and its own, it still has what it has handed over.
        let known = account.handed_over && !account.returned;
        if spent != account.spent || (left != account.left && !known) || !bounded {
            return Err(format!("sum: {who} has {purse:?}, and the book {account:?}"));
        }
        Ok(())
    }

    pub(crate) fn adds_up(&self) -> Result<(), String> {
        let accounts = self.accounts.values().map(|it| plus(it.left, it.spent));
        let ways = self.ways.values().filter(|it| !it.used).map(|it| sum(it.loan.budget));
        let all = accounts.chain(ways).fold(self.home, plus);
        if all == self.given { Ok(()) } else { Err(format!("sum: {all:?} of {:?}", self.given)) }
    }

    pub(crate) fn all_is_back(&self) -> Result<(), String> {
        let spent = self.accounts.values().map(|it| it.spent).fold([0, 0], plus);
        let back = plus(self.home, spent);
        if back == self.given { Ok(()) } else { Err(format!("end: {back:?} of {:?}", self.given)) }
    }
}
