//! Vectors that are found by an index of their own, beside those that are scanned.
//!
//! A segment is made elsewhere, of a frozen copy, and takes its time. What changes meanwhile or
//! later is no longer covered by it: it is scanned again, as everything newer is.

use crate::conditions::Bits;
use crate::mutant::planted;
use std::sync::Arc;

/// Finds the nearest of many vectors, nearly always. What it misses is not found by meaning, so it
/// decides how much is found of what is there; scores and filters are never its business.
pub trait Nearest: Send + Sync {
    /// The slots of at least so many vectors by their cosine to this one, the best first, and all
    /// where there are fewer. Nothing if it cannot say: then all are scanned.
    fn nearest(&self, vector: &[i8], count: usize) -> Option<Vec<u32>>;
}

/// Vectors as they were while they were copied.
pub struct Frozen {
    /// The first slot that was not looked at.
    pub(super) next: u32,
    pub(super) width: usize,
    pub(super) slots: Vec<u32>,
    pub(super) rows: Vec<i8>,
}

impl Frozen {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Dimensions of each.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One of them.
    pub fn row(&self, number: usize) -> &[i8] {
        &self.rows[number * self.width..(number + 1) * self.width]
    }

    /// The slot of a numbered row.
    pub fn slot(&self, number: usize) -> u32 {
        self.slots[number]
    }

    /// Each with its slot. None is without length.
    pub fn rows(&self) -> impl Iterator<Item = (u32, &[i8])> {
        self.slots.iter().copied().zip(self.rows.chunks_exact(self.width.max(1)))
    }
}

/// When segments are asked, and for how much.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Fewer vectors than this are scanned: it takes less time.
    pub scan_max: usize,
    /// They are asked for so many times more than are to be found, because some of what is near has
    /// changed, is filtered out, or says other words.
    pub factor: usize,
    /// For so many at least.
    pub least: usize,
    /// What would take more than this is scanned.
    pub most: usize,
}

impl Default for Asking {
    fn default() -> Self {
        Asking { scan_max: 20_000, factor: 4, least: 64, most: 1_024 }
    }
}

/// A segment with more than this part of its vectors changed is given up.
const STALE_PERCENT_MAX: usize = 25;

struct Segment {
    near: Arc<dyn Nearest>,
    /// Those that are still what they were.
    slots: Bits,
    made_of: usize,
}

/// All segments of one index.
#[derive(Default)]
pub(super) struct Sealed {
    segments: Vec<Segment>,
    covered: Bits,
    /// What has changed since the last copy was made.
    changed: Bits,
}

impl Sealed {
    /// The vectors that need no scan.
    pub(super) fn covered(&self) -> &Bits {
        &self.covered
    }

    /// A vector is another one, or gone.
    pub(super) fn change(&mut self, slot: u32) {
        if planted("search.sealed_vector_stays") {
            return;
        }
        self.changed.put(slot, true);
        if self.covered.has(slot) {
            self.covered.put(slot, false);
            self.segments.iter_mut().for_each(|it| it.slots.put(slot, false));
        }
    }

    /// From now on it is noted what changes; segments that are mostly stale go.
    pub(super) fn freeze(&mut self) {
        self.changed = Bits::default();
        let fresh = |it: &Segment| it.slots.len() * 100 >= it.made_of * (100 - STALE_PERCENT_MAX);
        self.segments.retain(fresh);
        self.covered = Bits::default();
        self.segments.iter().for_each(|it| self.covered.add(&it.slots));
    }

    pub(super) fn seal(&mut self, frozen: &Frozen, near: Arc<dyn Nearest>) {
        let mut slots = Bits::default();
        slots.extend(&frozen.slots);
        slots.drop_all(&self.changed);
        slots.drop_all(&self.covered);
        self.covered.add(&slots);
        self.segments.push(Segment { near, slots, made_of: frozen.len() });
    }

    pub(super) fn unseal(&mut self) {
        self.segments.clear();
        self.covered = Bits::default();
    }

    pub(super) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// What each segment finds, and whether that is less than it has; nothing if one cannot say.
    pub(super) fn nearest(&self, vector: &[i8], count: usize) -> Option<Vec<Near>> {
        let near = |segment: &Segment| {
            let mut slots = segment.near.nearest(vector, count)?;
            let more = slots.len() >= count;
            slots.retain(|it| segment.slots.has(*it));
            Some(Near { slots, more })
        };
        self.segments.iter().map(near).collect()
    }
}

/// What one segment found.
pub(super) struct Near {
    pub(super) slots: Vec<u32>,
    /// There may be others, none of them nearer.
    pub(super) more: bool,
}
