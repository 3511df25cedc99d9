//! Subscriptions: what is of interest, from where on, told when, until when. A space keeps those of
//! its readers, a session those that wake it. The log is the queue of both: a subscription is a
//! cursor in it and takes the room of one, however far behind it is.

use super::{Caller, Change, Follow, Why};
use crate::problem::{Kind, Problem};
use crate::seat::Seat;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::id::{Millis, Position, SessionId, SpaceId, SubscriptionId};
use stoa_actors::incarnation::Ask;
use stoa_actors::rights::Subject;
use stoa_actors::session::{self, Session};
use stoa_actors::space::{Edit, Filter, Message, Reply, Subscription, Tells, Terms, Wake};

/// A subscription, as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionCard {
    /// Its name; nothing for an agent's, of which there is one a space.
    pub id: Option<SubscriptionId>,
    /// Where.
    pub space: SpaceId,
    /// What the caller calls that.
    pub name: Option<String>,
    /// Who is told.
    pub subscriber: SessionId,
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen.
    pub cursor: Position,
    /// When it is told, and until when.
    pub terms: Terms,
    /// Entries of the space behind the cursor, of interest or not.
    pub behind: u64,
}

/// What a subscription has to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulled {
    /// What others did, the oldest first; none when there is a marker.
    pub changes: Vec<Change>,
    /// One marker for all of it where it was too much: exactly what is skipped by going on.
    pub marker: Option<Wake>,
    /// Up to here everything of interest is in this.
    pub cursor: Position,
}

impl Caller {
    /// Keeps a cursor for the caller in a space, from now on if it does not say.
    ///
    /// Errors: [`Kind::Invalid`] for a cursor that the log has not reached, terms that are over
    /// already, a filter over the limits of a search, or over `subscriptions_max` in the space.
    pub async fn subscribe(
        &self,
        space: SpaceId,
        filter: Filter,
        cursor: Option<Position>,
        terms: Terms,
    ) -> Result<SubscriptionId, Problem> {
        self.reached(cursor)?;
        let seat = self.runtime.space(space)?;
        let cursor = cursor.unwrap_or_else(|| seat.face.head());
        let message = Message::Subscribe { filter, cursor, terms };
        match seat.ask(self.ask(message, Why::comment("subscribe"))).await?.reply {
            Reply::Subscribed(id) => Ok(id),
            reply => Err(Problem::new(Kind::Store, format!("an answer amiss: {reply:?}"))),
        }
    }

    /// The caller's own subscriptions that are not over: of one space, or of all that it can read.
    /// Reads the state of each.
    pub async fn subscriptions(
        &self,
        space: Option<SpaceId>,
    ) -> Result<Vec<SubscriptionCard>, Problem> {
        let caller = self.clone();
        let read = tokio::task::spawn_blocking(move || caller.own_subscriptions(space));
        read.await.map_err(|error| Problem::new(Kind::Store, error))?
    }

    fn own_subscriptions(&self, space: Option<SpaceId>) -> Result<Vec<SubscriptionCard>, Problem> {
        let now = self.runtime.now();
        let held = self.runtime.shared().rights.read().holdings(self.session(), now);
        let mut cards = Vec::new();
        for holding in held.into_iter().filter(|it| it.use_.is_some()) {
            let Subject::Space(id) = holding.subject else { continue };
            if space.is_some_and(|it| it != id) {
                continue;
            }
            let state =
                crate::host::load::<stoa_actors::space::Space>(self.runtime.store(), id.stream())?;
            for it in state.state().subscriptions() {
                if it.subscriber == self.session() && !it.terms.over(now) {
                    cards.push(self.subscription_card(id, holding.alias.clone(), it)?);
                }
            }
        }
        Ok(cards)
    }

    fn subscription_card(
        &self,
        space: SpaceId,
        name: Option<String>,
        of: &Subscription,
    ) -> Result<SubscriptionCard, Problem> {
        let store = self.runtime.store();
        let seen = store.seq_at(space.stream(), of.cursor)?;
        let behind = store.last_seq(space.stream())? - seen;
        let Subscription { id, subscriber, filter, cursor, terms } = of.clone();
        let id = Some(id);
        Ok(SubscriptionCard { id, space, name, subscriber, filter, cursor, terms, behind })
    }

    /// One of the caller's own.
    pub async fn subscription(&self, id: SubscriptionId) -> Result<SubscriptionCard, Problem> {
        let all = self.subscriptions(None).await?;
        all.into_iter().find(|it| it.id == Some(id)).ok_or_else(|| {
            Problem::new(Kind::Unknown, format!("no subscription {id} of yours"))
                .hint("stoa subscription list")
        })
    }

    /// Makes it another one. What is not named stays.
    pub async fn edit_subscription(
        &self,
        id: SubscriptionId,
        edit: Edit,
    ) -> Result<SubscriptionCard, Problem> {
        self.reached(edit.cursor)?;
        let space = self.subscription(id).await?.space;
        let message = Message::Edit { id, edit };
        let ask = self.ask(message, Why::comment("edit a subscription"));
        self.runtime.space(space)?.ask(ask).await?;
        self.subscription(id).await
    }

    /// Ends it.
    pub async fn unsubscribe(&self, id: SubscriptionId) -> Result<(), Problem> {
        let space = self.subscription(id).await?.space;
        let ask = self.ask(Message::Unsubscribe(id), Why::comment("unsubscribe"));
        self.runtime.space(space)?.ask(ask).await?;
        Ok(())
    }

    /// Everything up to a cursor has been seen: it is not told again. A cursor goes forward only.
    pub async fn acknowledge(
        &self,
        id: SubscriptionId,
        cursor: Position,
    ) -> Result<SubscriptionCard, Problem> {
        self.reached(Some(cursor))?;
        let space = self.subscription(id).await?.space;
        let ask = self.ask(Message::Advance { id, cursor }, Why::comment("acknowledge"));
        self.runtime.space(space)?.ask(ask).await?;
        self.subscription(id).await
    }

    /// Reads on from where a subscription stands; it stays there until it is acknowledged.
    pub async fn pull(&self, id: SubscriptionId) -> Result<Puller, Problem> {
        let SubscriptionCard { space, filter, cursor, terms, .. } = self.subscription(id).await?;
        let follow = self.follow(space, cursor, filter.clone())?;
        Ok(Puller { caller: self.clone(), id, space, cursor, filter, terms, follow })
    }

    /// A cursor ahead of the log would skip what is not there yet.
    fn reached(&self, cursor: Option<Position>) -> Result<(), Problem> {
        let head = self.runtime.durable();
        match cursor.filter(|it| *it > head) {
            None => Ok(()),
            Some(cursor) => {
                let text = format!("cursor {cursor} is ahead of the log, which is at {head}");
                Err(Problem::new(Kind::Invalid, text).hint(format!("--cursor {head}")))
            }
        }
    }

    /// Follows a space for an agent: its cursor is its session's, and stays where it is if it
    /// follows the space already.
    pub(crate) async fn follow_as_agent(
        &self,
        seat: &Arc<Seat<Session>>,
        space: SpaceId,
        follow: session::Follow,
    ) -> Result<(), Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        self.reached(Some(follow.cursor))?;
        let message = session::Message::Follow { space, follow };
        seat.ask(Ask::new(self.session(), message).comment("follow")).await?;
        self.runtime.follow_all(self.session(), [space]);
        Ok(())
    }

    /// Follows it no more.
    pub(crate) async fn unfollow_as_agent(
        &self,
        seat: &Arc<Seat<Session>>,
        space: SpaceId,
    ) -> Result<(), Problem> {
        let message = session::Message::Unfollow(space);
        seat.ask(Ask::new(self.session(), message).comment("unfollow")).await?;
        self.runtime.unfollow(space, self.session());
        Ok(())
    }

    /// What an agent, or the caller as one, follows.
    pub(crate) fn followed(&self) -> Result<Vec<SubscriptionCard>, Problem> {
        let (store, now) = (self.runtime.store(), self.runtime.now());
        let Some(life) = self.runtime.life(self.session())? else { return Ok(Vec::new()) };
        let held = self.runtime.shared().rights.read().holdings(self.session(), now);
        let mut cards = Vec::new();
        for (space, follow) in life.follows().filter(|(_, it)| !it.terms.over(now)) {
            let holding = held.iter().find(|it| it.subject == Subject::Space(space));
            let seen = store.seq_at(space.stream(), follow.cursor)?;
            let session::Follow { filter, cursor, terms } = follow.clone();
            cards.push(SubscriptionCard {
                id: None,
                space,
                name: holding.and_then(|it| it.alias.clone()),
                subscriber: self.session(),
                filter,
                cursor,
                terms,
                behind: store.last_seq(space.stream())? - seen,
            });
        }
        Ok(cards)
    }
}

/// A reader of a subscription.
pub struct Puller {
    caller: Caller,
    id: SubscriptionId,
    space: SpaceId,
    cursor: Position,
    filter: Filter,
    terms: Terms,
    follow: Follow,
}

impl Puller {
    /// What is there now, at most `limit` changes; one marker for everything if it is more than
    /// `lag_max`; nothing when nothing of interest is new. The debounce does not matter here.
    pub fn ready(&mut self, limit: usize, lag_max: usize) -> Result<Option<Pulled>, Problem> {
        let found = self.look(limit, lag_max)?.map(|(pulled, ..)| pulled);
        self.cursor = found.as_ref().map_or(self.cursor, |it| it.cursor);
        Ok(found)
    }

    /// The next of it, waited for: until something is of interest and the debounce has passed.
    ///
    /// Errors: [`Kind::Unknown`] once the subscription is over, or the space cannot be read.
    pub async fn next(&mut self, limit: usize, lag_max: usize) -> Result<Pulled, Problem> {
        loop {
            let now = self.caller.runtime.now();
            let found = self.look(limit, lag_max)?;
            let told = found.as_ref().map_or_else(
                || if self.terms.over(now) { Tells::Never } else { Tells::Now },
                |(_, since, latest)| self.terms.tells(*since, *latest, now),
            );
            let due = match (told, found) {
                (Tells::Never, _) => {
                    let text = format!("subscription {} is over", self.id);
                    return Err(Problem::new(Kind::Unknown, text).hint("stoa subscription list"));
                }
                (Tells::Now, Some((pulled, ..))) => {
                    self.cursor = pulled.cursor;
                    return Ok(pulled);
                }
                (Tells::At(due), _) => Some(due),
                (Tells::Now, None) => None,
            };
            let until = [due, self.terms.until].into_iter().flatten().min();
            let wait = until.map(|it| Duration::from_millis(it.0.saturating_sub(now.0)));
            match wait {
                None => self.follow.rung().await,
                Some(wait) => drop(tokio::time::timeout(wait, self.follow.rung()).await),
            }
        }
    }

    /// What others did since the cursor, and when the first and the last of it was.
    fn look(
        &mut self,
        limit: usize,
        lag_max: usize,
    ) -> Result<Option<(Pulled, Millis, Millis)>, Problem> {
        let me = self.caller.session();
        let quoted = self.caller.runtime.shared().config.limits.wake_comments_max;
        let (mut changes, mut first, mut cursor) = (Vec::new(), None, self.cursor);
        let (mut marker, mut count, mut times) = (None, 0, None::<(Millis, Millis)>);
        loop {
            let (page, upto) =
                self.caller.changes(self.space, cursor, limit.max(1), &self.filter)?;
            if upto == cursor {
                break;
            }
            cursor = upto;
            for change in page.into_iter().filter(|it| it.by != me) {
                let (since, latest) = times.unwrap_or((change.at, change.at));
                times = Some((since.min(change.at), latest.max(change.at)));
                count += 1;
                Wake::coalesce(&mut marker, me, &change.clone().notice(), quoted);
                if first.is_none() {
                    changes.push(change);
                }
            }
            if first.is_none() && changes.len() >= limit {
                first = Some(cursor);
            }
        }
        let Some((since, latest)) = times else {
            self.cursor = cursor;
            return Ok(None);
        };
        let pulled = match count > lag_max {
            true => Pulled { changes: Vec::new(), marker, cursor },
            false => Pulled { changes, marker: None, cursor: first.unwrap_or(cursor) },
        };
        Ok(Some((pulled, since, latest)))
    }
}
