//! What an atom must be like to be claimed: the structured half of a search, asked of one atom.

use crate::atom::{Atom, Metadata};
use crate::behaviour::View;
use crate::conditions::{
    Condition, ConditionRefusal, End, Which, check_all, count_all, direction, says,
};
use crate::id::{AtomId, SpaceId};
use std::collections::BTreeMap;

/// Everything that is said must hold; it means what it means in a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimPredicate {
    /// Keys that must have these values, or values that compare so.
    pub metadata: Metadata,
    /// By relation, or by `<-relation` for the atoms that refer to the one that is looked at.
    pub references: BTreeMap<String, Condition>,
}

/// Whose eyes an atom is looked at with.
#[derive(Clone, Copy)]
pub(super) enum Visibility<'a> {
    /// An asker's, who reads the atoms of these spaces.
    Asker(&'a dyn Fn(SpaceId) -> bool),
    /// This space's own: atoms of others change, come and go without its hearing of it, so what
    /// they decide is left open, and taken for given.
    Own(SpaceId),
}

impl ClaimPredicate {
    /// How many conditions there are.
    pub(super) fn len(&self) -> usize {
        count_all(&self.metadata, &self.references)
    }

    /// Refuses what nobody can have meant.
    pub(super) fn check(&self) -> Result<(), ConditionRefusal> {
        check_all(&self.metadata, &self.references)
    }

    pub(super) fn holds(&self, atom: &Atom, view: &dyn View, sight: Visibility<'_>) -> bool {
        let end = |id: AtomId, condition: &Condition| {
            let Some(atom) = view.atom(id) else { return End::Hidden };
            match sight {
                Visibility::Asker(reads) if !reads(atom.space) => End::Hidden,
                Visibility::Own(space) if atom.space != space => End::Open,
                _ => End::Is(says(&atom.metadata, &condition.metadata)),
            }
        };
        says(&atom.metadata, &self.metadata)
            && self.references.iter().all(|(relation, condition)| {
                let (relation, reverse) = direction(relation);
                if reverse {
                    if condition.which == Which::Any && matches!(sight, Visibility::Own(_)) {
                        return true;
                    }
                    let sources = view.sources(atom.id, Some(relation));
                    let ends = sources.into_iter().map(|(_, source)| end(source, condition));
                    condition.which.enough(ends.filter(|it| *it != End::Hidden))
                } else {
                    let targets = atom.references.iter().filter(|it| it.relation == relation);
                    condition.which.enough(targets.map(|it| end(it.target, condition)))
                }
            })
    }
}
