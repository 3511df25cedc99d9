//! Leases: who may work on what, until when, and how a late write is told from a rightful one.
//!
//! A lease is exclusive and ends by itself: whoever dies holding one blocks nobody for longer than
//! it asked for. Its *fencing token* is greater than that of every lease granted in its space
//! before, and durable before anybody is told: a write that carries one is refused once the lease
//! has ended, however long the writer was away in between.

use super::{Event, Refusal, Reply, Resource, Space, limit};
use crate::atom::Metadata;
use crate::behaviour::{Decision, Delivery, Row};
use crate::id::{AtomId, Millis, SessionId, SpaceId};
use crate::mutant::planted;
use crate::right::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// An exclusive right to work on something for a while.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Lease {
    pub space: SpaceId,
    pub resource: Resource,
    pub holder: SessionId,
    /// The fencing token.
    pub token: u64,
    /// When it was granted.
    pub since: Millis,
    /// It is over from this moment on.
    pub until: Millis,
    /// What it is for.
    pub intent: String,
    /// What the claim that got it has set, if it was one.
    pub claimed: Option<Claimed>,
}

impl Lease {
    /// Whether it still holds.
    pub fn is_live(&self, now: Millis) -> bool {
        now < self.until || planted("lease.never_ends")
    }
}

/// What a claim has changed of its atom: it is put back when the lease ends without the work
/// having gone on, so that the next one finds the task as this one did.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// What it set; null where it removed a key.
    pub set: Metadata,
    /// What was there before; null where nothing was.
    pub before: Metadata,
    /// What is set besides then, if this was the last attempt.
    pub exhausted: Option<Metadata>,
}

/// A lease that a write depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// What is leased.
    pub resource: Resource,
    /// Under which token.
    pub token: u64,
}

/// Why a lease is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its holder gave it back.
    Released,
    /// Its time was over.
    Expired,
    /// Somebody who may grant rights on the space took it away.
    Broken,
    /// Its holder has failed.
    Abandoned,
}

/// The leases of a space.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Leases {
    pub(super) by: BTreeMap<Resource, Lease>,
    pub(super) due: BTreeSet<(Millis, Resource)>,
    /// The greatest token so far.
    pub(super) token: u64,
}

impl Leases {
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Leased(lease) => {
                self.token = self.token.max(lease.token);
                self.end(&lease.resource);
                self.due.insert((lease.until, lease.resource.clone()));
                self.by.insert(lease.resource.clone(), lease.clone());
            }
            Event::LeaseRenewed { resource, until, .. } => {
                if let Some(lease) = self.by.get_mut(resource) {
                    self.due.remove(&(lease.until, resource.clone()));
                    self.due.insert((*until, resource.clone()));
                    lease.until = *until;
                }
            }
            Event::LeaseEnded { resource, .. } => self.end(resource),
            _ => {}
        }
    }

    fn end(&mut self, resource: &Resource) {
        if let Some(lease) = self.by.remove(resource) {
            self.due.remove(&(lease.until, lease.resource));
        }
    }

    /// Whether somebody has it, or had it and the end is yet to be recorded.
    pub(super) fn holds(&self, id: AtomId) -> bool {
        !self.by.is_empty() && self.by.contains_key(&Resource::Atom(id))
    }

    fn live(&self, resource: &Resource, now: Millis) -> Option<&Lease> {
        self.by.get(resource).filter(|it| it.is_live(now))
    }

    /// In the order in which they end.
    fn due(&self, now: Millis) -> impl Iterator<Item = &Lease> {
        let due = self.due.iter().take_while(move |(until, _)| *until <= now);
        due.filter_map(|(_, resource)| self.by.get(resource))
    }
}

impl Space {
    /// The leases that are recorded, of ended ones those whose end is not yet.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.by.values()
    }

    /// The lease that the asker would get now; it is not granted yet.
    pub(super) fn lease(
        &self,
        resource: Resource,
        ttl_ms: u64,
        intent: String,
        delivery: &Delivery<'_>,
    ) -> Result<Lease, Refusal> {
        let until = until(ttl_ms, delivery)?;
        limit("the intent", intent.len(), delivery.limits.intent_bytes_max)?;
        limit("the leases of the space", self.leases.by.len() + 1, delivery.limits.leases_max)?;
        let again = u64::from(!planted("lease.token_stays"));
        Ok(Lease {
            space: self.id,
            resource,
            holder: delivery.asker,
            token: self.leases.token + again,
            since: delivery.now,
            until,
            intent,
            claimed: None,
        })
    }

    pub(super) fn acquire(
        &self,
        resource: Resource,
        ttl_ms: u64,
        intent: String,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        let resource = resource.composed();
        match &resource {
            Resource::Atom(id) => {
                self.current(*id, super::Expect::Any, delivery)?;
            }
            Resource::Name(name) if name.is_empty() => {
                return Err(Refusal::Empty("a resource's name"));
            }
            Resource::Name(name) => {
                limit("a resource's name", name.len(), delivery.limits.resource_bytes_max)?;
                crate::name::check(name)?;
            }
        }
        let mut events = Vec::new();
        if let Some(lease) = self.leases.by.get(&resource) {
            if lease.is_live(delivery.now) && !planted("lease.taken_twice") {
                return Err(held(lease, delivery.now));
            }
            self.over(lease, End::Expired, delivery, &mut events);
        }
        let lease = self.lease(resource, ttl_ms, intent, delivery)?;
        let reply = Reply::Lease(lease.clone());
        events.push(Event::Leased(lease));
        Ok(Decision { events, effects: Vec::new(), reply, refused: None })
    }

    /// Refused once the time is over, also where nobody has taken it since: whoever was away for
    /// so long looks again before it goes on.
    pub(super) fn renew(
        &self,
        fence: Fence,
        ttl_ms: u64,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        let lease = self.rightful(&fence, delivery)?;
        let (until, was) = (until(ttl_ms, delivery)?, lease.until);
        let lease = Lease { until, ..lease.clone() };
        let Fence { resource, token } = fence;
        let event = Event::LeaseRenewed { space: self.id, resource, token, was, until };
        // What a claim has set is no part of the answer: an answer is kept.
        Ok(Decision::event(event, Reply::Lease(Lease { claimed: None, ..lease })))
    }

    /// By its holder; by whoever may grant rights here, without a token.
    pub(super) fn release(
        &self,
        resource: Resource,
        token: Option<u64>,
        undo: bool,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let resource = resource.composed();
        let mut events = Vec::new();
        let (lease, how) = match token {
            Some(token) => {
                self.need(Level::Read, delivery)?;
                (self.rightful(&Fence { resource, token }, delivery)?, End::Released)
            }
            None => {
                self.need(Level::Grant, delivery)?;
                let lease = self.leases.live(&resource, delivery.now);
                (lease.ok_or(Refusal::NoLease(resource))?, End::Broken)
            }
        };
        if undo {
            self.over(lease, how, delivery, &mut events);
        } else {
            events.push(ended(lease, how));
        }
        Ok(events)
    }

    /// Ends what is over; a bounded part of it at once.
    pub(super) fn expire(&self, delivery: &Delivery<'_>) -> Decision<Self> {
        let mut events = Vec::new();
        for lease in self.leases.due(delivery.now).take(delivery.limits.expire_leases_max) {
            self.over(lease, End::Expired, delivery, &mut events);
        }
        Decision { events, effects: Vec::new(), reply: Reply::Done, refused: None }
    }

    /// Ends what the asker has leased within that time, for it has failed; a bounded part of it at
    /// once.
    pub(super) fn let_go(
        &self,
        within: RangeInclusive<Millis>,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let mut events = Vec::new();
        let asker = |it: &&Lease| it.holder == delivery.asker || planted("lease.lets_go_of_others");
        let since = |it: &&Lease| {
            let later = it.since > *within.end() && planted("lease.lets_go_of_later");
            within.contains(&it.since) || later
        };
        let own = |it: &&Lease| asker(it) && since(it);
        let own = self.leases.by.values().filter(own);
        for lease in own.take(delivery.limits.expire_leases_max) {
            self.over(lease, End::Abandoned, delivery, &mut events);
        }
        Decision { events, effects: Vec::new(), reply: Reply::Done, refused: None }
    }

    /// The key of the row that says since when somebody has a lease, by its holder; without the token
    /// or the space the front of the keys of several.
    pub fn lease_key(holder: SessionId, space: Option<SpaceId>, token: Option<u64>) -> Vec<u8> {
        let mut key = [&b"leased"[..], &holder.0].concat();
        key.extend(space.into_iter().flat_map(|it| it.0));
        key.extend(token.into_iter().flat_map(u64::to_be_bytes));
        key
    }

    /// Where somebody has leased something within that time, by such a row.
    pub fn leased_within(
        key: &[u8],
        value: &[u8],
        within: &RangeInclusive<Millis>,
    ) -> Option<SpaceId> {
        let space = key.get(b"leased".len() + 16..)?.first_chunk()?;
        let since = Millis(u64::from_be_bytes(value.try_into().ok()?));
        within.contains(&since).then_some(SpaceId(*space))
    }

    /// The end of a lease, and what its claim had set put back, unless the work went on. After the last
    /// attempt the atom is put out of the way.
    fn over(&self, lease: &Lease, how: End, delivery: &Delivery<'_>, events: &mut Vec<Event>) {
        events.push(ended(lease, how));
        let (Some(claimed), Resource::Atom(id)) = (&lease.claimed, &lease.resource) else { return };
        if planted("lease.claim_stays") {
            return;
        }
        let Some(atom) = delivery.view.atom(*id).filter(|it| it.deprecated.is_none()) else {
            return;
        };
        let same = claimed.set.iter().all(|(key, value)| match atom.metadata.get(key) {
            Some(now) => now == value,
            None => *value == crate::value::Value::Null,
        });
        if same || planted("lease.undoes_the_work") {
            let mut back = claimed.before.clone();
            if !planted("claim.the_used_up_come_back") {
                back.extend(
                    claimed.exhausted.iter().flatten().map(|it| (it.0.clone(), it.1.clone())),
                );
            }
            events.push(super::put_back(&atom, &back, delivery));
        }
    }

    /// The lease that a fence names, if it is the asker's and still holds.
    fn rightful(&self, fence: &Fence, delivery: &Delivery<'_>) -> Result<&Lease, Refusal> {
        let live = self.leases.live(&fence.resource.clone().composed(), delivery.now);
        let own = live.filter(|it| {
            let token = it.token == fence.token || planted("lease.any_token_will_do");
            token && (it.holder == delivery.asker || planted("lease.anybodys_token_will_do"))
        });
        own.ok_or_else(|| Refusal::Stale { fence: fence.clone(), now: live.map(|it| it.token) })
    }

    pub(super) fn fenced(&self, fences: &[Fence], delivery: &Delivery<'_>) -> Result<(), Refusal> {
        if planted("lease.stale_writes") {
            return Ok(());
        }
        fences.iter().try_for_each(|fence| self.rightful(fence, delivery).map(drop))
    }

    /// An atom that somebody else has leased is not changed.
    pub(super) fn unleased(&self, id: AtomId, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        if !self.leases.holds(id) || planted("lease.writes_through") {
            return Ok(());
        }
        match self.leases.live(&Resource::Atom(id), delivery.now) {
            Some(lease) if lease.holder != delivery.asker => Err(held(lease, delivery.now)),
            _ => Ok(()),
        }
    }

    /// Nobody works on it, and nobody did whose end is yet to be recorded.
    pub(super) fn is_free(&self, id: AtomId) -> bool {
        !self.leases.holds(id) || planted("claim.takes_the_leased")
    }
}

/// What the clock is to look at, and when.
pub(super) fn project(event: &Event, rows: &mut Vec<Row>) {
    let due = |space: &SpaceId, at: &Millis, token: &u64| Row::Due {
        at: *at,
        stream: space.stream(),
        token: *token,
    };
    let not_due = |space: &SpaceId, at: &Millis, token: &u64| Row::NotDue {
        at: *at,
        stream: space.stream(),
        token: *token,
    };
    match event {
        Event::Leased(lease) => {
            rows.push(due(&lease.space, &lease.until, &lease.token));
            let key = Space::lease_key(lease.holder, Some(lease.space), Some(lease.token));
            rows.push(Row::own::<Space>(key, Some(lease.since.0.to_be_bytes().to_vec())));
        }
        Event::LeaseRenewed { space, token, was, until, .. } => {
            rows.push(not_due(space, was, token));
            rows.push(due(space, until, token));
        }
        Event::LeaseEnded { space, token, until, holder, .. } => {
            rows.push(not_due(space, until, token));
            let key = Space::lease_key(*holder, Some(*space), Some(*token));
            rows.push(Row::own::<Space>(key, None));
        }
        _ => {}
    }
}

fn held(lease: &Lease, now: Millis) -> Refusal {
    let Lease { resource, holder, until, .. } = lease.clone();
    Refusal::Leased { resource, holder, left_ms: until.0.saturating_sub(now.0) }
}

pub(super) fn ended(lease: &Lease, how: End) -> Event {
    let Lease { space, resource, holder, token, until, .. } = lease.clone();
    Event::LeaseEnded { space, resource, holder, token, until, how }
}

fn until(ttl_ms: u64, delivery: &Delivery<'_>) -> Result<Millis, Refusal> {
    let max_ms = delivery.limits.lease_ms_max;
    if ttl_ms == 0 || ttl_ms > max_ms {
        return Err(Refusal::Ttl { ttl_ms, max_ms });
    }
    Ok(Millis(delivery.now.0.saturating_add(ttl_ms)))
}
