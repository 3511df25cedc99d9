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
mod apply;
mod brief;
mod call;
mod compaction;
mod decide;
mod deferral;
mod ear;
mod follow;
mod generation;
pub(crate) mod lifecycle;
mod look;
mod message;
mod note;
mod outbox;
mod parent_message;
mod phase;
mod refusal;
mod speech;
mod steering;
mod trouble;
mod turn;
mod unusable;

pub use crate::agent::{
    AgentSpec, Amount, Budget, BudgetUnit, CallBound, FollowSpec, NoBudget, Spent,
};
pub use account::{Account, LedgerEntry, Settlement, Transfer, TransferKind};
pub use brief::Brief;
pub use call::{BilledCall, Billing, Reserved};
pub use deferral::{Deferral, ModelError, Passing, PassingKind, Remedy};
pub use ear::Ear;
pub use generation::{GeneratedCall, Generation, TokenUsage};
pub use look::{ChangeQuery, Look, New};
pub use message::{Effect, Event, Message, Reply};
pub use note::{CallNote, FoundVersion, Recorded, RecordedItem, SaidObject};
pub use parent_message::ParentMessage;
pub use phase::{Phase, spent_out};
pub use refusal::Refusal;
pub use speech::{Thought, is_open, thought};
pub use steering::{CancelledAction, INTERRUPTED, Steering};
pub use trouble::Trouble;
pub use turn::{Observation, Turn, TurnOutcome, TurnState};

use crate::agent::AgentOrder;
use crate::behaviour::{Behaviour, Decision, Delivery, EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::briefing::Sight;
use crate::id::{Millis, SessionId, SpaceId, StreamId};
use crate::rights::AgentSpawn;
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
    /// What its model was told of what holds; nothing where it is to be told everything.
    told: Option<Arc<Sight>>,
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
    /// What it has leased within some time is being given back: before it went out of service, or in an
    /// action that was cancelled.
    lets_go: BTreeMap<EffectId, (Millis, Millis)>,
}

impl Behaviour for Session {
    const KIND: &'static str = AgentOrder::KIND;
    const SNAPSHOT_FORM: u8 = 9;
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
            told: None,
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
            Event::Deferred { .. } => "model.deferred",
            Event::Answered => "model.answered",
            Event::Briefed(_) => "model.briefed",
            Event::WindowFull { .. } => "window.full",
            Event::Compacted(_) => "window.compacted",
            Event::Noted(_) => "turn.called",
            Event::Observed(_) => "turn.observed",
            Event::Steered { .. } => "turn.steered",
            Event::Interrupted { .. } => "turn.interrupted",
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
        call::project(stream, event, rows);
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
        let ends = matches!(event, Event::Stopped { .. } | Event::Wiped { .. });
        ends || matches!(event, Event::Quarantined { .. } | Event::Interrupted { .. })
    }

    fn resume(&self) -> Vec<(EffectId, Effect)> {
        let mut owed = self.owed_letters();
        owed.extend(self.owed_transfers());
        let lets_go = |(id, within): (&EffectId, &(Millis, Millis))| {
            (*id, Effect::LetGo { since: within.0, until: within.1 })
        };
        owed.extend(self.lets_go.iter().map(lets_go));
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
