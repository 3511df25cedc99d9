//! Standing sets: what matches a condition *now*, kept so, that claimable work is found without
//! looking at all the work that is done.
//!
//! A set is made at the first claim by its condition and followed from then on: with every change
//! the touched atom is looked at anew, and those that see it through a relation where what they
//! see has changed. It is recomputed, never counted, so that it cannot drift. Derived from atoms
//! and leases alone: no snapshot holds it, and without it decisions are the same, only slower.

use super::lease::Leases;
use super::wanted::{Sight, Wanted};
use super::{Event, Resource, Space};
use crate::atom::Atom;
use crate::behaviour::{Behaviour, View};
use crate::id::{AtomId, SpaceId};
use crate::mutant::planted;
use crate::search::{direction, says};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Conditions that are followed at once; the least recently claimed by goes first.
pub const STANDING_MAX: usize = 16;

/// The sets of one space.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    sets: Vec<Set>,
}

/// It says nothing that the atoms do not say.
impl PartialEq for Standing {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
struct Set {
    wanted: Wanted,
    /// In the order of birth; conditions on atoms of other spaces are left open.
    ready: BTreeSet<(u64, AtomId)>,
}

impl Standing {
    /// What matches, the oldest first; nothing if the condition is not followed.
    pub(super) fn ready(&self, wanted: &Wanted) -> Option<impl Iterator<Item = AtomId>> {
        let set = self.sets.iter().find(|it| it.wanted == *wanted)?;
        Some(set.ready.iter().map(|(_, id)| *id))
    }

    /// Follows a condition from now on: the last in the list is the one used last.
    pub(super) fn follow(
        &mut self,
        space: SpaceId,
        wanted: &Wanted,
        leases: &Leases,
        view: &dyn View,
    ) {
        if let Some(known) = self.sets.iter().position(|it| it.wanted == *wanted) {
            self.sets[known..].rotate_left(1);
            return;
        }
        if self.sets.len() >= STANDING_MAX {
            self.sets.remove(0);
        }
        let mut set = Set { wanted: wanted.clone(), ready: BTreeSet::new() };
        view.each_atom(space, &mut |atom| set.look(space, atom, leases, view));
        self.sets.push(set);
    }

    /// Takes in what happened. `leases` are those after it, `before` is the view without it.
    pub(super) fn take(
        &mut self,
        space: SpaceId,
        event: &Event,
        leases: &Leases,
        before: &dyn View,
    ) {
        if self.sets.is_empty() {
            return;
        }
        let atom = match event {
            Event::Leased(lease) => leased(&lease.resource, before),
            Event::LeaseEnded { resource, .. } => leased(resource, before),
            event => Space::atom(event).cloned(),
        };
        let Some(atom) = atom else { return };
        let after = After { atom: &atom, event, under: before };
        let old = before.atom(atom.id);
        for set in &mut self.sets {
            set.look(space, &atom, leases, &after);
            if planted("claim.waits_for_ever") {
                continue;
            }
            for seer in set.wanted.seers(&atom, old.as_deref(), before) {
                if let Some(seer) = before.atom(seer).filter(|it| it.space == space) {
                    set.look(space, &seer, leases, &after);
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
    fn look(&mut self, space: SpaceId, atom: &Atom, leases: &Leases, view: &dyn View) {
        let free = atom.deprecated.is_none() && !leases.holds(atom.id);
        if free && self.wanted.holds(atom, view, Sight::Own(space)) {
            self.ready.insert((atom.born, atom.id));
        } else {
            self.ready.remove(&(atom.born, atom.id));
        }
    }
}

impl Wanted {
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
