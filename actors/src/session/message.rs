//! What a session is asked, what happens to it, what it wants done, and what the asker gets.

use super::call::Billing;
use super::{
    AgentSpec, Brief, Budget, CallNote, CancelledAction, FollowSpec, LedgerEntry, Observation,
    ParentMessage, Passing, PassingKind, Session, Settlement, Steering, Thought, Transfer,
    TurnOutcome,
};
use crate::agent::CallBound;
use crate::behaviour::EffectId;
use crate::briefing::{Briefing, Summary};
use crate::id::{Millis, Position, SessionId, SpaceId};
use crate::log::Cause;
use crate::rights::AgentSpawn;
use crate::space::Wake;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a session can be asked. Who may ask it is for the door to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Message {
    /// Be born, with so much to spend. Said again it changes nothing.
    Begin(Arc<AgentSpec>, Budget),
    /// Something happened in followed spaces.
    Wake(Vec<Wake>),
    /// Somebody who governs it has said something that it is to see before its turn is over. Of one
    /// that is in no turn it is a wake.
    Steer {
        /// What was said since [`Session::heard_upto`]; nothing where somebody else has it seen
        /// already, and it is to be seen at once.
        wake: Option<Wake>,
        how: Steering,
    },
    /// What the model says.
    Think {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// Which request of the step it was.
        attempt: u32,
        /// What it says.
        thought: Thought,
        /// What it was told at this step that it had not been told before.
        briefing: Arc<Briefing>,
    },
    /// What the model is to be told does not fit into its window.
    WindowFull {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// Which request of the step it was.
        attempt: u32,
        why: String,
        /// What the request may have cost all the same.
        billing: Billing,
    },
    /// What came before, summed up.
    SumUp {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// Which request of the step it was.
        attempt: u32,
        /// What the model says, or what was made without it.
        thought: Thought,
        /// The turn and the step from which on what happened is told as it was.
        since: (u64, u32),
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
    /// May the model be asked, which takes so much at most? The answer is [`Reply::Granted`]; any other
    /// is no.
    Reserve {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// Which request of the step it is.
        attempt: u32,
        bound: CallBound,
    },
    /// The model says nothing, and may later.
    Defer {
        /// Of which turn.
        turn: u64,
        /// Of which step.
        step: u32,
        /// Which request of the step it was.
        attempt: u32,
        passing: Passing,
        why: String,
        /// What the request may have cost all the same.
        billing: Billing,
    },
    /// The turn cannot go on.
    Fail {
        turn: u64,
        /// At which step.
        step: u32,
        /// Which request of the step has failed; nothing where the action has.
        attempt: Option<u32>,
        why: String,
        /// What a request of a model may have cost all the same.
        billing: Billing,
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
    /// The model is asked again later.
    Deferred {
        kind: PassingKind,
        why: String,
        at: Millis,
        until: Millis,
    },
    /// The model that was waited for has answered.
    Answered,
    /// The model was told what it had not been told before: with the thought that came of it.
    Briefed(Arc<Briefing>),
    /// What the model is to be told does not fit into its window, and is summed up.
    WindowFull {
        /// The model is asked for it.
        by_model: bool,
        why: String,
    },
    /// The window is made anew, behind a summary.
    Compacted(Summary),
    /// A call of the action was made, or answered.
    Noted(CallNote),
    /// The action ended.
    Observed(Observation),
    /// Something was said that the model is to be told of at the next step.
    Steered {
        wake: Wake,
    },
    /// What was being done is cancelled, and the model is asked with what was said.
    Interrupted {
        by: SessionId,
        at: Millis,
        /// The code that ran; nothing where it was the model that was asked.
        action: Option<CancelledAction>,
    },
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
        /// With so much it goes on; with anything where it is nothing.
        needs: Budget,
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
    /// Ask the model. The answer is [`Message::Think`], [`Message::Defer`], [`Message::WindowFull`] or
    /// [`Message::Fail`]. For an agent with a bound on what a call takes, [`Message::Reserve`] is asked
    /// first; where that is not granted, the model is not asked and there is no answer.
    Think {
        turn: u64,
        step: u32,
        /// What is to be known of the agent.
        brief: Brief,
        /// Which request of the step it is.
        attempt: u32,
        /// It is not asked before that.
        not_before: Millis,
    },
    /// Sum up what came before. The answer is [`Message::SumUp`], or one as to [`Effect::Think`].
    Compact {
        /// The turn and the step.
        of: (u64, u32),
        /// What is to be known of the agent.
        brief: Brief,
        /// Which request of the step it is.
        attempt: u32,
        /// The model is not asked before that.
        not_before: Millis,
        /// The model is asked for it.
        by_model: bool,
        /// The window was made anew at this step, and is full again: nothing is told as it was.
        again: bool,
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
    /// Give back what was leased within some time, and say [`Message::LetGone`].
    LetGo {
        since: Millis,
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
    /// The model may be asked.
    Granted {
        /// For so long, where its time is bounded.
        ms_max: Option<u64>,
    },
}
