//! What is known of an agent at a step.

use crate::id::{SessionId, SpaceId};
use crate::rights::Level;
use crate::session::{Budget, Observation, Thought};
use crate::space::Wake;
use std::sync::Arc;

/// Everything a model is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// For whom it thinks.
    pub session: SessionId,
    /// The turn, from 1.
    pub turn: u64,
    /// The step within the turn, from 1.
    pub step: u32,
    /// What the agent was told to do.
    pub task: String,
    /// How to behave: the atoms of its instruction space, the oldest first.
    pub instructions: Vec<String>,
    /// What its code can call, a signature a line.
    pub reference: Arc<str>,
    /// What its code can call besides: what each tool that it may use says of itself.
    pub tools: Vec<String>,
    /// The spaces at hand and their conventions: the one it works in, the one it shares with its
    /// parent and those that woke it, then others, up to `context_spaces_max`.
    pub spaces: Vec<Card>,
    /// Whether it holds more than these, which `coordinator.space(NAME)` opens for its code.
    pub more_spaces: bool,
    /// What woke it; nothing at its birth.
    pub wakes: Vec<(String, Wake)>,
    /// What it thought and saw in this turn so far.
    pub steps: Vec<Exchange>,
    /// What is left of its budget, this thought included. One that takes more tokens than this is
    /// not acted upon.
    pub left: Budget,
}

/// A space as an agent knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Card {
    /// What the agent calls it.
    pub alias: String,
    pub id: SpaceId,
    /// What it may do there.
    pub level: Level,
    pub description: String,
}

/// One step that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What was said.
    pub thought: Thought,
    /// What came of it.
    pub observation: Observation,
}
