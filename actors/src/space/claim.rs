//! Claiming: finding work, taking it and holding on to it, in one decision.
//!
//! A space takes one delivery at a time, and an atom that is claimed is leased from that very entry
//! on: the next claim does not see it, on whatever thread, in whatever process it was asked for.

use super::claim_predicate::{ClaimPredicate, Visibility};
use super::lease::{Claimed, Lease};
use super::{Event, Patch, Refusal, Reply, Resource, Space, Undeclared, limit, updated};
use crate::atom::{Atom, Metadata};
use crate::behaviour::{Decision, Delivery, View};
use crate::conditions::{CREATED, ORDER_KEYS_MAX, OrderBy, Rank, excludes};
use crate::id::AtomId;
use crate::limits::Limits;
use crate::mutant::planted;
use crate::right::Level;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is to be claimed, and how.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ClaimRequest {
    /// What the candidates were searched by. It decides nothing.
    pub text: Option<String>,
    /// What it must be like at the moment it is claimed. Atoms of other spaces count as they were
    /// when they were last durable: they can change at the same moment without this space knowing.
    pub wanted: ClaimPredicate,
    /// The best first, as a search found them; without, the oldest that matches. No part of what
    /// makes two requests the same.
    pub ranked: Option<Vec<AtomId>>,
    /// What it says from then on; null removes a key.
    pub set: Metadata,
    /// How long it is leased.
    pub ttl_ms: u64,
    pub intent: String,
    /// What comes first, by keys that the space declares as ordered; the oldest where none is named,
    /// and of equals. It goes without a text.
    pub order: Vec<OrderBy>,
    /// How often an atom may be claimed by such claims. The count is on the atom ([`Atom::attempts`]),
    /// and a claim that says nothing here neither counts nor looks at it.
    pub attempts_max: Option<u64>,
    /// What is set on an atom whose attempts are used up: when the lease of the last one ends without
    /// the work having gone on, or when a claim finds it. It must leave the atom unwanted, so that
    /// nobody claims it again; null removes a key.
    pub exhausted: Metadata,
}

impl Space {
    pub(super) fn claim(
        &self,
        claim: ClaimRequest,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        let ranked = claim.ranked.as_ref().map_or(0, Vec::len);
        limit("the candidates", ranked, delivery.limits.search.hits_max)?;
        limit("the conditions", claim.wanted.len(), delivery.limits.search.conditions_max)?;
        claim.check()?;
        self.permits(&claim.wanted, delivery.view)?;
        let order = self.order(&claim)?;
        let ClaimRequest { wanted, ranked, set, ttl_ms, intent, attempts_max, exhausted, .. } =
            claim;
        // Refused, if it is, also where there is nothing to claim.
        let mut lease = self.lease(Resource::Name(String::new()), ttl_ms, intent, delivery)?;
        let Found { atom: before, used_up } =
            self.claimable((&wanted, &order), ranked.as_deref(), attempts_max, delivery);
        if !used_up.is_empty() {
            return self.out_of_the_way(&used_up, exhausted, delivery);
        }
        let Some(before) = before else {
            return Ok(Decision::read(Reply::Claimed(None)));
        };
        let mut events = Vec::new();
        let mut version = before.version;
        if !set.is_empty() || attempts_max.is_some() {
            let uncounted = attempts_max.is_none() || planted("claim.attempts_are_not_counted");
            let attempts = before.attempts.saturating_add(u64::from(!uncounted));
            let patch =
                Patch { metadata: set.clone(), attempts: Some(attempts), ..Patch::default() };
            let atom = patch.apply(&before, delivery)?;
            version = atom.version;
            let was = |key: &String| before.metadata.get(key).cloned().unwrap_or(Value::Null);
            let was = set.keys().map(|key| (key.clone(), was(key))).collect();
            let last = attempts_max.is_some_and(|max| attempts >= max);
            let exhausted = last.then_some(exhausted);
            if let Some(exhausted) = &exhausted {
                // What cannot be set then is refused now.
                let patch = Patch { metadata: exhausted.clone(), ..Patch::default() };
                patch.apply(&atom, delivery)?;
            }
            if !set.is_empty() || exhausted.is_some() {
                lease.claimed = Some(Claimed { set, before: was, exhausted });
            }
            events.push(updated(atom, &before.references));
        }
        lease.resource = Resource::Atom(before.id);
        // What it has set is no part of the answer: an answer is kept.
        let told = Lease { claimed: None, ..lease.clone() };
        let reply = Reply::Claimed(Some((before.id, version, Box::new(told))));
        events.push(Event::Leased(lease));
        Ok(Decision { events, effects: Vec::new(), reply, refused: None })
    }

    /// Puts atoms out of the way that were tried as often as they may be. What comes behind them may
    /// see them, so it is claimed by the next claim, as it is then.
    fn out_of_the_way(
        &self,
        used_up: &[Arc<Atom>],
        exhausted: Metadata,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let patch = Patch { metadata: exhausted, ..Patch::default() };
        let one = |it: &Arc<Atom>| Ok(updated(patch.apply(it, delivery)?, &it.references));
        let events = used_up.iter().map(one).collect::<Result<_, Refusal>>()?;
        let refused = Some(Refusal::UsedUp(used_up.len()));
        Ok(Decision { events, effects: Vec::new(), reply: Reply::Done, refused })
    }

    /// The first of the candidates that is what is wanted, here and now, and may be tried; and those
    /// before it that may not, a bounded part of them.
    fn claimable(
        &self,
        (wanted, order): (&ClaimPredicate, &[OrderBy]),
        ranked: Option<&[AtomId]>,
        attempts_max: Option<u64>,
        delivery: &Delivery<'_>,
    ) -> Found {
        let (asker, now, view) = (delivery.asker, delivery.now, delivery.view);
        let reads = |space| delivery.authority.level(asker, space, now).is_some();
        let fits = |atom: &Arc<Atom>| {
            atom.space == self.id
                && atom.deprecated.is_none()
                && self.is_free(atom.id)
                && (planted("claim.trusts_the_candidates")
                    || wanted.holds(atom, view, Visibility::Asker(&reads)))
        };
        let most = delivery.limits.exhausted_atoms_max;
        if let Some(ranked) = ranked {
            let all = ranked.iter().filter_map(|id| view.atom(*id)).filter(fits);
            return Found::among(all, attempts_max, most);
        }
        if let Some(ready) = self.ready_set.ready(wanted, order) {
            let all = ready.filter_map(|id| view.atom(id).filter(fits));
            return Found::among(all, attempts_max, most);
        }
        let mut all: BTreeMap<Rank, Arc<Atom>> = BTreeMap::new();
        view.each_atom(self.id, &mut |atom| {
            if fits(atom) {
                all.insert(Rank::of(atom, order), atom.clone());
            }
        });
        Found::among(all.into_values(), attempts_max, most)
    }

    /// Whether nothing has to be read to decide on a claim but what is claimed.
    pub(super) fn is_ready_for(&self, claim: &ClaimRequest) -> bool {
        let (keys, relations) = self.undeclared(&claim.wanted);
        let order = match (claim.check(), self.order(claim)) {
            (Ok(()), Ok(order)) => order,
            _ => return true,
        };
        self.ready_set.knows(&keys, &relations)
            && (claim.ranked.is_some() || self.ready_set.follows(&claim.wanted, &order))
    }

    /// Keeps what a claim looks up, unless it is refused.
    pub(super) fn get_ready_for(&mut self, claim: &ClaimRequest, view: &dyn View, limits: &Limits) {
        let (Ok(()), Ok(order)) = (claim.check(), self.order(claim)) else { return };
        let (keys, relations) = self.undeclared(&claim.wanted);
        if !self.ready_set.knows(&keys, &relations) {
            self.ready_set.learn(self.id, &keys, &self.leases, view, limits);
        }
        if claim.ranked.is_none() && self.permits(&claim.wanted, view).is_ok() {
            let by = (&claim.wanted, &order[..]);
            self.ready_set.follow(self.id, by, &self.leases, view, limits);
        }
    }

    /// The names of a condition of which it is to be known whether atoms use them.
    fn undeclared<'a>(&self, wanted: &'a ClaimPredicate) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        match self.declares.is_empty() {
            true => Default::default(),
            false => self.declares.undeclared(&wanted.metadata, &wanted.references),
        }
    }

    fn permits(&self, wanted: &ClaimPredicate, view: &dyn View) -> Result<(), Undeclared> {
        let uses = self.ready_set.uses(self.id, view);
        self.declares.permit(&wanted.metadata, &wanted.references, &uses)
    }

    /// The order of a claim, with what is declared of its keys; empty where it is that of birth.
    fn order(&self, claim: &ClaimRequest) -> Result<Vec<OrderBy>, Undeclared> {
        let order = self.declares.order(&claim.order)?;
        let birth = order.first().is_some_and(|it| *it == OrderBy::ascending(CREATED));
        Ok(if birth { Vec::new() } else { order })
    }
}

/// What a claim has found.
struct Found {
    /// What can be claimed.
    atom: Option<Arc<Atom>>,
    /// What would come before it, and was tried as often as it may be.
    used_up: Vec<Arc<Atom>>,
}

impl Found {
    fn among(
        all: impl Iterator<Item = Arc<Atom>>,
        attempts_max: Option<u64>,
        most: usize,
    ) -> Found {
        let mut found = Found { atom: None, used_up: Vec::new() };
        for atom in all {
            let more = u64::from(planted("claim.tries_once_more"));
            let used_up = attempts_max.is_some_and(|max| atom.attempts >= max + more);
            if !used_up {
                found.atom = Some(atom);
                break;
            }
            // Candidates may name one twice.
            if found.used_up.iter().any(|it| it.id == atom.id) {
                continue;
            }
            found.used_up.push(atom);
            if found.used_up.len() >= most {
                break;
            }
        }
        found
    }
}

impl ClaimRequest {
    /// Refuses what nobody can have meant.
    fn check(&self) -> Result<(), Refusal> {
        self.wanted.check()?;
        limit("the keys of the order", self.order.len(), ORDER_KEYS_MAX)?;
        if !self.order.is_empty() && (self.text.is_some() || self.ranked.is_some()) {
            return Err(Refusal::TextAndOrder);
        }
        match self.attempts_max {
            None if self.exhausted.is_empty() => Ok(()),
            None | Some(0) => Err(Refusal::NoAttempts),
            Some(_) if excludes(&self.exhausted, &self.wanted.metadata) => Ok(()),
            Some(_) => Err(Refusal::StillWanted),
        }
    }
}
