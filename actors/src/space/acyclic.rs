//! Relations that lead in no circle: a reference that closes one is refused at the write.
//!
//! Only this space's own atoms are followed. Those of others change without its hearing of it, so a
//! circle through another space is not seen, and does not count. Neither does one that was there
//! before the relation was declared: what is looked at is what a write adds.

use super::{Refusal, Space};
use crate::atom::{Atom, Reference};
use crate::behaviour::{Delivery, View};
use crate::id::AtomId;
use crate::mutant::planted;
use std::collections::BTreeSet;

impl Space {
    /// Refuses references of an atom, which it did not have before, that lead back to it.
    pub(super) fn leads_nowhere_back(
        &self,
        atom: &Atom,
        before: &[Reference],
        delivery: &Delivery<'_>,
    ) -> Result<(), Refusal> {
        let added = atom.references.iter().filter(|it| !before.contains(it));
        let acyclic = added.filter(|it| {
            self.declares.relations.get(&it.relation).is_some_and(|declared| declared.acyclic)
        });
        let mut looked: Vec<(&str, BTreeSet<AtomId>)> = Vec::new();
        for Reference { relation, target } in acyclic {
            let known = looked.iter().position(|(it, _)| it == relation).unwrap_or(looked.len());
            if known == looked.len() {
                looked.push((relation, BTreeSet::new()));
            }
            let walk = Walk { space: self, from: atom.id, relation, view: delivery.view };
            let max = delivery.limits.acyclic_atoms_max;
            let (id, relation, target) = (atom.id, relation.clone(), *target);
            match walk.leads_back(target, &mut looked[known].1, max) {
                Some(false) => {}
                Some(true) => return Err(Refusal::Circle { id, relation, target }),
                None => return Err(Refusal::Far { id, relation, target, max }),
            }
        }
        Ok(())
    }
}

struct Walk<'a> {
    space: &'a Space,
    from: AtomId,
    relation: &'a str,
    view: &'a dyn View,
}

impl Walk<'_> {
    /// Whether a way leads from here back to where it began; nothing where there is too much to look
    /// at. What was looked at before leads nowhere back.
    fn leads_back(
        &self,
        target: AtomId,
        looked: &mut BTreeSet<AtomId>,
        max: usize,
    ) -> Option<bool> {
        let mut left = vec![target];
        while let Some(id) = left.pop() {
            if id == self.from {
                return Some(true);
            }
            if !looked.insert(id) {
                continue;
            }
            if looked.len() > max {
                return None;
            }
            let here =
                |it: &Atom| it.space == self.space.id || planted("acyclic.follows_other_spaces");
            let Some(atom) = self.view.atom(id).filter(|it| here(it)) else { continue };
            if planted("acyclic.looks_one_step_ahead") && id != target {
                continue;
            }
            let further = atom.references.iter().filter(|it| it.relation == self.relation);
            left.extend(further.map(|it| it.target));
        }
        Some(false)
    }
}
