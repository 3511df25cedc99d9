//! A whole system in memory: all kinds of actor over one log, one clock and one queue in time.
//!
//! A [`World`] is asked from outside ([`World::ask_at`]) and run until nothing is left to do. What
//! the runtime does with threads, tasks and a disk is done here one thing after the other, in an order
//! that a seed decides: messages between actors are delayed, overtake each other, arrive twice and
//! lose their answers; a mailbox has no room; an append fails; one actor dies, or all of them.
//! Whatever is not an actor — a model, the code of an action — is a [`Performer`] that is given from
//! outside. Nothing but the seed decides, so a run can be had again: [`World::trace`] is the same for
//! the same seed, in every build.
//!
//! ```text
//! request ─▶ decide ─▶ (commit) ─▶ answer ─▶ asker
//!                         │
//!                         ├─▶ messages ─▶ other actors ─▶ outcome ─▶ decide …
//!                         ├─▶ work ─▶ performer ─▶ outcome ─▶ decide …
//!                         └─▶ rows due ─▶ timer ─▶ decide …
//! ```

mod agents;
mod chances;
mod disk;
mod host;
mod kind;
mod run;
mod trouble;
mod work;

pub use agents::{Agents, Mind, Move, Situation};
pub use chances::Chances;
pub use disk::Disk;
pub(crate) use host::{Answered, Host};
pub use kind::WorldKinds;
pub use work::{Performer, Work, WorkStep, WorldView};

use crate::alarm::Alarm;
use crate::behaviour::{Behaviour, EffectId};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{Millis, RIGHTS, SessionId, SpaceId, StreamId};
use crate::limits::Limits;
use crate::rights::RightsTable;
use crate::session::{Effect, Session};
use chances::Chance;
use kind::AnyEffect;
use run::{Happening, Running, Waiter};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::rc::Rc;
use work::{AnyPerformer, PerformerOf};

/// What becomes of the commit that reports an error. Nobody can tell before the next open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// Nothing of it reached the medium.
    Lost,
    /// All of it did; the error came after that.
    Kept,
}

/// Names a request from outside.
pub type RequestId = usize;

/// There was always something more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after {steps} steps there is still something to do, at {} ms", now.0)]
pub struct Stuck {
    /// So much was done.
    pub steps: u64,
    /// When, by the world's clock.
    pub now: Millis,
}

/// A whole system, run by a seed.
pub struct World {
    host: Host,
    chances: Chances,
    chance: Chance,
    /// What is to happen, when, and whether it dies with everything. What is at one time happens in
    /// the order in which it was entered.
    calendar: BTreeMap<(Millis, u64), (bool, Happening)>,
    entered: u64,
    performers: BTreeMap<&'static str, Box<dyn AnyPerformer>>,
    running: BTreeMap<(StreamId, EffectId), Running>,
    waiters: BTreeMap<u64, Waiter>,
    requests: Vec<(Outgoing, String)>,
    answers: BTreeMap<RequestId, Outcome>,
    alarm: Alarm,
    commit_due: bool,
    ring_at: Option<Millis>,
    followers: BTreeMap<SpaceId, BTreeSet<SessionId>>,
    follows: BTreeMap<SessionId, BTreeSet<SpaceId>>,
    /// Who is out of service.
    out: BTreeSet<StreamId>,
    trace: u64,
    steps: u64,
}

impl World {
    /// An empty log.
    pub fn new(kinds: WorldKinds, limits: Limits, chances: Chances, seed: u64) -> World {
        let mut host = Host::new(kinds, seed);
        host.limits = limits;
        let mut world = World {
            host,
            chances,
            chance: Chance::new(seed),
            calendar: BTreeMap::new(),
            entered: 0,
            performers: BTreeMap::new(),
            running: BTreeMap::new(),
            waiters: BTreeMap::new(),
            requests: Vec::new(),
            answers: BTreeMap::new(),
            alarm: Alarm::default(),
            commit_due: false,
            ring_at: None,
            followers: BTreeMap::new(),
            follows: BTreeMap::new(),
            out: BTreeSet::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            steps: 0,
        };
        (0..chances.crashes).for_each(|_| world.sometime(Happening::Crash));
        (0..chances.deaths).for_each(|_| world.sometime(Happening::Death));
        (0..chances.rests).for_each(|_| world.sometime(Happening::Rest));
        (0..chances.quarantines).for_each(|_| world.sometime(Happening::Quarantine));
        (0..chances.failures).for_each(|_| world.sometime(Happening::Fail));
        world
    }

    /// Who does what the actors of a kind ask to be done outside. Without one it stays undone.
    pub fn performs<B: Behaviour>(&mut self, performer: impl Performer<B> + 'static) {
        let performer = PerformerOf::<B, _>(performer, PhantomData);
        self.performers.insert(B::KIND, Box::new(performer));
    }

    /// Somebody outside asks an actor something then, under a key, and repeats it until it is
    /// answered.
    pub fn ask_at(&mut self, at: Millis, outgoing: Outgoing, key: impl Into<String>) -> RequestId {
        self.requests.push((outgoing, key.into()));
        let request = self.requests.len() - 1;
        self.then(at, false, Happening::Outside(request));
        request
    }

    /// What a request was answered, once it was.
    pub fn answer(&self, request: RequestId) -> Option<&Outcome> {
        self.answers.get(&request)
    }

    /// The time of the world, which only moves by its queue.
    pub fn now(&self) -> Millis {
        self.host.now
    }

    /// How much has happened.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What is durable.
    pub fn disk(&self) -> &Disk {
        &self.host.disk
    }

    /// Who may do what.
    pub fn rights(&self) -> &RightsTable {
        &self.host.rights
    }

    /// The state of an actor. Of the rights see [`World::rights`].
    pub fn state<B: Behaviour>(&mut self, stream: StreamId) -> &B {
        assert_ne!(stream, RIGHTS, "the rights are in their table");
        self.host.state(stream)
    }

    /// The effects that an actor owes; none where it waits for nothing.
    pub fn owes(&mut self, stream: StreamId) -> Vec<EffectId> {
        self.host.bring_up(stream).into_iter().map(|(id, _)| id).collect()
    }

    /// A hash of all that has happened, in its order: the same for the same seed.
    pub fn trace(&self) -> u64 {
        let head = self.host.disk.head();
        let hash = head.hash.0.first_chunk().copied().unwrap_or_default();
        self.trace ^ u64::from_be_bytes(hash)
    }

    /// FNV-1a over numbers.
    fn mark(&mut self, what: &[u64]) {
        for number in what.iter().chain([&self.host.now.0]) {
            for byte in number.to_be_bytes() {
                self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }

    fn then(&mut self, at: Millis, dies: bool, happening: Happening) {
        self.entered += 1;
        let at = at.max(self.host.now);
        self.calendar.insert((at, self.entered), (dies, happening));
    }

    fn sometime(&mut self, happening: Happening) {
        let at = Millis(1 + self.chance.below(self.chances.within_ms));
        self.then(at, false, happening);
    }

    /// A session looks for what is new; one that waits to look again looks now as well.
    fn listen(&mut self, session: SessionId) {
        let (stream, id) = (session.stream(), crate::session::lifecycle::listen_id(0));
        if self.running.contains_key(&(stream, id)) {
            let at = self.host.now;
            return self.then(at, true, Happening::GoOn(stream, id));
        }
        let (_, effect) = self.host.state::<Session>(stream).look();
        let (effect, kind): (Rc<Effect>, _) = (Rc::new(effect), Session::KIND);
        self.start(stream, vec![(id, AnyEffect { effect, outgoing: None, kind })]);
    }
}
