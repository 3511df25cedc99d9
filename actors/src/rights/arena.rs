//! Rows in blocks, and the orders over them. A row is named by its [`RowId`], four bytes that stand
//! for an identity of sixteen wherever it is meant again; an order is a list of places, sorted by
//! what stands in the rows. So an index costs four to six bytes a row, where a tree of keys costs
//! a node's share of thirty to six hundred.

use std::cmp::Ordering;
use std::iter::{Chain, Copied, Flatten};
use std::num::NonZeroU32;
use std::slice;

/// Rows of one block: an arena grows without copying what it has.
const BLOCK_ROWS: usize = 1024;

/// Places of one run: within it they are moved to make room, two kilobytes at most.
const RUN_PLACES: usize = 512;

/// Where a row stands. It says nothing of what came first: a place that is free is taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowId(NonZeroU32);

impl RowId {
    fn at(index: usize) -> RowId {
        let place = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        match place {
            Some(place) => RowId(place),
            None => panic!("an arena has at most {} rows", u32::MAX),
        }
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What lies in an arena.
pub(super) trait Row {
    /// What it is found by: no two rows have the same.
    type Key: ?Sized;
    /// How it stands to a key.
    fn against(&self, key: &Self::Key) -> Ordering;
}

/// Rows, found by their keys.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    blocks: Vec<Vec<Option<T>>>,
    free: Vec<RowId>,
    order: SortedIds,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { blocks: Vec::new(), free: Vec::new(), order: SortedIds::default() }
    }
}

impl<T: Row> Arena<T> {
    pub(super) fn find(&self, key: &T::Key) -> Option<RowId> {
        let place = self.order.first_not(|it| self.get(it).against(key).is_lt())?;
        self.get(place).against(key).is_eq().then_some(place)
    }

    pub(super) fn has(&self, key: &T::Key) -> bool {
        self.find(key).is_some()
    }

    /// Puts in a row whose key is not there yet.
    pub(super) fn put(&mut self, key: &T::Key, row: T) -> RowId {
        let place = match self.free.pop() {
            Some(place) => {
                self.blocks[place.index() / BLOCK_ROWS][place.index() % BLOCK_ROWS] = Some(row);
                place
            }
            None => self.push(row),
        };
        let blocks = &self.blocks;
        self.order.insert(place, |it| row_of(blocks, it).against(key).is_lt());
        place
    }

    fn push(&mut self, row: T) -> RowId {
        if self.blocks.last().is_none_or(|it| it.len() == BLOCK_ROWS) {
            self.blocks.push(Vec::new());
        }
        let before = (self.blocks.len() - 1) * BLOCK_ROWS;
        let index = before + self.blocks.last().map_or(0, Vec::len);
        if let Some(block) = self.blocks.last_mut() {
            block.push(Some(row));
        }
        RowId::at(index)
    }

    /// Takes a row out; its place is free.
    pub(super) fn take(&mut self, key: &T::Key) -> Option<T> {
        let place = self.find(key)?;
        let blocks = &self.blocks;
        self.order.remove(place, |it| row_of(blocks, it).against(key).is_lt());
        self.free.push(place);
        self.blocks[place.index() / BLOCK_ROWS][place.index() % BLOCK_ROWS].take()
    }

    pub(super) fn get(&self, place: RowId) -> &T {
        row_of(&self.blocks, place)
    }

    pub(super) fn get_mut(&mut self, place: RowId) -> &mut T {
        match &mut self.blocks[place.index() / BLOCK_ROWS][place.index() % BLOCK_ROWS] {
            Some(row) => row,
            None => panic!("nothing stands at {place:?}"),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// All rows from the first that is not before a key, ordered by key.
    pub(super) fn from(&self, key: &T::Key) -> impl Iterator<Item = (RowId, &T)> + use<'_, T> {
        let places = self.order.from(|it| self.get(it).against(key).is_lt());
        places.map(|place| (place, self.get(place)))
    }

    /// All rows, as they stand: of an arena that none was taken from, as they came.
    pub(super) fn in_place(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flatten().flatten()
    }

    /// All rows, ordered by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowId, &T)> {
        self.order.from(|_| false).map(|place| (place, self.get(place)))
    }
}

fn row_of<T>(blocks: &[Vec<Option<T>>], place: RowId) -> &T {
    match &blocks[place.index() / BLOCK_ROWS][place.index() % BLOCK_ROWS] {
        Some(row) => row,
        None => panic!("nothing stands at {place:?}"),
    }
}

/// Places, sorted by something that whoever asks tells: `is_before` says of a place whether it
/// stands before what is meant. It must hold of some first places and of none behind them.
#[derive(Clone, Debug, Default)]
pub(super) struct SortedIds {
    /// None of them is empty.
    runs: Vec<Vec<RowId>>,
}

impl SortedIds {
    /// The run, and the place in it, of the first that `is_before` does not hold of.
    fn seek(&self, is_before: impl Fn(RowId) -> bool) -> (usize, usize) {
        // What is new is mostly the last: ids begin with the time.
        let last = self.runs.last().and_then(|run| run.last());
        if last.is_none_or(|it| is_before(*it)) {
            return (self.runs.len(), 0);
        }
        // The root, who is asked for most, has the least of all ids.
        let first = self.runs.first().and_then(|run| run.first());
        if first.is_some_and(|it| !is_before(*it)) {
            return (0, 0);
        }
        let run = self.runs.partition_point(|run| run.last().is_some_and(|it| is_before(*it)));
        (run, self.runs[run].partition_point(|it| is_before(*it)))
    }

    fn first_not(&self, is_before: impl Fn(RowId) -> bool) -> Option<RowId> {
        let (run, at) = self.seek(is_before);
        self.runs.get(run).map(|run| run[at])
    }

    pub(super) fn insert(&mut self, place: RowId, is_before: impl Fn(RowId) -> bool) {
        let (run, at) = self.seek(is_before);
        if run == self.runs.len() {
            match self.runs.last_mut() {
                Some(last) if last.len() < RUN_PLACES => last.push(place),
                _ => self.runs.push(vec![place]),
            }
            return;
        }
        if self.runs[run].len() < RUN_PLACES {
            self.runs[run].insert(at, place);
            return;
        }
        let half = RUN_PLACES / 2;
        let behind = self.runs[run].split_off(half);
        self.runs[run].shrink_to_fit();
        self.runs.insert(run + 1, behind);
        if at <= half {
            self.runs[run].insert(at, place);
        } else {
            self.runs[run + 1].insert(at - half, place);
        }
    }

    /// # Panics
    /// Panics if it is not there: an index and its rows have come apart.
    pub(super) fn remove(&mut self, place: RowId, is_before: impl Fn(RowId) -> bool) {
        let (run, at) = self.seek(is_before);
        let there = self.runs.get(run).and_then(|run| run.get(at));
        assert!(there == Some(&place), "{place:?} is not where its row says");
        self.runs[run].remove(at);
        if self.runs[run].is_empty() {
            self.runs.remove(run);
        }
    }

    fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// All places from the first that `is_before` does not hold of.
    pub(super) fn from(&self, is_before: impl Fn(RowId) -> bool) -> Places<'_> {
        let (run, at) = self.seek(is_before);
        let first = self.runs.get(run).map_or(&[][..], |it| &it[at..]);
        let rest = self.runs.get(run + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flatten()).copied()
    }
}

/// The rest of a run, and the runs behind it.
type Places<'a> = Copied<Chain<slice::Iter<'a, RowId>, Flatten<slice::Iter<'a, Vec<RowId>>>>>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, PartialEq)]
    struct Pair(u32, u64);

    impl Row for Pair {
        type Key = u32;
        fn against(&self, key: &u32) -> Ordering {
            self.0.cmp(key)
        }
    }

    fn same(arena: &Arena<Pair>, map: &BTreeMap<u32, u64>) {
        assert!(arena.iter().map(|(_, it)| (it.0, it.1)).eq(map.iter().map(|(k, v)| (*k, *v))));
        assert_eq!(arena.len(), map.len());
        assert!(arena.order.runs.iter().all(|run| (1..=RUN_PLACES).contains(&run.len())));
    }

    #[test]
    fn what_is_put_in_order_fills_its_runs() {
        let mut arena = Arena::default();
        for key in 0..10_000 {
            arena.put(&key, Pair(key, 0));
        }
        let runs: Vec<usize> = arena.order.runs.iter().map(Vec::len).collect();
        assert_eq!(runs.len(), 10_000_usize.div_ceil(RUN_PLACES));
        assert!(runs[..runs.len() - 1].iter().all(|len| *len == RUN_PLACES));
    }

    proptest! {
        /// Like a map, whatever the order of things: ascending, descending, anyhow, and taken out.
        #[test]
        fn a_shelf_is_a_map(
            parts in prop::collection::vec((0u32..4, 0u32..3_000, 1u32..900), 1..20),
        ) {
            let (mut arena, mut map) = (Arena::<Pair>::default(), BTreeMap::new());
            for (how, first, count) in parts {
                for n in 0..count {
                    let key = match how {
                        0 => first + n,
                        1 => first + count - n,
                        _ => (first + n).wrapping_mul(2_654_435_761) % 4_000,
                    };
                    if how == 3 {
                        prop_assert_eq!(arena.take(&key).map(|it| it.1), map.remove(&key));
                    } else if !arena.has(&key) {
                        let place = arena.put(&key, Pair(key, u64::from(n)));
                        prop_assert_eq!(arena.get(place), &Pair(key, u64::from(n)));
                        prop_assert!(map.insert(key, u64::from(n)).is_none());
                    } else if let Some(place) = arena.find(&key) {
                        arena.get_mut(place).1 += 1;
                        *map.entry(key).or_default() += 1;
                    }
                }
                same(&arena, &map);
                let behind = map.range(first..).map(|it| *it.0);
                prop_assert!(arena.from(&first).map(|it| it.1.0).eq(behind));
            }
        }
    }
}
