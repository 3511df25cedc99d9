//! The writer thread: drains what waits, and commits it as one batch.

use super::redact::Owed;
use super::{Committed, Done, Pulse, Request, Urgency};
use crate::config::Config;
use crate::failure::{Failure, StoreError};
use crate::fault::Point;
use crate::store::{Batch, Store};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;
use stoa_actors::behaviour::Row;
use stoa_actors::id::{Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::Head;

pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) head: Head,
    /// The last number of each stream in use; read from the store at first sight.
    pub(super) seqs: HashMap<StreamId, u64>,
    pub(super) config: Config,
    pub(super) pulse: Arc<Pulse>,
    pub(super) failure: Failure,
    pub(super) acker: Sender<Committed>,
    /// Entries since the last checkpoint.
    pub(super) unpointed: u64,
    /// The checkpoint that is being made.
    pub(super) checkpoint: Option<JoinHandle<()>>,
    /// Erased atoms whose versions are yet to leave the log.
    pub(super) owed: VecDeque<Owed>,
}

impl Writer {
    pub(super) fn run(mut self, queue: &Receiver<Request>) -> u64 {
        let mut waiting: Vec<Request> = Vec::new();
        let (mut stop, mut lazy) = (false, 0);
        while !stop {
            let Ok(first) = self.next(queue) else { break };
            let Some(first) = first else { continue };
            let (mut urgent, mut bytes) = (false, 0);
            let mut next = Some(first);
            while let Some(request) = next {
                match &request {
                    Request::Stop => {
                        (stop, urgent) = (true, true);
                        break;
                    }
                    Request::Append { append, urgency, .. } => {
                        urgent |= *urgency == Urgency::Synced;
                        bytes += append.body.len();
                    }
                    Request::Snapshot { state, .. } => bytes += state.len(),
                    Request::Behind(_) => urgent = true,
                }
                waiting.push(request);
                let full = waiting.len() >= self.config.commit_entries_max
                    || bytes >= self.config.commit_bytes_max;
                next = if full { None } else { queue.try_recv().ok() };
            }
            lazy += bytes;
            let full = waiting.len() >= self.config.lazy_entries_max
                || lazy >= self.config.commit_bytes_max;
            if urgent || full {
                self.group(std::mem::take(&mut waiting));
                lazy = 0;
            }
        }
        while !self.owed.is_empty() {
            self.redact_some();
        }
        // Dropping the queue answers, through `Log::send`, whoever still comes.
        for request in waiting.into_iter().chain(queue.try_iter()) {
            refuse(request, &self.failure.error().unwrap_or(StoreError::Stopping));
        }
        if let Some(checkpoint) = self.checkpoint.take() {
            drop(checkpoint.join());
        }
        self.unpointed
    }

    /// The next request; while something is to leave the log, a piece of that instead if none
    /// waits.
    fn next(&mut self, queue: &Receiver<Request>) -> Result<Option<Request>, ()> {
        if self.owed.is_empty() {
            return queue.recv().map(Some).map_err(drop);
        }
        self.redact_some();
        match queue.try_recv() {
            Ok(request) => Ok(Some(request)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(()),
        }
    }

    /// Flushing takes a while, so it has a thread of its own; one at a time.
    fn checkpoint_if_due(&mut self) {
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

    /// One commit. After an error nothing is acknowledged any more.
    fn group(&mut self, requests: Vec<Request>) {
        if let Some(error) = self.failure.error() {
            requests.into_iter().for_each(|it| refuse(it, &error));
            return;
        }
        self.pulse
            .commit
            .store(self.pulse.started.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        match self.commit(requests) {
            Ok(committed) => {
                drop(self.acker.send(committed));
                self.checkpoint_if_due();
            }
            Err((requests, error)) => {
                let error = self.failure.trip(error);
                requests.into_iter().for_each(|(done, _)| done(Err(&error)));
            }
        }
        self.pulse.commit.store(0, Ordering::Relaxed);
        self.pulse.commits.fetch_add(1, Ordering::Relaxed);
        if self.seqs.len() > self.config.commit_streams_max {
            self.seqs.clear();
        }
    }

    #[expect(clippy::type_complexity, reason = "what was asked comes back with the error, once")]
    fn commit(
        &mut self,
        requests: Vec<Request>,
    ) -> Result<Committed, (Vec<(Done, Option<Position>)>, StoreError)> {
        let mut batch = self.store.batch(requests.len());
        let mut places: BTreeMap<StreamId, (u64, Vec<u8>)> = BTreeMap::new();
        let (mut head, mut done) = (self.head, Vec::with_capacity(requests.len()));
        let (mut broken, mut due, mut owed) = (None, None, Vec::new());
        for request in requests {
            match request {
                Request::Append { append, done: then, .. } => {
                    let position = Position(head.position.0 + 1);
                    // What is erased is acknowledged once it has left the log.
                    match Owed::of(&append.rows) {
                        atoms if atoms.is_empty() => done.push((then, Some(position))),
                        atoms => owed.push(Owed::new(atoms, Some((then, position)))),
                    }
                    match self.place(&append) {
                        Ok(()) => {}
                        Err(error) => {
                            broken = Some(error);
                            continue;
                        }
                    }
                    let Append { stream, seq, body, digest, rows, snapshot } = *append;
                    due = rows.iter().filter_map(Row::due).chain(due).min();
                    let (header, next) = head.then(stream, seq, digest);
                    let entry = [&header.to_bytes()[..], &body].concat();
                    self.store.write(&mut batch, position, entry, &rows);
                    let place = places.entry(stream).or_insert((seq, Vec::new()));
                    place.1.extend(position.0.to_be_bytes());
                    if snapshot.is_none() && !Owed::of(&rows).is_empty() {
                        self.store.forget_snapshot(&mut batch, stream);
                    }
                    if let Some(state) = snapshot {
                        self.store.write_snapshot(&mut batch, stream, seq, &state);
                    }
                    head = next;
                }
                Request::Snapshot { stream, seq, state } => {
                    self.store.write_snapshot(&mut batch, stream, seq, &state);
                }
                Request::Behind(then) => done.push((then, None)),
                Request::Stop => {}
            }
        }
        let mut refuse = |done: Vec<(Done, Option<Position>)>, error| {
            let owed = owed.drain(..).filter_map(|it: Owed| it.done);
            (done.into_iter().chain(owed.map(|(done, at)| (done, Some(at)))).collect(), error)
        };
        if let Some(error) = broken {
            return Err(refuse(done, error));
        }
        for (stream, (first, positions)) in places {
            self.store.write_stream(&mut batch, stream, first, &positions);
        }
        if !batch.is_empty()
            && let Err(error) = self.write(batch)
        {
            return Err(refuse(done, error));
        }
        self.owed.extend(owed);
        self.unpointed += head.position.0 - self.head.position.0;
        self.head = head;
        Ok(Committed { head, due, done })
    }

    /// Returns once the batch is on the medium.
    pub(super) fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.config.faults.meet(Point::Commit)?;
        batch.sync()?;
        self.config.faults.meet(Point::Committed)
    }

    /// The next entry of a stream is the last plus one: two writers of one stream are impossible.
    fn place(&mut self, append: &Append) -> Result<(), StoreError> {
        let last = match self.seqs.get(&append.stream) {
            Some(last) => *last,
            None => self.store.last_seq(append.stream)?,
        };
        if append.seq != last + 1 {
            let (stream, seq) = (append.stream, append.seq);
            return Err(StoreError::Invariant(format!("stream {stream}: {seq} follows {last}")));
        }
        self.seqs.insert(append.stream, append.seq);
        Ok(())
    }
}

fn refuse(request: Request, error: &StoreError) {
    match request {
        Request::Append { done, .. } | Request::Behind(done) => done(Err(error)),
        Request::Snapshot { .. } | Request::Stop => {}
    }
}
