//! Folds commits into the store, in the sequence that their order gives: here an entry gets its
//! position, its place in the chain, its rows and its number in the row of its stream.
//!
//! One commit is one batch with one sync. A redaction reads what the commits before it have written,
//! so they are not gathered into larger ones.

use super::{Beside, State};
use crate::decoders::Decoders;
use crate::failure::{StoreError, StoreFailure};
use crate::fault::Point;
use crate::limits::LogConfig;
use crate::order::OrderSlot;
use crate::store::{Batch, Leaving, Store, Unsorted, endings};
use std::collections::{BTreeMap, HashMap};
use std::thread::JoinHandle;
use stoa_actors::behaviour::Row;
use stoa_actors::commit::{Authors, Commit, CommitId, CommitWork, Piece, Run, Void, runs};
use stoa_actors::id::{AtomId, Millis, Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::{Body, Hash, Head};
use stoa_actors::redaction::REDACTIONS;

pub(super) struct Materialiser {
    pub store: Store,
    pub(super) kinds: Decoders,
    pub head: Head,
    /// How far the commits of each author were judged.
    pub(super) authors: Authors,
    /// The last number of each stream in use; read from the store at first sight.
    pub(super) seqs: HashMap<StreamId, u64>,
    /// New atoms that are listed by the ends of their ids as they came; read from the store when the
    /// first is.
    pub(super) unsorted: Option<Unsorted>,
    pub(super) config: LogConfig,
    pub failure: StoreFailure,
    /// Entries since the last checkpoint.
    pub(super) unpointed: u64,
    /// The checkpoint that is being made.
    pub(super) checkpoint: Option<JoinHandle<()>>,
}

/// What a commit has come to.
pub(super) struct Applied {
    /// Where the log ended before it: its first entry stands behind.
    pub(super) after: Position,
    pub head: Head,
    /// The earliest thing that is due because of it.
    pub(super) due: Option<Millis>,
    /// Whose entries are in it.
    pub(super) streams: Vec<StreamId>,
    pub(super) redaction: Option<Redaction>,
}

/// How far a redaction has come.
#[derive(Clone, Copy)]
pub(super) struct Redaction {
    /// The version to go on from.
    pub(super) next: u64,
    /// Whether that was the last of the atom.
    pub(super) whole: bool,
}

/// A commit that is judged and not yet written.
struct Prepared {
    batch: Batch,
    runs: BTreeMap<StreamId, Run>,
    head: Head,
    due: Option<Millis>,
    /// Atoms that were not there before.
    born: Vec<AtomId>,
    /// Entries whose bodies are others now.
    replaced: Vec<(Position, u16)>,
    redaction: Option<Redaction>,
}

impl Materialiser {
    /// Whether a commit would be judged by what it says.
    pub(super) fn hears(&self, id: CommitId) -> bool {
        self.authors.hears(id)
    }

    /// Judges the next commit of the order and applies it, durably, or leaves nothing of it. What
    /// is kept beside it rides along.
    pub(super) fn fold(
        &mut self,
        place: Option<OrderSlot>,
        commit: Commit,
        beside: &[Beside],
    ) -> Result<Result<Applied, Void>, StoreError> {
        let mut authors = std::mem::take(&mut self.authors);
        let judged = authors.judge(commit.id, || match commit.work {
            CommitWork::Entries(entries) => self.entries(entries, place.is_some(), beside),
            CommitWork::Redaction(piece) => self.redaction(piece),
        });
        self.authors = authors;
        let Prepared { mut batch, runs, head, due, born, replaced, redaction } = match judged? {
            Ok(prepared) => prepared,
            Err(void) => return Ok(Err(void)),
        };
        let after = self.head.position;
        if head != self.head {
            if let Some(place) = place {
                self.store.write_ordered(&mut batch, place, &self.authors)?;
            }
            self.list(&mut batch, head.position, born)?;
            self.write(batch)?;
            self.store.forget_read(&replaced);
            self.unpointed += head.position.0 - after.0;
            self.head = head;
        }
        self.seqs.extend(runs.iter().map(|(stream, run)| (*stream, run.last)));
        if self.seqs.len() > self.config.commit_streams_max {
            self.seqs.clear();
        }
        let streams = runs.into_keys().collect();
        Ok(Ok(Applied { after, head, due, streams, redaction }))
    }

    /// In a log that others write to as well rows follow from the bodies: what came along could
    /// be anything.
    fn entries(
        &self,
        entries: Vec<Append>,
        derive: bool,
        beside: &[Beside],
    ) -> Result<Result<Prepared, Void>, StoreError> {
        let runs = match runs(&entries, |stream| self.last_seq(stream))? {
            Ok(runs) => runs,
            Err(void) => return Ok(Err(void)),
        };
        let mut batch = self.store.batch(entries.len());
        // Before the entries: what one of them erases must not come back with an older state.
        self.write_beside(&mut batch, beside);
        let places = runs.iter().map(|(stream, run)| (*stream, (run.first, Vec::new())));
        let mut places: BTreeMap<StreamId, (u64, Vec<u8>)> = places.collect();
        let (mut head, mut due, mut born) = (self.head, None, Vec::new());
        for append in entries {
            let Append { stream, seq, body, digest, mut rows, snapshot } = append;
            if derive {
                if Hash::of(&body) != digest {
                    return Ok(Err(Void::Damaged { stream, seq }));
                }
                rows = self.kinds.rows(stream, &Body::decode(&body)?)?;
            }
            born.extend(endings::born(&rows));
            due = rows.iter().filter_map(Row::due).chain(due).min();
            let (header, next) = head.then(stream, seq, digest);
            self.store.writes_to(stream, next.position);
            let entry = [&header.to_bytes()[..], &body].concat();
            self.store.write(&mut batch, next.position, entry, &rows);
            if let Some((_, positions)) = places.get_mut(&stream) {
                positions.extend(next.position.0.to_be_bytes());
            }
            match snapshot {
                Some(state) => self.store.write_snapshot(&mut batch, stream, seq, &state),
                None if rows.iter().any(|it| it.erases().is_some()) => {
                    self.store.forget_snapshot(&mut batch, stream);
                }
                None => {}
            }
            head = next;
        }
        for (stream, (first, positions)) in places {
            self.store.write_stream(&mut batch, stream, first, &positions);
        }
        let (replaced, redaction) = (Vec::new(), None);
        Ok(Ok(Prepared { batch, runs, head, due, born, replaced, redaction }))
    }

    fn redaction(&self, piece: Piece) -> Result<Result<Prepared, Void>, StoreError> {
        let seq = self.last_seq(REDACTIONS)? + 1;
        let mut batch = self.store.batch(2);
        let bytes_max = usize::try_from(piece.bytes_max).unwrap_or(usize::MAX);
        let Piece { atom, from, .. } = piece;
        let leaving = Leaving { atom, from, after: self.head, seq, bytes_max };
        let Some(left) = self.store.leave(&mut batch, &leaving)? else {
            return Ok(Err(Void::NotErased(atom)));
        };
        if let Some(head) = left.head {
            self.store.writes_to(REDACTIONS, head.position);
        }
        let run = left.head.map(|_| (REDACTIONS, Run { first: seq, last: seq }));
        Ok(Ok(Prepared {
            batch,
            runs: run.into_iter().collect(),
            head: left.head.unwrap_or(self.head),
            due: None,
            born: Vec::new(),
            replaced: left.replaced,
            redaction: Some(Redaction { next: left.next, whole: left.whole }),
        }))
    }

    /// New atoms by the ends of their ids.
    fn list(
        &mut self,
        batch: &mut Batch,
        at: Position,
        born: Vec<AtomId>,
    ) -> Result<(), StoreError> {
        if born.is_empty() {
            return Ok(());
        }
        let mut unsorted = match self.unsorted.take() {
            Some(unsorted) => unsorted,
            None => self.store.unsorted()?,
        };
        self.store.list(batch, at, born, &mut unsorted);
        self.unsorted = Some(unsorted);
        Ok(())
    }

    /// What no commit takes along.
    pub(super) fn keep(&self, beside: &[Beside]) -> Result<(), StoreError> {
        if beside.is_empty() {
            return Ok(());
        }
        let mut batch = self.store.batch(beside.len());
        self.write_beside(&mut batch, beside);
        self.write(batch)
    }

    fn write_beside(&self, batch: &mut Batch, beside: &[Beside]) {
        for it in beside {
            match it {
                Beside::State(State { stream, seq, state, .. }) => {
                    self.store.write_snapshot(batch, *stream, *seq, state);
                }
                Beside::Repl { session, left, .. } => self.store.write_repl(batch, *session, left),
            }
        }
    }

    /// Returns once the batch is on the medium.
    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.config.faults.meet(Point::Commit)?;
        batch.sync()?;
        self.config.faults.meet(Point::Committed)
    }

    fn last_seq(&self, stream: StreamId) -> Result<u64, StoreError> {
        match self.seqs.get(&stream) {
            Some(last) => Ok(*last),
            None => self.store.last_seq(stream),
        }
    }

    /// Flushing takes a while, so it has a thread of its own; one at a time.
    pub(super) fn checkpoint_if_due(&mut self) {
        let busy = self.checkpoint.as_ref().is_some_and(|it| !it.is_finished());
        if self.unpointed < self.config.checkpoint_entries || busy {
            return;
        }
        let (store, head, failure) = (self.store.clone(), self.head, self.failure.clone());
        let thread = std::thread::Builder::new().name("stoa-checkpoint".into());
        let made = thread.spawn(move || {
            if let Err(error) = store.make_checkpoint(head) {
                failure.trip(error);
            }
        });
        // Without a thread it is due again with the next commit.
        self.checkpoint = made.ok();
        if self.checkpoint.is_some() {
            self.unpointed = 0;
        }
    }

    /// Waits for the checkpoint that is being made, and gives the entries since the last.
    pub(super) fn end(mut self) -> u64 {
        if let Some(checkpoint) = self.checkpoint.take() {
            drop(checkpoint.join());
        }
        self.unpointed
    }
}
