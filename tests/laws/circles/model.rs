//! Atoms as a list of who refers to whom; whether there is a way is found by looking at all of it
//! again and again.

use super::schedule::{Link, Op, Refer};
use super::space;
use std::collections::BTreeSet;
use stoa_actors::id::AtomId;
use stoa_actors::search::{Condition, Which};
use stoa_actors::space::Blocked;

#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) id: AtomId,
    pub(crate) version: u64,
    space: usize,
    /// Nothing once it is erased.
    status: Option<u8>,
    deprecated: bool,
    /// By the number of their relation.
    links: BTreeSet<(usize, usize)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) atoms: Vec<Atom>,
    acyclic: bool,
}

impl Model {
    pub(crate) fn next_id(&self) -> AtomId {
        AtomId([self.atoms.len() as u8 + 1; 16])
    }

    pub(crate) fn pick(&self, n: u8) -> Option<usize> {
        let count = self.atoms.len();
        (count > 0).then(|| usize::from(n) % count)
    }

    pub(crate) fn pick_here(&self, n: u8) -> Option<usize> {
        let here: Vec<usize> =
            (0..self.atoms.len()).filter(|it| self.atoms[*it].space == 0).collect();
        (!here.is_empty()).then(|| here[usize::from(n) % here.len()])
    }

    /// Each once.
    pub(crate) fn links(&self, links: &[Link]) -> BTreeSet<(usize, usize)> {
        links.iter().filter_map(|it| Some((it.relation, self.pick(it.target)?))).collect()
    }

    pub(crate) fn home(&self, op: &Op) -> usize {
        let of = |n: u8| self.pick(n).map_or(0, |n| self.atoms[n].space);
        match op {
            Op::Put { space, .. } => *space,
            Op::Refer(Refer { atom, .. }) | Op::Import { atom, .. } => of(*atom),
            Op::Deprecate(n) | Op::Erase(n) => of(*n),
            Op::Several(..) | Op::Declare { .. } => 0,
        }
    }

    pub(crate) fn take(&mut self, op: &Op) -> &'static str {
        let before = self.clone();
        match self.change(op) {
            Ok(()) => "done",
            Err(no) => {
                *self = before;
                no
            }
        }
    }

    fn change(&mut self, op: &Op) -> Result<(), &'static str> {
        match op {
            Op::Put { space, status, links } => {
                let (id, links) = (self.next_id(), self.links(links));
                let (space, status) = (*space, Some(*status));
                self.atoms.push(Atom { id, version: 1, space, status, deprecated: false, links });
                Ok(())
            }
            Op::Refer(it) => self.refer(self.pick(it.atom), it),
            Op::Several(one, other) => {
                self.refer(self.pick_here(one.atom), one)?;
                self.refer(self.pick_here(other.atom), other)
            }
            Op::Import { atom, status, links } => {
                let n = self.pick(*atom).ok_or("refused")?;
                if self.atoms[n].status.is_none() {
                    return Ok(());
                }
                self.usable(n)?;
                let links = self.links(links);
                self.atoms[n].status = Some(*status);
                self.set(n, links)
            }
            Op::Deprecate(n) => {
                let n = self.pick(*n).ok_or("refused")?;
                self.usable(n)?;
                self.atoms[n].deprecated = true;
                self.atoms[n].version += 1;
                Ok(())
            }
            Op::Erase(n) => {
                let n = self.pick(*n).ok_or("refused")?;
                let atom = &mut self.atoms[n];
                if atom.status.take().is_none() {
                    return Err("refused");
                }
                atom.links.clear();
                (atom.deprecated, atom.version) = (true, atom.version + 1);
                Ok(())
            }
            Op::Declare { acyclic } => {
                self.acyclic = *acyclic;
                Ok(())
            }
        }
    }

    fn usable(&self, n: usize) -> Result<(), &'static str> {
        if self.atoms[n].deprecated { Err("refused") } else { Ok(()) }
    }

    fn refer(&mut self, n: Option<usize>, it: &Refer) -> Result<(), &'static str> {
        let n = n.ok_or("refused")?;
        self.usable(n)?;
        let mut links = self.atoms[n].links.clone();
        links.retain(|(relation, _)| *relation != it.relation);
        links.extend(it.targets.iter().filter_map(|to| Some((it.relation, self.pick(*to)?))));
        self.set(n, links)
    }

    fn set(&mut self, n: usize, links: BTreeSet<(usize, usize)>) -> Result<(), &'static str> {
        let before = std::mem::replace(&mut self.atoms[n].links, links.clone());
        self.atoms[n].version += 1;
        let watched = self.acyclic && self.atoms[n].space == 0;
        let added = links.difference(&before).filter(|(relation, _)| *relation == 0);
        for (_, target) in added {
            if watched && self.behind(*target).contains(&n) {
                return Err("circle");
            }
        }
        Ok(())
    }

    /// An atom, and all that it leads to within the first space.
    fn behind(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([from]);
        loop {
            let here = reached.iter().filter(|it| self.atoms[**it].space == 0);
            let next = here.flat_map(|it| &self.atoms[*it].links);
            let next: BTreeSet<usize> = next.filter(|it| it.0 == 0).map(|it| it.1).collect();
            let count = reached.len();
            reached.extend(next);
            if reached.len() == count {
                return reached;
            }
        }
    }

    pub(crate) fn waits(
        &self,
        n: usize,
        relation: &str,
        condition: &Condition,
    ) -> BTreeSet<(Option<AtomId>, Blocked)> {
        let reads = |it: &usize| space(self.atoms[*it].space) != space(2);
        let ends: Vec<usize> = match relation.starts_with("<-") {
            false => self.atoms[n].links.iter().filter(|it| it.0 == 0).map(|it| it.1).collect(),
            true => (0..self.atoms.len())
                .filter(|it| self.atoms[*it].links.contains(&(0, n)) && reads(it))
                .collect(),
        };
        let plain = condition.metadata.is_empty();
        let fits = |it: &usize| reads(it) && (plain || self.atoms[*it].status == Some(1));
        let gone = |it: &usize| match &self.atoms[*it] {
            _ if !reads(it) => Some(Blocked::Hidden),
            Atom { status: None, .. } => Some(Blocked::Erased),
            Atom { deprecated: true, .. } => Some(Blocked::Deprecated(None)),
            _ => None,
        };
        let told = |it: &usize| (Some(self.atoms[*it].id), gone(it).unwrap_or(Blocked::Unfit));
        match condition.which {
            Which::All if plain => ends.iter().filter(|it| gone(it).is_some()).map(told).collect(),
            Which::All => ends.iter().filter(|it| !fits(it)).map(told).collect(),
            Which::Any if ends.iter().any(fits) => BTreeSet::new(),
            Which::Any if ends.is_empty() => [(None, Blocked::Missing)].into(),
            Which::Any => ends.iter().map(told).collect(),
            Which::None => {
                let fitting = ends.iter().filter(|it| fits(it));
                fitting.map(|it| (Some(self.atoms[*it].id), Blocked::Unwanted)).collect()
            }
        }
    }
}
