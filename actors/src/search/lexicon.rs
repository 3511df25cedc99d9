//! Words and where they stand: BM25 over postings, exact after every update.

use super::words::tokens;
use crate::conditions::Bits;
use crate::conditions::Dictionary;
use crate::mutant;
use std::sync::Arc;

/// How fast a repeated word loses worth, and how much a long text does.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// A posting is a slot and, in its low bits, how often the word stands there, up to 63.
const COUNT_BITS: u32 = 6;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// How many slots one index can have.
pub(super) const SLOTS_MAX: usize = 1 << (u32::BITS - COUNT_BITS);

/// The words of all slots.
#[derive(Default)]
pub(super) struct Lexicon {
    terms: Dictionary<Arc<str>>,
    lengths: Vec<u32>,
    length_total: u64,
}

impl Lexicon {
    /// Files the words of a text, and says which they are. `slot` is the next, or empty.
    pub(super) fn file(&mut self, slot: u32, text: &str) -> Vec<u32> {
        let mut all = Vec::new();
        tokens(text, |token| all.push(self.terms.number(token, || Arc::from(token))));
        let length = all.len() as u32;
        if self.lengths.len() <= slot as usize {
            self.lengths.resize(slot as usize + 1, 0);
        }
        self.lengths[slot as usize] = length;
        self.length_total += u64::from(length);
        all.sort_unstable();
        for same in all.chunk_by(|a, b| a == b) {
            let count = (same.len() as u32).min(COUNT_MAX);
            self.terms.file(same[0], slot << COUNT_BITS | count);
        }
        all.dedup();
        all
    }

    /// Takes the words of a slot out again.
    pub(super) fn unfile(&mut self, slot: u32, terms: &[u32]) {
        let length = std::mem::take(&mut self.lengths[slot as usize]);
        if !mutant::planted("search.length_stays") {
            self.length_total -= u64::from(length);
        }
        let low = slot << COUNT_BITS;
        terms.iter().for_each(|term| self.terms.unfile(*term, low, low | COUNT_MAX));
    }

    /// BM25 of the visible slots for a text; nothing when none has a word of it. A word that the
    /// text repeats counts once.
    pub(super) fn scores(&self, text: &str, visible: &Bits) -> Option<Scores> {
        let mut asked = std::collections::BTreeSet::new();
        tokens(text, |token| {
            asked.insert(token.to_owned());
        });
        let count = self.lengths.len() as f32;
        let mean = (self.length_total as f32 / count).max(1.0);
        asked.retain(|token| !self.terms.postings(token.as_str()).is_empty());
        if asked.is_empty() {
            return None;
        }
        let mut scores = vec![0.0; self.lengths.len()];
        let few = visible.len() * FEW_FACTOR;
        for token in &asked {
            let postings = self.terms.postings(token.as_str());
            let held = postings.len() as f32;
            let idf = (1.0 + (count - held + 0.5) / (held + 0.5)).ln();
            let mut add = |posting: u32| {
                let slot = (posting >> COUNT_BITS) as usize;
                let times = (posting & COUNT_MAX) as f32;
                let long = 1.0 - B + B * self.lengths[slot] as f32 / mean;
                scores[slot] += idf * times * (K1 + 1.0) / (times + K1 * long);
            };
            if postings.len() > few {
                visible
                    .iter()
                    .for_each(|slot| found(postings, slot).into_iter().for_each(&mut add));
            } else {
                let seen = postings.iter().filter(|it| visible.has(*it >> COUNT_BITS));
                seen.for_each(|it| add(*it));
            }
        }
        let best = visible.iter().map(|slot| scores[slot as usize]).fold(0.0, f32::max);
        (best > 0.0).then_some(Scores { scores, inverse: 1.0 / best })
    }
}

/// Where a word has so many times more slots than are visible, these are looked up in its list.
const FEW_FACTOR: usize = 16;

fn found(postings: &[u32], slot: u32) -> Option<u32> {
    let at = postings.partition_point(|it| it >> COUNT_BITS < slot);
    postings.get(at).copied().filter(|it| it >> COUNT_BITS == slot)
}

/// What words make of a text, of each slot.
pub(super) struct Scores {
    scores: Vec<f32>,
    /// One over the best.
    inverse: f32,
}

impl Scores {
    /// From 0 to 1, which the best of all has.
    pub(super) fn of(&self, slot: u32) -> f32 {
        self.scores[slot as usize] * self.inverse
    }
}
