//! Claiming: finding work, taking it and holding on to it, in one decision.
//!
//! A space takes one delivery at a time, and an atom that is claimed is leased from that very entry
//! on: the next claim does not see it, on whatever thread, in whatever process it was asked for.

use super::lease::{Claimed, Lease};
use super::wanted::{Sight, Wanted};
use super::{Event, Patch, Refusal, Reply, Resource, Space, Undeclared, limit, updated};
use crate::atom::{Atom, Metadata};
use crate::behaviour::{Decision, Delivery, View};
use crate::id::AtomId;
use crate::limits::Limits;
use crate::mutant::planted;
use crate::rights::Level;
use crate::search::{CREATED, ORDER_KEYS_MAX, OrderBy, Rank};
use crate::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is to be claimed, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// What the candidates were searched by. It decides nothing.
    pub text: Option<String>,
    /// What it must be like at the moment it is claimed. Atoms of other spaces count as they were
    /// when they were last durable: they can change at the same moment without this space knowing.
    pub wanted: Wanted,
    /// The best first, as a search found them; without, the oldest that matches. No part of what
    /// makes two requests the same.
    pub ranked: Option<Vec<AtomId>>,
    /// What it says from then on; null removes a key.
    pub set: Metadata,
    /// How long it is leased.
    pub ttl_ms: u64,
    /// What for.
    pub intent: String,
    /// What comes first, by keys that the space declares as ordered; the oldest where none is named,
    /// and of equals. It goes without a text.
    pub order: Vec<OrderBy>,
}

impl Space {
    pub(super) fn claim(
        &self,
        claim: Claim,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        let ranked = claim.ranked.as_ref().map_or(0, Vec::len);
        limit("the candidates", ranked, delivery.limits.search.hits_max)?;
        limit("the conditions", claim.wanted.len(), delivery.limits.search.conditions_max)?;
        claim.check()?;
        self.permits(&claim.wanted, delivery.view)?;
        let order = self.order(&claim)?;
        let Claim { wanted, ranked, set, ttl_ms, intent, .. } = claim;
        // Refused, if it is, also where there is nothing to claim.
        let mut lease = self.lease(Resource::Name(String::new()), ttl_ms, intent, delivery)?;
        let Some(before) = self.claimable((&wanted, &order), ranked.as_deref(), delivery) else {
            return Ok(Decision::read(Reply::Claimed(None)));
        };
        let mut events = Vec::new();
        let mut version = before.version;
        if !set.is_empty() {
            let patch = Patch { metadata: set.clone(), ..Patch::default() };
            let atom = patch.apply(&before, delivery)?;
            version = atom.version;
            let was = |key: &String| before.metadata.get(key).cloned().unwrap_or(Value::Null);
            let was = set.keys().map(|key| (key.clone(), was(key))).collect();
            lease.claimed = Some(Claimed { set, before: was });
            events.push(updated(atom, &before.references));
        }
        lease.resource = Resource::Atom(before.id);
        // What it has set is no part of the answer: an answer is kept.
        let told = Lease { claimed: None, ..lease.clone() };
        let reply = Reply::Claimed(Some((before.id, version, Box::new(told))));
        events.push(Event::Leased(lease));
        Ok(Decision { events, effects: Vec::new(), reply, refused: None })
    }

    /// The first of the candidates that is what is wanted, here and now.
    fn claimable(
        &self,
        (wanted, order): (&Wanted, &[OrderBy]),
        ranked: Option<&[AtomId]>,
        delivery: &Delivery<'_>,
    ) -> Option<Arc<Atom>> {
        let (asker, now, view) = (delivery.asker, delivery.now, delivery.view);
        let reads = |space| delivery.authority.level(asker, space, now).is_some();
        let fits = |atom: &Arc<Atom>| {
            atom.space == self.id
                && atom.deprecated.is_none()
                && self.is_free(atom.id)
                && (planted("claim.trusts_the_candidates")
                    || wanted.holds(atom, view, Sight::Asker(&reads)))
        };
        if let Some(ranked) = ranked {
            return ranked.iter().filter_map(|id| view.atom(*id)).find(fits);
        }
        if let Some(mut ready) = self.standing.ready(wanted, order) {
            return ready.find_map(|id| view.atom(id).filter(fits));
        }
        let mut first: Option<(Rank, Arc<Atom>)> = None;
        view.each_atom(self.id, &mut |atom| {
            let rank = Rank::of(atom, order);
            if first.as_ref().is_none_or(|it| rank < it.0) && fits(atom) {
                first = Some((rank, atom.clone()));
            }
        });
        first.map(|it| it.1)
    }

    /// Whether nothing has to be read to decide on a claim but what is claimed.
    pub(super) fn is_ready_for(&self, claim: &Claim) -> bool {
        let (keys, relations) = self.undeclared(&claim.wanted);
        let order = match (claim.check(), self.order(claim)) {
            (Ok(()), Ok(order)) => order,
            _ => return true,
        };
        self.standing.knows(&keys, &relations)
            && (claim.ranked.is_some() || self.standing.follows(&claim.wanted, &order))
    }

    /// Keeps what a claim looks up, unless it is refused.
    pub(super) fn get_ready_for(&mut self, claim: &Claim, view: &dyn View, limits: &Limits) {
        let (Ok(()), Ok(order)) = (claim.check(), self.order(claim)) else { return };
        let (keys, relations) = self.undeclared(&claim.wanted);
        if !self.standing.knows(&keys, &relations) {
            self.standing.learn(self.id, &keys, &self.leases, view, limits);
        }
        if claim.ranked.is_none() && self.permits(&claim.wanted, view).is_ok() {
            let by = (&claim.wanted, &order[..]);
            self.standing.follow(self.id, by, &self.leases, view, limits);
        }
    }

    /// The names of a condition of which it is to be known whether atoms use them.
    fn undeclared<'a>(&self, wanted: &'a Wanted) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        match self.declares.is_empty() {
            true => Default::default(),
            false => self.declares.undeclared(&wanted.metadata, &wanted.references),
        }
    }

    fn permits(&self, wanted: &Wanted, view: &dyn View) -> Result<(), Undeclared> {
        let uses = self.standing.uses(self.id, view);
        self.declares.permit(&wanted.metadata, &wanted.references, &uses)
    }

    /// The order of a claim, with what is declared of its keys; empty where it is that of birth.
    fn order(&self, claim: &Claim) -> Result<Vec<OrderBy>, Undeclared> {
        let order = self.declares.order(&claim.order)?;
        let birth = order.first().is_some_and(|it| *it == OrderBy::ascending(CREATED));
        Ok(if birth { Vec::new() } else { order })
    }
}

impl Claim {
    /// Refuses what nobody can have meant.
    fn check(&self) -> Result<(), Refusal> {
        self.wanted.check()?;
        limit("the keys of the order", self.order.len(), ORDER_KEYS_MAX)?;
        if !self.order.is_empty() && (self.text.is_some() || self.ranked.is_some()) {
            return Err(Refusal::TextAndOrder);
        }
        Ok(())
    }
}
