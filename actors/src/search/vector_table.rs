//! Vectors in rows, one a slot, scanned exactly.

use crate::atom::Embedding;

/// Rows of one block: a table grows without copying what it has.
const BLOCK_ROWS: usize = 1024;

/// One embedder's vectors. A row of zeros is no vector.
#[derive(Default)]
pub(super) struct VectorTable {
    width: usize,
    blocks: Vec<Vec<i8>>,
    /// One over the length of each row; 0 where there is none.
    inverse: Vec<f32>,
    /// Those that are not 0.
    rows: usize,
}

/// A vector to compare rows with.
pub(super) struct Probe {
    dims: Vec<i8>,
    inverse: f32,
}

impl Probe {
    /// Nothing for a vector without length.
    pub(super) fn new(embedding: &Embedding) -> Option<Probe> {
        let dims: Vec<i8> = embedding.dims.iter().map(|it| *it as i8).collect();
        let square = dot(&dims, &dims);
        (square > 0).then(|| Probe { dims, inverse: 1.0 / (square as f32).sqrt() })
    }
}

impl Probe {
    pub(super) fn dims(&self) -> &[i8] {
        &self.dims
    }
}

impl VectorTable {
    /// Rows with a vector.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The dimensions of a row, if there is a vector.
    pub(super) fn row(&self, slot: u32) -> Option<&[i8]> {
        let slot = slot as usize;
        let there = self.inverse.get(slot).is_some_and(|it| *it != 0.0);
        let row = slot % BLOCK_ROWS * self.width;
        there.then(|| &self.blocks[slot / BLOCK_ROWS][row..row + self.width])
    }

    /// Puts a row in, or takes it out; the first row says how wide all are. Says whether it took
    /// it: a row of another width is not.
    pub(super) fn put(&mut self, slot: u32, probe: Option<&Probe>) -> bool {
        let slot = slot as usize;
        if self.inverse.len() <= slot {
            self.inverse.resize(slot + 1, 0.0);
        }
        self.rows -= usize::from(self.inverse[slot] != 0.0);
        self.inverse[slot] = 0.0;
        let Some(probe) = probe else { return true };
        if self.width == 0 {
            self.width = probe.dims.len();
        }
        if probe.dims.len() != self.width {
            return false;
        }
        let (block, row) = (slot / BLOCK_ROWS, slot % BLOCK_ROWS * self.width);
        while self.blocks.len() <= block {
            self.blocks.push(Vec::new());
        }
        let block = &mut self.blocks[block];
        if block.is_empty() {
            block.reserve_exact(BLOCK_ROWS * self.width);
        }
        if block.len() < row + self.width {
            block.resize(row + self.width, 0);
        }
        block[row..row + self.width].copy_from_slice(&probe.dims);
        self.inverse[slot] = probe.inverse;
        self.rows += 1;
        true
    }

    /// Has rows brought near, all at once.
    pub(super) fn touch(&self, slots: &[u32]) {
        let mut seen = 0;
        for slot in slots {
            let slot = *slot as usize;
            let row = slot % BLOCK_ROWS * self.width;
            let row =
                self.blocks.get(slot / BLOCK_ROWS).and_then(|it| it.get(row..row + self.width));
            seen =
                row.unwrap_or_default().iter().step_by(LINE_BYTES).fold(seen, |all, it| all ^ it);
        }
        std::hint::black_box(seen);
    }

    /// The cosine of a row; nothing where there is no vector. Independent of the scales.
    pub(super) fn cosine(&self, slot: u32, probe: &Probe) -> Option<f32> {
        let slot = slot as usize;
        let inverse = self.inverse[slot];
        if inverse == 0.0 || probe.dims.len() != self.width {
            return None;
        }
        let row = slot % BLOCK_ROWS * self.width;
        let row = &self.blocks[slot / BLOCK_ROWS][row..row + self.width];
        Some(dot(row, &probe.dims) as f32 * inverse * probe.inverse)
    }
}

/// What comes from memory at once.
const LINE_BYTES: usize = 64;

/// Terms that are added up side by side: so the compiler makes vector instructions of it on every
/// machine. Three times as fast as a plain sum where it may use SSE2 only (16 to 49 ns for 256
/// dimensions).
const LANES: usize = 32;

/// `i32` holds 130,000 dimensions.
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let product = |x: &i8, y: &i8| i32::from(*x) * i32::from(*y);
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..LANES {
            sums[lane] += product(&a[lane], &b[lane]);
        }
    }
    let rest = a.remainder().iter().zip(b.remainder()).map(|(x, y)| product(x, y));
    sums.iter().sum::<i32>() + rest.sum::<i32>()
}
