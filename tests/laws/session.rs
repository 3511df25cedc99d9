//! Sessions, against a naive list of what became of one, over random schedules with crashes.
//!
//! - *wakes*: what happened after a followed space's cursor woke exactly one ended turn, or is
//!   still ahead; a cursor never goes back, and only the end of a turn moves it.
//! - *turns*: one at a time, numbered without gap, of at most `turn_steps_max` actions.
//! - *resume*: after a crash exactly that is owed which was outstanding, under the same ids, with
//!   the same notes.
//! - *failures*: tried again after doubling waits, quarantined at the intensity; what is stopped,
//!   quarantined or wiped is not woken.
//! - *deferrals*: a model that says to come back is asked again in the same turn, not before, and however
//!   often that is it is no failure; what fails and may pass is one after `model_tries_max` times.
//! - *windows*: one that is full is made anew at most twice at a step, whatever its model makes of it; what
//!   holds is told once, and anew after that.
//! - *steering*: what somebody has it see before its turn is over is told with the next thought that was
//!   begun behind it, once, and counts as seen only then; what is cancelled is over.
//! - *chains*: past the hop limit parked, until something is said in the DM space after that; what
//!   an agent says goes on counting, and beyond the limit it is no answer.
//! - *letters*: each has a name of its own, and is told.
//! - *ear*: what is known of it without asking it is so.
//! - *stale*: an outcome of what is over changes nothing.
//! - *traces*: what is told of its stream as spans is what happened in it.
//! - *rest*: at the end everything new was seen, and nothing is left to do.

mod deeds;
mod life;
mod model;
mod schedule;
mod steering;
mod traces;
mod words;

use crate::laws::cases;
use life::Life;
use model::Model;
use proptest::test_runner::Config;
use schedule::{Op, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stoa_actors::behaviour::EffectId;
use stoa_actors::briefing::{AtomVersion, Briefing, Sight, Surroundings};
use stoa_actors::id::{AtomId, Millis, Position, ROOT, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::{self, Refused, Request};
use stoa_actors::limits::SessionLimits;
use stoa_actors::log::Cause;
use stoa_actors::session::{
    AgentSpec, Brief, Budget, Ear, Effect, Event, FollowSpec, Message, Refusal, Session,
};
use stoa_actors::simulation::{Simulation, Told};
use stoa_actors::space::Wake;
use words::{Heard, What};

const ME: SessionId = SessionId([7; 16]);

/// Small limits, so that all of them are met.
fn limits() -> SessionLimits {
    SessionLimits {
        follows_max: 3,
        turn_steps_max: 3,
        turn_ms_max: 1_000,
        thought_bytes_max: 64,
        notes_max: 4,
        notes_bytes_max: 10_000,
        steered_max: 2,
        hops_max: 4,
        failures_max: 2,
        summary_bytes_max: 32,
        model_tries_max: 2,
        deferral_first_ms: 20,
        deferral_ms_max: 70,
        failures_within_ms: 600,
        backoff_first_ms: 100,
        backoff_ms_max: 150,
        rest_first_ms: 50,
        rest_ms_max: 150,
        ..SessionLimits::default()
    }
}

fn space(n: u8) -> SpaceId {
    SpaceId([n + 1; 16])
}

/// The first is the DM space.
const DM: u8 = 0;

struct Trial {
    sim: Simulation<Session>,
    model: Model,
    /// When it was asked, what, and how far from outside that came.
    asked: BTreeMap<u64, (u64, Message, u16)>,
    entries: u64,
    /// What is being done outside.
    running: BTreeMap<EffectId, Effect>,
    /// Every effect that was ever started.
    names: BTreeMap<String, EffectId>,
    /// Outcomes that were told.
    old: Vec<Message>,
    looked: Vec<Wake>,
    /// Something happened, and nobody has looked since.
    rung: bool,
    alarm: Option<u64>,
    /// The letters in the DM space, by their keys.
    put: BTreeSet<EffectId>,
    head: u64,
    calls: u64,
    /// What holds for it now.
    around: u64,
    ear: Ear,
}

fn follow(cursor: u64) -> FollowSpec {
    FollowSpec::all(Position(cursor))
}

/// What holds at a moment: one instruction, in so many versions, and what goes with it.
fn around(n: u64) -> Surroundings {
    let instruction = AtomVersion { id: AtomId([1; 16]), version: n };
    let tools = [(format!("tool{}", n % 3), format!("about {}", n % 2))];
    Surroundings {
        instructions: vec![instruction],
        tools: tools.into_iter().collect(),
        ..Surroundings::default()
    }
}

fn charter() -> Arc<AgentSpec> {
    Arc::new(AgentSpec {
        parent: ROOT,
        task: "a task".into(),
        instructions: None,
        model: "recipe".into(),
        dm: space(DM),
        first: None,
        follows: vec![(space(DM), FollowSpec::default()), (space(1), FollowSpec::default())],
        memory: Vec::new(),
        root: None,
    })
}

impl Trial {
    fn new() -> Trial {
        let mut sim = Simulation::new(41);
        sim.limits.session = limits();
        Trial {
            sim,
            model: Model::new(space(DM), limits()),
            asked: BTreeMap::new(),
            entries: 0,
            running: BTreeMap::new(),
            names: BTreeMap::new(),
            old: Vec::new(),
            looked: Vec::new(),
            rung: false,
            alarm: None,
            put: BTreeSet::new(),
            head: 0,
            calls: 0,
            around: 1,
            ear: Ear::Unknown,
        }
    }

    fn stream(&self) -> StreamId {
        ME.stream()
    }

    fn ask(&mut self, message: Message) {
        let wakes = matches!(message, Message::Wake(_) | Message::Steer { .. });
        let hop = if wakes { self.model.answer_hop() } else { 0 };
        let cause = Cause { hop, root: None };
        let ask = Request { cause, ..Request::new(ROOT, message.clone()) };
        let ticket = self.sim.ask(self.stream(), ask);
        self.asked.insert(ticket, (self.sim.now.0, message, hop));
    }

    fn outcome(&mut self, id: EffectId, message: Message) {
        self.running.remove(&id);
        self.old.push(message.clone());
        self.ask(message);
    }

    fn commit(&mut self, count: usize) -> Result<(), String> {
        let told = self.sim.commit(count);
        let one = told.len() == 1 && self.sim.waiting() == 0;
        let mut events = Vec::new();
        for it in told {
            events.extend(self.hear(it)?);
        }
        self.ear.happened(&events);
        for (_, id, effect) in self.sim.effects() {
            if one {
                self.briefed(id, &effect)?;
            }
            self.start(id, effect)?;
        }
        // Of several entries at once it is not known here which of them wants to look.
        if !one {
            self.ear = Ear::Unknown;
        }
        let now = self.sim.state(self.stream());
        if !self.ear.is_true_of(now) {
            return Err(format!("ear: it is {now:?} after {events:?}, not {:?}", self.ear));
        }
        if self.sim.waiting() == 0 { self.check() } else { Ok(()) }
    }

    /// The answer and the entry are what the model foretells.
    fn hear(&mut self, told: Told<Session>) -> Result<Vec<Event>, String> {
        let Some((now, message, hop)) = self.asked.remove(&told.ticket) else {
            return Err(format!("turns: {} was answered twice", told.ticket));
        };
        let law = law(&message);
        let (answer, whats) = self.model.foretell(now, &message, hop);
        let heard = match &told.answer {
            Ok(reply) => Heard::of(reply),
            Err(Refused::Actor(Refusal::Stale { .. })) => Heard::Stale,
            Err(Refused::Actor(Refusal::Unborn)) => Heard::Unborn,
            Err(Refused::Actor(Refusal::Wiped)) => Heard::Wiped,
            Err(Refused::Actor(Refusal::Limit { .. } | Refusal::NotesFull { .. })) => Heard::Limit,
            Err(other) => return Err(format!("{law}: an unexpected answer: {other:?}")),
        };
        if let Heard::NotBefore(at) = heard {
            self.alarm = Some(at);
        }
        let mut events = Vec::new();
        if told.position.is_some() {
            let entry = self.sim.disk().stream_after(self.stream(), self.entries).next();
            let Some((_, body)) = entry else { return Err(format!("{law}: no entry")) };
            self.entries += 1;
            events = incarnation::events::<Session>(body).map_err(|it| it.to_string())?;
        }
        self.model.in_time(now, &message, &events)?;
        let got: Vec<What> = events.iter().map(What::of).collect();
        if (&heard, &got) != (&answer, &whats) {
            return Err(format!(
                "{law}: {message:?} at {now} came to {heard:?}, {got:?}, not {answer:?}, {whats:?}"
            ));
        }
        events.iter().try_for_each(|event| self.model.take(now, event))?;
        Ok(events)
    }

    /// What has just been started says how the agent is now.
    fn briefed(&mut self, id: EffectId, effect: &Effect) -> Result<(), String> {
        let naive = name(id, effect).and_then(|name| self.owed().remove(&name)).flatten();
        if let Some(naive) = naive.filter(|naive| naive != effect) {
            return Err(format!("brief: {effect:?} is started, not {naive:?}"));
        }
        let Effect::Listen(then) = effect else { return Ok(()) };
        self.ear.listens(then.clone());
        let now = self.sim.state(self.stream());
        if **then == *now { Ok(()) } else { Err(format!("brief: it is {now:?}, not {then:?}")) }
    }

    /// An effect has one name for ever, and no other has it.
    fn start(&mut self, id: EffectId, effect: Effect) -> Result<(), String> {
        if let Some(name) = name(id, &effect) {
            let known = *self.names.entry(name.clone()).or_insert(id);
            let shared = self.names.iter().find(|it| *it.1 == id && *it.0 != name);
            if known != id || shared.is_some() {
                return Err(format!("resume: {name} is {id}, was {known}, as is {shared:?}"));
            }
        }
        if matches!(effect, Effect::Tell { .. }) && !self.model.letters.contains(&id) {
            return Err(format!("letters: {id} was never written"));
        }
        self.running.entry(id).or_insert(effect);
        Ok(())
    }

    /// What is outstanding, as the model has it.
    fn owed(&self) -> BTreeMap<String, Option<Effect>> {
        let mut owed: BTreeMap<String, Option<Effect>> =
            self.model.untold.iter().map(|id| (format!("letter {id}"), None)).collect();
        owed.extend(self.model.lets_go.iter().map(|(id, (since, until))| {
            let (since, until) = (Millis(*since), Millis(*until));
            (format!("let go {id}"), Some(Effect::LetGo { since, until }))
        }));
        match &self.model.life {
            Life::Turning(it) => {
                let (turn, step, after) = (it.turn, it.step, self.model.acted);
                let (wakes, said) = (Arc::new(it.wakes.clone()), it.steered.clone());
                let left = Budget::default();
                let told = self.model.told.map(|n| {
                    let mut told = Sight::default();
                    told.take(&Briefing::front(&around(n)));
                    Arc::new(told)
                });
                let brief = Brief { charter: charter(), first: it.first, wakes, said, left, told };
                let attempt = it.requests;
                let not_before = Millis(it.deferred.map_or(0, |it| it.2));
                match it.acting.clone() {
                    None if it.compacting.is_some() => {
                        let (of, again) = ((turn, step), it.compactions > 0);
                        let by_model = it.compacting == Some(true);
                        let compact =
                            Effect::Compact { of, brief, attempt, not_before, by_model, again };
                        owed.insert(format!("compact {turn} {step} {attempt}"), Some(compact))
                    }
                    None => {
                        let think = Effect::Think { turn, step, brief, attempt, not_before };
                        owed.insert(format!("think {turn} {step} {attempt}"), Some(think))
                    }
                    Some((code, at)) => {
                        let (notes, cause) = (Arc::new(it.notes.clone()), it.cause);
                        let act = Effect::Act { turn, step, code, at, cause, notes, after, brief };
                        owed.insert(format!("act {turn} {step}"), Some(act))
                    }
                };
            }
            Life::Waiting { turn, since, until, .. } => {
                let (turn, since, until) = (*turn, Millis(*since), Millis(*until));
                let wait = Effect::Wait { turn, since, until };
                owed.insert(format!("wait {turn}"), Some(wait));
            }
            _ => {}
        }
        owed
    }

    /// What holds whenever nothing is under way.
    fn check(&mut self) -> Result<(), String> {
        for name in self.owed().keys() {
            let runs = self.names.get(name).is_some_and(|id| self.running.contains_key(id));
            if !runs {
                return Err(format!("resume: {name} is owed, and nobody does it"));
            }
        }
        let stream = self.stream();
        let cursors: Vec<(SpaceId, u64)> =
            self.sim.state(stream).follows().map(|(it, at)| (it, at.cursor.0)).collect();
        let naive: Vec<(SpaceId, u64)> =
            self.model.follows.iter().map(|(it, at)| (*it, at.cursor)).collect();
        if cursors != naive {
            return Err(format!("wakes: the cursors are {cursors:?}, not {naive:?}"));
        }
        self.model.none_lost()
    }

    fn crash(&mut self) -> Result<(), String> {
        self.sim.crash();
        self.ear = Ear::Unknown;
        self.asked.clear();
        self.looked.clear();
        self.running.clear();
        (self.rung, self.alarm) = (false, None);
        let mut listens = false;
        let mut owed = self.owed();
        for (_, id, effect) in self.sim.effects() {
            match name(id, &effect) {
                None => listens = true,
                Some(name) => match owed.remove(&name) {
                    Some(Some(naive)) if naive != effect => {
                        return Err(format!("resume: {effect:?} is owed, not {naive:?}"));
                    }
                    Some(_) => {}
                    None => return Err(format!("resume: {name} was not outstanding")),
                },
            }
            self.start(id, effect)?;
        }
        if !owed.is_empty() {
            return Err(format!("resume: these are forgotten: {owed:?}"));
        }
        if listens != matches!(self.model.life, Life::Idle | Life::Parked { .. }) {
            return Err(format!("resume: listens is {listens} in {:?}", self.model.life));
        }
        self.check()
    }

    /// Everybody does what is to be done, until there is nothing more.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..1_000 {
            self.commit(usize::MAX)?;
            if !self.running.is_empty() {
                self.perform(0, Outcome::Last { speaks: false });
            } else if self.rung {
                self.look();
            } else if let Some(at) = self.alarm.take() {
                self.sim.now.0 = self.sim.now.0.max(at);
                self.look();
            } else {
                return self.rests();
            }
        }
        Err("rest: it never comes to one".to_owned())
    }

    fn rests(&self) -> Result<(), String> {
        let new_in = |it: &SpaceId, after: u64| {
            let at = self.model.follows.get(it).map(|at| at.cursor.max(after));
            at.and_then(|at| self.model.news(*it, at))
        };
        match &self.model.life {
            Life::Turning(_) | Life::Waiting { .. } => {
                return Err(format!("rest: it is {:?}", self.model.life));
            }
            Life::Idle => {
                if let Some(wake) = self.model.follows.keys().find_map(|it| new_in(it, 0)) {
                    return Err(format!("wakes: nobody tells it of {wake:?}"));
                }
            }
            Life::Parked { heard } => {
                let near = self.model.answer_hop() < limits().hops_max;
                if let Some(wake) = new_in(&space(DM), *heard).filter(|_| near) {
                    return Err(format!("chains: parked, although {wake:?} was said"));
                }
            }
            Life::Unborn | Life::Stopped | Life::Quarantined | Life::Wiped => {}
        }
        let told = self.model.letters.iter().all(|it| self.put.contains(it));
        if self.model.life != Life::Wiped && !told {
            return Err(format!("letters: {:?}, told {:?}", self.model.letters, self.put));
        }
        let stray = self.put.iter().find(|it| !self.model.letters.contains(it));
        stray.map_or(Ok(()), |it| Err(format!("letters: nobody wrote {it}")))
    }
}

/// Of what the law is that a message is about.
fn law(message: &Message) -> &'static str {
    match message {
        Message::Wake(_) | Message::Follow { .. } | Message::Unfollow(_) => "wakes",
        Message::Think { .. } | Message::Note { .. } | Message::Observe { .. } => "stale",
        Message::Fail { .. } | Message::Retry { .. } => "failures",
        Message::Defer { .. } => "deferrals",
        Message::WindowFull { .. } | Message::SumUp { .. } => "windows",
        Message::Told { .. } => "letters",
        Message::Steer { .. } => "steering",
        _ => "turns",
    }
}

fn name(id: EffectId, effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Think { turn, step, attempt, .. } => format!("think {turn} {step} {attempt}"),
        Effect::Compact { of: (turn, step), attempt, .. } => {
            format!("compact {turn} {step} {attempt}")
        }
        Effect::Act { turn, step, .. } => format!("act {turn} {step}"),
        Effect::Wait { turn, .. } => format!("wait {turn}"),
        Effect::Tell { .. } => format!("letter {id}"),
        Effect::LetGo { .. } => format!("let go {id}"),
        Effect::Listen(_) => return None,
        Effect::Spawn(_) | Effect::Send(_) | Effect::Return { .. } => format!("transfer {id}"),
    })
}

fn run(steps: &[Op]) -> Result<(), String> {
    let mut trial = Trial::new();
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    trial.settle()?;
    trial.crash()?;
    trial.settle()?;
    let disk = trial.sim.disk();
    traces::hold(disk.stream_after(ME.stream(), 0).map(|it| it.1.clone()))?;
    if disk.folds() && disk.chains() { Ok(()) } else { Err("fold: the log is damaged".to_owned()) }
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64, steps: usize) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps), |steps| run(&steps))
}
