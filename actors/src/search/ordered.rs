//! A search in an order by what atoms say.

use super::index::Index;
use crate::conditions::Bits;
use crate::conditions::{CREATED, Direction, ORDER_KEYS_MAX, OrderBy};
use crate::mutant::planted;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a slot is worth under each key; the lesser one comes first.
type Worths = [u32; ORDER_KEYS_MAX];

/// What it is worth under a key that it lacks.
const LACKS: u32 = u32::MAX;

impl Index {
    /// The slots that are visible in an order, behind one of them. What follows the first of them is
    /// put in order only as far as it is asked for.
    pub(super) fn by_keys(
        &self,
        keys: &[OrderBy],
        visible: &Bits,
        behind: Option<u32>,
    ) -> impl Iterator<Item = u32> + use<> {
        let mut worths: Vec<Worths> = vec![[LACKS; ORDER_KEYS_MAX]; self.len()];
        for (n, key) in keys.iter().take(ORDER_KEYS_MAX).enumerate() {
            self.fill(n, key, &mut worths);
            if key.key == CREATED {
                break;
            }
        }
        let place = |slot: u32| (worths[slot as usize], slot);
        let behind = behind.filter(|_| !planted("search.page_begins_anew")).map(place);
        let left = visible.iter().map(place).filter(|it| behind.is_none_or(|behind| *it > behind));
        let mut left: BinaryHeap<Reverse<(Worths, u32)>> = left.map(Reverse).collect();
        std::iter::from_fn(move || left.pop()).map(|Reverse((_, slot))| slot)
    }

    fn fill(&self, n: usize, key: &OrderBy, worths: &mut [Worths]) {
        let down = key.direction == Direction::Descending && !planted("order.goes_up_only");
        let directed = |worth: u32| if down { LACKS - 1 - worth } else { worth };
        if key.key == CREATED {
            for (slot, worth) in worths.iter_mut().enumerate() {
                worth[n] = directed(slot as u32);
            }
            return;
        }
        let (mut last, mut worth) = (None, 0);
        for (form, slots) in self.facets.in_order(&key.key, key.kind) {
            let form = form.clone().without_hash();
            if last.as_ref().is_some_and(|it| *it != form) {
                worth += 1;
            }
            last = Some(form);
            for slot in slots {
                worths[*slot as usize][n] = directed(worth);
            }
        }
    }
}
