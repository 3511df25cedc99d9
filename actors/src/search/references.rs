//! Conditions on the atoms at the other end of a reference.

use super::index::{Filed, Target};
use super::{Elsewhere, Query};
use crate::atom::{Atom, Metadata};
use crate::conditions::{Bits, Condition, End, Facets, Which, direction, says};
use crate::id::{AtomId, SpaceId};
use crate::mutant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The conditions of one query, and what it has learnt of other spaces so far.
pub(super) struct Conditions<'a> {
    filed: &'a Filed,
    space: SpaceId,
    elsewhere: &'a dyn Elsewhere,
    checks: Vec<Check<'a>>,
    seen: BTreeMap<AtomId, Option<Arc<Atom>>>,
}

struct Check<'a> {
    relation: &'a str,
    /// What the index calls it.
    number: Option<u32>,
    reverse: bool,
    which: Which,
    metadata: &'a Metadata,
    /// A bit for each slot of this space that matches; nothing when all do.
    here: Option<Bits>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(
        query: &'a Query,
        space: SpaceId,
        filed: &'a Filed,
        facets: &Facets,
        elsewhere: &'a dyn Elsewhere,
    ) -> Self {
        let check = |(relation, condition): (&'a String, &'a Condition)| {
            let (relation, reverse) = direction(relation);
            Check {
                relation,
                number: filed.relation(relation),
                reverse,
                which: condition.which,
                metadata: &condition.metadata,
                here: facets.allowed(&condition.metadata),
            }
        };
        let checks = query.references.iter().map(check).collect();
        Conditions { filed, space, elsewhere, checks, seen: BTreeMap::new() }
    }

    /// Whether all of them hold for a slot.
    pub(super) fn hold(&mut self, slot: u32) -> bool {
        let Conditions { filed, space, elsewhere, checks, seen } = self;
        let mut ends = Ends { filed, space: *space, elsewhere: *elsewhere, seen };
        checks.iter().all(|check| {
            if check.reverse {
                check.which.enough(ends.sources(slot, check).into_iter())
            } else {
                let targets = filed.targets(slot, check.number);
                check.which.enough(targets.map(|target| ends.target(&target, check)))
            }
        })
    }
}

struct Ends<'a, 'b> {
    filed: &'b Filed,
    space: SpaceId,
    elsewhere: &'a dyn Elsewhere,
    seen: &'b mut BTreeMap<AtomId, Option<Arc<Atom>>>,
}

impl Ends<'_, '_> {
    fn target(&mut self, target: &Target, check: &Check<'_>) -> End {
        match target {
            Target::Here(slot) => check.here(*slot),
            Target::Elsewhere(target) => match self.other(*target) {
                Some(atom) => End::Is(says(&atom.metadata, check.metadata)),
                None if mutant::planted("search.unreadable_target_holds") => End::Is(true),
                None => End::Hidden,
            },
        }
    }

    /// Those of other spaces come behind those of this one: they cost more.
    fn sources(&mut self, slot: u32, check: &Check<'_>) -> Vec<End> {
        let target = self.filed.id(slot);
        let here = self.filed.sources(target, check.relation);
        let mut matches: Vec<End> = here.iter().map(|source| check.here(*source)).collect();
        for source in self.elsewhere.sources(target, check.relation) {
            if self.filed.slot(source).is_some() {
                continue;
            }
            // One of this space that is not filed is newer than what is searched.
            let other = self.other(source).filter(|atom| atom.space != self.space);
            let refers = |atom: &Arc<Atom>| {
                let mut references = atom.references.iter();
                references.any(|it| it.target == target && it.relation == check.relation)
            };
            match other.filter(refers) {
                Some(atom) => matches.push(End::Is(says(&atom.metadata, check.metadata))),
                None if mutant::planted("search.forbidden_source_decides") => {
                    matches.push(End::Hidden);
                }
                None => {}
            }
        }
        matches
    }

    fn other(&mut self, id: AtomId) -> Option<Arc<Atom>> {
        self.seen.entry(id).or_insert_with(|| self.elsewhere.atom(id)).clone()
    }
}

impl Check<'_> {
    fn here(&self, slot: u32) -> End {
        End::Is(self.here.as_ref().is_none_or(|it| it.has(slot)))
    }
}
