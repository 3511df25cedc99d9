//! Which spaces an agent follows.

use super::{Event, FollowSpec, Refusal, Reply, Session};
use crate::behaviour::{Decision, Delivery};
use crate::id::SpaceId;
use crate::mutant::planted;

impl Session {
    pub(super) fn follow(
        &self,
        space: SpaceId,
        follow: FollowSpec,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        follow.filter.check(&delivery.limits.search)?;
        follow.terms.check(delivery.limits, delivery.now)?;
        let known = self.follows.get(&space);
        // Those that are over make room, and go with it.
        let over = |(_, it): &(&SpaceId, &FollowSpec)| it.terms.over(delivery.now);
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
        let follow = FollowSpec { cursor, ..follow };
        if known == Some(&follow) {
            return Ok(Decision::read(Reply::Done));
        }
        let mut followed = Decision::event(Event::FollowSet { space, follow }, Reply::Done);
        followed.events.splice(0..0, over.into_iter().map(Event::Unfollowed));
        Ok(followed)
    }
}
