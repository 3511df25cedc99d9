//! What is on the medium for sure, and what may be.

use crate::chance::Chance;

/// What something is known to be on the medium, and everything it has been since.
#[derive(Debug, Default)]
pub(crate) struct History<T> {
    pub(crate) sure: T,
    pub(crate) since: Vec<T>,
    pub(crate) dropped: usize,
}

impl<T> History<T> {
    pub(crate) fn newest(&self) -> &T {
        self.since.last().unwrap_or(&self.sure)
    }

    pub(crate) fn mark(&self) -> usize {
        self.dropped + self.since.len()
    }

    /// What it was at a mark is on the medium.
    pub(crate) fn keep(&mut self, mark: usize) {
        let count = mark.saturating_sub(self.dropped);
        if let Some(sure) = self.since.drain(..count).next_back() {
            self.sure = sure;
        }
        self.dropped += count;
    }

    pub(crate) fn pick(&self, mood: Mood, chance: &mut Chance) -> &T {
        let at = match mood {
            Mood::Nothing => 0,
            Mood::Everything => self.since.len(),
            Mood::Coin => chance.below(self.since.len() as u64 + 1) as usize,
        };
        if at == 0 { &self.sure } else { &self.since[at - 1] }
    }
}

/// How much of what is not sure has come to the medium.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Nothing,
    Everything,
    Coin,
}
