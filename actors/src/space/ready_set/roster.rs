//! The atoms of a space by number, who of them is free, and what they say.

use super::super::lease::Leases;
use crate::atom::{Atom, Metadata, Reference};
use crate::behaviour::View;
use crate::conditions::{Bits, Columns};
use crate::id::{AtomId, SpaceId};
use crate::mutant::planted;
use std::collections::BTreeMap;

/// Each atom has a slot for good. In the order of birth, but for atoms of one entry, which may be in
/// any.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    slots: Vec<(u64, AtomId)>,
    /// In use, and nobody's.
    free: Bits,
    says: Columns,
    /// How many references there are of each relation; nothing where there are too many relations.
    relations: Option<BTreeMap<Box<str>, u64>>,
    begun: bool,
}

/// Relations of one space that are counted; of more it is looked up whether one is used.
const RELATIONS_COUNTED_MAX: usize = 1_000;

impl Roster {
    /// Files what a condition asks for. It reads the space, unless all of that is filed already.
    pub(super) fn file(
        &mut self,
        space: SpaceId,
        wanted: &Metadata,
        leases: &Leases,
        view: &dyn View,
        bytes_max: usize,
    ) {
        let missing = self.says.ask(wanted);
        if !self.begun {
            self.begun = true;
            self.relations = Some(BTreeMap::new());
            return self.file_all(space, leases, view, bytes_max);
        }
        if !missing.is_empty() {
            view.each_atom(space, &mut |atom| {
                let Some(slot) = self.slot(atom.born, atom.id) else { return };
                self.says.file_under(slot, &atom.metadata, &missing);
                self.says.make_room(bytes_max);
            });
        }
    }

    /// Slots are given in the order in which atoms are read, and put in that of birth at the end.
    fn file_all(&mut self, space: SpaceId, leases: &Leases, view: &dyn View, bytes_max: usize) {
        let mut read = Vec::new();
        view.each_atom(space, &mut |atom| {
            let slot = read.len() as u32;
            read.push((atom.born, atom.id));
            self.says.refile(slot, None, &atom.metadata);
            self.says.make_room(bytes_max);
            self.count(&[], &atom.references);
            if is_free(atom, leases) {
                self.free.put(slot, true);
            }
        });
        let mut order: Vec<u32> = (0..read.len() as u32).collect();
        order.sort_unstable_by_key(|slot| read[*slot as usize]);
        let mut moved = vec![0; read.len()];
        for (to, from) in order.iter().enumerate() {
            moved[*from as usize] = to as u32;
        }
        self.slots = order.iter().map(|slot| read[*slot as usize]).collect();
        self.says.renumber(&moved);
        let mut free = Bits::default();
        self.free.iter().for_each(|slot| free.put(moved[slot as usize], true));
        self.free = free;
    }

    /// Those in use and nobody's whose metadata says all of this. It must be filed.
    pub(super) fn free(&self, wanted: &Metadata) -> Bits {
        match self.says.allowed(wanted) {
            None => self.free.clone(),
            Some(mut found) => {
                found.keep(&self.free);
                found
            }
        }
    }

    /// Takes a new version in, or a lease that began or ended.
    pub(super) fn take(&mut self, atom: &Atom, old: Option<&Atom>, leases: &Leases) {
        let known = self.slot(atom.born, atom.id);
        let slot = known.unwrap_or_else(|| {
            self.slots.push((atom.born, atom.id));
            self.slots.len() as u32 - 1
        });
        let stays = known.is_some() && planted("claim.the_released_stay_taken");
        self.free.put(slot, is_free(atom, leases) && (!stays || self.free.has(slot)));
        if old.is_none_or(|it| it.version != atom.version) {
            self.says.refile(slot, old.map(|it| &it.metadata), &atom.metadata);
            self.count(old.map_or(&[], |it| &it.references), &atom.references);
        }
    }

    fn count(&mut self, old: &[Reference], new: &[Reference]) {
        let Some(relations) = &mut self.relations else { return };
        for it in new {
            match relations.get_mut(&*it.relation) {
                Some(count) => *count += 1,
                None => {
                    relations.insert(it.relation.as_str().into(), 1);
                }
            }
        }
        for it in old {
            let Some(count) = relations.get_mut(&*it.relation) else { continue };
            *count -= 1;
            if *count == 0 {
                relations.remove(&*it.relation);
            }
        }
        if relations.len() > RELATIONS_COUNTED_MAX {
            self.relations = None;
        }
    }

    /// Whether an atom has a key, as far as that is known here.
    pub(super) fn has_key(&self, path: &str) -> Option<bool> {
        self.says.has(path)
    }

    /// Whether an atom refers to another by a relation, as far as that is known here.
    pub(super) fn has_relation(&self, name: &str) -> Option<bool> {
        self.relations.as_ref().map(|it| it.contains_key(name))
    }

    /// The keys that atoms have, as far as they are known here.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.says.keys()
    }

    /// The relations that atoms have, as far as they are known here.
    pub(super) fn relations(&self) -> impl Iterator<Item = &str> {
        self.relations.iter().flat_map(|it| it.keys()).map(|it| &**it)
    }

    /// Lets go of what is over the bound.
    pub(super) fn keep_within(&mut self, bytes_max: usize) {
        self.says.keep_within(bytes_max);
    }

    pub(super) fn is_free(&self, slot: u32) -> bool {
        self.free.has(slot)
    }

    pub(super) fn id(&self, slot: u32) -> AtomId {
        self.slots[slot as usize].1
    }

    pub(super) fn slot(&self, born: u64, id: AtomId) -> Option<u32> {
        let first = self.slots.partition_point(|it| it.0 < born);
        let same = self.slots[first..].iter().take_while(|it| it.0 == born);
        let at = same.clone().position(|it| it.1 == id)?;
        Some((first + at) as u32)
    }

    /// In the order of birth, and of ids within one entry.
    pub(super) fn oldest_first(&self, set: &Bits) -> impl Iterator<Item = AtomId> {
        let mut slots = set.iter().map(|slot| self.slots[slot as usize]).peekable();
        std::iter::from_fn(move || {
            let first = slots.next()?;
            let mut entry = vec![first];
            while let Some(next) = slots.next_if(|it| it.0 == first.0) {
                entry.push(next);
            }
            if !planted("claim.as_it_was_written") {
                entry.sort_unstable();
            }
            Some(entry)
        })
        .flatten()
        .map(|(_, id)| id)
    }
}

fn is_free(atom: &Atom, leases: &Leases) -> bool {
    atom.deprecated.is_none() && !leases.holds(atom.id)
}
