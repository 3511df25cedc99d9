//! What was erased leaves the log: the writer replaces bodies, a bounded piece in each commit.
//!
//! Only the writer changes the log, so no two redactions of one entry can cross. The erase is
//! acknowledged with the last piece. A crash in between leaves the erase itself, and a row that
//! says that it is owed: the next open goes on, and what was replaced already is found so.

use super::writer::Writer;
use super::{Committed, Done};
use crate::failure::StoreError;
use crate::store::Leaving;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use stoa_actors::behaviour::Row;
use stoa_actors::id::{AtomId, Position};
use stoa_actors::redaction::REDACTIONS;

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
    /// One piece, in a commit of its own.
    pub(super) fn redact_some(&mut self) {
        let Some(mut owed) = self.owed.pop_front() else { return };
        let stopped = self.failure.error();
        let piece = match stopped {
            Some(error) => Err(error),
            None => self.piece(&mut owed),
        };
        match piece {
            Err(error) => {
                let error = self.failure.trip(error);
                owed.done.into_iter().for_each(|(done, _)| done(Err(&error)));
            }
            Ok(()) if owed.atoms.is_empty() => {
                let done = owed.done.into_iter().map(|(done, at)| (done, Some(at))).collect();
                drop(self.acker.send(Committed { head: self.head, due: None, done }));
            }
            Ok(()) => self.owed.push_front(owed),
        }
    }

    fn piece(&mut self, owed: &mut Owed) -> Result<(), StoreError> {
        let Some(&atom) = owed.atoms.front() else { return Ok(()) };
        let begun = self.pulse.started.elapsed().as_millis() as u64 + 1;
        self.pulse.commit.store(begun, Ordering::Relaxed);
        let seq = match self.seqs.get(&REDACTIONS) {
            Some(last) => *last,
            None => self.store.last_seq(REDACTIONS)?,
        };
        let mut batch = self.store.batch(2);
        let bytes_max = self.config.commit_bytes_max;
        let leaving = Leaving { atom, from: owed.next, after: self.head, seq: seq + 1, bytes_max };
        let left = self.store.leave(&mut batch, &leaving)?;
        owed.next = left.next;
        if let Some(head) = left.head {
            self.write(batch)?;
            self.store.forget_read(&left.replaced);
            self.seqs.insert(REDACTIONS, seq + 1);
            self.unpointed += 1;
            self.head = head;
            drop(self.acker.send(Committed { head, due: None, done: Vec::new() }));
        }
        if left.whole {
            owed.atoms.pop_front();
            owed.next = 1;
        }
        self.pulse.commit.store(0, Ordering::Relaxed);
        self.pulse.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
