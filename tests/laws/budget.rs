//! Budgets, against a naive book of who has what, over a family of sessions that spawn, think,
//! lend, end and crash in random order.
//!
//! - *sum*: what all have left, have spent and have on its way is what was given from outside.
//! - *spend*: nobody spends more than it has, nor lends what it is about to spend.
//! - *birth*: who was born with a budget was paid for, and what was paid for nobody comes back.
//! - *once*: however often it is told, a child's rest comes back once, and whole.
//! - *end*: when all are wiped, all that was not spent is back at the root.
//! - *bill*: whatever a provider bills, also for calls that a crash has cut off, stands as spent.

mod book;
mod schedule;
pub(crate) mod trees;

use crate::laws::cases;
use book::Book;
use proptest::test_runner::Config;
use schedule::{Deed, Fate, Op};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stoa_actors::behaviour::{Behaviour, EffectId};
use stoa_actors::id::{LinkId, Millis, Position, ROOT, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::outbox::{self, Outcome};
use stoa_actors::rights::{self, AgentSpawn, Rights};
use stoa_actors::session::{
    AgentSpec, Billing, Budget, CallBound, Effect, FollowSpec, Message, Observation, Passing,
    PassingKind, Reply, Session, Steering, Thought, Transfer, TransferKind,
};
use stoa_actors::simulation::{Simulation, Told};
use stoa_actors::space::Wake;

/// How the eldest begins.
const GIVEN: Budget = Budget {
    thoughts: Some(40),
    tokens: Some(900),
    money: Some(540),
    ms: Some(2_000),
    turns: Some(40),
    spawns: Some(30),
    depth: Some(3),
};
/// The most that a call takes. Money is three fifths of tokens.
const BOUND: CallBound = CallBound { tokens: 20, money: Some(12), ms: 30 };
const FAMILY: u8 = 24;

fn session(n: u8) -> SessionId {
    SessionId([n + 1; 16])
}

fn dm(of: SessionId) -> SpaceId {
    SpaceId(of.0)
}

fn charter(parent: SessionId, child: SessionId) -> Arc<AgentSpec> {
    Arc::new(AgentSpec {
        parent,
        task: "a task".into(),
        instructions: None,
        model: "recipe".into(),
        dm: dm(child),
        first: None,
        follows: vec![(dm(child), FollowSpec::default())],
        memory: Vec::new(),
        root: None,
    })
}

fn spawning(parent: SessionId, child: SessionId, budget: Budget) -> AgentSpawn {
    AgentSpawn {
        child,
        alias: None,
        asks: Vec::new(),
        dm_links: [LinkId(child.0), LinkId(parent.0)],
        charter: charter(parent, child),
        budget,
        reason: "a reason".into(),
    }
}

/// A summary for which no model was asked.
pub(crate) const UNASKED: &str = "as the log has it";

struct Trial {
    sim: Simulation<Session>,
    book: Book,
    /// What was asked, by ticket: of whom, by whom, under which key.
    asked: BTreeMap<u64, (SessionId, SessionId, Option<String>, Message)>,
    running: BTreeMap<(SessionId, EffectId), Effect>,
    /// What the rights know: the children there are, and what they are to be begun with.
    births: BTreeMap<SessionId, (SessionId, Budget)>,
    /// Requests with a key that have happened.
    answered: BTreeSet<(SessionId, SessionId, String)>,
    /// The children that the rights refuse.
    refused: BTreeSet<SessionId>,
    /// The spawn that a crash has cut off.
    cut: Option<(SessionId, AgentSpawn)>,
    /// Those whose model was asked last for a summary.
    summing: BTreeSet<SessionId>,
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
            summing: BTreeSet::new(),
            answered: BTreeSet::new(),
            refused: BTreeSet::new(),
            cut: None,
            old: Vec::new(),
            drawn: 1,
            keys: 0,
            head: 0,
        }
    }

    fn ask(
        &mut self,
        whom: SessionId,
        by: SessionId,
        key: Option<String>,
        message: Message,
    ) -> u64 {
        self.old.push((whom, by, key.clone(), message.clone()));
        let ask = Request { key: key.clone(), ..Request::new(by, message.clone()) };
        let ticket = self.sim.ask(whom.stream(), ask);
        self.asked.insert(ticket, (whom, by, key, message));
        ticket
    }

    /// One of those that were spawned so far.
    fn member(&self, n: u8) -> SessionId {
        let all = self.births.keys();
        all.copied().nth(usize::from(n) % self.births.len()).unwrap_or(session(0))
    }

    fn tell(&mut self, whom: SessionId, message: Message) {
        self.ask(whom, ROOT, None, message);
    }

    fn begin(&mut self, child: SessionId) {
        let Some((parent, budget)) = self.births.get(&child).copied() else { return };
        let charter = charter(parent, child);
        self.ask(child, parent, None, Message::Begin(charter, budget));
    }

    fn commit(&mut self, count: usize) -> Result<(), String> {
        self.commit_for(count, None).map(drop)
    }

    /// The same, with what was answered to one question.
    fn commit_for(&mut self, count: usize, of: Option<u64>) -> Result<Option<Outcome>, String> {
        let mut heard = None;
        let answers = self.sim.commit(count);
        let started = self.sim.effects();
        for Told { ticket, answer, position } in answers {
            let Some((whom, by, key, message)) = self.asked.remove(&ticket) else {
                return Err(format!("once: {ticket} was answered twice"));
            };
            let accepted = answer.is_ok();
            let outcome = Outcome::of::<Session>(answer);
            let granted = match outcome.reply::<Session>() {
                Some(Reply::Granted { ms_max }) => Some(*ms_max),
                _ => None,
            };
            if Some(ticket) == of {
                heard = Some(outcome);
            }
            if !accepted || position.is_none() {
                continue;
            }
            // Under a key it happens once, and is answered as often as it is asked.
            let once = |key: &String| (whom, by, key.clone());
            if key.as_ref().map(once).is_some_and(|it| !self.answered.insert(it)) {
                continue;
            }
            match &message {
                // Asked again under the same key it is answered again, and that is all.
                Message::Spawn(spawn) if self.book.has_lent(whom, spawn.child) => {}
                Message::Spawn(spawn) => {
                    let child = spawn.child;
                    let of = |it: &(StreamId, EffectId, Effect)| match &it.2 {
                        Effect::Spawn(made) if made.child == child => Some((it.1, made.budget)),
                        _ => None,
                    };
                    // Of one that came back before, it may be asked again as well.
                    if let Some((id, budget)) = started.iter().find_map(of) {
                        let when = TransferKind::Birth;
                        self.book.sent(whom, id, Transfer { child, budget, when })?;
                    }
                }
                Message::Reserve { bound, .. } => {
                    let most = granted.map(|ms| Book::most(*bound, ms.unwrap_or(0)));
                    self.book.reserves(whom, most)?;
                }
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
                // A summary is made to its end.
                Message::Steer { .. } if self.summing.contains(&whom) => {}
                message => self.book.take(whom, by, key.as_deref(), message)?,
            }
        }
        self.run(started)?;
        if self.sim.waiting() == 0 {
            self.check()?;
        }
        Ok(heard)
    }

    fn run(&mut self, started: Vec<(StreamId, EffectId, Effect)>) -> Result<(), String> {
        for (stream, id, effect) in started {
            let who = SessionId(stream.0);
            let paid = matches!(effect, Effect::Send(_) | Effect::Spawn(_));
            if paid && !self.book.knows(who, id) {
                return Err(format!("birth: nobody has lent {effect:?}"));
            }
            self.running.entry((who, id)).or_insert(effect);
        }
        Ok(())
    }

    /// Every purse is as the book has it.
    fn check(&mut self) -> Result<(), String> {
        for &who in self.births.keys() {
            let state = self.sim.state(who.stream());
            let (purse, turns) = (state.account().clone(), state.turns());
            self.book.agrees(who, &purse, turns)?;
        }
        self.book.nobody_overspends()?;
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
        let (parent, spawn) = match self.cut.take() {
            Some(cut) => cut,
            None if self.drawn == FAMILY => return Ok(()),
            None => {
                self.drawn += 1;
                let (parent, child) = (self.member(by), session(self.drawn - 1));
                (parent, spawning(parent, child, budget))
            }
        };
        let child = spawn.child;
        let key = Some(format!("spawn-{child}"));
        let again = spawn.clone();
        self.ask(parent, parent, key, Message::Spawn(Box::new(spawn)));
        match fate {
            Fate::Born => self.commit(usize::MAX)?,
            Fate::Refused => {
                self.refused.extend((!self.births.contains_key(&child)).then_some(child));
                self.commit(usize::MAX)?;
            }
            // Before or after it is durable.
            Fate::CutOff { durable } => {
                if durable {
                    self.commit(usize::MAX)?;
                }
                self.cut = Some((parent, again));
                return self.crash();
            }
        }
        let of = |(_, it): &(&(SessionId, EffectId), &Effect)| match it {
            Effect::Spawn(it) => it.child == child,
            _ => false,
        };
        match self.running.iter().position(|it| of(&it)) {
            Some(which) => self.perform(which, Deed::Ends),
            None => Ok(()),
        }
    }

    /// Something that runs comes to its end; what it did outside stays done if the end is lost.
    fn perform(&mut self, which: usize, how: Deed) -> Result<(), String> {
        let of = which % self.running.len().max(1);
        let Some((&(who, id), effect)) = self.running.iter().nth(of) else { return Ok(()) };
        let effect = effect.clone();
        let lost = how == Deed::Lost;
        let fails = match &effect {
            Effect::Think { turn, step, attempt, .. } => Some((*turn, *step, *attempt)),
            Effect::Compact { of: (turn, step), attempt, by_model: true, .. } => {
                Some((*turn, *step, *attempt))
            }
            _ => None,
        };
        let fails = |billing| {
            let (turn, step, attempt) = fails?;
            let (attempt, why) = (Some(attempt), "no answer".to_owned());
            Some(Message::Fail { turn, step, attempt, why, billing })
        };
        if how == Deed::FailsBefore
            && let Some(fails) = fails(Billing::NotMade)
        {
            self.running.remove(&(who, id));
            self.tell(who, fails);
            return Ok(());
        }
        if !self.may_ask(who, &effect, how)? {
            self.running.remove(&(who, id));
            return Ok(());
        }
        let cost = |tokens: u8| (u64::from(tokens), u64::from(tokens) * 3 / 5);
        let billing = match how {
            Deed::Fail | Deed::Defer { failed: true } => Billing::Unknown,
            _ => Billing::Refused,
        };
        let told = match effect {
            Effect::Think { .. } | Effect::Compact { by_model: true, .. } if how == Deed::Fail => {
                match fails(billing) {
                    Some(fails) => fails,
                    None => return Ok(()),
                }
            }
            // It is made anew once, by the model or without it.
            Effect::Think { turn, step, attempt, .. } if how == Deed::Full && attempt == 0 => {
                Message::WindowFull { turn, step, attempt, why: "too much".into(), billing }
            }
            Effect::Compact { of, attempt, by_model, .. } => {
                let (turn, step) = of;
                let text = if by_model { "so far" } else { UNASKED }.to_owned();
                let (unusable, (tokens, money)) = match how {
                    Deed::Acts { tokens } if by_model => (None, cost(tokens)),
                    Deed::Unusable { tokens } if by_model => {
                        (Some("cut off".to_owned()), cost(tokens))
                    }
                    _ => (None, (0, 0)),
                };
                let thought = Thought { text, tokens, money, unusable, ..Thought::default() };
                Message::SumUp { turn, step, attempt, thought, since: of }
            }
            Effect::Think { turn, step, attempt, not_before, .. } => {
                self.sim.now = self.sim.now.max(not_before);
                if let Deed::Defer { failed } = how {
                    let kind = if failed { PassingKind::Failed } else { PassingKind::Limited };
                    let passing = Passing { kind, wait_ms: Some(7) };
                    Message::Defer { turn, step, attempt, passing, why: "later".into(), billing }
                } else {
                    let unusable =
                        matches!(how, Deed::Unusable { .. }).then(|| "cut off".to_owned());
                    let (code, (tokens, money)) = match how {
                        Deed::Acts { tokens } => (Some("act()".to_owned()), cost(tokens)),
                        Deed::Unusable { tokens } => (None, cost(tokens)),
                        _ => (None, (0, 0)),
                    };
                    let thought = Thought { code, tokens, money, unusable, ..Thought::default() };
                    Message::Think { turn, step, attempt, thought, briefing: Arc::default() }
                }
            }
            Effect::Act { turn, step, .. } => {
                let observation = Observation { text: String::new(), failed: None };
                Message::Observe { turn, step, observation }
            }
            Effect::Wait { turn, until, .. } => {
                self.sim.now = self.sim.now.max(until);
                Message::Retry { turn }
            }
            Effect::LetGo { .. } => Message::LetGone(id),
            Effect::Listen(_) => {
                self.running.remove(&(who, id));
                return Ok(());
            }
            // Messages: delivered, and what comes of them is for the session to say.
            effect => {
                let Some(outcome) = self.deliver(who, id, &effect)? else { return Ok(()) };
                match Session::settled(id, &effect, &outcome) {
                    Some(told) => told,
                    None => return Err(format!("once: nobody hears what became of {effect:?}")),
                }
            }
        };
        if !lost {
            self.running.remove(&(who, id));
            self.tell(who, told);
        }
        Ok(())
    }

    /// Whether a model may be asked, which is billed from then on; of anything else it may.
    fn may_ask(&mut self, who: SessionId, effect: &Effect, how: Deed) -> Result<bool, String> {
        let (of, attempt, not_before) = match effect {
            Effect::Think { turn, step, attempt, not_before, .. } => {
                ((*turn, *step), *attempt, *not_before)
            }
            Effect::Compact { of, attempt, not_before, by_model: true, .. } => {
                (*of, *attempt, *not_before)
            }
            _ => return Ok(true),
        };
        self.sim.now = self.sim.now.max(not_before);
        let ticket = self.ask(who, ROOT, None, Message::may_ask(of, attempt, BOUND));
        let outcome = self.commit_for(usize::MAX, Some(ticket))?;
        let reply = outcome.as_ref().and_then(Outcome::reply::<Session>);
        if !matches!(reply, Some(Reply::Granted { .. })) {
            return Ok(false);
        }
        match effect {
            Effect::Compact { .. } => self.summing.insert(who),
            _ => self.summing.remove(&who),
        };
        self.sim.now.0 += 7;
        // A provider that says more than it was allowed is not counted for that.
        match how {
            Deed::Acts { tokens } | Deed::Unusable { tokens } => {
                let tokens = u64::from(tokens).min(BOUND.tokens);
                self.book.bills(who, tokens, tokens * 3 / 5)?;
            }
            Deed::Lost | Deed::Fail => self.book.bills(who, BOUND.tokens, 12)?,
            _ => {}
        }
        Ok(true)
    }

    /// What is answered to a message, under the key that it has whenever it is delivered.
    fn deliver(
        &mut self,
        who: SessionId,
        id: EffectId,
        effect: &Effect,
    ) -> Result<Option<Outcome>, String> {
        let Some(outgoing) = Session::outgoing(who.stream(), effect) else {
            return Err(format!("once: {effect:?} goes to nobody"));
        };
        let key = outbox::key(who.stream(), id);
        if let Some(ask) = outgoing.ask::<Session>(&key) {
            let whom = SessionId(outgoing.to().0);
            let ticket = self.ask(whom, ask.asker, ask.key, ask.message);
            return self.commit_for(usize::MAX, Some(ticket));
        }
        if outgoing.ask::<Rights>(&key).is_none() {
            // A word in the DM space.
            return Ok(Some(Outcome::Accepted(Box::new(()))));
        }
        let Effect::Spawn(spawn) = effect else {
            return Err(format!("once: the rights know nothing of {effect:?}"));
        };
        let child = spawn.child;
        if self.refused.contains(&child) {
            return Ok(Some(Outcome::nobody("it asks for too much")));
        }
        if let Entry::Vacant(free) = self.births.entry(child) {
            free.insert((who, spawn.budget));
            self.begin(child);
        }
        Ok(Some(Outcome::of::<Rights>(Ok(rights::Reply::Spawned { child }))))
    }

    /// Something new in the space that it shares with its parent.
    fn word(&mut self, who: SessionId) -> Wake {
        self.head += 1;
        let (first, last) = (Position(self.head), Position(self.head));
        Wake { space: dm(who), first, last, count: 1, comments: Vec::new(), hop: 0 }
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
                    let loan = Transfer { child, budget, when: TransferKind::Later };
                    self.ask(parent, parent, key, Message::Lend(loan));
                }
            }
            Op::Wake { who } => {
                let who = self.member(who);
                let wake = self.word(who);
                self.tell(who, Message::Wake(vec![wake]));
            }
            Op::Steer { who, interrupt } => {
                let who = self.member(who);
                let how = if interrupt { Steering::Interrupt } else { Steering::NextStep };
                let wake = Some(self.word(who));
                self.tell(who, Message::Steer { wake, how });
            }
            Op::Resume { who } => self.tell(self.member(who), Message::Resume(Vec::new())),
            Op::Stop { who } => self.tell(self.member(who), Message::Stop { reason: "so".into() }),
            Op::Wipe { who } => self.tell(self.member(who), Message::Wipe { reason: "so".into() }),
            Op::Again { which } => {
                let again = self.old.get(usize::from(which) % self.old.len().max(1)).cloned();
                // That it failed is told by who is asked to think, and by nobody else.
                // Under its key it is answered as before; without one it is for the session to know.
                if let Some((whom, by, _, message)) = again
                    && matches!(message, Message::Settle(_) | Message::Think { .. })
                {
                    self.ask(whom, by, None, message);
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
    trial.wipe_all()?;
    let disk = trial.sim.disk();
    if disk.folds() && disk.chains() { Ok(()) } else { Err("fold: the log is damaged".to_owned()) }
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64, steps: usize) -> Result<(), String> {
    let crashed = |mut steps: Vec<Op>| {
        steps.push(Op::Crash);
        run(&steps)
    };
    cases::hold(config, seed, schedule::schedule(steps), crashed)
}
