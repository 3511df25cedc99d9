//! What is answered, and where it goes.

use super::status::Status;
use crate::agents::{AgentCard, Happening};
use crate::audit::Audited;
use crate::backup::{Backup, Copied};
use crate::caller::{
    Change, Difference, Granted, Imported, Mismatch, Read, SpaceCard, SubscriptionCard, Taken,
};
use crate::envelope::Exported;
use crate::problem::{Kind, Problem};
use crate::research::{Doing, Report};
use crate::runtime::Runtime;
use crate::search::{Found, IndexCard};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use stoa_actors::id::{Position, SpaceId, SubscriptionId};
use stoa_actors::space::{Carried, Lease, Wake};
use tokio::sync::mpsc::Sender;

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is what its name says, of the type it carries")]
pub enum Answer {
    Space(SpaceCard),
    Granted(Granted),
    Revoked {
        links: u64,
    },
    Atom(Read),
    Taken(Box<Taken>),
    Lease(Lease),
    /// A lease is over.
    Released,
    Change(Change),
    Subscription(Box<SubscriptionCard>),
    /// A subscription is over.
    Unsubscribed,
    /// What a subscription skips, for it is too much.
    Lag(Wake),
    /// Everything of a subscription up to the cursor is told.
    Read {
        id: SubscriptionId,
        cursor: Position,
    },
    Difference(Box<Difference>),
    /// `next` is the cursor of the next page, with the last hit where there may be more.
    Hit {
        found: Found,
        next: Option<String>,
    },
    /// A condition fits nothing, for it compares with another type of value.
    Mismatch(Mismatch),
    /// The space has changed since the page before, and the ranks with it.
    Moved,
    Outcome(stoa_actors::code::Outcome),
    Agent {
        card: Box<AgentCard>,
        depth: u32,
    },
    Happening(Happening),
    Wiped {
        agents: u64,
    },
    Doing(Doing),
    /// The index that a search waits for is being made.
    Making(IndexCard),
    Report(Box<Report>),
    Status(Status),
    Audited(Audited),
    Copied(Copied),
    Exporting(Exported),
    Carried(Box<Carried>),
    Exported {
        events: u64,
    },
    Imported(Imported),
    Backup(Backup),
}

/// How often somebody who waits for an index is told how far it is.
const INDEX_LOOK: Duration = Duration::from_millis(500);

pub(super) struct Out(pub(super) Sender<Answer>);

impl Out {
    pub(super) async fn tell(&self, answer: Answer) -> Result<(), Problem> {
        let gone = |_| Problem::new(Kind::Busy, "nobody listens any more");
        self.0.send(answer).await.map_err(gone)
    }

    /// Says how far the index of a space is while something waits for it.
    pub(super) async fn meanwhile<T>(
        &self,
        runtime: &Runtime,
        space: SpaceId,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        let mut tick = tokio::time::interval(INDEX_LOOK);
        tick.reset();
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = tick.tick() => {
                    let card = runtime.searches().card(space);
                    let making = card.filter(IndexCard::is_being_made).map(Answer::Making);
                    // Who does not keep up is told less, not later.
                    making.into_iter().for_each(|it| drop(self.0.try_send(it)));
                }
            }
        }
    }

    pub(super) async fn all(&self, answers: impl Iterator<Item = Answer>) -> Result<(), Problem> {
        for answer in answers {
            self.tell(answer).await?;
        }
        Ok(())
    }
}
