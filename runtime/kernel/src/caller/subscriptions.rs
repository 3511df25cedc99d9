//! Subscriptions: what is of interest, from where on, told when, until when. A space keeps those of
//! its readers, a session those that wake it. The log is the queue of both: a subscription is a
//! cursor in it and takes the room of one, however far behind it is.

use super::{Caller, ChangeStream, WriteOptions};
use crate::host::ActorAddress;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::id::{Position, ROOT, SessionId, SpaceId, SubscriptionId};
use stoa_actors::incarnation::Request;
use stoa_actors::rights::{Level, Named, Subject};
use stoa_actors::session::{self, Session};
use stoa_actors::space::{self, Backlog, Edit, Filter, Message, Reply, Subscription, Tells, Terms};

/// A subscription, as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SubscriptionCard {
    /// Its name; nothing for an agent's, of which there is one a space.
    pub id: Option<SubscriptionId>,
    pub space: SpaceId,
    /// What the caller calls that.
    pub name: Option<String>,
    /// Who is told.
    pub subscriber: SessionId,
    /// What the caller calls it, or its id; nothing for the caller's own.
    pub who: Option<String>,
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen.
    pub cursor: Position,
    /// When it is told, and until when.
    pub terms: Terms,
    /// Entries of the space behind the cursor, of interest or not.
    pub behind: u64,
}

pub use stoa_actors::space::Pulled;

impl Caller {
    /// Keeps a cursor for the caller in a space, from now on if it does not say.
    ///
    /// Errors: [`ProblemKind::Invalid`] for a cursor that the log has not reached, terms that are over
    /// already, a filter over the limits of a search, over `subscriptions_max` in the space, or over
    /// `subscriber_subscriptions_max` of the caller's own there.
    pub async fn subscribe(
        &self,
        space: SpaceId,
        filter: Filter,
        cursor: Option<Position>,
        terms: Terms,
    ) -> Result<SubscriptionId, Problem> {
        self.reached(cursor)?;
        let address = self.runtime.space(space)?;
        let cursor = cursor.unwrap_or_else(|| address.stream_head.head());
        let message = Message::Subscribe { filter, cursor, terms };
        match address.ask(self.ask(message, WriteOptions::comment("subscribe"))).await?.reply {
            Reply::Subscribed(id) => Ok(id),
            reply => {
                Err(Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}")))
            }
        }
    }

    /// The caller's own subscriptions that are not over: of one space, or of all that it can read.
    /// Reads the state of each.
    pub async fn subscriptions(
        &self,
        space: Option<SpaceId>,
    ) -> Result<Vec<SubscriptionCard>, Problem> {
        self.reading(move |caller| caller.read_subscriptions(space, false)).await
    }

    /// Everybody's subscriptions that are not over, where the caller may grant rights: in one
    /// space, or in all of these. What has become void is ended first.
    ///
    /// Errors: [`ProblemKind::Forbidden`] for a space where the caller may not grant rights.
    pub async fn all_subscriptions(
        &self,
        space: Option<SpaceId>,
    ) -> Result<Vec<SubscriptionCard>, Problem> {
        if let Some(space) = space
            && self.level(space).is_none_or(|held| held < Level::Grant)
        {
            let held = self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
            return Err(space::Refusal::Right { held, needed: Level::Grant }.into());
        }
        for space in self.governed_spaces(space) {
            self.runtime.end_void_subscriptions(space).await;
        }
        self.reading(move |caller| caller.read_subscriptions(space, true)).await
    }

    fn governed_spaces(&self, space: Option<SpaceId>) -> Vec<SpaceId> {
        let now = self.runtime.now();
        let held = self.runtime.shared().rights.read().holdings(self.session(), now);
        let governed = held.into_iter().filter(|it| it.use_ == Some(Level::Grant));
        let spaces = governed.filter_map(|it| match it.subject {
            Subject::Space(id) => Some(id),
            _ => None,
        });
        spaces.filter(|id| space.is_none_or(|it| it == *id)).collect()
    }

    fn read_subscriptions(
        &self,
        space: Option<SpaceId>,
        of_all: bool,
    ) -> Result<Vec<SubscriptionCard>, Problem> {
        let now = self.runtime.now();
        let held = match space {
            Some(space) => self.holding(Subject::Space(space)).into_iter().collect(),
            None => self.holdings(),
        };
        let mut cards = Vec::new();
        let needed = if of_all { Level::Grant } else { Level::Read };
        for holding in held.into_iter().filter(|it| it.use_ >= Some(needed)) {
            let Subject::Space(id) = holding.subject else { continue };
            let state = crate::host::load::<space::Space>(self.runtime.store(), id.stream())?;
            for it in state.state().subscriptions() {
                let wanted = of_all || it.subscriber == self.session();
                if wanted && !it.terms.over(now) {
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
        let (id, own) = (Some(id), subscriber == self.session());
        let who = (!own).then(|| {
            let rights = self.runtime.shared().rights.read();
            let alias = rights.alias_of(self.session(), Named::Session(subscriber));
            alias.map_or_else(|| subscriber.to_string(), str::to_owned)
        });
        Ok(SubscriptionCard { id, space, name, subscriber, who, filter, cursor, terms, behind })
    }

    /// One of the caller's own.
    pub async fn subscription(&self, id: SubscriptionId) -> Result<SubscriptionCard, Problem> {
        let found = self.reading(move |caller| caller.kept(id)).await?;
        let own = found.filter(|it| it.subscriber == self.session());
        own.ok_or_else(|| self.no_subscription(id))
    }

    fn no_subscription(&self, id: SubscriptionId) -> Problem {
        Problem::new(ProblemKind::Unknown, format!("no subscription {id} of yours"))
            .hint("stoa subscription list")
    }

    /// A subscription of the caller's, or of anybody where the caller may grant rights, unless it is
    /// over. It reads the one space that has it.
    fn kept(&self, id: SubscriptionId) -> Result<Option<SubscriptionCard>, Problem> {
        let row = self.runtime.store().own_row::<space::Space>(&id.0)?;
        let Some(space) = row.and_then(|it| it.try_into().ok()).map(SpaceId) else {
            return Ok(None);
        };
        let Some(holding) = self.holding(Subject::Space(space)) else { return Ok(None) };
        let state = crate::host::load::<space::Space>(self.runtime.store(), space.stream())?;
        let now = self.runtime.now();
        let found = state.state().subscription(id).filter(|it| {
            let own = it.subscriber == self.session() && holding.use_ >= Some(Level::Read);
            !it.terms.over(now) && (own || holding.use_ == Some(Level::Grant))
        });
        found.map(|it| self.subscription_card(space, holding.alias, it)).transpose()
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
        let ask = self.ask(message, WriteOptions::comment("edit a subscription"));
        self.runtime.space(space)?.ask(ask).await?;
        self.subscription(id).await
    }

    /// Ends it; one of somebody else where the caller may grant rights.
    pub async fn unsubscribe(&self, id: SubscriptionId) -> Result<(), Problem> {
        let found = self.reading(move |caller| caller.kept(id)).await?;
        let space = found.ok_or_else(|| self.no_subscription(id))?.space;
        let ask = self.ask(Message::Unsubscribe(id), WriteOptions::comment("unsubscribe"));
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
        let ask = self.ask(Message::Advance { id, cursor }, WriteOptions::comment("acknowledge"));
        self.runtime.space(space)?.ask(ask).await?;
        self.subscription(id).await
    }

    /// Reads on from where a subscription stands; it stays there until it is acknowledged.
    pub async fn pull(&self, id: SubscriptionId) -> Result<Puller, Problem> {
        let SubscriptionCard { space, filter, cursor, terms, .. } = self.subscription(id).await?;
        let follow = self.follow(space, cursor, filter.clone())?;
        let quoted = self.runtime.shared().config.limits.wake_comments_max;
        let backlog = Backlog::new(self.session(), cursor, quoted);
        Ok(Puller { caller: self.clone(), id, space, filter, terms, follow, backlog })
    }

    /// A cursor ahead of the log would skip what is not there yet.
    fn reached(&self, cursor: Option<Position>) -> Result<(), Problem> {
        let head = self.runtime.durable();
        match cursor.filter(|it| *it > head) {
            None => Ok(()),
            Some(cursor) => {
                let text = format!("cursor {cursor} is ahead of the log, which is at {head}");
                Err(Problem::new(ProblemKind::Invalid, text).hint(format!("--cursor {head}")))
            }
        }
    }

    /// Follows a space for an agent: its cursor is its session's, and stays where it is if it
    /// follows the space already.
    pub async fn follow_as_agent(
        &self,
        address: &Arc<ActorAddress<Session>>,
        space: SpaceId,
        follow: session::FollowSpec,
    ) -> Result<(), Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        self.reached(Some(follow.cursor))?;
        let message = session::Message::Follow { space, follow };
        address.ask(Request::new(self.session(), message).comment("follow")).await?;
        Ok(())
    }

    /// Follows it no more.
    pub async fn unfollow_as_agent(
        &self,
        address: &Arc<ActorAddress<Session>>,
        space: SpaceId,
    ) -> Result<(), Problem> {
        let message = session::Message::Unfollow(space);
        address.ask(Request::new(self.session(), message).comment("unfollow")).await?;
        Ok(())
    }

    /// What an agent, or the caller as one, follows.
    pub async fn followed(&self) -> Result<Vec<SubscriptionCard>, Problem> {
        self.reading(Caller::followed_now).await
    }

    fn followed_now(&self) -> Result<Vec<SubscriptionCard>, Problem> {
        let (store, now) = (self.runtime.store(), self.runtime.now());
        let Some(life) = self.runtime.life(self.session())? else { return Ok(Vec::new()) };
        let mut cards = Vec::new();
        for (space, follow) in life.follows().filter(|(_, it)| !it.terms.over(now)) {
            let holding = self.holding(Subject::Space(space));
            let seen = store.seq_at(space.stream(), follow.cursor)?;
            let session::FollowSpec { filter, cursor, terms } = follow.clone();
            cards.push(SubscriptionCard {
                id: None,
                space,
                name: holding.and_then(|it| it.alias),
                subscriber: self.session(),
                who: None,
                filter,
                cursor,
                terms,
                behind: store.last_seq(space.stream())? - seen,
            });
        }
        Ok(cards)
    }
}

impl Runtime {
    /// Has a space end the subscriptions of those who have no right there any more. Without it they
    /// tell nothing either, and are ended when somebody subscribes there: so a failure is no loss.
    pub(crate) async fn end_void_subscriptions(&self, space: SpaceId) {
        let ended = async {
            let ask = Request::new(ROOT, Message::EndVoid).comment("their rights have ended");
            self.space(space)?.ask(ask).await.map_err(Problem::from)
        };
        if let Err(problem) = ended.await {
            tracing::debug!(%problem, %space, "void subscriptions are left");
        }
    }
}

/// A reader of a subscription.
pub struct Puller {
    caller: Caller,
    id: SubscriptionId,
    space: SpaceId,
    filter: Filter,
    terms: Terms,
    follow: ChangeStream,
    backlog: Backlog,
}

impl Puller {
    /// What is there now, at most `limit` changes; one marker for everything if it is more than
    /// `lag_max`; nothing when nothing of interest is new. The debounce does not matter here.
    ///
    /// A page may be longer than `limit` by the changes of one transaction.
    pub async fn ready(&mut self, limit: usize, lag_max: usize) -> Result<Option<Pulled>, Problem> {
        loop {
            self.count(limit, lag_max).await?;
            if self.backlog.times().is_none() {
                return Ok(None);
            }
            if let Some(pulled) = self.take(limit, lag_max).await? {
                return Ok(Some(pulled));
            }
        }
    }

    /// The next of it, waited for: until something is of interest and the debounce has passed.
    ///
    /// Errors: [`ProblemKind::Unknown`] once the subscription is over, or the space cannot be read.
    pub async fn next(&mut self, limit: usize, lag_max: usize) -> Result<Pulled, Problem> {
        loop {
            self.count(limit, lag_max).await?;
            let now = self.caller.runtime.now();
            let due = match self.backlog.times() {
                _ if self.terms.over(now) => {
                    let text = format!("subscription {} is over", self.id);
                    return Err(
                        Problem::new(ProblemKind::Unknown, text).hint("stoa subscription list")
                    );
                }
                None => None,
                Some((since, latest)) => match self.terms.tells(since, latest, now) {
                    Tells::At(due) => Some(due),
                    Tells::Now | Tells::Never => match self.take(limit, lag_max).await? {
                        Some(pulled) => return Ok(pulled),
                        None => continue,
                    },
                },
            };
            let until = [due, self.terms.until].into_iter().flatten().min();
            let wait = until.map(|it| Duration::from_millis(it.0.saturating_sub(now.0)));
            match wait {
                None => self.follow.rung().await,
                Some(wait) => drop(tokio::time::timeout(wait, self.follow.rung()).await),
            }
        }
    }

    /// Counts what others did, as far as it matters for the next page.
    async fn count(&mut self, limit: usize, lag_max: usize) -> Result<(), Problem> {
        let most = self.caller.runtime.shared().config.follow_entries_max;
        while !self.backlog.is_enough(limit, lag_max) {
            let from = self.backlog.counted();
            let piece = self.caller.changes(self.space, from, most, &self.filter);
            let (changes, upto) = piece.await?;
            if upto == from {
                break;
            }
            self.backlog.count(changes, upto);
        }
        Ok(())
    }

    /// The next page, or the marker; nothing when it has to be counted anew for that.
    async fn take(&mut self, limit: usize, lag_max: usize) -> Result<Option<Pulled>, Problem> {
        if self.backlog.lags(lag_max) {
            return Ok(self.backlog.skip());
        }
        let (me, limit) = (self.caller.session(), limit.max(1));
        let (mut page, mut cursor) = (Vec::new(), self.backlog.cursor());
        while page.len() < limit {
            let piece = self.caller.changes(self.space, cursor, limit - page.len(), &self.filter);
            let (changes, upto) = piece.await?;
            if upto == cursor {
                break;
            }
            cursor = upto;
            page.extend(changes.into_iter().filter(|it| it.by != me));
        }
        Ok(Some(self.backlog.tell(page, cursor)))
    }
}
