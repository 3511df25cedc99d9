//! What an agent's model is told besides what was said and seen: what holds for it, what has changed,
//! what it owes, and what came before in a few words.
//!
//! It is the log's: with a thought stands what the model was told anew for it, atoms by reference, so
//! that what is erased later is shown as erased, and so that it is known what an answer was made from.

mod obligation;
mod summary;
mod told;

pub use obligation::{Obligation, PROMISE, PROMISE_OPEN};
pub use summary::Summary;
pub(crate) use told::mark;
pub use told::{AtomVersion, Briefing, Sight, SpaceBrief, Surroundings, ToolBrief};
