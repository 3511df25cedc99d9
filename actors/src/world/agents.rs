//! What sessions ask to be done outside: models and code, behind a [`Mind`] that is given from
//! outside; waits; and the looks for what is new.

use super::World;
use super::work::{Performer, Work, WorkStep, WorldView};
use crate::agent::CallBound;
use crate::behaviour::{Behaviour, EffectId};
use crate::behaviour::{Outcome, Outgoing};
use crate::briefing::{Briefing, Surroundings};
use crate::digest::DIGEST_FORM;
use crate::id::{Millis, Position, ROOT, SessionId, SpaceId, StreamId};
use crate::log::{Cause, Hash};
use crate::mutant::planted;
use crate::rights::{Level, Subject};
use crate::session::{
    Brief, Budget, CallNote, ChangeQuery, Effect, FoundVersion, Look, Message, ModelError, New,
    Observation, Phase, Recorded, RecordedItem, Reply, Session, Thought,
};
use crate::space::{self, Change, Follower, Space};
use crate::value::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

/// Where an agent stands when it is asked what to say or to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Situation {
    /// Who it is.
    pub me: SessionId,
    /// What it was told to do.
    pub task: String,
    /// The space that it shares with its parent.
    pub dm: SpaceId,
    /// What its code calls `space`.
    pub space: Option<SpaceId>,
    pub turn: u64,
    /// The step of the turn.
    pub step: u32,
    /// What it has left to spend.
    pub left: Budget,
    /// The time that its code takes for now.
    pub at: Millis,
}

/// What the code of an action does next.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Move {
    /// It asks an actor something, in the agent's name.
    Call(Outgoing),
    End(Observation),
}

/// A model and the code that it writes: whatever decides what agents do. Asked again with the same
/// answers `act` must go on the same way: after a crash an action is run again, with the answers that
/// were noted.
pub trait Mind {
    /// The most that a call of the model takes, be it for a thought or for a summary.
    fn most(&mut self, _: &Situation) -> CallBound {
        CallBound { tokens: 0, money: Some(0), ms: 0 }
    }
    /// What the model says, or why it does not.
    fn think(&mut self, of: &Situation) -> Result<Thought, ModelError>;
    /// Says what came before, summed up, once it has said that its window is full.
    fn sum_up(&mut self, _: &Situation) -> Result<Thought, ModelError> {
        Ok(Thought { text: "so far".to_owned(), ..Thought::default() })
    }
    /// What the code does after so many calls were answered.
    fn act(&mut self, of: &Situation, code: &str, answers: &[Recorded]) -> Move;
}

/// Performs for sessions.
pub struct Agents<M>(Rc<RefCell<M>>);

impl<M: Mind> Agents<M> {
    /// All of them think and act by one mind.
    pub fn new(mind: M) -> Agents<M> {
        Agents(Rc::new(RefCell::new(mind)))
    }
}

impl<M: Mind + 'static> Performer<Session> for Agents<M> {
    fn begin(&mut self, stream: StreamId, id: EffectId, effect: &Effect) -> Box<dyn Work<Session>> {
        let mind = self.0.clone();
        match effect {
            Effect::Think { turn, step, brief, attempt, not_before } => {
                let (of, brief) = ((*turn, *step), brief.clone());
                let (attempt, not_before) = (*attempt, *not_before);
                let (stage, sums_up) = (Stage::Waits, None);
                Box::new(Thinking { mind, stream, of, brief, attempt, not_before, sums_up, stage })
            }
            Effect::Compact { of, brief, attempt, not_before, by_model, .. } => {
                let (of, brief, sums_up) = (*of, brief.clone(), Some(*by_model));
                let (attempt, not_before, stage) = (*attempt, *not_before, Stage::Waits);
                Box::new(Thinking { mind, stream, of, brief, attempt, not_before, sums_up, stage })
            }
            Effect::Act { turn, step, code, at, cause, notes, brief, .. } => {
                let known = notes.iter().filter_map(|it| it.answer.clone()).collect();
                Box::new(Acting {
                    mind,
                    stream,
                    turn: *turn,
                    step: *step,
                    code: code.clone(),
                    at: *at,
                    cause: *cause,
                    answers: known,
                    brief: brief.clone(),
                    doing: Doing::Next,
                })
            }
            Effect::Wait { turn, since, until } => {
                let told = Message::Retry { turn: *turn };
                Box::new(Waiting { stream, within: *since..=*until, until: *until, told })
            }
            Effect::LetGo { since, until } => {
                let (within, told) = (*since..=*until, Message::LetGone(id));
                Box::new(Waiting { stream, within, until: Millis(0), told })
            }
            Effect::Listen(then) => {
                Box::new(Listening { stream, then: Some(then.clone()), told: false })
            }
            Effect::Tell { .. } | Effect::Spawn(_) | Effect::Send(_) | Effect::Return { .. } => {
                unreachable!("messages are delivered, not performed")
            }
        }
    }
}

fn situation(stream: StreamId, brief: &Brief, turn: u64, step: u32, at: Millis) -> Situation {
    let Brief { charter, left, .. } = brief;
    let (me, task, left) = (SessionId(stream.0), charter.task.clone(), *left);
    Situation { me, task, dm: charter.dm, space: charter.first, turn, step, left, at }
}

struct Thinking<M> {
    mind: Rc<RefCell<M>>,
    stream: StreamId,
    of: (u64, u32),
    brief: Brief,
    attempt: u32,
    not_before: Millis,
    /// A summary is wanted, of the model or without one.
    sums_up: Option<bool>,
    stage: Stage,
}

/// How far a thought is.
enum Stage {
    Waits,
    /// What it may take at most is put aside, where it is bounded.
    Reserves,
    Asks,
}

impl<M: Mind> Work<Session> for Thinking<M> {
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Message> {
        if seen.now() < self.not_before {
            return WorkStep::Wait(self.not_before);
        }
        let ((turn, step), attempt) = (self.of, self.attempt);
        let of = situation(self.stream, &self.brief, turn, step, seen.now());
        let mut mind = self.mind.borrow_mut();
        match self.stage {
            Stage::Waits => {
                self.stage = Stage::Reserves;
                return WorkStep::Wait(seen.after_a_while());
            }
            Stage::Reserves if self.sums_up != Some(false) && self.brief.left.bounds_calls() => {
                self.stage = Stage::Asks;
                let message = Message::may_ask(self.of, attempt, mind.most(&of));
                let key = format!("reserve-{}", seen.draw(u64::MAX));
                return WorkStep::Ask(Outgoing::new::<Session>(self.stream, ROOT, message), key);
            }
            Stage::Reserves => {}
            Stage::Asks => {
                let reply = heard.as_ref().and_then(Outcome::reply::<Session>);
                if !matches!(reply, Some(Reply::Granted { .. })) {
                    return WorkStep::End;
                }
            }
        }
        let thought = match self.sums_up {
            None => mind.think(&of),
            Some(true) => mind.sum_up(&of),
            Some(false) => Ok(Thought::default()),
        };
        WorkStep::Tell(match (thought, self.sums_up) {
            (Ok(thought), None) => {
                let told = self.brief.told.as_deref();
                let briefing = Briefing::after(told, &Surroundings::default());
                let briefing = Arc::new(Briefing { said: self.brief.said.clone(), ..briefing });
                Message::Think { turn, step, attempt, thought, briefing }
            }
            (Ok(thought), Some(_)) => {
                Message::SumUp { turn, step, attempt, thought, since: self.of }
            }
            (Err(error), _) => error.message(turn, step, attempt),
        })
    }
}

/// What was leased within some time is given back, and at some time that is told.
struct Waiting {
    stream: StreamId,
    within: RangeInclusive<Millis>,
    until: Millis,
    told: Message,
}

impl Work<Session> for Waiting {
    fn next(&mut self, _: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Message> {
        let me = SessionId(self.stream.0);
        let front = Space::lease_key(me, None, None);
        let leased = |(key, value)| Space::leased_within(key, value, &self.within);
        let leased = seen.disk().own_rows::<Space>(&front).find_map(leased);
        if let Some(space) = leased.filter(|_| !planted("lease.stays_with_the_failed")) {
            let (since, until) = (*self.within.start(), *self.within.end());
            let message = space::Message::LetGo { since, until };
            let key = format!("let-go-{}", seen.draw(u64::MAX));
            return WorkStep::Ask(Outgoing::new::<Space>(space.stream(), me, message), key);
        }
        match seen.now() < self.until {
            true => WorkStep::Wait(self.until),
            false => WorkStep::Tell(self.told.clone()),
        }
    }
}

/// The code of an action, call by call. Each answer is noted; a call that a crash has left without
/// one is made again under its key.
struct Acting<M> {
    mind: Rc<RefCell<M>>,
    stream: StreamId,
    turn: u64,
    step: u32,
    code: String,
    at: Millis,
    cause: Cause,
    answers: Vec<Recorded>,
    brief: Brief,
    doing: Doing,
}

enum Doing {
    /// What is next is for the code to say.
    Next,
    /// It is asked.
    Asks,
    /// Its answer is noted.
    Notes(Recorded),
}

impl<M: Mind> Acting<M> {
    fn call(&self) -> u64 {
        self.answers.len() as u64 + 1
    }

    fn note(&self, answer: Recorded, seen: &mut WorldView<'_>) -> WorkStep<Message> {
        let (turn, step, call) = (self.turn, self.step, self.call());
        let (form, asked) = (DIGEST_FORM, Hash::of(&call.to_be_bytes()));
        let note = CallNote {
            call,
            form,
            asked,
            answer: Some(answer),
            wrote: true,
            called: String::new(),
        };
        let message = Message::Note { turn, step, note };
        let key = format!("note-{}", seen.draw(u64::MAX));
        WorkStep::Ask(Outgoing::new::<Session>(self.stream, ROOT, message), key)
    }

    fn ask(&mut self, outgoing: Outgoing) -> WorkStep<Message> {
        let key = format!("t{}s{}-{}", self.turn, self.step, self.call());
        self.doing = Doing::Asks;
        WorkStep::Ask(outgoing.cause(self.cause), key)
    }
}

impl<M: Mind> Work<Session> for Acting<M> {
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Message> {
        let over = heard.as_ref().and_then(Outcome::refused).is_some();
        match std::mem::replace(&mut self.doing, Doing::Next) {
            Doing::Next => {}
            // The turn is over.
            Doing::Notes(_) if over => return WorkStep::End,
            Doing::Asks => {
                let Some(outcome) = heard else { return WorkStep::End };
                let answer = recorded(&outcome);
                self.doing = Doing::Notes(answer.clone());
                return self.note(answer, seen);
            }
            Doing::Notes(answer) => self.answers.push(answer),
        }
        let (turn, step) = (self.turn, self.step);
        let of = situation(self.stream, &self.brief, turn, step, self.at);
        let next = self.mind.borrow_mut().act(&of, &self.code, &self.answers);
        match next {
            Move::End(observation) => WorkStep::Tell(Message::Observe { turn, step, observation }),
            Move::Call(outgoing) => self.ask(outgoing),
        }
    }
}

/// What is noted of an answer.
fn recorded(outcome: &Outcome) -> Recorded {
    if let Some(text) = outcome.refused() {
        let (class, message) = ("PermissionError".to_owned(), text.to_owned());
        return Recorded::Raised { class, message };
    }
    match outcome.reply::<Space>() {
        Some(space::Reply::Version { id, version }) => {
            Recorded::Atom { id: *id, version: *version }
        }
        Some(space::Reply::Claimed(Some((id, version, lease)))) => {
            let found = |version| FoundVersion { id: *id, version, score: None };
            Recorded::Atoms(vec![found(*version), found(lease.token)])
        }
        Some(space::Reply::Claimed(None)) => Recorded::Atoms(Vec::new()),
        _ => Recorded::Said(RecordedItem::Value(Value::Null)),
    }
}

/// A look for what is new, and what comes of it.
struct Listening {
    stream: StreamId,
    /// The session as it was when it began to listen, for the first look.
    then: Option<Arc<Session>>,
    told: bool,
}

impl Work<Session> for Listening {
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Message> {
        if std::mem::take(&mut self.told)
            && let Some(Reply::NotBefore(at)) = heard.as_ref().and_then(Outcome::reply::<Session>)
        {
            return WorkStep::Wait(*at);
        }
        let session = match self.then.take() {
            Some(then) => then,
            None => Arc::new(seen.state::<Session>(self.stream).clone()),
        };
        let funded = session.is_funded();
        if !matches!(session.phase(), Phase::Idle | Phase::Parked { .. }) && !funded {
            return WorkStep::End;
        }
        let New { wakes, cause, later, over, .. } = look(&session, seen);
        let me = |message| Outgoing::new::<Session>(self.stream, ROOT, message);
        let key = format!("look-{}", seen.draw(u64::MAX));
        if let Some(space) = over.first() {
            return WorkStep::Ask(me(Message::Unfollow(*space)), key);
        }
        if wakes.is_empty() && !funded {
            return later.map_or(WorkStep::End, WorkStep::Wait);
        }
        self.told = true;
        WorkStep::Ask(me(Message::Wake(wakes)).cause(cause), key)
    }
}

fn look(session: &Session, seen: &mut WorldView<'_>) -> New {
    let (now, quoted_max) = (seen.now(), seen.limits().wake_comments_max);
    let mut look = Look::new(session, now, quoted_max, |_| Position(0));
    while let Some(ChangeQuery { space, after, filter }) = look.wants() {
        let subject = Subject::Space(space);
        if seen.rights().level(session.id(), &subject, now) < Some(Level::Read) {
            look.forbidden();
            continue;
        }
        let mut follower = Follower::new(space, after, filter);
        let mut changes: Vec<Change> = Vec::new();
        for (at, taken) in seen.disk().changes_after(space, after) {
            changes.extend(follower.take_changes(at, &taken));
        }
        look.page(changes, follower.cursor());
    }
    look.done(matches!(session.phase(), Phase::Parked { .. }))
}

impl World {
    /// An entry of a stream is durable: who follows it looks, and whom it changes follows anew.
    pub(super) fn noticed(&mut self, kind: &str, stream: StreamId) {
        if kind == Session::KIND {
            return self.follow(stream);
        }
        let followers = self.followers.get(&SpaceId(stream.0));
        for session in followers.into_iter().flatten().copied().collect::<Vec<_>>() {
            self.listen(session);
        }
    }

    fn follow(&mut self, stream: StreamId) {
        let session = SessionId(stream.0);
        let follows: BTreeSet<SpaceId> =
            self.host.state::<Session>(stream).follows().map(|(space, _)| space).collect();
        let before = self.follows.insert(session, follows.clone()).unwrap_or_default();
        for space in before.difference(&follows) {
            if let Some(followers) = self.followers.get_mut(space) {
                followers.remove(&session);
            }
        }
        let mut new = false;
        for space in follows.difference(&before) {
            self.followers.entry(*space).or_default().insert(session);
            new = true;
        }
        if new {
            self.listen(session);
        }
    }

    /// After a crash: by the states.
    pub(super) fn follow_all(&mut self) {
        self.followers.clear();
        self.follows.clear();
        let streams: Vec<StreamId> = self.host.disk.streams().collect();
        for stream in streams {
            if self.host.disk.kind_of(stream) == Some(Session::KIND) {
                self.follow(stream);
            }
        }
    }
}
