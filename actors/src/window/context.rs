//! What is known of an agent at a step.

use super::{CodeStyle, Transcript};
use crate::briefing::{AtomVersion, Briefing};
use crate::id::{SessionId, SpaceId};
use crate::rights::Level;
use crate::session::{Budget, Observation, Thought};
use crate::space::Wake;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a model is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// For whom it thinks.
    pub session: SessionId,
    /// What it is called, behind the agents above it: `editor/critic`; one that has no name is `-`.
    pub agent: String,
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
    /// What it thought and saw so far: since its window was made anew where the model remembers
    /// ([`Context::window_bytes`]), else in this turn.
    pub past: Arc<Transcript>,
    /// What holds, as it was told at the front of the window.
    pub front: Arc<Briefing>,
    /// What is told at this step; nothing where all of it was told.
    pub briefing: Arc<Briefing>,
    /// What the atoms say that were told of: those that are not in it are erased.
    pub texts: BTreeMap<AtomVersion, Arc<str>>,
    /// How the model acts.
    pub style: CodeStyle,
    /// Bytes that its window holds; nothing where it is told of no turn but this one.
    pub window_bytes: Option<usize>,
    /// A summary is asked for instead of a step: of what came before this turn and step, from which on
    /// it is told as it was.
    pub sums_up: Option<(u64, u32)>,
    /// What is left of its budget, this thought included. One that takes more tokens than this is
    /// not acted upon.
    pub left: Budget,
}

impl Context {
    /// Bytes that its window held when it was made anew last: what is told of it stays as it was.
    pub(super) fn bytes_max(&self) -> Option<usize> {
        match self.front.window_bytes {
            0 => self.window_bytes,
            bytes => Some(usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
    }

    /// What it thought and saw in this turn so far.
    pub fn steps(&self) -> Vec<(&Thought, &Observation)> {
        self.past.steps()
    }
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
