//! Where a session stands.

use super::Turn;
use crate::id::{Millis, Position};
use crate::log::Cause;
use crate::space::Wake;
use serde::{Deserialize, Serialize};

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Not begun.
    Unborn,
    /// Waits for a wake.
    Idle,
    /// In a turn.
    Turning(Box<Turn>),
    /// A turn failed and is tried again.
    Waiting {
        /// When the turn had begun.
        since: Millis,
        /// When.
        until: Millis,
        /// What went wrong.
        why: String,
        /// The turn that is tried again: the first that failed.
        first: u64,
        /// What had woken it.
        wakes: Vec<Wake>,
        /// And why.
        cause: Cause,
    },
    /// Its chain of reactions was too long; a word in the DM space lets it go on.
    Parked {
        /// How long.
        hop: u16,
        /// Up to here the DM space was heard by then: what is said after it is the answer.
        heard: Position,
    },
    /// Somebody stopped it; nothing wakes it until it is resumed.
    Stopped,
    /// It failed too often; nothing wakes it until it is resumed.
    Quarantined {
        /// How it failed last.
        why: String,
    },
    /// Dead.
    Wiped,
    /// Its budget is spent; nothing wakes it until it is handed more.
    Exhausted {
        /// Of what it was given so much, as `thoughts = 20`.
        what: String,
    },
}
