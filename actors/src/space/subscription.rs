//! Following a space: a subscription is data, delivery is a coalesced wake, and the log is the
//! only copy of what happened.

use super::{Event, Refusal, Reply, Space, limit};
use crate::atom::{Atom, Metadata};
use crate::behaviour::{Decision, Delivery};
use crate::id::{Position, SessionId, SpaceId, SubscriptionId};
use crate::limits::SearchLimits;
use crate::mutant;
use crate::rights::Level;
use crate::search::{check, count, says};
use serde::{Deserialize, Serialize};

/// Who follows, what, from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name.
    pub id: SubscriptionId,
    /// Who is woken.
    pub subscriber: SessionId,
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen.
    pub cursor: Position,
}

/// What is of interest; an empty filter is everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Types of entry, `atom.put` for instance; none is all.
    pub types: Vec<String>,
    /// What the atom's metadata must say, as in a search.
    pub metadata: Metadata,
}

impl Filter {
    /// Whether something that happened is of interest.
    pub fn passes(&self, kind: &str, atom: Option<&Atom>) -> bool {
        (self.types.is_empty() || self.types.iter().any(|it| it == kind))
            && (self.metadata.is_empty()
                || atom.is_some_and(|it| says(&it.metadata, &self.metadata)))
    }

    /// Refuses what is over a limit, and conditions that nobody can have meant. What was followed
    /// by before there were comparisons compares as well.
    pub fn check(&self, most: &SearchLimits) -> Result<(), Refusal> {
        limit("the conditions", count(&self.metadata), most.conditions_max)?;
        Ok(check(&self.metadata)?)
    }
}

/// What a subscriber is told: how much, from where, and a few words. Never the content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wake {
    /// Where something happened.
    pub space: SpaceId,
    /// The first entry not yet seen.
    pub first: Position,
    /// The last one.
    pub last: Position,
    /// How many there are of interest: exact, also when not all are quoted.
    pub count: u64,
    /// The comments of the first few.
    pub comments: Vec<String>,
    /// The highest hop among them.
    pub hop: u16,
}

/// One thing of interest that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Where.
    pub space: SpaceId,
    /// Its entry.
    pub position: Position,
    /// Whose doing.
    pub by: SessionId,
    /// What for.
    pub comment: String,
    /// How many reactions it took.
    pub hop: u16,
}

impl Wake {
    /// Takes one more notice into a pending wake, so that there is at most one for each subscriber
    /// and space, however much happens before it is taken. Own writes wake nobody.
    pub fn coalesce(pending: &mut Option<Wake>, to: SessionId, notice: &Notice, quoted_max: usize) {
        if notice.by == to && !mutant::planted("cursor.marker_counts_own") {
            return;
        }
        let wake = pending.get_or_insert_with(|| Wake {
            space: notice.space,
            first: notice.position,
            last: notice.position,
            count: 0,
            comments: Vec::new(),
            hop: 0,
        });
        let quoted = wake.comments.len() < quoted_max;
        wake.count += u64::from(quoted || !mutant::planted("cursor.marker_counts_the_quoted"));
        wake.last = notice.position;
        wake.hop = wake.hop.max(notice.hop);
        if quoted {
            wake.comments.push(notice.comment.clone());
        }
    }
}

impl Space {
    pub(super) fn own(
        &self,
        id: SubscriptionId,
        asker: SessionId,
    ) -> Result<&Subscription, Refusal> {
        let own = self.subscriptions.get(&id).filter(|it| it.subscriber == asker);
        own.ok_or(Refusal::NoSubscription(id))
    }

    pub(super) fn subscribe(
        &self,
        filter: Filter,
        cursor: Position,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Read, delivery)?;
        filter.check(&delivery.limits.search)?;
        let max = delivery.limits.subscriptions_max;
        limit("the space's subscriptions", self.subscriptions.len() + 1, max)?;
        let id = SubscriptionId((delivery.fresh)());
        let subscription = Subscription { id, subscriber: delivery.asker, filter, cursor };
        Ok(Decision::event(Event::Subscribed(subscription), Reply::Subscribed(id)))
    }

    pub(super) fn advance(
        &self,
        id: SubscriptionId,
        cursor: Position,
        asker: SessionId,
    ) -> Result<Decision<Self>, Refusal> {
        if cursor <= self.own(id, asker)?.cursor {
            return Ok(Decision::read(Reply::Done));
        }
        let ahead = u64::from(mutant::planted("cursor.advances_too_far"));
        let cursor = Position(cursor.0 + ahead);
        Ok(Decision::event(Event::Advanced { id, cursor }, Reply::Done))
    }
}
