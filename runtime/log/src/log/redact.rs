//! What was erased leaves the log: bodies are replaced, a bounded piece in each commit.
//!
//! Which piece is the commit; what it replaces is derived by the fold, from the log before it. So
//! no two redactions of one entry can cross, and every node replaces the same. The erase is
//! acknowledged with the last piece. A crash in between leaves the erase itself, and a row that
//! says that it is owed: the next open goes on, and what was replaced already is found so.

use super::materialiser::Redaction;
use super::writer::Writer;
use super::{Committed, Done};
use std::collections::VecDeque;
use stoa_actors::behaviour::Row;
use stoa_actors::commit::{CommitWork, Piece};
use stoa_actors::id::{AtomId, Position};

/// Atoms of one erase.
pub(super) struct Owed {
    atoms: VecDeque<AtomId>,
    /// The first version of the first atom that was not looked at.
    next: u64,
    /// Who waits for it, and the entry of the erase.
    pub(super) done: Option<(Done, Position)>,
}

impl Owed {
    pub(super) fn new(atoms: Vec<AtomId>, done: Option<(Done, Position)>) -> Owed {
        Owed { atoms: atoms.into(), next: 1, done }
    }

    /// The atoms that are erased by an entry.
    pub(super) fn of(rows: &[Row]) -> Vec<AtomId> {
        rows.iter().filter_map(Row::erases).collect()
    }
}

impl Writer {
    /// Offers one piece, in a commit of its own, unless one is on its way.
    pub(super) fn redact_some(&mut self) {
        if self.is_full() || self.flights.iter().any(|it| it.owed.is_some()) {
            return;
        }
        let Some(owed) = self.owed.pop_front() else { return };
        if let Some(error) = self.failure.error() {
            owed.done.into_iter().for_each(|(done, _)| done(Err(&error)));
            return;
        }
        let Some(&atom) = owed.atoms.front() else { return };
        let bytes_max = self.config.commit_bytes_max as u64;
        let piece = Piece { atom, from: owed.next, bytes_max };
        let mut flight = self.flight();
        flight.owed = Some(owed);
        self.offer(flight, CommitWork::Redaction(piece));
    }

    /// A piece has left the log.
    pub(super) fn redacted(&mut self, mut owed: Owed, piece: Redaction) {
        owed.next = piece.next;
        if piece.whole {
            owed.atoms.pop_front();
            owed.next = 1;
        }
        if !owed.atoms.is_empty() {
            self.owed.push_front(owed);
            return;
        }
        let done = owed.done.into_iter().map(|(done, at)| (done, Some(at))).collect();
        let head = self.materialiser.head;
        self.telling.push(Committed { head, due: None, done, others: Vec::new() });
    }
}
