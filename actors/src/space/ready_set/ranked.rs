//! A ready set in an order by what its atoms say.

use crate::atom::Atom;
use crate::conditions::{OrderBy, Rank};
use crate::id::AtomId;
use crate::mutant::planted;
use std::collections::BTreeSet;

/// The first one is the next to be claimed.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    order: Vec<OrderBy>,
    ranks: BTreeSet<Rank>,
    bytes: usize,
}

impl Ranked {
    /// An empty one; nothing for the order of birth, which needs none.
    pub(super) fn by(order: &[OrderBy]) -> Option<Ranked> {
        let order = order.to_vec();
        (!order.is_empty()).then(|| Ranked { order, ranks: BTreeSet::new(), bytes: 0 })
    }

    pub(super) fn order(&self) -> &[OrderBy] {
        &self.order
    }

    pub(super) fn put(&mut self, atom: &Atom) {
        let rank = Rank::of(atom, &self.order);
        let bytes = rank.bytes();
        if self.ranks.insert(rank) {
            self.bytes += bytes;
        }
    }

    /// Takes an atom out that was put as it was then.
    pub(super) fn take_out(&mut self, atom: &Atom) {
        let rank = Rank::of(atom, &self.order);
        if !planted("order.what_moved_stays") && self.ranks.remove(&rank) {
            self.bytes -= rank.bytes();
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = AtomId> {
        self.ranks.iter().map(Rank::id)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
