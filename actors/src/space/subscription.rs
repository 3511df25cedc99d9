//! Following a space: a subscription is data, delivery is a coalesced wake, and the log is the
//! only copy of what happened.

use super::{Event, Refusal, Reply, Space, TYPES, Was, limit};
use crate::atom::{Atom, Metadata, Reference};
use crate::behaviour::{Decision, Delivery, Row};
use crate::conditions::{ConditionRefusal, check, count, says};
use crate::id::{AtomId, Millis, Position, SessionId, SpaceId, SubscriptionId};
use crate::limits::{Limits, SearchLimits};
use crate::mutant;
use crate::nearest::nearest;
use crate::right::Level;
use std::collections::{BTreeMap, BTreeSet};

/// Who follows, what, from where, and on what terms.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Subscription {
    pub id: SubscriptionId,
    /// Who is told.
    pub subscriber: SessionId,
    /// What is of interest.
    pub filter: Filter,
    /// Everything up to here has been seen.
    pub cursor: Position,
    /// When it is told, and until when.
    pub terms: Terms,
}

/// What is of interest; an empty filter is everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Types of entry, `atom.put` for instance; none is all.
    pub types: Vec<String>,
    /// What the atom's metadata must say, as in a search.
    pub metadata: Metadata,
    /// By relation, the atoms of which it must refer to one; none is whatever it refers to.
    pub references: BTreeMap<String, Vec<AtomId>>,
}

impl Filter {
    /// Whether something that happened is of interest.
    pub fn passes(&self, kind: &str, atom: Option<&Atom>) -> bool {
        let refers = |(relation, targets): (&String, &Vec<AtomId>)| {
            let blind = mutant::planted("cursor.any_target_will_do");
            let to = |it: &Reference| targets.is_empty() || blind || targets.contains(&it.target);
            atom.is_some_and(|it| it.references.iter().any(|it| it.relation == *relation && to(it)))
        };
        (self.types.is_empty() || self.types.iter().any(|it| it == kind))
            && (self.metadata.is_empty()
                || atom.is_some_and(|it| says(&it.metadata, &self.metadata)))
            && self.references.iter().all(refers)
    }

    /// With the conditions of another one wherever this one has none of that sort.
    pub fn or(self, other: Filter) -> Filter {
        let Filter { types, metadata, references } = self;
        Filter {
            types: if types.is_empty() { other.types } else { types },
            metadata: if metadata.is_empty() { other.metadata } else { metadata },
            references: if references.is_empty() { other.references } else { references },
        }
    }

    /// Refuses what is over a limit, and conditions that nobody can have meant. What was followed
    /// by before there were comparisons compares as well.
    pub fn check(&self, most: &SearchLimits) -> Result<(), InvalidSubscription> {
        let targets = self.references.values().map(|it| it.len().max(1)).sum::<usize>();
        let conditions = self.types.len() + count(&self.metadata) + targets;
        within("the filter's conditions", conditions, most.conditions_max)?;
        let names = self.types.iter().chain(self.metadata.keys()).chain(self.references.keys());
        let values = self.metadata.values().map(|it| it.to_string().len()).sum::<usize>();
        let bytes = names.map(String::len).sum::<usize>() + values;
        within("the filter's bytes", bytes, most.text_bytes_max)?;
        let unknown = self.types.iter().find(|it| !TYPES.contains(&it.as_str()));
        if let Some(said) = unknown {
            let nearest = nearest(said, TYPES);
            return Err(InvalidSubscription::Type { said: said.clone(), nearest });
        }
        Ok(check(&self.metadata)?)
    }
}

/// When what is of interest is told, and until when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Milliseconds without anything new before what there is is told; 0 is at once.
    pub debounce_ms: u64,
    /// From then on nothing is told; nothing for never.
    pub until: Option<Millis>,
}

/// Where nothing pauses, what there is is told after so many times the debounce.
pub const DEBOUNCES_MAX: u64 = 10;

impl Terms {
    /// Whether nothing is told any more.
    pub fn over(&self, now: Millis) -> bool {
        self.until.is_some_and(|until| until <= now) && !mutant::planted("cursor.never_over")
    }

    /// When something is told that is new since one moment, and whose last is of another: after a
    /// pause, or once it has waited for [`DEBOUNCES_MAX`] of them.
    fn due(&self, since: Millis, latest: Millis) -> Millis {
        let quiet = latest.0.saturating_add(self.debounce_ms);
        let patience = since.0.saturating_add(self.debounce_ms.saturating_mul(DEBOUNCES_MAX));
        Millis(match mutant::planted("cursor.waits_for_ever") {
            true => quiet,
            false => quiet.min(patience),
        })
    }

    /// What is to be done now with what is new since one moment, and whose last is of another.
    pub fn tells(&self, since: Millis, latest: Millis, now: Millis) -> Tells {
        match self.due(since, latest) {
            _ if self.over(now) => Tells::Never,
            due if due > now => Tells::At(due),
            _ => Tells::Now,
        }
    }

    /// Refuses what is over a limit, or over already.
    pub fn check(&self, most: &Limits, now: Millis) -> Result<(), InvalidSubscription> {
        within("the debounce", self.debounce_ms as usize, most.debounce_ms_max as usize)?;
        if self.over(now) { Err(InvalidSubscription::Over) } else { Ok(()) }
    }
}

/// When a subscriber hears of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Tells {
    Now,
    /// Not before; what comes until then may put it off.
    At(Millis),
    /// It is over.
    Never,
}

/// What is wrong with a subscription that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum InvalidSubscription {
    /// Over a limit.
    #[error("{what} takes {size}; the limit is {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// A condition that nobody can have meant.
    #[error(transparent)]
    Condition(#[from] ConditionRefusal),
    /// There is no such type of entry.
    #[error("there is no type {said:?}{}; there are {}", meant(.nearest), TYPES.join(", "))]
    Type {
        /// What was said.
        said: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// It would tell nothing.
    #[error("its expiry is in the past; give a later time")]
    Over,
}

fn meant(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |it| format!(", but {it:?}"))
}

fn within(what: &'static str, size: usize, max: usize) -> Result<(), InvalidSubscription> {
    if size > max { Err(InvalidSubscription::Limit { what, size, max }) } else { Ok(()) }
}

/// What of a subscription is to be another; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// What is of interest from now on; what came before the cursor stays seen.
    pub filter: Option<Filter>,
    /// From where on, back or forth.
    pub cursor: Option<Position>,
    /// On what terms.
    pub debounce_ms: Option<u64>,
    /// Until when; nothing for ever.
    pub until: Option<Option<Millis>>,
}

impl Edit {
    /// What the terms are then.
    pub fn terms(&self, before: &Terms) -> Terms {
        Terms {
            debounce_ms: self.debounce_ms.unwrap_or(before.debounce_ms),
            until: self.until.unwrap_or(before.until),
        }
    }
}

/// What a subscriber is told: how much, from where, and a few words. Never the content.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Notice {
    pub space: SpaceId,
    pub position: Position,
    pub by: SessionId,
    pub comment: String,
    /// How many reactions it took.
    pub hop: u16,
}

impl Wake {
    /// Takes in what came behind it in the same space. Not more than `quoted_max` are quoted.
    pub fn join(&mut self, later: Wake, quoted_max: usize) {
        let room = quoted_max.saturating_sub(self.comments.len());
        self.comments.extend(later.comments.into_iter().take(room));
        self.count = self.count.saturating_add(later.count);
        self.last = self.last.max(later.last);
        self.hop = self.hop.max(later.hop);
    }

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

/// Where a subscription is kept, by its name: a row of the kind's own table.
pub(super) fn project(event: &Event, rows: &mut Vec<Row>) {
    match event {
        Event::SubscriptionSet { space, subscription, was: Was::New } => {
            rows.push(Row::own::<Space>(subscription.id.0, Some(space.0.to_vec())));
        }
        Event::Unsubscribed(id) if !mutant::planted("cursor.is_found_for_ever") => {
            rows.push(Row::own::<Space>(id.0, None));
        }
        _ => {}
    }
}

impl Space {
    /// The asker's own, unless it is over.
    pub(super) fn own(
        &self,
        id: SubscriptionId,
        delivery: &Delivery<'_>,
    ) -> Result<&Subscription, Refusal> {
        let own = self.subscriptions.get(&id).filter(|it| it.subscriber == delivery.asker);
        own.filter(|it| !it.terms.over(delivery.now)).ok_or(Refusal::NoSubscription(id))
    }

    pub(super) fn subscribe(
        &self,
        filter: Filter,
        cursor: Position,
        terms: Terms,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Read, delivery)?;
        filter.check(&delivery.limits.search)?;
        terms.check(delivery.limits, delivery.now)?;
        // Those that tell nothing any more make room, and go with it.
        let void = self.void(delivery);
        let mut own = self.subscriptions.values().filter(|it| it.subscriber == delivery.asker);
        let own = own.by_ref().filter(|it| !void.contains(&it.id)).count() + 1;
        if !mutant::planted("cursor.one_takes_every_place") {
            let max = delivery.limits.subscriber_subscriptions_max;
            limit("your subscriptions in the space", own, max)?;
        }
        let size = self.subscriptions.len() - void.len() + 1;
        limit("the space's subscriptions", size, delivery.limits.subscriptions_max)?;
        let (id, subscriber) = (SubscriptionId((delivery.fresh)()), delivery.asker);
        let subscription = Subscription { id, subscriber, filter, cursor, terms };
        let reply = Reply::Subscribed(id);
        let set = Event::SubscriptionSet { space: self.id, subscription, was: Was::New };
        let mut decision = Decision::event(set, reply);
        decision.events.splice(0..0, void.into_iter().map(Event::Unsubscribed));
        Ok(decision)
    }

    /// Those that tell nothing any more: they are over, or their subscriber has no right here now.
    /// A subscription rests on the right to read and ends with it.
    fn void(&self, delivery: &Delivery<'_>) -> BTreeSet<SubscriptionId> {
        let now = delivery.now;
        let reads = |it: &Subscription| {
            mutant::planted("cursor.outlives_its_right")
                || delivery.authority.level(it.subscriber, self.id, now).is_some()
        };
        let void = self.subscriptions.values().filter(|it| it.terms.over(now) || !reads(it));
        void.map(|it| it.id).collect()
    }

    /// Ends those. Anybody may ask for it: it only records what is so already.
    pub(super) fn end_void(&self, delivery: &Delivery<'_>) -> Decision<Self> {
        let events = self.void(delivery).into_iter().map(Event::Unsubscribed).collect();
        Decision { events, effects: Vec::new(), reply: Reply::Done, refused: None }
    }

    /// Ends a subscription: the asker's own, or anybody's by who may grant rights here.
    pub(super) fn unsubscribe(
        &self,
        id: SubscriptionId,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let governs =
            self.need(Level::Grant, delivery).is_ok() || mutant::planted("cursor.anybody_ends_it");
        if !(governs && self.subscriptions.contains_key(&id)) {
            self.own(id, delivery)?;
        }
        Ok(Decision::event(Event::Unsubscribed(id), Reply::Done))
    }

    pub(super) fn edit(
        &self,
        id: SubscriptionId,
        edit: Edit,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Read, delivery)?;
        let before = self.own(id, delivery)?;
        let terms = edit.terms(&before.terms);
        let filter = edit.filter.unwrap_or_else(|| before.filter.clone());
        filter.check(&delivery.limits.search)?;
        terms.check(delivery.limits, delivery.now)?;
        let lost = mutant::planted("cursor.an_edit_begins_anew").then_some(Position(0));
        let cursor = edit.cursor.or(lost).unwrap_or(before.cursor);
        let after = Subscription { filter, cursor, terms, ..before.clone() };
        if after == *before {
            return Ok(Decision::read(Reply::Done));
        }
        let (space, subscription) = (self.id, after);
        let set = Event::SubscriptionSet { space, subscription, was: Was::There };
        Ok(Decision::event(set, Reply::Done))
    }

    pub(super) fn advance(
        &self,
        id: SubscriptionId,
        cursor: Position,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        if cursor <= self.own(id, delivery)?.cursor {
            return Ok(Decision::read(Reply::Done));
        }
        let ahead = u64::from(mutant::planted("cursor.advances_too_far"));
        let cursor = Position(cursor.0 + ahead);
        Ok(Decision::event(Event::Advanced { id, cursor }, Reply::Done))
    }
}
