//! What a model is told: the window that it sees of its session, as a pure function of what is known.
//!
//! A provider keeps what it has read once, as far as it stands at the same place. So what holds for the
//! whole session comes first, then what happened in its order, and what is added changes nothing of
//! what stands before it.

mod context;
mod render;
#[cfg(test)]
mod tests;
mod transcript;

pub use context::{Card, Context};
pub use render::{OBSERVATION_FACTOR, PYTHON_TOOL, Window, WindowMessage, window, words};
pub use transcript::{Transcript, TranscriptItem};

/// How a model acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeStyle {
    /// Python in a fence of its reply.
    #[default]
    Fence,
    /// By calls of one tool, [`PYTHON_TOOL`].
    Tool,
}
