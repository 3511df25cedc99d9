//! Graphs over the vectors of large spaces, in segments: a segment is a graph of hora over vectors that stay what they are.
//!
//! hora is used in the one way that is right: built by one thread, over unit vectors and their
//! Euclidean distance, each vector once (equal ones would cut others off), nothing loaded or
//! stored, and whatever panics inside of it is caught. A segment that has failed once says so ever
//! after, and its vectors are scanned.

pub mod limits;
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

/// Links of a vector, and how many others are looked at when it is put in.
const LINKS: usize = 16;
const LOOKED_AT: usize = 128;

/// What a vector of 256 dimensions takes in a segment, measured over 100,000.
pub const SEALED_BYTES: usize = 900;

/// How many are looked at in a search: as few as the vectors of a segment need for their recall.
/// Past the last a scan of 100,000 takes no longer.
const EFFORTS: [usize; 4] = [64, 128, 256, 512];

/// Questions that a segment is tried with, and how many per hundred of their ten nearest it must
/// find.
const TRIALS: usize = 40;
const RECALL_PERCENT_MIN: usize = 95;

/// Why there is no segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum SegmentError {
    /// Inside of hora.
    #[error("hora panicked")]
    Panic,
    /// It said no.
    #[error("hora: {0}")]
    Refused(&'static str),
    /// It does not find what is in it: its vectors have little in common.
    #[error("{percent} % of what is nearest is found, and that is too little")]
    Lossy { percent: usize },
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

    fn add(&mut self, row: &[Unit], number: u32) -> Result<(), SegmentError> {
        caught(|| self.0.add(row, number))
    }

    /// Links what was added since.
    fn link(&mut self) -> Result<(), SegmentError> {
        caught(|| self.0.build(Metric::Euclidean))
    }

    fn search(&self, row: &[Unit], count: usize) -> Result<Vec<u32>, SegmentError> {
        caught(|| Ok(self.0.search(row, count)))
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, &'static str>) -> Result<T, SegmentError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(SegmentError::Refused),
        Err(_) => Err(SegmentError::Panic),
    }
}

/// A segment that is being made, a little at a time.
pub struct Builder<'a> {
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
    /// Begins one over vectors that stay what they are.
    pub fn new(frozen: &'a Frozen) -> Builder<'a> {
        let vectors: Vec<&[i8]> = frozen.rows().map(|(_, vector)| vector).collect();
        let groups = Groups::of(&vectors);
        let graph = Graph::new(frozen.width(), groups.len());
        Builder { frozen, graph, groups, done: 0 }
    }

    /// How many vectors are in it, equal ones once, and of how many.
    pub fn so_far(&self) -> (usize, usize) {
        (self.done, self.groups.len())
    }

    /// Takes some more vectors in; false once there are none.
    pub fn step(&mut self, count: usize) -> Result<bool, SegmentError> {
        let end = self.groups.len().min(self.done + count);
        for group in self.done..end {
            let vector = self.frozen.row(self.groups.rows(group)[0] as usize);
            let row = row(vector).ok_or(SegmentError::Refused("a vector without length"))?;
            self.graph.add(&row, group as u32)?;
        }
        self.graph.link()?;
        self.done = end;
        Ok(end < self.groups.len())
    }

    /// The segment, if it finds what is in it: with as little effort as that takes.
    pub fn finish(self) -> Result<Segment, SegmentError> {
        let Builder { frozen, graph, groups, .. } = self;
        let trials: Vec<Trial> =
            (0..TRIALS).filter_map(|n| Trial::new(frozen, &groups, n)).collect();
        let expected: usize = trials.iter().map(|it| it.nearest.len()).sum();
        let mut percent = 0;
        for effort in EFFORTS {
            let mut found = 0;
            for trial in &trials {
                let near = graph.search(&trial.row, effort)?;
                found += trial.nearest.iter().filter(|it| near.contains(it)).count();
            }
            percent = (found * 100).checked_div(expected).unwrap_or(100);
            if percent >= RECALL_PERCENT_MIN {
                let slots = groups.rows.iter().map(|row| frozen.slot(*row as usize)).collect();
                let groups = Groups { rows: slots, ..groups };
                let (width, failed) = (frozen.width(), AtomicBool::new(false));
                return Ok(Segment { graph, groups, effort, width, failed });
            }
        }
        Err(SegmentError::Lossy { percent })
    }
}

/// A question with its answer.
struct Trial {
    row: Vec<Unit>,
    nearest: Vec<u32>,
}

impl Trial {
    /// The difference of two vectors: like a short question it has little of what all have in
    /// common, so it is harder than a vector of the segment itself.
    fn new(frozen: &Frozen, groups: &Groups, number: usize) -> Option<Trial> {
        let group = |part: usize| {
            let group = (number * 3 + part) * groups.len() / (TRIALS * 3);
            frozen.row(groups.rows(group)[0] as usize)
        };
        let both = group(0).iter().zip(group(2));
        let asked: Vec<i8> =
            both.map(|(one, other)| ((i16::from(*one) - i16::from(*other)) / 2) as i8).collect();
        let row = row(&asked)?;
        let mut all: Vec<(f32, u32)> = Vec::with_capacity(groups.len());
        for group in 0..groups.len() {
            let cosine = unit::cosine(&asked, frozen.row(groups.rows(group)[0] as usize));
            all.push((cosine, group as u32));
        }
        let ten = all.len().min(10);
        if ten < all.len() {
            all.select_nth_unstable_by(ten, |one, other| other.0.total_cmp(&one.0));
        }
        Some(Trial { row, nearest: all[..ten].iter().map(|it| it.1).collect() })
    }
}

/// A segment that is done.
pub struct Segment {
    graph: Graph,
    groups: Groups,
    effort: usize,
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
        let found = self.search(&row, count.max(self.effort))?;
        if found.len() < count.min(self.groups.len()) {
            // Part of the graph cannot be reached from here.
            return None;
        }
        Some(found.iter().flat_map(|group| self.groups.rows(*group as usize)).copied().collect())
    }
}
