//! A segment: a graph of hora over vectors that stay what they are.
//!
//! hora is used in the one way that is right: built by one thread, over unit vectors and their
//! Euclidean distance, each vector once (equal ones would cut others off), nothing loaded or
//! stored, and whatever panics inside of it is caught. A segment that has failed once says so ever
//! after, and its vectors are scanned.

#[cfg(test)]
mod tests;
mod unit;

use hora::core::ann_index::ANNIndex;
use hora::core::metrics::Metric;
use hora::index::hnsw_idx::HNSWIndex;
use hora::index::hnsw_params::HNSWParams;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use stoa_actors::search::{Frozen, Nearest};
use unit::{Unit, elements, row};

/// Links of a vector, and how many others are looked at when it is put in: with these a search of
/// 100,000 for 64 finds .98 to 1 of the nearest ten.
const LINKS: usize = 16;
const LOOKED_AT: usize = 128;

/// What a vector of 256 dimensions takes in a segment, measured over 100,000.
pub(super) const SEALED_BYTES: usize = 900;

/// Vectors of a segment that is done which are looked for again, and how many per hundred of them
/// must be found.
const PROBES: usize = 100;
const FOUND_PERCENT_MIN: usize = 95;

/// Why there is no segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Inside of hora.
    #[error("hora panicked")]
    Panic,
    /// It said no.
    #[error("hora: {0}")]
    Refused(&'static str),
    /// It does not find what is in it.
    #[error("it finds {found} of {PROBES} of its own vectors")]
    Lossy {
        /// How many.
        found: usize,
    },
}

/// hora, with whatever it does wrong turned into an error.
struct Graph(HNSWIndex<Unit, u32>);

impl Graph {
    fn new(width: usize, vectors_max: usize) -> Graph {
        let params = HNSWParams::default()
            .max_item(vectors_max)
            .n_neighbor(LINKS)
            .n_neighbor0(2 * LINKS)
            .ef_build(LOOKED_AT)
            .ef_search(1);
        Graph(HNSWIndex::new(elements(width), &params))
    }

    fn add(&mut self, row: &[Unit], number: u32) -> Result<(), Failure> {
        caught(|| self.0.add(row, number))
    }

    /// Links what was added since.
    fn link(&mut self) -> Result<(), Failure> {
        caught(|| self.0.build(Metric::Euclidean))
    }

    fn search(&self, row: &[Unit], count: usize) -> Result<Vec<u32>, Failure> {
        caught(|| Ok(self.0.search(row, count)))
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, &'static str>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(Failure::Refused),
        Err(_) => Err(Failure::Panic),
    }
}

/// A segment that is being made, a little at a time.
pub(super) struct Builder<'a> {
    frozen: &'a Frozen,
    graph: Graph,
    groups: Groups,
    /// Groups that are in the graph.
    done: usize,
}

/// Equal vectors, as one: its number stands for all of them.
struct Groups {
    /// The rows of the copy, those of one group side by side.
    rows: Vec<u32>,
    /// Where each group begins among them, and the end.
    starts: Vec<u32>,
}

impl Groups {
    fn of(vectors: &[&[i8]]) -> Groups {
        let mut rows: Vec<u32> = (0..vectors.len() as u32).collect();
        let vector = |row: &u32| vectors[*row as usize];
        rows.sort_unstable_by(|one, other| vector(one).cmp(vector(other)).then(one.cmp(other)));
        let mut groups: Vec<&[u32]> =
            rows.chunk_by(|one, other| vector(one) == vector(other)).collect();
        // In the order of the copy: neighbours in an order of bytes would make a poor graph.
        groups.sort_unstable_by_key(|group| group[0]);
        let starts = groups.iter().scan(0, |end, group| {
            *end += group.len() as u32;
            Some(*end)
        });
        let starts = std::iter::once(0).chain(starts).collect();
        Groups { rows: groups.concat(), starts }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn rows(&self, group: usize) -> &[u32] {
        &self.rows[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(frozen: &'a Frozen) -> Builder<'a> {
        let vectors: Vec<&[i8]> = frozen.rows().map(|(_, vector)| vector).collect();
        let groups = Groups::of(&vectors);
        let graph = Graph::new(frozen.width(), groups.len());
        Builder { frozen, graph, groups, done: 0 }
    }

    /// How many vectors are in it, equal ones once, and of how many.
    pub(super) fn so_far(&self) -> (usize, usize) {
        (self.done, self.groups.len())
    }

    /// Takes some more vectors in; false once there are none.
    pub(super) fn step(&mut self, count: usize) -> Result<bool, Failure> {
        let end = self.groups.len().min(self.done + count);
        for group in self.done..end {
            let vector = self.frozen.row(self.groups.rows(group)[0] as usize);
            let row = row(vector).ok_or(Failure::Refused("a vector without length"))?;
            self.graph.add(&row, group as u32)?;
        }
        self.graph.link()?;
        self.done = end;
        Ok(end < self.groups.len())
    }

    /// The segment, if it finds what is in it.
    pub(super) fn finish(self) -> Result<Segment, Failure> {
        let Builder { frozen, graph, groups, .. } = self;
        let probes = PROBES.min(groups.len());
        let mut found = 0;
        for probe in 0..probes {
            let group = probe * groups.len() / probes;
            let row = row(frozen.row(groups.rows(group)[0] as usize)).unwrap_or_default();
            found += usize::from(graph.search(&row, LINKS)?.contains(&(group as u32)));
        }
        if found * 100 < probes * FOUND_PERCENT_MIN {
            return Err(Failure::Lossy { found: found * PROBES / probes.max(1) });
        }
        let slots = groups.rows.iter().map(|row| frozen.slot(*row as usize)).collect();
        let groups = Groups { rows: slots, ..groups };
        Ok(Segment { graph, groups, width: frozen.width(), failed: AtomicBool::new(false) })
    }
}

/// A segment that is done.
pub(super) struct Segment {
    graph: Graph,
    /// Of slots.
    groups: Groups,
    width: usize,
    failed: AtomicBool,
}

impl Segment {
    fn search(&self, row: &[Unit], count: usize) -> Option<Vec<u32>> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        match self.graph.search(row, count) {
            Ok(found) => Some(found),
            Err(error) => {
                self.failed.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "a segment failed; its vectors are scanned from now on");
                None
            }
        }
    }
}

impl Nearest for Segment {
    fn nearest(&self, vector: &[i8], count: usize) -> Option<Vec<u32>> {
        let row = row(vector).filter(|_| vector.len() == self.width)?;
        let found = self.search(&row, count)?;
        if found.len() < count.min(self.groups.len()) {
            // Part of the graph cannot be reached from here.
            return None;
        }
        Some(found.iter().flat_map(|group| self.groups.rows(*group as usize)).copied().collect())
    }
}
