//! Budgets, against a naive book of who has what, over a family of sessions that spawn, think,
//! lend, end and crash in random order.
//!
//! - *sum*: what all have left, have spent and have on its way is what was given from outside.
//! - *spend*: nobody spends more than it has, nor lends what it is about to spend.
//! - *birth*: who was born with a budget was paid for, and what was paid for nobody comes back.
//! - *once*: however often it is told, a child's rest comes back once, and whole.
//! - *end*: when all are wiped, all that was not spent is back at the root.

mod book;
mod schedule;

use crate::laws::cases;
use book::Book;
use proptest::test_runner::Config;
use schedule::{Deed, Fate, Op};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::EffectId;
use stoa_actors::id::{Millis, Position, ROOT, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::Ask;
use stoa_actors::session::{
    Budget, Charter, Effect, Follow1, Lending, Loan, Message, Observation, Session, Settlement,
    Thought,
};
use stoa_actors::simulation::{Simulation, Told};
use stoa_actors::space::Wake;

/// How the eldest begins.
const GIVEN: Budget = Budget { thoughts: Some(40), tokens: Some(400) };
const FAMILY: u8 = 24;

fn session(n: u8) -> SessionId {
    SessionId([n + 1; 16])
}

fn dm(of: SessionId) -> SpaceId {
    SpaceId(of.0)
}

struct Trial {
    sim: Simulation<Session>,
    book: Book,
    /// What was asked, by ticket: of whom, by whom, under which key.
    asked: BTreeMap<u64, (SessionId, SessionId, Option<String>, Message)>,
    running: BTreeMap<(SessionId, EffectId), Effect>,
    /// What the rights know: the children there are, and what they are to be begun with.
    births: BTreeMap<SessionId, (SessionId, Budget)>,
    /// The spawn that a crash has cut off.
    cut: Option<(SessionId, SessionId, Budget)>,
    old: Vec<(SessionId, SessionId, Option<String>, Message)>,
    /// Ids that were drawn: one for each spawn, whatever becomes of it.
    drawn: u8,
    keys: u64,
    head: u64,
}

impl Trial {
    fn new() -> Trial {
        let mut sim = Simulation::new(43);
        sim.limits.session.rest_first_ms = 0;
        sim.limits.session.rest_ms_max = 0;
        sim.limits.session.failures_max = 1_000;
        sim.limits.session.turn_steps_max = 3;
        Trial {
            sim,
            book: Book::default(),
            asked: BTreeMap::new(),
            running: BTreeMap::new(),
            births: BTreeMap::new(),
            cut: None,
            old: Vec::new(),
            drawn: 1,
            keys: 0,
            head: 0,
        }
    }

    fn ask(&mut self, whom: SessionId, by: SessionId, key: Option<String>, message: Message) {
        self.old.push((whom, by, key.clone(), message.clone()));
        let ask = Ask { key: key.clone(), ..Ask::new(by, message.clone()) };
        let ticket = self.sim.ask(whom.stream(), ask);
        self.asked.insert(ticket, (whom, by, key, message));
    }

    /// One of those that were spawned so far.
    fn member(&self, n: u8) -> SessionId {
        let all = self.births.keys();
        all.copied().nth(usize::from(n) % self.births.len()).unwrap_or(session(0))
    }

    fn tell(&mut self, whom: SessionId, message: Message) {
        self.ask(whom, ROOT, None, message);
    }

    fn settle(&mut self, whom: SessionId, settlement: Settlement) {
        self.tell(whom, Message::Settle(settlement));
    }

    fn begin(&mut self, child: SessionId) {
        let Some((parent, budget)) = self.births.get(&child).copied() else { return };
        let follow = Follow1::default();
        let charter = Charter {
            parent,
            task: "a task".into(),
            instructions: None,
            model: "recipe".into(),
            dm: dm(child),
            first: None,
            follows: vec![(dm(child), follow)],
        };
        self.ask(child, parent, None, Message::Begin(std::sync::Arc::new(charter), budget));
    }

    fn commit(&mut self, count: usize) -> Result<(), String> {
        let answers = self.sim.commit(count);
        let started = self.sim.effects();
        for Told { ticket, answer, position } in answers {
            let Some((whom, by, key, message)) = self.asked.remove(&ticket) else {
                return Err(format!("once: {ticket} was answered twice"));
            };
            if answer.is_err() || position.is_none() {
                continue;
            }
            match &message {
                // The entry's own loan is the first that the book does not have.
                Message::Lend(loan) => {
                    let of = |it: &&(StreamId, EffectId, Effect)| {
                        let known = self.book.knows(whom, it.1);
                        it.0 == whom.stream() && !known && it.2 == Effect::Send(*loan)
                    };
                    let Some((_, id, _)) = started.iter().find(of) else {
                        return Err(format!("birth: {loan:?} has left, and nobody brings it"));
                    };
                    self.book.sent(whom, *id, *loan)?;
                }
                message => self.book.take(whom, by, key.as_deref(), message)?,
            }
        }
        self.run(started)?;
        if self.sim.waiting() == 0 { self.check() } else { Ok(()) }
    }

    fn run(&mut self, started: Vec<(StreamId, EffectId, Effect)>) -> Result<(), String> {
        for (stream, id, effect) in started {
            let who = SessionId(stream.0);
            if matches!(effect, Effect::Send(_)) && !self.book.knows(who, id) {
                return Err(format!("birth: nobody has lent {effect:?}"));
            }
            self.running.entry((who, id)).or_insert(effect);
        }
        Ok(())
    }

    /// Every purse is as the book has it.
    fn check(&mut self) -> Result<(), String> {
        for n in 0..FAMILY {
            let who = session(n);
            let purse = self.sim.state(who.stream()).purse().clone();
            self.book.agrees(who, &purse)?;
        }
        self.book.adds_up()
    }

    fn crash(&mut self) -> Result<(), String> {
        self.sim.crash();
        self.asked.clear();
        self.running.clear();
        self.old.clear();
        let owed = self.sim.effects();
        self.run(owed)?;
        for (child, _) in self.births.clone() {
            if self.sim.state(child.stream()).charter().is_none() {
                self.begin(child);
            }
        }
        Ok(())
    }

    fn spawn(&mut self, by: u8, budget: Budget, fate: Fate) -> Result<(), String> {
        let (parent, child, budget) = match self.cut.take() {
            Some(cut) => cut,
            None if self.drawn == FAMILY => return Ok(()),
            None => {
                self.drawn += 1;
                (self.member(by), session(self.drawn - 1), budget)
            }
        };
        let asked = Message::Lend(Loan { child, budget, when: Lending::Birth });
        let ask = Ask::new(parent, asked.clone());
        let ticket = self.sim.ask(parent.stream(), ask);
        self.asked.insert(ticket, (parent, parent, None, asked));
        self.commit(usize::MAX)?;
        if !self.book.has_lent(parent, child) {
            return Ok(());
        }
        match fate {
            Fate::Born => {
                self.births.insert(child, (parent, budget));
                self.begin(child);
            }
            // Whoever asked finds out at once that there is no child.
            Fate::Refused => {
                let id = self.book.loan_to(parent, child);
                id.into_iter().for_each(|id| self.settle(parent, Settlement::Bounced(id)));
            }
            Fate::CutOff => {
                self.cut = Some((parent, child, budget));
                return self.crash();
            }
        }
        Ok(())
    }

    /// Something that runs comes to its end; what it did outside stays done if the end is lost.
    fn perform(&mut self, which: usize, how: Deed) -> Result<(), String> {
        let of = which % self.running.len().max(1);
        let Some((&(who, id), effect)) = self.running.iter().nth(of) else { return Ok(()) };
        let effect = effect.clone();
        let lost = how == Deed::Lost;
        let told = match effect {
            Effect::Think { turn, .. } if how == Deed::Fail => {
                Message::Fail { turn, why: "no answer".into() }
            }
            Effect::Think { turn, step } => {
                let (code, tokens) = match how {
                    Deed::Acts { tokens } => (Some("act()".to_owned()), tokens.into()),
                    _ => (None, 0),
                };
                let thought = Thought { code, tokens, ..Thought::default() };
                Message::Think { turn, step, thought }
            }
            Effect::Act { turn, step, .. } => {
                let observation = Observation { text: String::new(), failed: None };
                Message::Observe { turn, step, observation }
            }
            Effect::Wait { turn, until } => {
                self.sim.now = self.sim.now.max(until);
                Message::Retry { turn }
            }
            Effect::Tell { .. } => Message::Told(id),
            Effect::Listen => {
                self.running.remove(&(who, id));
                return Ok(());
            }
            Effect::Send(Loan { child, when: Lending::Birth, .. }) => {
                Message::Settle(match self.births.contains_key(&child) {
                    true => Settlement::Arrived(id),
                    false => Settlement::Bounced(id),
                })
            }
            Effect::Send(Loan { child, budget, when: Lending::Later }) => {
                self.ask(child, who, Some(format!("fund-{id}")), Message::Fund(budget));
                self.commit(usize::MAX)?;
                let arrived = self.book.was_funded(who, id);
                Message::Settle(match arrived {
                    true => Settlement::Arrived(id),
                    false => Settlement::Bounced(id),
                })
            }
            Effect::Return { parent, rest } => {
                if parent != ROOT {
                    self.settle(parent, Settlement::Repaid { child: who, rest });
                    self.commit(usize::MAX)?;
                }
                Message::Settle(Settlement::Returned)
            }
        };
        if !lost {
            self.running.remove(&(who, id));
            self.tell(who, told);
        }
        Ok(())
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::Spawn { by, budget, fate } => return self.spawn(by, budget, fate),
            Op::Perform { which, how } => return self.perform(which.into(), how),
            Op::Fund { who, budget } => {
                self.keys += 1;
                let key = Some(format!("from-outside-{}", self.keys));
                self.ask(self.member(who), ROOT, key, Message::Fund(budget));
            }
            Op::LendMore { to, budget } => {
                let child = self.member(to);
                let Some((parent, _)) = self.births.get(&child).copied() else { return Ok(()) };
                if parent != ROOT {
                    self.keys += 1;
                    let key = Some(format!("more-{}", self.keys));
                    let loan = Loan { child, budget, when: Lending::Later };
                    self.ask(parent, parent, key, Message::Lend(loan));
                }
            }
            Op::Wake { who } => {
                self.head += 1;
                let who = self.member(who);
                let (first, last) = (Position(self.head), Position(self.head));
                let wake =
                    Wake { space: dm(who), first, last, count: 1, comments: Vec::new(), hop: 0 };
                self.tell(who, Message::Wake(vec![wake]));
            }
            Op::Resume { who } => self.tell(self.member(who), Message::Resume(Vec::new())),
            Op::Stop { who } => self.tell(self.member(who), Message::Stop { reason: "so".into() }),
            Op::Wipe { who } => self.tell(self.member(who), Message::Wipe { reason: "so".into() }),
            Op::Again { which } => {
                let again = self.old.get(usize::from(which) % self.old.len().max(1)).cloned();
                // That it failed is told by who is asked to think, and by nobody else.
                if let Some((whom, by, key, message)) = again
                    && matches!(message, Message::Settle(_) | Message::Think { .. })
                {
                    self.ask(whom, by, key, message);
                }
            }
            Op::Commit { count } => return self.commit(count.into()),
            Op::Crash => return self.crash(),
        }
        Ok(())
    }

    /// Everything that runs is done, until there is nothing more.
    fn rest(&mut self) -> Result<(), String> {
        for _ in 0..2_000 {
            self.commit(usize::MAX)?;
            if self.running.is_empty() {
                return Ok(());
            }
            self.perform(0, Deed::Ends)?;
        }
        Err("end: it never comes to one".to_owned())
    }

    fn wipe_all(&mut self) -> Result<(), String> {
        let all: BTreeSet<SessionId> = self.births.keys().copied().collect();
        for who in all {
            self.tell(who, Message::Wipe { reason: "the end".into() });
        }
        self.rest()?;
        self.crash()?;
        self.rest()?;
        self.book.all_is_back()
    }
}

fn run(steps: &[Op]) -> Result<(), String> {
    let mut trial = Trial::new();
    let eldest = session(0);
    trial.births.insert(eldest, (ROOT, GIVEN));
    trial.begin(eldest);
    trial.commit(usize::MAX)?;
    trial.sim.now = Millis(1);
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    trial.rest()?;
    trial.crash()?;
    trial.rest()?;
    trial.wipe_all()?;
    let disk = trial.sim.disk();
    if disk.folds() && disk.chains() { Ok(()) } else { Err("fold: the log is amiss".to_owned()) }
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64, steps: usize) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps), |steps| run(&steps))
}
