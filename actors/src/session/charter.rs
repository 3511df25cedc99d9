//! What an agent is born with, and what it follows.

use super::{Event, Refusal, Reply, Session};
use crate::behaviour::{Decision, Delivery};
use crate::id::{Position, SessionId, SpaceId};
use crate::mutant::planted;
use crate::space::{Filter, Terms};

/// What an agent is brought up with. What it may touch is in the rights, not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Charter {
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
    pub follows: Vec<(SpaceId, Follow)>,
}

/// How a space is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Follow {
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen. It advances in the event that ends a turn.
    pub cursor: Position,
    /// When it is told, and until when.
    pub terms: Terms,
}

impl Follow {
    /// All of it, at once and for good, from a cursor on.
    pub fn all(cursor: Position) -> Follow {
        Follow { cursor, ..Follow::default() }
    }
}

impl Session {
    pub(super) fn follow(
        &self,
        space: SpaceId,
        follow: Follow,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        follow.filter.check(&delivery.limits.search)?;
        follow.terms.check(delivery.limits, delivery.now)?;
        let known = self.follows.get(&space);
        // Those that are over make room, and go with it.
        let over = |(_, it): &(&SpaceId, &Follow)| it.terms.over(delivery.now);
        let over = self.follows.iter().filter(over).map(|(space, _)| *space);
        let over: Vec<SpaceId> = over.filter(|it| *it != space).collect();
        let max = delivery.limits.session.follows_max;
        let size = self.follows.len() - over.len() + 1;
        if known.is_none() && size > max {
            return Err(Refusal::Limit { what: "the spaces an agent follows", size, max });
        }
        // What was seen stays seen, and what was not is not skipped: a cursor moves by turns only.
        let cursor = match known {
            Some(known) if planted("session.follow_skips") => known.cursor.max(follow.cursor),
            Some(known) => known.cursor,
            None => follow.cursor,
        };
        let follow = Follow { cursor, ..follow };
        if known == Some(&follow) {
            return Ok(Decision::read(Reply::Done));
        }
        let mut followed = Decision::event(Event::FollowSet { space, follow }, Reply::Done);
        followed.events.splice(0..0, over.into_iter().map(Event::Unfollowed));
        Ok(followed)
    }
}
