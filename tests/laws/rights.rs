//! The laws `narrow`, `revoke`, `access` and derivation, over random schedules and against the naive
//! [`model`]. After every step the whole of what can be seen is compared.

mod check;
mod foresee;
pub(crate) mod model;
mod schedule;
mod told;

use crate::laws::cases;
use foresee::Foreseen;
use model::{Fact, Model, Verdict};
use proptest::test_runner::Config;
use schedule::{Asked, Op, Step};
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Event, Level, Lifetime, Message, Right, RightRequest, Rights, Subject};
use stoa_actors::session::AgentSpec;

/// Where the rights are tried: in memory, or over a real store.
pub(crate) trait Host {
    /// When it begins.
    fn now(&self) -> u64;
    /// Milliseconds that stand for one of a schedule.
    fn tick_ms(&self) -> u64;
    /// Lets so many of a schedule's milliseconds pass, if it can; those that did.
    fn pass(&mut self, ms: u8) -> u64;
    /// What comes of a message, what was recorded of it, and in what words.
    fn tell(&mut self, by: SessionId, now: u64, message: Message) -> (Verdict, Vec<Event>, String);
    /// The next `durable` events become so.
    fn hear(&mut self, durable: u8);
    /// How many events are durable.
    fn heard(&self) -> usize;
    /// Dies, and comes back from what is durable.
    fn restart(&mut self) -> Result<(), String>;
    /// Whether it ends, when it is back, what ended with the process before.
    fn ends_passing(&self) -> bool {
        false
    }
    /// The state that it decides on.
    fn rights(&self) -> &Rights;
    /// What readers see: what is durable, less what has been taken away by now.
    fn check_table(&self, seen: &Seen<'_>) -> Result<(), String>;
    /// Writes into a space, if there are any here: whether it was let, or why not.
    fn put(&mut self, by: SessionId, space: SpaceId) -> Option<Result<(), Option<Level>>>;
    /// The end: everything is durable, and nothing differs any more.
    fn settle(&mut self) -> Result<(), String>;
}

/// What readers should see.
pub(crate) struct Seen<'a> {
    /// Of what is durable.
    pub(crate) durable: Model,
    /// Of what is decided.
    pub(crate) decided: &'a Model,
    pub(crate) now: u64,
    pub(crate) sessions: &'a [SessionId],
}

/// Follows `cases` schedules of up to `steps_max` steps, each over a host of its own. A breach
/// begins with the law's name.
pub(crate) fn hold<H: Host>(
    config: Config,
    seed: u64,
    steps_max: usize,
    host: impl Fn() -> H,
) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps_max), |steps| follow(host(), &steps))
}

pub(crate) const ALIASES: [&str; 3] = ["findings", "notes", "work"];

/// What an agent of the schedules is begun with.
pub(crate) fn charter(parent: SessionId, child: SessionId, dm: SpaceId) -> AgentSpec {
    AgentSpec {
        parent,
        task: format!("be {child}"),
        instructions: None,
        model: "recipe".into(),
        dm,
        first: None,
        follows: Vec::new(),
        memory: Vec::new(),
        root: None,
    }
}

/// The actor and the model, side by side.
struct Trial<H> {
    host: H,
    /// How many facts there were after each event.
    facts: Vec<usize>,
    model: Model,
    now: u64,
    sessions: Vec<SessionId>,
    subjects: Vec<Subject>,
    /// The last spawn that was accepted.
    last_spawn: Option<(SessionId, Message)>,
    ids: u64,
    given: told::Given,
}

fn follow<H: Host>(host: H, steps: &[Step]) -> Result<(), String> {
    let mut trial = Trial {
        now: host.now(),
        host,
        facts: Vec::new(),
        model: Model::default(),
        sessions: vec![ROOT],
        // Two tools that may never be installed, and a space that nobody creates.
        subjects: vec![
            Subject::Tool("t0".into()),
            Subject::Tool("t1".into()),
            Subject::Space(SpaceId([255; 16])),
        ],
        last_spawn: None,
        ids: 0,
        given: told::Given::new(),
    };
    for (at, (op, durable)) in steps.iter().enumerate() {
        let told = trial.step(op).and_then(|()| trial.write(op, at)).and_then(|()| {
            trial.host.hear(*durable);
            trial.check()
        });
        told.map_err(|breach| format!("{breach}\nat step {at}: {op:?}"))?;
    }
    trial.host.settle()?;
    trial.host.restart()
}

impl<H: Host> Trial<H> {
    fn id(&mut self) -> [u8; 16] {
        self.ids += 1;
        // Not in order of making, so that "smallest id" is not "oldest".
        let mixed = self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut id = [1; 16];
        id[..8].copy_from_slice(&mixed.to_be_bytes());
        id
    }

    fn who(&self, n: u8) -> SessionId {
        if n == u8::MAX {
            return SessionId([255; 16]);
        }
        self.sessions[n as usize % self.sessions.len()]
    }

    fn subject(&self, n: u8, of: Option<SessionId>) -> Subject {
        let held = self.model.held(self.now);
        let held: Vec<&Subject> =
            held.keys().filter(|(who, _)| Some(*who) == of).map(|(_, what)| what).collect();
        if held.is_empty() {
            return self.subjects[n as usize % self.subjects.len()].clone();
        }
        held[n as usize % held.len()].clone()
    }

    fn ask(&mut self, by: SessionId, asked: &Asked) -> RightRequest {
        let subject = self.subject(asked.subject, asked.held.then_some(by));
        let alias = asked.alias.map(|n| ALIASES[n as usize].to_owned());
        let expires =
            asked.expires.map(|ms| Millis(self.now + u64::from(ms) * self.host.tick_ms()));
        let mut right = Right { subject, use_: asked.use_, delegate: asked.delegate };
        if !matches!(right.subject, Subject::Space(_)) && !asked.subject.is_multiple_of(8) {
            // Mostly what a tool knows, or tools would hardly ever be handed on.
            right.use_ = right.use_.and(Some(Level::Read));
            right.delegate = right.delegate.and(Some(Level::Read));
        }
        RightRequest { link: LinkId(self.id()), alias, right, expires }
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Wait { ms } => {
                self.now += self.host.pass(*ms);
                return Ok(());
            }
            Op::Restart => {
                self.host.restart()?;
                self.end_passing();
                return Ok(());
            }
            _ => {}
        }
        let mut foreseen = self.foresee(op);
        if !self.model.alive(foreseen.by) {
            foreseen.verdict = Verdict::Refused;
        }
        self.tell(foreseen)
    }

    /// Sends the message, compares the verdict, and lets both learn of it.
    fn tell(&mut self, foreseen: Foreseen) -> Result<(), String> {
        let Foreseen { verdict, facts, names, message, by } = foreseen;
        let law = match &message {
            Message::Spawn { .. } | Message::SpawnAgent { .. } | Message::Share { .. } => "narrow",
            Message::Revoke { .. } | Message::RevokeLink { .. } | Message::End { .. } => "revoke",
            _ => "derivation",
        };
        let (got, events, said) = self.host.tell(by, self.now, message.clone());
        if got != verdict {
            return Err(format!("{law}: {verdict:?} foreseen of {message:?}, but {said}"));
        }
        let recorded = |event: &Event| match event {
            Event::SpawnRefused { parent, .. } => *parent == by,
            _ => false,
        };
        if got == Verdict::Refused && !events.is_empty() {
            return Err(format!("{law}: a refusal changed something: {events:?}"));
        }
        let before = self.model.facts.len();
        let recorded = events.len() == 1 && events.iter().all(recorded);
        if got == Verdict::Denied && !recorded {
            return Err(format!("{law}: a refusal was not recorded, but {events:?}"));
        }
        if got == Verdict::Accepted {
            let spawned = match &message {
                Message::Spawn { child, .. } => Some(*child),
                Message::SpawnAgent(spawn) => Some(spawn.child),
                _ => None,
            };
            if let Some(child) = spawned {
                if self.sessions.contains(&child) {
                    if !events.is_empty() {
                        return Err(format!("{law}: {child} was spawned twice: {events:?}"));
                    }
                } else {
                    self.sessions.push(child);
                    let alias = match &message {
                        Message::Spawn { alias, .. } => alias,
                        Message::SpawnAgent(spawn) => &spawn.alias,
                        _ => &None,
                    };
                    let alias = alias.iter().map(|it| ((by, it.clone()), child));
                    self.model.called.extend(alias);
                    // Once it has ended, another spawn under its id would be another one.
                    let once = |it: &Message| matches!(it, Message::Spawn { lifetime, .. } if *lifetime == Lifetime::OneAction);
                    self.last_spawn =
                        Some((by, message)).filter(|(_, it)| !once(it)).or(self.last_spawn.take());
                }
            }
            self.model.facts.extend(facts);
            self.model.names.extend(names);
        }
        self.check_entry(by, &events)?;
        let all = self.model.facts.len();
        // Of an agent's three events the first brings its space and the last its charter.
        // The name of an ended session is taken from it before it is given anew.
        let (freed, agent) = match &events[..] {
            [Event::Unnamed { .. }, _, ..] => (Some(before), false),
            [Event::SpaceCreated { .. }, .., Event::Chartered { .. }] => (None, true),
            _ => (None, false),
        };
        let (start, count) = (self.facts.len(), events.len());
        if agent {
            self.facts.resize(start + count - 2, before + 1);
            self.facts.extend([all - 1, all]);
        } else {
            self.facts.extend(freed);
            self.facts.resize(start + count, all);
        }
        Ok(())
    }

    fn end_passing(&mut self) {
        if !self.host.ends_passing() {
            return;
        }
        for session in self.sessions.clone() {
            if self.model.passing(session) {
                self.model.facts.push(Fact::Ended(session));
                self.model.names.retain(|(holder, _), _| *holder != session);
                self.facts.push(self.model.facts.len());
            }
        }
    }

    /// [revoke] [narrow] Spaces obey: everybody tries to write everywhere after something was taken
    /// away, and one somewhere after anything else.
    fn write(&mut self, op: &Op, at: usize) -> Result<(), String> {
        let taken = matches!(op, Op::Revoke { .. } | Op::RevokeLink { .. } | Op::End { .. });
        let held = self.model.held(self.now);
        let spaces = self.subjects.iter().filter_map(|it| match it {
            Subject::Space(space) => Some(*space),
            _ => None,
        });
        let pairs: Vec<(SessionId, SpaceId)> =
            spaces.flat_map(|space| self.sessions.iter().map(move |it| (*it, space))).collect();
        let one = at * 7 % pairs.len();
        for (n, (session, space)) in pairs.into_iter().enumerate() {
            if !taken && n != one {
                continue;
            }
            let level = held.get(&(session, Subject::Space(space))).and_then(|it| it.0);
            let expected = if level >= Some(Level::Append) { Ok(()) } else { Err(level) };
            let got = self.host.put(session, space);
            if got.as_ref().is_some_and(|got| *got != expected) {
                let law = if taken { "revoke" } else { "narrow" };
                return Err(format!("{law}: {session} writes {space}: {got:?}, not {expected:?}"));
            }
        }
        Ok(())
    }
}
