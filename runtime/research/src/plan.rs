//! What to write so that a space says of a file what the file says.

use std::collections::BTreeMap;
use stoa_actors::id::AtomId;

/// A passage as it stands in the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept<T> {
    pub(super) id: AtomId,
    pub(super) version: u64,
    /// Which passage of its file it is, from 0.
    pub(super) n: usize,
    pub(super) says: T,
}

/// What makes the one the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Passages that are not there, by number.
    pub(super) put: Vec<usize>,
    /// Atoms at a version, and the passage they are to be.
    pub(super) update: Vec<(AtomId, u64, usize)>,
    /// Atoms at a version that stand for nothing.
    pub(super) deprecate: Vec<(AtomId, u64)>,
}

/// Decides by number: of two atoms for one passage the older stays. What says the same is not
/// touched.
pub(super) fn plan<T: PartialEq>(there: &[Kept<T>], wanted: &[T]) -> Plan {
    let mut plan = Plan::default();
    let mut standing: BTreeMap<usize, &Kept<T>> = BTreeMap::new();
    for kept in there {
        let other = standing.get(&kept.n).copied();
        let (stays, goes) = match other {
            Some(other) if other.id < kept.id => (other, Some(kept)),
            Some(other) => (kept, Some(other)),
            None => (kept, None),
        };
        standing.insert(kept.n, stays);
        plan.deprecate.extend(goes.map(|it| (it.id, it.version)));
    }
    for (n, says) in wanted.iter().enumerate() {
        match standing.remove(&n) {
            None => plan.put.push(n),
            Some(kept) if kept.says == *says => {}
            Some(kept) => plan.update.push((kept.id, kept.version, n)),
        }
    }
    plan.deprecate.extend(standing.into_values().map(|it| (it.id, it.version)));
    plan.deprecate.sort_unstable();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The naive model: do what the plan says to a table of atoms, and look at the table.
        #[test]
        fn a_plan_makes_what_is_wanted_and_no_more(
            there in prop::collection::vec((0usize..6, 0u8..3, 1u64..4), 0..9),
            wanted in prop::collection::vec(0u8..3, 0..6),
        ) {
            let id = |n: usize| AtomId([n as u8; 16]);
            let there: Vec<Kept<u8>> = there.into_iter().enumerate()
                .map(|(at, (n, says, version))| Kept { id: id(at), version, n, says })
                .collect();
            let plan = plan(&there, &wanted);
            let mut table: BTreeMap<AtomId, (usize, u8)> =
                there.iter().map(|it| (it.id, (it.n, it.says))).collect();
            let version = |id: AtomId| there.iter().find(|it| it.id == id).map(|it| it.version);
            for (id, at) in &plan.deprecate {
                prop_assert_eq!(version(*id), Some(*at));
                prop_assert!(table.remove(id).is_some(), "deprecated twice");
            }
            for (id, at, n) in &plan.update {
                prop_assert_eq!(version(*id), Some(*at));
                let before = table.insert(*id, (*n, wanted[*n]));
                prop_assert!(before.is_some_and(|it| it.0 == *n && it.1 != wanted[*n]));
            }
            for n in &plan.put {
                table.insert(id(100 + n), (*n, wanted[*n]));
            }
            let mut made: Vec<(usize, u8)> = table.values().copied().collect();
            made.sort_unstable();
            let all: Vec<(usize, u8)> = wanted.iter().copied().enumerate().collect();
            prop_assert_eq!(made, all);
            // The oldest atom of a number stays what it is: its name is cited.
            for kept in &there {
                let older = there.iter().any(|it| it.n == kept.n && it.id < kept.id);
                prop_assert_eq!(table.contains_key(&kept.id), !older && kept.n < wanted.len());
            }
        }
    }
}
