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

/// Conditions that are followed at once; the least recently claimed by goes first. A dozen of workers
/// that each ask for their own, and for what is free, take one each.
pub const STANDING_MAX: usize = 64;
/// Atoms in all sets of a space together, at about 100 bytes each; the set that was made last stays.
pub const STANDING_ATOMS_MAX: usize = 1 << 20;

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
        let mut set = Set { wanted: wanted.clone(), ready: BTreeSet::new() };
        view.each_atom(space, &mut |atom| set.look(space, atom, leases, view));
        self.sets.push(set);
        self.drop_some(STANDING_MAX, STANDING_ATOMS_MAX);
    }

    /// Lets the least recently used go while there is more than there may be.
    fn drop_some(&mut self, sets_max: usize, atoms_max: usize) {
        let atoms = |sets: &[Set]| sets.iter().map(|it| it.ready.len()).sum::<usize>();
        while self.sets.len() > 1 && (self.sets.len() > sets_max || atoms(&self.sets) > atoms_max) {
            self.sets.remove(0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_set_goes_first_and_the_last_one_stays() {
        let set = |n: u64, atoms: u64| {
            let metadata = [("n".to_owned(), (n as i64).into())].into();
            let ready = (0..atoms).map(|born| (born, AtomId([n as u8; 16]))).collect();
            Set { wanted: Wanted { metadata, ..Wanted::default() }, ready }
        };
        let left = |sets: Vec<Set>, sets_max, atoms_max| {
            let mut standing = Standing { sets };
            standing.drop_some(sets_max, atoms_max);
            standing.sets.iter().map(|it| it.ready.len()).collect::<Vec<_>>()
        };
        let all = || vec![set(1, 5), set(2, 3), set(3, 4)];
        assert_eq!(left(all(), 3, 12), [5, 3, 4]);
        assert_eq!(left(all(), 2, 12), [3, 4]);
        assert_eq!(left(all(), 3, 11), [3, 4]);
        assert_eq!(left(all(), 3, 1), [4]);
    }
}
