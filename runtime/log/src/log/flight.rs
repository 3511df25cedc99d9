//! Commits on their way: offered, and nobody knows yet where they stand.

use super::redact::Owed;
use super::{Beside, Done, State};
use crate::failure::StoreError;
use stoa_actors::commit::{Commit, CommitId, CommitWork, Piece, Void};
use stoa_actors::id::{AtomId, Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::Hash;

/// Who waits for a commit.
pub(super) struct Waiter {
    pub(super) done: Done,
    pub(super) behind: Behind,
}

/// What somebody waits for.
#[derive(Clone, Copy)]
pub(super) enum Behind {
    /// The nth entry of the commit, from 1.
    Entry(u64),
    /// What the commit says, without an entry of its own: it rests on it.
    Work,
    /// That it is judged, however.
    Judgement,
}

/// Everything that is done with a commit once it is judged.
pub(super) struct Flight {
    pub(super) id: CommitId,
    /// When it was offered, as the pulse counts.
    pub(super) begun: u64,
    pub(super) waiters: Vec<Waiter>,
    /// Entries that erase, by number: acknowledged once that has left the log.
    pub(super) erases: Vec<(Vec<AtomId>, Waiter)>,
    pub(super) beside: Vec<Beside>,
    /// In a shared order: what must stand under its id.
    offered: Vec<Offered>,
    /// Of which redaction it is a piece.
    pub(super) owed: Option<Owed>,
}

#[derive(Clone, Copy, PartialEq)]
enum Offered {
    Entry(StreamId, u64, Hash),
    Piece(Piece),
}

impl Flight {
    pub(super) fn new(id: CommitId, begun: u64) -> Flight {
        Flight {
            id,
            begun,
            waiters: Vec::new(),
            erases: Vec::new(),
            beside: Vec::new(),
            offered: Vec::new(),
            owed: None,
        }
    }

    /// Notes what is offered to an order that others write to. What is kept beside it stays here.
    pub(super) fn note(&mut self, work: &mut CommitWork) {
        match work {
            CommitWork::Entries(entries) => {
                for Append { stream, seq, digest, snapshot, .. } in entries {
                    self.offered.push(Offered::Entry(*stream, *seq, *digest));
                    let state = snapshot.take();
                    let state =
                        state.map(|state| State { stream: *stream, seq: *seq, state, _held: None });
                    self.beside.extend(state.map(Beside::State));
                }
            }
            CommitWork::Redaction(piece) => self.offered.push(Offered::Piece(*piece)),
        }
    }

    /// Whether a commit is what was offered under this id.
    pub(super) fn is(&self, commit: &Commit) -> bool {
        match &commit.work {
            CommitWork::Entries(entries) => {
                let entry = |it: &Append| Offered::Entry(it.stream, it.seq, it.digest);
                entries.iter().map(entry).eq(self.offered.iter().copied())
            }
            CommitWork::Redaction(piece) => self.offered == [Offered::Piece(*piece)],
        }
    }

    /// Whose entries are in it.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.offered.iter().filter_map(|it| match it {
            Offered::Entry(stream, ..) => Some(*stream),
            Offered::Piece(_) => None,
        })
    }

    /// Tells all who wait for what it says that it is not in the log. Those who wait for the
    /// judgement alone come back, and the redaction that it was a piece of.
    pub(super) fn fail(self, error: &StoreError) -> (Vec<Done>, Option<Owed>, Vec<Beside>) {
        let mut judged = Vec::new();
        let erases = self.erases.into_iter().map(|(_, waiter)| waiter);
        for Waiter { done, behind } in self.waiters.into_iter().chain(erases) {
            match behind {
                Behind::Entry(_) | Behind::Work => done(Err(error)),
                Behind::Judgement => judged.push(done),
            }
        }
        (judged, self.owed, self.beside)
    }
}

impl Waiter {
    /// What to tell when the commit is applied behind a position.
    pub(super) fn applied(self, after: Position) -> (Done, Option<Position>) {
        let at = match self.behind {
            Behind::Entry(nth) => Some(Position(after.0 + nth)),
            Behind::Work | Behind::Judgement => None,
        };
        (self.done, at)
    }
}

/// What the offerer of a void commit is told.
pub(super) fn told(void: &Void) -> StoreError {
    StoreError::Void(void.to_string())
}
