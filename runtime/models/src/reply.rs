//! What a model says, in the same words whoever the provider is.

use serde_json::Value as Json;

/// A reply that is complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelReply {
    /// The provider's name of this reply.
    pub id: String,
    /// The model that has answered, as the provider names it.
    pub model: String,
    /// What it says.
    pub text: String,
    /// What it thought aloud, where it is told.
    pub reasoning: String,
    /// What it wants called, in order.
    pub calls: Vec<Call>,
    /// The reply as the provider wants it back, block by block: signed reasoning is in it as it came.
    /// It means something to the same model only.
    pub blocks: Vec<Json>,
    /// Why it ends.
    pub stop: Stop,
    /// What it took.
    pub usage: Usage,
    /// How long it took from when it was asked for, in milliseconds; 0 before the connection has said
    /// that.
    pub took_ms: u64,
    /// When the first of it came, in the same way.
    pub first_ms: u64,
    /// Who has answered: a host, with a port where its address has one; empty before the connection has
    /// said that.
    pub server: String,
}

/// A call of a tool that a model wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// What the result is sent back under; empty where the provider gives none.
    pub id: String,
    /// What the tool is called.
    pub name: String,
    /// Its arguments, as the JSON text that came.
    pub arguments: String,
}

/// Why a reply ends. Whether a model wants to act is told by what it says, never by this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// It has said all.
    #[default]
    End,
    /// It wants a tool called.
    Call,
    /// It was cut off at the limit of its output: what it says last must not be acted upon.
    Length,
    /// The window of the model is full: the same.
    Window,
    /// It met one of the texts to stop at.
    Sequence,
    /// It is to go on from here with another request.
    Paused,
    /// It, or a filter, refuses to answer.
    Refused,
    /// The provider has not said why; taken only where that is configured.
    Unsaid,
    /// A reason that this build does not know.
    Other(String),
}

impl Stop {
    /// Its name in logs and in JSON.
    pub fn name(&self) -> &str {
        match self {
            Stop::End => "end",
            Stop::Call => "call",
            Stop::Length => "length",
            Stop::Window => "window",
            Stop::Sequence => "sequence",
            Stop::Paused => "paused",
            Stop::Refused => "refused",
            Stop::Unsaid => "unsaid",
            Stop::Other(other) => other,
        }
    }

    /// Whether the reply is cut off at its end: code and calls of it may be incomplete.
    pub fn is_cut_off(&self) -> bool {
        matches!(self, Stop::Length | Stop::Window)
    }
}

/// Tokens that a reply took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All that was sent, whether it was in the provider's cache or not.
    pub input: u64,
    /// Of these, those that were read from the cache.
    pub cache_read: u64,
    /// Of these, those that were written to it.
    pub cache_write: u64,
    /// All that was said, reasoning included.
    pub output: u64,
    /// Of these, those of reasoning.
    pub reasoning: u64,
}

/// What comes while a reply is on its way. Nothing of it may be acted upon before the reply is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More of the text.
    Text(String),
    /// More of the reasoning.
    Reasoning(String),
    /// A call has begun: its name.
    CallBegun(String),
    /// More of the arguments of the last call.
    Arguments(String),
}
