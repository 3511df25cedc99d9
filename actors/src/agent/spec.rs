//! What an agent is born with, and what it follows.

use crate::id::{EventId, Position, SessionId, SpaceId};
use crate::space::{Filter, Terms};

/// What an agent is brought up with. What it may touch is in the rights, not here.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentSpec {
    /// Who spawned it.
    pub parent: SessionId,
    /// What to do, in words.
    pub task: String,
    /// The space whose atoms say how to behave: read anew at every turn.
    pub instructions: Option<SpaceId>,
    /// Who thinks for it.
    pub model: String,
    /// The space it shares with its parent.
    pub dm: SpaceId,
    /// What its code calls `space`.
    pub first: Option<SpaceId>,
    /// The spaces it follows from birth, and from where.
    pub follows: Vec<(SpaceId, FollowSpec)>,
    /// The spaces that are searched at every turn for what may be of use in it.
    pub memory: Vec<SpaceId>,
    /// The entry from outside that its first turn comes of; nothing where it is spawned from outside.
    pub root: Option<EventId>,
}

/// How a space is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowSpec {
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen. It advances in the event that ends a turn.
    pub cursor: Position,
    /// When it is told, and until when.
    pub terms: Terms,
}

impl FollowSpec {
    /// All of it, at once and for good, from a cursor on.
    pub fn all(cursor: Position) -> FollowSpec {
        FollowSpec { cursor, ..FollowSpec::default() }
    }
}
