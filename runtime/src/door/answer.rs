//! What is answered, and where it goes.

use super::ceiling::{Ceiling, Held, Place};
use super::status::Status;
use crate::agents::{AgentCard, Happening};
use crate::audit::Audited;
use crate::backup::{Backup, Copied};
use crate::caller::{
    Change, Difference, Granted, Imported, Mismatch, Read, SpaceCard, SubscriptionCard, Taken,
};
use crate::config::Config;
use crate::envelope::Exported;
use crate::problem::{Kind, Problem};
use crate::research::{Doing, Report};
use crate::runtime::Runtime;
use crate::search::{Found, IndexCard};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::id::{Position, SpaceId, SubscriptionId};
use stoa_actors::space::{Carried, Lease, Wake};
use stoa_actors::weight::weight;
use tokio::sync::mpsc::{Receiver, Sender, channel};

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

/// An answer on its way, and the room that it has.
pub(super) struct Told {
    pub(super) answer: Answer,
    /// It counts twice: as it is, and as the frame that is made of it.
    pub(super) held: Held,
}

/// Where answers go. Who does not take them has the work for them wait: at `answers_max` of them,
/// and at `answers_bytes_max`, which counts all who are answered through one door.
#[derive(Clone)]
pub struct Answers {
    to: Sender<Told>,
    place: Arc<Place>,
}

/// Where they come out.
pub struct Ready(Receiver<Told>);

/// A way for answers to somebody in this process, with room of its own.
pub fn answers(config: &Config) -> (Answers, Ready) {
    let stalled = Duration::from_millis(config.stalled_ms_max);
    let (answers, ready) = told(config, Ceiling::new(config.answers_bytes_max, stalled).enter());
    (answers, Ready(ready))
}

/// The same under a ceiling that others are under as well.
pub(super) fn told(config: &Config, place: Arc<Place>) -> (Answers, Receiver<Told>) {
    let (to, ready) = channel(config.answers_max.max(1));
    (Answers { to, place }, ready)
}

impl Ready {
    /// The next; nothing once no more will come.
    pub async fn next(&mut self) -> Option<Answer> {
        self.0.recv().await.map(|told| told.answer)
    }
}

fn bytes(answer: &Answer) -> usize {
    weight(answer).saturating_mul(2)
}

impl Answers {
    /// Who does not keep up is told less, not later.
    pub(super) fn tell_now(&self, answer: Answer) {
        if let Some(held) = self.place.try_hold(bytes(&answer)) {
            drop(self.to.try_send(Told { answer, held }));
        }
    }
}

pub(super) struct Out(pub(super) Answers);

impl Out {
    pub(super) async fn tell(&self, answer: Answer) -> Result<(), Problem> {
        let gone = |_| Problem::new(Kind::Busy, "nobody listens any more");
        let held = self.0.place.hold(bytes(&answer)).await;
        self.0.to.send(Told { answer, held }).await.map_err(gone)
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
                    making.into_iter().for_each(|it| self.0.tell_now(it));
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
