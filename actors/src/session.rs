//! A session: one agent (seed 000, "Agents in depth"). The session *is* its identity: created is
//! born, wiped is dead, and a crash is neither.
//!
//! Its actor holds where the agent stands: what it was told to do, the turn it is in, how far it
//! has read the spaces it follows. What it said and saw is in its stream, not in its state, so
//! that an agent at rest is small. A turn goes
//!
//! ```text
//! wake → think → act → (host calls, noted) → observe → think → … → end
//! ```
//!
//! and every arrow is an entry of the stream: whatever instant the process dies at, [`resume`]
//! names the one thing that is owed next. Rights are not here: they are asked of the rights actor
//! at every call.
//!
//! [`resume`]: Behaviour::resume

mod account;
mod brief;
mod decide;
mod ear;
mod follow;
pub(crate) mod lifecycle;
mod look;
mod note;
mod outbox;
mod parent_message;
mod phase;
mod refusal;
mod speech;
mod trouble;
mod turn;

pub use crate::agent::{AgentSpec, Budget, FollowSpec, NoBudget, Spent};
pub use account::{Account, LedgerEntry, Settlement, Transfer, TransferKind};
pub use brief::Brief;
pub use ear::Ear;
pub use look::{ChangeQuery, Look, New};
pub use note::{CallNote, FoundVersion, Recorded, RecordedItem, SaidObject};
pub use parent_message::ParentMessage;
pub use phase::Phase;
pub use refusal::Refusal;
pub use speech::{Thought, thought};
pub use trouble::Trouble;
pub use turn::{Observation, Turn, TurnOutcome, TurnState};

use crate::agent::AgentOrder;
use crate::behaviour::{Behaviour, Decision, Delivery, EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{Millis, Position, SessionId, SpaceId, StreamId};
use crate::log::Cause;
use crate::rights::AgentSpawn;
use crate::space::Wake;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The state of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    id: SessionId,
    charter: Option<Arc<AgentSpec>>,
    phase: Phase,
    follows: BTreeMap<SpaceId, FollowSpec>,
    turns: u64,
    /// The last action that ended: the REPL that it left is the next one's.
    acted: Option<(u64, u32)>,
    /// The failures that still count.
    failures: VecDeque<Millis>,
    /// How it has failed last, for those who look at it.
    trouble: Option<Box<Trouble>>,
    /// Turns in a row that changed nothing.
    barren: u32,
    rest_until: Millis,
    /// What it still has to tell its parent.
    letters: BTreeMap<EffectId, ParentMessage>,
    /// Letters so far.
    written: u64,
    account: Account,
    /// The children that are being brought up.
    spawning: BTreeMap<EffectId, Arc<AgentSpawn>>,
    /// It is out of service, and what it has leased is being given back.
    lets_go: BTreeMap<EffectId, Millis>,
}

/// What a session can be asked. Who may ask it is for the door to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Message {
    /// Be born, with so much to spend. Said again it changes nothing.
    Begin(Arc<AgentSpec>, Budget),
    /// Something happened in followed spaces.
    Wake(Vec<Wake>),
    /// What the model says.
    Think {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// What it says.
        thought: Thought,
    },
    /// The answer to one call of the running action, or the intent of one.
    Note {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        note: CallNote,
    },
    /// How the action ended.
    Observe {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// What came of it.
        observation: Observation,
    },
    /// The turn cannot go on.
    Fail {
        turn: u64,
        why: String,
    },
    /// The wait after a failed turn is over.
    Retry {
        /// Which turn failed.
        turn: u64,
    },
    /// What was to be told is in the DM space, or never can be.
    Told {
        id: EffectId,
        /// Why it is not there.
        refused: Option<String>,
    },
    /// What was leased is given back.
    LetGone(EffectId),
    /// Follow a space.
    Follow {
        space: SpaceId,
        /// How. If it is followed already its cursor stays where it is.
        follow: FollowSpec,
    },
    /// Follow it no more.
    Unfollow(SpaceId),
    /// Stop at once, and stay so.
    Stop {
        reason: String,
    },
    /// Go on: a stopped, parked or quarantined session gets a turn, with what is new.
    Resume(Vec<Wake>),
    Wipe {
        reason: String,
    },
    /// Tell how you are.
    Look,
    /// Bring up a child.
    Spawn(Box<AgentSpawn>),
    /// Take this out for a child that lives, before it has it.
    Lend(Transfer),
    /// Here is more to spend.
    Fund(Budget),
    /// What became of something that was on its way. Of what is not, it changes nothing.
    Settle(Settlement),
}

/// What happened to a session.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Event {
    Born(Arc<AgentSpec>),
    /// A turn began.
    TurnBegan {
        turn: u64,
        wakes: Vec<Wake>,
        cause: Cause,
        at: Millis,
    },
    /// The model spoke.
    Thought {
        thought: Thought,
        at: Millis,
    },
    /// A call of the action was made, or answered.
    Noted(CallNote),
    /// The action ended.
    Observed(Observation),
    /// The turn ended; what woke it has been seen.
    TurnEnded {
        outcome: TurnOutcome,
        rest_until: Millis,
    },
    /// The turn failed, and is tried again.
    TurnFailed {
        why: String,
        at: Millis,
        retry_at: Millis,
    },
    /// It failed once too often.
    Quarantined {
        why: String,
        at: Millis,
        /// The effect that gives back what it has leased.
        lets_go: EffectId,
    },
    /// A chain of reactions was cut.
    Parked {
        hop: u16,
        heard: Position,
    },
    /// Somebody stopped it.
    Stopped {
        by: SessionId,
        reason: String,
        at: Millis,
        /// The effect that gives back what it has leased.
        lets_go: EffectId,
    },
    /// Somebody let it go on.
    Resumed {
        by: SessionId,
    },
    /// It is dead.
    Wiped {
        by: SessionId,
        reason: String,
        /// The letters that nobody hears any more.
        untold: Vec<EffectId>,
        /// Whether there is a budget to give back, once all that was lent is.
        returns: bool,
        /// The effect that gives back what it has leased.
        lets_go: EffectId,
    },
    /// It no longer does.
    Unfollowed(SpaceId),
    /// Something is to be told to its parent.
    Wrote {
        id: EffectId,
        letter: ParentMessage,
    },
    /// It is in the DM space.
    Told(EffectId),
    /// It can never be there.
    Untold {
        id: EffectId,
        why: String,
    },
    /// A child is being brought up.
    Spawning {
        id: EffectId,
        spawn: Arc<AgentSpawn>,
    },
    /// Something was spent, given, lent or given back.
    Booked(LedgerEntry),
    /// Its budget is spent.
    Exhausted {
        what: String,
    },
    /// So many failures, the oldest, no longer count.
    Forgiven {
        failures: u64,
    },
    /// What it had leased is given back.
    LetGo(EffectId),
    /// It follows a space like this.
    FollowSet {
        space: SpaceId,
        follow: FollowSpec,
    },
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Effect {
    /// Ask the model. The answer is [`Message::Think`] or [`Message::Fail`].
    Think {
        turn: u64,
        step: u32,
        /// What is to be known of the agent.
        brief: Brief,
    },
    /// Run an action. The answer is [`Message::Observe`].
    Act {
        turn: u64,
        step: u32,
        code: String,
        /// When it was said: what the code takes for now.
        at: Millis,
        /// What set the turn off.
        cause: Cause,
        /// What its first calls were answered, before a crash.
        notes: Arc<Vec<CallNote>>,
        /// The action whose REPL it goes on with.
        after: Option<(u64, u32)>,
        /// What is to be known of the agent.
        brief: Brief,
    },
    /// Give back what was leased in a turn that failed ([`space::Message::LetGo`]), and say
    /// [`Message::Retry`] then.
    ///
    /// [`space::Message::LetGo`]: crate::space::Message::LetGo
    Wait {
        /// The turn that failed.
        turn: u64,
        /// When it began.
        since: Millis,
        until: Millis,
    },
    /// Give back what was leased up to a moment, and say [`Message::LetGone`].
    LetGo {
        /// What is leased later is of one that goes on.
        until: Millis,
    },
    /// Look whether anything is new in the spaces that are followed; if so, say [`Message::Wake`].
    /// With the session as it is then.
    Listen(Arc<Session>),
    /// A message: put this into the DM space.
    Tell { dm: SpaceId, letter: ParentMessage },
    /// A message: ask the rights for a child. It is answered once the child is begun.
    Spawn(Arc<AgentSpawn>),
    /// A message: hand a child more to spend.
    Send(Transfer),
    /// A message: tell the parent [`Settlement::Repaid`].
    Return {
        parent: SessionId,
        /// What was left.
        rest: Budget,
    },
}

/// What the asker gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// It is so.
    Done,
    /// It has no ear now: in a turn, or out of service. What is new stays in the spaces.
    Busy,
    /// It rests, for its last turns changed nothing. Ask again then.
    NotBefore(Millis),
    /// How it is.
    State(Box<Session>),
    /// A message is on its way; its effect's name.
    Sent(EffectId),
}

impl Behaviour for Session {
    const KIND: &'static str = AgentOrder::KIND;
    const SNAPSHOT_FORM: u8 = 5;
    type Message = Message;
    type Event = Event;
    type Effect = Effect;
    type Reply = Reply;
    type Refusal = Refusal;

    fn unborn(stream: StreamId) -> Self {
        Session {
            id: SessionId(stream.0),
            charter: None,
            phase: Phase::Unborn,
            follows: BTreeMap::new(),
            turns: 0,
            acted: None,
            failures: VecDeque::new(),
            trouble: None,
            barren: 0,
            rest_until: Millis(0),
            letters: BTreeMap::new(),
            written: 0,
            account: Account::default(),
            spawning: BTreeMap::new(),
            lets_go: BTreeMap::new(),
        }
    }

    fn decide(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        Ok(self.and_looks(self.decided(message, delivery)?, delivery.seq))
    }

    fn apply(&mut self, event: &Event) {
        self.take(event);
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Born(_) => "agent.born",
            Event::TurnBegan { .. } => "turn.began",
            Event::Thought { .. } => "turn.thought",
            Event::Noted(_) => "turn.called",
            Event::Observed(_) => "turn.observed",
            Event::TurnEnded { .. } => "turn.ended",
            Event::TurnFailed { .. } => "turn.failed",
            Event::Quarantined { .. } => "agent.quarantined",
            Event::Parked { .. } => "agent.parked",
            Event::Stopped { .. } => "agent.stopped",
            Event::Resumed { .. } => "agent.resumed",
            Event::Wiped { .. } => "agent.wiped",
            Event::FollowSet { .. } => "agent.followed",
            Event::LetGo(_) => "leases.abandoned",
            Event::Unfollowed(_) => "agent.unfollowed",
            Event::Wrote { .. } => "letter.written",
            Event::Told(_) => "letter.sent",
            Event::Untold { .. } => "letter.refused",
            Event::Spawning { .. } => "agent.spawning",
            Event::Booked(booking) => booking.name(),
            Event::Exhausted { .. } => "agent.exhausted",
            Event::Forgiven { .. } => "failures.forgiven",
        }
    }

    fn project(stream: StreamId, event: &Event, _: u16, rows: &mut Vec<Row>) {
        outbox::project(stream, event, rows);
        phase::project(stream, event, rows);
        trouble::project(stream, event, rows);
    }

    fn outgoing(sender: StreamId, effect: &Effect) -> Option<Outgoing> {
        outbox::outgoing(sender, effect)
    }

    fn received(message: Box<dyn Any + Send>) -> Option<Message> {
        outbox::received(message)
    }

    fn settled(id: EffectId, effect: &Effect, outcome: &Outcome) -> Option<Message> {
        outbox::settled(id, effect, outcome)
    }

    fn cuts(event: &Event) -> bool {
        matches!(event, Event::Stopped { .. } | Event::Wiped { .. } | Event::Quarantined { .. })
    }

    fn resume(&self) -> Vec<(EffectId, Effect)> {
        let mut owed = self.owed_letters();
        owed.extend(self.owed_transfers());
        owed.extend(self.lets_go.iter().map(|(id, until)| (*id, Effect::LetGo { until: *until })));
        match &self.phase {
            Phase::Turning(turn) => owed.extend(self.owed_by(turn)),
            Phase::Waiting { since, until, .. } => {
                owed.push(lifecycle::wait(self.turns, *since, *until));
            }
            Phase::Idle | Phase::Parked { .. } => owed.push(self.look()),
            Phase::Exhausted { .. } if self.is_funded() => owed.push(self.look()),
            _ => {}
        }
        owed
    }

    /// Whoever looks for what is new to it looks while it is away, too.
    fn may_rest(&self) -> bool {
        self.is_at_rest()
    }
}
