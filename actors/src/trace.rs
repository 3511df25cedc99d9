//! What agents did, as spans: what happened within what, how long it took, and what it used.
//!
//! They are made from the streams of the sessions and of nothing else, so they can be made at any time
//! and again, with the same ids: of a turn that a crash has cut in two there is one span.
//!
//! ```text
//! invoke_agent NAME            a turn
//! ├── search_memory SPACE      what was searched for it
//! ├── chat MODEL               a request to its model, also one that failed
//! └── execute_tool python      an action
//!     ├── retrieval SPACE      a call of it that searches
//!     └── execute_tool NAME    any other call of it
//! ```
//!
//! Names and attributes are those of OpenTelemetry's conventions for generative AI. A trace is all that
//! came of one thing from outside: its id is that of the entry which says so. A turn stands below the
//! action that has set it off, also where that is of another agent.
//!
//! What somebody wrote, a person or a model, is in [`SpanContent`] and [`SpanError::text`] and nowhere
//! else, but for the names of agents, spaces and tools: who passes spans on can leave that out.

mod attribute;
mod fold;
#[cfg(test)]
mod tests;
mod turn;

pub use attribute::Attribute;
pub use fold::{AgentTrace, TracedEntry};

use crate::id::{EventId, Millis, SessionId};
use crate::log::Hash;
use std::fmt;

/// All that came of one thing from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

impl TraceId {
    /// Of what came of an entry.
    pub fn of(root: EventId) -> TraceId {
        TraceId(root.0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

impl SpanId {
    /// Of a turn.
    pub fn turn(of: SessionId, turn: u64) -> SpanId {
        SpanId::of(of, turn, (0, "turn", 0))
    }

    /// Of the action of a step.
    pub fn action(of: SessionId, turn: u64, step: u32) -> SpanId {
        SpanId::of(of, turn, (step, "action", 0))
    }

    /// Of one of several things within a step.
    fn of(of: SessionId, turn: u64, (step, what, number): (u32, &str, u64)) -> SpanId {
        let hash = Hash::of(format!("{of} {turn} {step} {what} {number}").as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&hash.0[..8]);
        // All zeros is no span.
        id[7] |= 1;
        SpanId(id)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where something was done: a span of a trace.
pub type SpanPlace = (TraceId, SpanId);

/// Something that an agent did.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct TraceSpan {
    pub trace: TraceId,
    pub id: SpanId,
    /// What it was done within; nothing for what is the first of its trace.
    pub parent: Option<SpanId>,
    /// What has set it off, where that is of another trace.
    pub link: Option<SpanPlace>,
    pub agent: SessionId,
    /// What is done, and with what: `chat claude-sonnet-5`.
    pub name: String,
    /// Somebody else was asked to do it.
    pub asks: bool,
    pub began: Millis,
    pub ended: Millis,
    /// Why it came to nothing.
    pub error: Option<SpanError>,
    pub attributes: Vec<(&'static str, Attribute)>,
    pub content: Option<SpanContent>,
}

/// Why something came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanError {
    /// One of a few words, or the class of an exception that Python itself has.
    pub kind: String,
    /// In words, which may be somebody's own.
    pub text: String,
}

/// What was said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum SpanContent {
    /// By a model.
    Said { turn: u64, step: u32, text: String, code: Option<String> },
    /// By a model that was asked what came before comes down to.
    SummedUp(String),
    /// The code of an action, and what came of it.
    Ran { code: String, result: String },
}
