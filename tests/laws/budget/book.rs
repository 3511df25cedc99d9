//! A naive book: who has what, and every move takes from one place what it puts into another.

use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::EffectId;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::session::{
    Account, Billing, Budget, BudgetUnit, CallBound, Message, PassingKind, Settlement, Steering,
    Transfer, TransferKind,
};

/// In each unit that is handed on, in their order.
pub(crate) type Sum = [i64; 6];

const THOUGHTS: usize = 0;
const TOKENS: usize = 1;
const MONEY: usize = 2;
const MS: usize = 3;
const TURNS: usize = 4;
const SPAWNS: usize = 5;

/// What is spent of these is not for messages to say: when a turn begins, and how the time goes.
const FLOATING: [usize; 2] = [MS, TURNS];

fn sum(budget: Budget) -> Sum {
    let handed_on = BudgetUnit::ALL.into_iter().filter(|it| it.is_handed_on());
    let mut all = handed_on.map(|unit| budget.of(unit).unwrap_or(0) as i64);
    std::array::from_fn(|_| all.next().unwrap_or(0))
}

fn plus(one: Sum, other: Sum) -> Sum {
    std::array::from_fn(|n| one[n] + other[n])
}

fn minus(one: Sum, other: Sum) -> Sum {
    std::array::from_fn(|n| one[n] - other[n])
}

/// The same where it is for messages to say.
fn fixed(mut sum: Sum) -> Sum {
    FLOATING.iter().for_each(|n| sum[*n] = 0);
    sum
}

fn called(thoughts: i64, tokens: i64, money: i64) -> Sum {
    let mut sum = Sum::default();
    (sum[THOUGHTS], sum[TOKENS], sum[MONEY]) = (thoughts, tokens, money);
    sum
}

#[derive(Clone, Debug)]
struct Page {
    parent: SessionId,
    left: Sum,
    spent: Sum,
    /// Put aside for a call that is made.
    reserved: Option<Sum>,
    /// What providers have billed.
    billed: Sum,
    depth: Option<u64>,
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
            Message::Think { thought, .. } => self.says(whom, thought.tokens, thought.money),
            Message::SumUp { thought, .. } if thought.text != super::UNASKED => {
                self.says(whom, thought.tokens, thought.money)
            }
            Message::Fail { billing, .. } => self.gives_up(whom, 1, *billing),
            Message::Defer { passing, billing, .. } => {
                let failed = passing.kind == PassingKind::Failed;
                self.gives_up(whom, failed.into(), *billing)
            }
            Message::WindowFull { billing, .. } => self.gives_up(whom, 0, *billing),
            Message::Fund(budget) => self.fund(whom, by, key.unwrap_or_default(), *budget),
            Message::Stop { .. } | Message::Steer { how: Steering::Interrupt, .. } => {
                self.gives_up(whom, 1, Billing::Unknown)
            }
            Message::Wipe { .. } => {
                self.gives_up(whom, 1, Billing::Unknown)?;
                self.of(whom)?.wiped = true;
                Ok(())
            }
            Message::Settle(settlement) => self.settle(whom, settlement),
            _ => Ok(()),
        }
    }

    /// A call has come to a reply.
    fn says(&mut self, who: SessionId, tokens: u64, money: u64) -> Result<(), String> {
        let page = self.of(who)?;
        if let Some(reserved) = page.reserved.take() {
            page.left = plus(page.left, reserved);
        }
        let (tokens, money) = (tokens as i64, money as i64);
        let took = called(1, tokens.min(page.left[TOKENS]), money.min(page.left[MONEY]));
        self.spend(who, took)
    }

    /// A call has come to nothing; or there is none.
    fn gives_up(&mut self, who: SessionId, thoughts: i64, billing: Billing) -> Result<(), String> {
        let Some(page) = self.accounts.get_mut(&who) else { return Ok(()) };
        let Some(reserved) = page.reserved.take() else {
            // One that was not even asked whether it may.
            let thoughts = thoughts.min(page.left[THOUGHTS]);
            let counts = billing == Billing::NotMade;
            return if counts { self.spend(who, called(thoughts, 0, 0)) } else { Ok(()) };
        };
        page.left = plus(page.left, reserved);
        let took = match billing {
            Billing::Unknown => called(thoughts, reserved[TOKENS], reserved[MONEY]),
            // It was granted to a call before this one.
            Billing::NotMade => called(1, reserved[TOKENS], reserved[MONEY]),
            Billing::Refused => called(thoughts, 0, 0),
        };
        self.spend(who, took)
    }

    /// A call may be made, or not; one that was being made was cut off.
    pub(crate) fn reserves(&mut self, who: SessionId, granted: Option<Sum>) -> Result<(), String> {
        self.gives_up(who, 1, Billing::Unknown)?;
        let page = self.of(who)?;
        if let Some(most) = granted {
            page.left = minus(page.left, most);
            page.reserved = Some(most);
            if page.left.iter().any(|left| *left < 0) {
                return Err(format!(
                    "spend: {who} asks for {most:?}, and has {:?} then",
                    page.left
                ));
            }
        }
        Ok(())
    }

    /// A provider bills what a call took, whatever becomes of the reply.
    pub(crate) fn bills(&mut self, who: SessionId, tokens: u64, money: u64) -> Result<(), String> {
        let page = self.of(who)?;
        page.billed = plus(page.billed, called(1, tokens as i64, money as i64));
        Ok(())
    }

    /// Nobody is billed more than stands as spent, or is put aside.
    pub(crate) fn nobody_overspends(&self) -> Result<(), String> {
        for (who, page) in &self.accounts {
            let stands = plus(page.spent, page.reserved.unwrap_or_default());
            if page.billed.iter().zip(stands).any(|(billed, stands)| *billed > stands) {
                return Err(format!("spend: {who} was billed {:?} of {page:?}", page.billed));
            }
        }
        Ok(())
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
        let above = self.accounts.get(&parent).and_then(|it| it.depth);
        let depth = budget.depth;
        if let Some(above) = above
            && depth.is_none_or(|depth| depth >= above)
        {
            return Err(format!("birth: {who} has depth {depth:?} below one of {above}"));
        }
        let (reserved, billed) = (None, Sum::default());
        let (lent, spent) = (BTreeSet::new(), Sum::default());
        let (wiped, handed_over, returned) = (false, false, false);
        let left = sum(budget);
        let account = Page {
            parent,
            left,
            spent,
            reserved,
            billed,
            depth,
            lent,
            wiped,
            handed_over,
            returned,
        };
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
            account.left[SPAWNS] -= 1;
            account.spent[SPAWNS] += 1;
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
                    account.left[SPAWNS] += 1;
                    account.spent[SPAWNS] -= 1;
                }
            }
            Settlement::Repaid { child, rest } => {
                if !self.of(who)?.lent.remove(child) {
                    return Err(format!("once: {child} repays {who} again"));
                }
                let before = self.of(*child)?;
                let all = plus(before.left, before.spent);
                let mut back = self.hand_over(*child)?;
                let rest = sum(*rest);
                if fixed(back) != fixed(rest) {
                    return Err(format!("once: {child} had {back:?}, and repaid {rest:?}"));
                }
                let child = self.of(*child)?;
                for n in FLOATING {
                    back[n] = rest[n];
                    child.spent[n] = all[n] - rest[n];
                    if rest[n] > all[n] {
                        return Err(format!("once: of {all:?} there are {rest:?} back"));
                    }
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

    pub(crate) fn most(bound: CallBound, ms: u64) -> Sum {
        let mut most = called(1, bound.tokens as i64, bound.money.unwrap_or(0) as i64);
        most[MS] = ms as i64;
        most
    }

    pub(crate) fn has_lent(&self, who: SessionId, child: SessionId) -> bool {
        self.accounts.get(&who).is_some_and(|it| it.lent.contains(&child))
    }

    pub(crate) fn knows(&self, who: SessionId, id: EffectId) -> bool {
        self.ways.contains_key(&(who, id))
    }

    /// An account is as it is told here, of one that has begun so many turns.
    pub(crate) fn agrees(
        &mut self,
        who: SessionId,
        purse: &Account,
        turns: u64,
    ) -> Result<(), String> {
        let Some(page) = self.accounts.get_mut(&who) else { return Ok(()) };
        let (left, had) = (sum(purse.left()), purse.spent());
        let spent = sum(had.budget());
        let reserved = purse.reserved().map(|it| sum(it.most.budget()));
        let bounded = purse.left().units().iter().all(|(_, n)| n.is_some());
        // Between its parent's entry and its own, it still has what it has handed over.
        let known = page.handed_over && !page.returned;
        if !page.handed_over {
            for n in FLOATING {
                let put_aside = |it: Option<Sum>| it.map_or(0, |it| it[n]);
                let here = left[n] + spent[n] + put_aside(reserved);
                let told = page.left[n] + page.spent[n] + put_aside(page.reserved);
                if here != told {
                    return Err(format!("sum: {who} has {purse:?}, and the book {page:?}"));
                }
                (page.left[n], page.spent[n]) = (left[n], spent[n]);
                if let (Some(told), Some(here)) = (&mut page.reserved, reserved) {
                    told[n] = here[n];
                }
            }
        }
        let as_told = fixed(spent) == fixed(page.spent) && reserved == page.reserved;
        let left_as_told = fixed(left) == fixed(page.left) || known;
        if !as_told || !left_as_told || !bounded || spent[TURNS] != turns as i64 {
            return Err(format!("sum: {who} has {purse:?}, and the book {page:?}"));
        }
        Ok(())
    }

    fn total(&self) -> Sum {
        let accounts = self
            .accounts
            .values()
            .map(|it| plus(plus(it.left, it.spent), it.reserved.unwrap_or_default()));
        let ways = self.ways.values().filter(|it| !it.used).map(|it| sum(it.loan.budget));
        accounts.chain(ways).fold(self.home, plus)
    }

    pub(crate) fn adds_up(&self) -> Result<(), String> {
        let all = self.total();
        if all == self.given { Ok(()) } else { Err(format!("sum: {all:?} of {:?}", self.given)) }
    }

    pub(crate) fn all_is_back(&self) -> Result<(), String> {
        let spent = self.accounts.values().map(|it| it.spent).fold(Sum::default(), plus);
        let back = plus(self.home, spent);
        if back == self.given { Ok(()) } else { Err(format!("end: {back:?} of {:?}", self.given)) }
    }
}
