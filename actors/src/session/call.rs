//! What a call of a model may take, and what it took.
//!
//! Before an agent with a bound asks its model, the most that the call may take leaves its account;
//! when it is known what the call took, the rest is back. A call of which nobody knows what became
//! of it has taken all of that: one that a crash has cut off, one that was stopped, one whose
//! connection broke. So whatever a provider bills stands as spent, and is never more than was given.

use super::turn::paid;
use super::{
    Event, LedgerEntry, Message, Phase, Refusal, Reply, Session, Spent, Thought, TokenUsage, Turn,
    TurnOutcome, TurnState,
};
use crate::agent::{Budget, BudgetUnit, CallBound};
use crate::behaviour::{Decision, Delivery, Row};
use crate::codec;
use crate::id::{Millis, SessionId, SpaceId, StreamId};
use crate::mutant::planted;
use serde::Serialize;

/// The most that a call of a model may take, while nobody knows what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// All of it left the account.
    pub most: Spent,
    /// When it left the account.
    pub since: Millis,
}

/// What a request without a reply may have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Billing {
    /// It was refused: nothing.
    #[default]
    Refused,
    /// Nobody knows: all that it might.
    Unknown,
    /// It was not made: nothing, but one before a crash may have been.
    NotMade,
}

/// A call of a model, for those who look what was spent on what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BilledCall {
    /// Which of the agent's calls it is, from 1.
    pub number: u64,
    /// In which turn it was made.
    pub turn: u64,
    /// Who was asked, as it is called here.
    pub model: String,
    /// The space that woke the agent first in that turn; nothing at its birth.
    pub space: Option<SpaceId>,
    /// When it was known what it took.
    pub at: Millis,
    /// What it took in tokens, as the provider said.
    pub usage: TokenUsage,
    /// Whether that is known; if not, what it may have taken at most stands as spent.
    pub known: bool,
}

const COST: &[u8] = b"cost";
const COST_FORM: u8 = 1;

impl Session {
    /// The front of the keys of the rows that say what calls of models took: of all agents, or of one.
    pub fn cost_keys(of: Option<SessionId>) -> Vec<u8> {
        [COST, of.as_ref().map_or(&[][..], |it| &it.0)].concat()
    }

    /// A call, and what it took, by such a row.
    pub fn read_cost_row(key: &[u8], value: &[u8]) -> Option<(SessionId, Spent, BilledCall)> {
        let id = key.strip_prefix(COST)?.first_chunk()?;
        match codec::decode(COST_FORM, value).ok()? {
            LedgerEntry::Spent { thoughts, tokens, money, ms, call: Some(call) } => {
                let spent = Spent { thoughts, tokens, money, ms, ..Spent::default() };
                Some((SessionId(*id), spent, *call))
            }
            _ => None,
        }
    }

    /// Before the model is asked: whether there is as much as that may take. It leaves the account
    /// until it is known what it took.
    pub(super) fn reserve(
        &self,
        at: &Turn,
        attempt: u32,
        bound: CallBound,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        if attempt != at.requests {
            return Err(Refusal::Stale { turn: at.number, step: at.step });
        }
        if !self.account.left().bounds_calls() {
            return Ok(Decision::read(Reply::Granted { ms_max: None }));
        }
        // There was a call before a crash, and nobody knows what it took.
        let lost = self.account.reserved().map(|_| self.untold(at, 1, delivery.now));
        let lost = lost.filter(|_| !planted("budget.a_crash_is_free"));
        let mut account = self.account.clone();
        match &lost {
            Some(lost) => account.take(lost),
            None => account.release(),
        }
        let left = account.left();
        let mut decision = match (left.money, bound.money) {
            (Some(_), None) => {
                let model = self.charter().map_or("", |it| &*it.model);
                let why = format!("model {model} has no price, and its budget is in money");
                self.failed(why, delivery)
            }
            _ => {
                let most = most(bound, left);
                match short(most, left, self.account.given()) {
                    Some((what, needs)) => {
                        // Before anything was said, what woke it stays new.
                        let mut exhausted = match at.step {
                            1 if at.compactions == 0 => self.exhausted_for(&what, needs, at.cause),
                            _ => self.end_exhausted_for(at, &what, needs, delivery),
                        };
                        exhausted.reply = Reply::Busy;
                        exhausted
                    }
                    None => {
                        let reserved = Reserved { most, since: delivery.now };
                        let ms_max = left.ms.map(|_| most.ms);
                        let event = Event::Booked(LedgerEntry::Reserved(reserved));
                        Decision::event(event, Reply::Granted { ms_max })
                    }
                }
            }
        };
        if matches!(decision.reply, Reply::Done) {
            decision.reply = Reply::Busy;
        }
        decision.events.splice(0..0, lost.map(Event::Booked));
        Ok(decision)
    }

    /// What a call took that has come to a reply, besides `thoughts`; nothing where it is nothing.
    pub(super) fn took(
        &self,
        at: &Turn,
        thoughts: u64,
        thought: &Thought,
        now: Millis,
    ) -> Option<LedgerEntry> {
        let (tokens, money) = (thought.tokens, thought.money);
        let usage = thought.generation.as_ref().map(|it| it.usage);
        let ms = self.asked_ms(now);
        let spent = Spent { thoughts, tokens, money, ms, ..Spent::default() };
        let asked = usage.is_some() || tokens > 0 || money > 0;
        // Of what its provider does not say, the most stands as spent.
        let known = usage.is_some_and(|it| it.input > 0);
        let call = asked.then(|| self.billed(at, usage.unwrap_or_default(), known, now));
        let any = asked || thoughts > 0 || self.account.reserved().is_some();
        any.then(|| LedgerEntry::spent(spent, call))
    }

    /// What a call took that was refused: nothing but its time, and that it was made.
    pub(super) fn free(&self, thoughts: u64, now: Millis) -> LedgerEntry {
        // Before it was asked what it takes, there may be nothing left to count it by.
        let thoughts = match self.account.reserved() {
            None => thoughts.min(self.account.left().thoughts.unwrap_or(u64::MAX)),
            Some(_) => thoughts,
        };
        let spent = Spent { thoughts, ms: self.asked_ms(now), ..Spent::default() };
        LedgerEntry::spent(spent, None)
    }

    /// What a call took of which nobody knows it: all that it might.
    pub(super) fn untold(&self, at: &Turn, thoughts: u64, now: Millis) -> LedgerEntry {
        let most = self.account.reserved().map(|it| it.most);
        let spent = Spent { thoughts, ms: self.asked_ms(now), ..most.unwrap_or_default() };
        // A model that takes nothing is not billed.
        let billed = most.is_none_or(|it| it.tokens > 0 || it.money > 0);
        let call = billed.then(|| self.billed(at, TokenUsage::default(), false, now));
        LedgerEntry::spent(spent, call)
    }

    /// What a call took that has failed.
    pub(super) fn failing(
        &self,
        at: &Turn,
        thoughts: u64,
        billing: Billing,
        now: Millis,
    ) -> LedgerEntry {
        let lost = self.account.reserved().is_some() && !planted("budget.a_crash_is_free");
        match billing {
            Billing::Unknown => self.untold(at, thoughts, now),
            Billing::NotMade if lost => self.untold(at, 1, now),
            Billing::Refused | Billing::NotMade => self.free(thoughts, now),
        }
    }

    fn billed(&self, at: &Turn, usage: TokenUsage, known: bool, now: Millis) -> Box<BilledCall> {
        Box::new(BilledCall {
            number: self.account.calls() + 1,
            turn: at.number,
            model: self.charter().map_or_else(String::new, |it| it.model.clone()),
            space: at.wakes.first().map(|it| it.space),
            at: now,
            usage,
            known,
        })
    }

    /// How long the model was asked, as far as that is counted.
    fn asked_ms(&self, now: Millis) -> u64 {
        let ms = |it: &Reserved| now.0.saturating_sub(it.since.0).min(it.most.ms);
        self.account.reserved().map_or(0, ms)
    }

    /// What the running action took of a bounded time: of one that a crash has cut off, until it ends.
    pub(super) fn acted(&self, now: Millis, ms_max: u64) -> Option<LedgerEntry> {
        let Phase::Turning(turn) = &self.phase else { return None };
        let TurnState::Acting { since, .. } = &turn.doing else { return None };
        let left = self.account.left().ms?;
        let ms = now.0.saturating_sub(since.0).min(left).min(ms_max);
        let spent = Spent { ms, ..Spent::default() };
        (ms > 0).then(|| LedgerEntry::spent(spent, None))
    }

    /// What stands as spent if all that runs is cut off now.
    pub(super) fn cut_off(&self, now: Millis, ms_max: u64) -> Option<LedgerEntry> {
        let Phase::Turning(turn) = &self.phase else { return None };
        match self.account.reserved() {
            Some(_) => Some(self.untold(turn, 1, now)),
            None => self.acted(now, ms_max),
        }
    }

    /// A thought that took more than there was: what there was is spent, and what was said is not
    /// acted upon, so that nobody spends more than it was given.
    pub(super) fn overdrawn(
        &self,
        turn: &Turn,
        thought: &Thought,
        delivery: &Delivery<'_>,
    ) -> Option<Decision<Self>> {
        let mut account = self.account.clone();
        account.release();
        let (left, given) = (account.left(), account.given());
        let took = [(BudgetUnit::Tokens, thought.tokens), (BudgetUnit::Money, thought.money)];
        let over = |(unit, took): (BudgetUnit, u64)| {
            left.of(unit).filter(|left| took > *left).map(|left| (unit, took, left))
        };
        let (unit, took, had) = took.into_iter().find_map(over)?;
        let given = unit.shown(given.of(unit).unwrap_or(had));
        let (took, had) = (unit.shown(took), unit.shown(had));
        let what = format!("{unit} = {given} (a thought took {took}, and {had} were left)");
        let within = |took: u64, left: Option<u64>| took.min(left.unwrap_or(u64::MAX));
        let (tokens, money) =
            (within(thought.tokens, left.tokens), within(thought.money, left.money));
        let spent = self.took(turn, 1, &Thought { tokens, money, ..thought.clone() }, delivery.now);
        Some(paid(spent, self.end_exhausted(turn, what, delivery)))
    }

    /// The turn ends, for there is nothing left to think with.
    pub(super) fn end_exhausted(
        &self,
        turn: &Turn,
        what: String,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        self.end_exhausted_for(turn, &what, Budget::default(), delivery)
    }

    /// The same where it goes on with so much.
    pub(super) fn end_exhausted_for(
        &self,
        turn: &Turn,
        what: &str,
        needs: Budget,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let outcome = TurnOutcome::Exhausted(format!("budget: {what}"));
        let mut exhausted = self.exhausted_for(what, needs, turn.cause);
        let ended = Event::TurnEnded { outcome, rest_until: delivery.now };
        exhausted.events.insert(0, ended);
        exhausted
    }

    /// No turn ends and no call is given up before what it took stands as spent.
    pub(super) fn and_pays(
        &self,
        mut decision: Decision<Self>,
        now: Millis,
        ms_max: u64,
    ) -> Decision<Self> {
        let ends = decision.events.iter().any(|event| {
            let over = matches!(event, Event::TurnEnded { .. } | Event::TurnFailed { .. });
            let over = over || matches!(event, Event::Quarantined { .. } | Event::Stopped { .. });
            over || matches!(event, Event::Deferred { .. } | Event::WindowFull { .. })
        });
        let pays = |event: &Event| {
            let spent = matches!(event, Event::Booked(LedgerEntry::Spent { .. }));
            spent || matches!(event, Event::Thought { .. } | Event::Wiped { .. })
        };
        if ends && !decision.events.iter().any(pays) && !planted("budget.stopping_is_free") {
            decision.events.splice(0..0, self.cut_off(now, ms_max).map(Event::Booked));
        }
        decision
    }
}

/// The part of what a call may take that is to be there besides, for an agent to go on.
const HEADROOM: u64 = 8;

/// What is taken out before a call: all that it may take, and of the time no more than there is.
fn most(bound: CallBound, left: Budget) -> Spent {
    let ms = left.ms.map_or(0, |left| left.min(bound.ms));
    let money = bound.money.unwrap_or(0);
    Spent { thoughts: 1, tokens: bound.tokens, money, ms, ..Spent::default() }
}

/// Of which unit there is less than a call may take, in words, and how much it needs.
fn short(most: Spent, left: Budget, given: Budget) -> Option<(String, Budget)> {
    let needed = Spent { ms: most.ms.max(1), ..most }.budget();
    let units = [BudgetUnit::Thoughts, BudgetUnit::Tokens, BudgetUnit::Money, BudgetUnit::Seconds];
    let short = units.into_iter().find_map(|unit| {
        let (needs, left) = (needed.of(unit)?, left.of(unit)?);
        (needs > left).then_some((unit, needs, left))
    });
    let (unit, needs, left) = short.filter(|_| !planted("budget.asks_for_more_than_it_has"))?;
    let given = unit.shown(given.of(unit).unwrap_or(left));
    let what = match left {
        0 => format!("{unit} = {given}"),
        _ => {
            let (needs, left) = (unit.shown(needs), unit.shown(left));
            format!("{unit} = {given}: a call of the model may take {needs}, and {left} is left")
        }
    };
    // Of each unit as much, and a little more: the next window is longer by what is told of this.
    let mut goes_on = Budget::default();
    for unit in units {
        let more = match unit {
            BudgetUnit::Tokens | BudgetUnit::Money => HEADROOM,
            _ => u64::MAX,
        };
        *goes_on.place(unit) = needed.of(unit).map(|it| it.saturating_add(it / more));
    }
    Some((what, goes_on))
}

/// A call, for those who look what was spent.
pub(super) fn project(stream: StreamId, event: &Event, rows: &mut Vec<Row>) {
    if let Event::Booked(entry @ LedgerEntry::Spent { call: Some(call), .. }) = event {
        let key = [COST, &stream.0, &call.number.to_be_bytes()].concat();
        rows.push(Row::own::<Session>(key, codec::encode(COST_FORM, entry).ok()));
    }
}

impl Message {
    /// The question whether a model may be asked.
    pub fn may_ask(of: (u64, u32), attempt: u32, bound: CallBound) -> Message {
        Message::Reserve { turn: of.0, step: of.1, attempt, bound }
    }
}
