//! A space as a list; every claim looks at all of it.

use super::claimed_as;
use super::schedule::{Case, Deed};
use crate::laws::search::model::{asks, in_order, lookup};
use stoa_actors::atom::Metadata;
use stoa_actors::id::AtomId;
use stoa_actors::search::Which;
use stoa_actors::space::ClaimPredicate;
use stoa_actors::value::Value;

/// A declaration's name: no name here has a colon.
fn name(declaration: &str) -> String {
    declaration.split(':').next().unwrap_or_default().to_owned()
}

fn keys(wanted: &Metadata, to: &mut Vec<String>) {
    for (key, value) in wanted {
        match value {
            Value::List(any) if key == "any" => any.iter().for_each(|it| {
                if let Value::Map(it) = it {
                    keys(it, to);
                }
            }),
            // A comparison of no kind asks for nothing.
            _ => to.push(key.clone()),
        }
    }
}

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
    declared: Vec<String>,
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
            Deed::Reinstate(n) => {
                self.change(*n, |it| !it.erased && std::mem::replace(&mut it.out_of_use, false))
            }
            Deed::Erase(n) => self.change(*n, |it| {
                let there = !it.erased;
                it.metadata.clear();
                it.on.clear();
                (it.out_of_use, it.erased, it.taken) = (true, true, false);
                there
            }),
            Deed::Release(n) => self.change(*n, |it| std::mem::take(&mut it.taken)),
            Deed::Declare(all) => {
                self.declared = all.iter().map(|it| name(&it.to_string())).collect();
                true
            }
            Deed::Claim { wanted, order, .. }
                if !self.permits(&case.wanted[usize::from(*wanted) % case.wanted.len()])
                    || !case.order(*order).iter().all(|it| self.has_order(&it.key)) =>
            {
                *self = before;
                return ("refused".to_owned(), false);
            }
            Deed::Claim { wanted, order, set } => {
                let wanted = &case.wanted[usize::from(*wanted) % case.wanted.len()];
                let fitting = self.atoms.iter().filter(|it| self.fits(it, wanted)).collect();
                let first = in_order(fitting, case.order(*order), |it: &&Atom| &it.metadata)
                    .into_iter()
                    .next();
                let first = first.map(|it| it.id);
                let found = first.and_then(|id| self.atoms.iter().position(|it| it.id == id));
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

    fn has_order(&self, key: &str) -> bool {
        let declared = self.declared.iter().any(|it| it == key);
        key == "created" || declared && ["n", "status"].contains(&key)
    }

    /// Whether every name in a condition is declared or used, where anything is declared.
    fn permits(&self, wanted: &ClaimPredicate) -> bool {
        let mut names = Vec::new();
        keys(&wanted.metadata, &mut names);
        wanted.references.values().for_each(|it| keys(&it.metadata, &mut names));
        let key = |path: &String| {
            let first = path.split('.').next().unwrap_or_default();
            self.declared.iter().any(|it| it == first)
                || self.atoms.iter().any(|it| lookup(&it.metadata, path).is_some())
        };
        let relation = |_: &String| {
            self.declared.iter().any(|it| it == "blocked_by")
                || self.atoms.iter().any(|it| !it.on.is_empty())
        };
        self.declared.is_empty() || names.iter().all(key) && wanted.references.keys().all(relation)
    }

    fn fits(&self, atom: &Atom, wanted: &ClaimPredicate) -> bool {
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
