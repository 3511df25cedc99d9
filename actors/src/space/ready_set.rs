//! Standing sets: what matches a condition *now*, kept so, that claimable work is found without
//! looking at all the work that is done.
//!
//! The first claim reads the space once, and files what its atoms say by key and value. A set is made
//! of that at the first claim by its condition, and followed from then on: with every change the
//! touched atom is looked at anew, and those that see it through a relation where what they see has
//! changed. It is recomputed, never counted, so that it cannot drift. All of it is derived from atoms
//! and leases alone: no snapshot holds it, and without it decisions are the same, only slower.

mod ranked;
mod roster;
#[cfg(test)]
mod tests;
mod uses;

use super::claim_predicate::{ClaimPredicate, Visibility};
use super::lease::Leases;
use super::{Event, Resource, Space};
use crate::atom::Atom;
use crate::behaviour::{Behaviour, View};
use crate::conditions::{Bits, OrderBy, direction, says};
use crate::id::{AtomId, SpaceId};
use crate::limits::Limits;
use crate::mutant::planted;
use ranked::Ranked;
use roster::Roster;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The sets of one space.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadySet {
    /// Nothing before the first claim.
    roster: Option<Roster>,
    sets: Vec<Set>,
    /// The worth of the set that went last: what is used from now on is worth more.
    floor: u64,
}

/// It says nothing that the atoms do not say.
impl PartialEq for ReadySet {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
struct Set {
    wanted: ClaimPredicate,
    /// By their slots; conditions on atoms of other spaces are left open.
    ready: Bits,
    /// The same in an order by what atoms say, where one was asked for.
    ranked: Option<Ranked>,
    /// Atoms that were read to make it.
    cost: u64,
    /// The set that is worth least goes first: one that was not used for long, and of those one that
    /// is cheap to make again (Young's GreedyDual).
    worth: u64,
}

impl ReadySet {
    /// Whether a condition is followed, in an order.
    pub(super) fn follows(&self, wanted: &ClaimPredicate, order: &[OrderBy]) -> bool {
        self.sets.iter().any(|it| it.is_of(wanted, order))
    }

    /// What matches, in its order; nothing if the condition is not followed in that order.
    pub(super) fn ready<'a>(
        &'a self,
        wanted: &ClaimPredicate,
        order: &[OrderBy],
    ) -> Option<Box<dyn Iterator<Item = AtomId> + 'a>> {
        let set = self.sets.iter().find(|it| it.is_of(wanted, order))?;
        Some(match &set.ranked {
            Some(ranked) => Box::new(ranked.ids()),
            None => Box::new(self.roster.as_ref()?.oldest_first(&set.ready)),
        })
    }

    /// Follows a condition in an order from now on.
    pub(super) fn follow(
        &mut self,
        space: SpaceId,
        (wanted, order): (&ClaimPredicate, &[OrderBy]),
        leases: &Leases,
        view: &dyn View,
        limits: &Limits,
    ) {
        if let Some(known) = self.sets.iter_mut().find(|it| it.is_of(wanted, order)) {
            known.worth = self.floor + known.cost;
            return;
        }
        let bytes_max = limits.standing_bytes_max;
        let roster = self.roster.get_or_insert_default();
        roster.file(space, &wanted.metadata, leases, view, bytes_max);
        let mut set = Set {
            wanted: wanted.clone(),
            ready: roster.free(&wanted.metadata),
            ranked: Ranked::by(order),
            cost: 1,
            worth: self.floor + 1,
        };
        if !wanted.references.is_empty() || set.ranked.is_some() {
            set.read(space, roster, view);
        }
        roster.keep_within(bytes_max);
        self.sets.push(set);
        self.drop_some(limits.standing_sets_max, bytes_max);
    }

    /// Lets sets go while there is more than there may be, but not the last.
    fn drop_some(&mut self, sets_max: usize, bytes_max: usize) {
        let bytes = |sets: &[Set]| sets.iter().map(Set::bytes).sum::<usize>();
        while self.sets.len() > 1 && (self.sets.len() > sets_max || bytes(&self.sets) > bytes_max) {
            let others = self.sets[..self.sets.len() - 1].iter().enumerate();
            let Some((least, worth)) = others.map(|(n, it)| (n, it.worth)).min_by_key(|it| it.1)
            else {
                return;
            };
            self.floor = worth;
            self.sets.remove(least);
        }
    }

    /// Takes in what happened. `leases` are those after it, `before` is the view without it.
    pub(super) fn take(
        &mut self,
        space: SpaceId,
        event: &Event,
        leases: &Leases,
        before: &dyn View,
    ) {
        let Some(roster) = &mut self.roster else { return };
        let atom = match event {
            Event::Leased(lease) => leased(&lease.resource, before),
            Event::LeaseEnded { resource, .. } => leased(resource, before),
            event => Space::atom(event).cloned(),
        };
        let Some(atom) = atom.filter(|it| it.space == space) else { return };
        let after = After { atom: &atom, event, under: before };
        let old = before.atom(atom.id);
        roster.take(&atom, old.as_deref(), leases);
        for set in &mut self.sets {
            if planted("claim.sets_stand_still") {
                continue;
            }
            set.look(space, (&atom, old.as_deref()), roster, &after);
            if planted("claim.waits_for_ever") {
                continue;
            }
            for seer in set.wanted.seers(&atom, old.as_deref(), before) {
                // One that refers to itself was looked at as it is now.
                let seer = before.atom(seer).filter(|it| it.space == space && it.id != atom.id);
                if let Some(seer) = seer {
                    set.look(space, (&seer, Some(&seer)), roster, &after);
                }
            }
        }
    }
}

fn leased(resource: &Resource, view: &dyn View) -> Option<Arc<Atom>> {
    match resource {
        Resource::Atom(id) => view.atom(*id),
        Resource::Name(_) => None,
    }
}

impl Set {
    fn is_of(&self, wanted: &ClaimPredicate, order: &[OrderBy]) -> bool {
        self.wanted == *wanted && self.ranked.as_ref().map_or(&[][..], Ranked::order) == order
    }

    fn bytes(&self) -> usize {
        self.ready.bytes() + self.ranked.as_ref().map_or(0, Ranked::bytes)
    }

    /// Reads all that may match, and keeps what does.
    fn read(&mut self, space: SpaceId, roster: &Roster, view: &dyn View) {
        let all: Vec<u32> = self.ready.iter().collect();
        self.cost += all.len() as u64;
        for slot in all {
            let atom = view.atom(roster.id(slot));
            let atom = atom.filter(|it| self.wanted.holds(it, view, Visibility::Own(space)));
            self.ready.put(slot, atom.is_some());
            if let Some((ranked, atom)) = self.ranked.as_mut().zip(atom) {
                ranked.put(&atom);
            }
        }
        self.worth += self.cost;
    }

    /// Looks at an atom anew; `old` is what it was when it was looked at before.
    fn look(
        &mut self,
        space: SpaceId,
        (atom, old): (&Atom, Option<&Atom>),
        roster: &Roster,
        view: &dyn View,
    ) {
        let Some(slot) = roster.slot(atom.born, atom.id) else { return };
        let is_in = roster.is_free(slot) && self.wanted.holds(atom, view, Visibility::Own(space));
        if let Some(ranked) = &mut self.ranked {
            if let Some(old) = old.filter(|_| self.ready.has(slot)) {
                ranked.take_out(old);
            }
            if is_in {
                ranked.put(atom);
            }
        }
        self.ready.put(slot, is_in);
    }
}

impl ClaimPredicate {
    /// The atoms for which something has changed that they see of this one through a relation.
    fn seers(&self, atom: &Atom, old: Option<&Atom>, view: &dyn View) -> BTreeSet<AtomId> {
        let mut seers = BTreeSet::new();
        for (relation, condition) in &self.references {
            let (relation, reverse) = direction(relation);
            let flips = old.map(|it| says(&it.metadata, &condition.metadata))
                != Some(says(&atom.metadata, &condition.metadata));
            if reverse {
                let ends = |of: &Atom| -> BTreeSet<AtomId> {
                    let targets = of.references.iter().filter(|it| it.relation == relation);
                    targets.map(|it| it.target).collect()
                };
                let (now, was) = (ends(atom), old.map(ends).unwrap_or_default());
                if flips {
                    seers.extend(&now | &was);
                } else {
                    seers.extend(&now ^ &was);
                }
            } else if flips {
                let sources = view.sources(atom.id, Some(relation));
                seers.extend(sources.into_iter().map(|(_, source)| source));
            }
        }
        seers
    }
}

/// The view as it is once an event has happened.
struct After<'a> {
    atom: &'a Arc<Atom>,
    event: &'a Event,
    under: &'a dyn View,
}

impl View for After<'_> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        if id == self.atom.id { Some(self.atom.clone()) } else { self.under.atom(id) }
    }

    fn version(&self, id: AtomId, version: u64) -> Option<Arc<Atom>> {
        let own = id == self.atom.id && version == self.atom.version;
        if own { Some(self.atom.clone()) } else { self.under.version(id, version) }
    }

    fn space_of(&self, id: AtomId) -> Option<SpaceId> {
        if id == self.atom.id { Some(self.atom.space) } else { self.under.space_of(id) }
    }

    fn sources(&self, target: AtomId, relation: Option<&str>) -> Vec<(String, AtomId)> {
        let mut found = self.under.sources(target, relation);
        let source = self.atom.id;
        if Space::atom(self.event).is_none() {
            return found;
        }
        found.retain(|(_, it)| *it != source);
        let own = self.atom.references.iter().filter(|it| it.target == target);
        let wanted = own.filter(|it| relation.is_none_or(|relation| it.relation == relation));
        found.extend(wanted.map(|it| (it.relation.clone(), source)));
        found
    }

    fn each_atom(&self, space: SpaceId, to: &mut dyn FnMut(&Arc<Atom>)) {
        self.under.each_atom(space, to);
    }
}
