//! A space as a list; every claim looks at all of it.

use super::claimed_as;
use super::schedule::{Case, Deed};
use crate::laws::search::model::asks;
use stoa_actors::atom::Metadata;
use stoa_actors::id::AtomId;
use stoa_actors::search::Which;
use stoa_actors::space::Wanted;
use stoa_actors::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) id: AtomId,
    /// The entry that put it.
    born: usize,
    metadata: Metadata,
    on: Vec<AtomId>,
    out_of_use: bool,
    erased: bool,
    pub(crate) taken: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// In the order of birth, and of ids within one entry.
    pub(crate) atoms: Vec<Atom>,
    entries: usize,
}

impl Model {
    pub(crate) fn pick(&self, n: u8) -> Option<&Atom> {
        self.atoms.get(usize::from(n) % self.atoms.len().max(1))
    }

    /// The answer, and whether anything has changed.
    pub(crate) fn take(&mut self, deed: &Deed, case: &Case) -> (String, bool) {
        let before = self.clone();
        self.entries += 1;
        let done = match deed {
            Deed::Put(all) => self.put(all),
            Deed::Update(n, metadata) => self.change(*n, |it| {
                let usable = !it.out_of_use;
                it.metadata.extend(metadata.clone());
                it.metadata.retain(|key, _| metadata.get(key) != Some(&Value::Null));
                usable
            }),
            Deed::Deprecate(n) => {
                self.change(*n, |it| !std::mem::replace(&mut it.out_of_use, true))
            }
            Deed::Erase(n) => self.change(*n, |it| {
                let there = !it.erased;
                it.metadata.clear();
                it.on.clear();
                (it.out_of_use, it.erased, it.taken) = (true, true, false);
                there
            }),
            Deed::Release(n) => self.change(*n, |it| std::mem::take(&mut it.taken)),
            Deed::Claim { wanted, set } => {
                let wanted = &case.wanted[usize::from(*wanted) % case.wanted.len()];
                let found = self.atoms.iter().position(|it| self.fits(it, wanted));
                let Some(found) = found else {
                    *self = before;
                    return (claimed_as(None), false);
                };
                let it = &mut self.atoms[found];
                it.taken = true;
                it.metadata.extend(set.clone());
                it.metadata.retain(|key, _| set.get(key) != Some(&Value::Null));
                return (claimed_as(Some(it.id)), true);
            }
        };
        match done {
            true => ("done".to_owned(), true),
            false => {
                *self = before;
                ("refused".to_owned(), false)
            }
        }
    }

    fn put(&mut self, all: &[super::schedule::Said]) -> bool {
        let (born, before) = (self.entries, self.clone());
        for said in all {
            let id = said.id();
            let on = said.on.iter().filter_map(|n| before.pick(*n)).map(|it| it.id).collect();
            if self.atoms.iter().any(|it| it.id == id) {
                return false;
            }
            self.atoms.push(Atom {
                id,
                born,
                metadata: said.metadata.clone(),
                on,
                out_of_use: false,
                erased: false,
                taken: false,
            });
        }
        self.atoms.sort_by_key(|it| (it.born, it.id));
        true
    }

    fn change(&mut self, n: u8, change: impl FnOnce(&mut Atom) -> bool) -> bool {
        let count = self.atoms.len().max(1);
        self.atoms.get_mut(usize::from(n) % count).is_some_and(change)
    }

    fn fits(&self, atom: &Atom, wanted: &Wanted) -> bool {
        let ends = |relation: &str| -> Vec<&Atom> {
            match relation.strip_prefix("<-") {
                None => self.atoms.iter().filter(|it| atom.on.contains(&it.id)).collect(),
                Some(_) => self.atoms.iter().filter(|it| it.on.contains(&atom.id)).collect(),
            }
        };
        let meets = wanted.references.iter().all(|(relation, condition)| {
            let mut ends = ends(relation).into_iter();
            let says = |it: &Atom| asks(&it.metadata, &condition.metadata);
            match condition.which {
                Which::All => ends.all(says),
                Which::Any => ends.any(says),
                Which::None => !ends.any(says),
            }
        });
        !atom.out_of_use && !atom.taken && asks(&atom.metadata, &wanted.metadata) && meets
    }
}
