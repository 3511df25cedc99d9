//! The log writer: the one place where something becomes durable.
//!
//! A writer thread blocks for one request, drains what waits, and commits it as one batch with one
//! sync. An acker thread then writes the witness and completes replies, effects and wakes, while
//! the writer is in the next commit. Actors are not batched by their hosts: this drain is the
//! batch, and while one sync runs the next batch gathers by itself.

mod acker;

use crate::config::Config;
use crate::failure::{Failure, StoreError};
use crate::fault::Point;
use crate::store::{Opened, Store};
use acker::Acker;
use fjall::{OwnedWriteBatch, PersistMode};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;
use stoa_actors::behaviour::Row;
use stoa_actors::id::{Millis, Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::{Head, Header};

/// Runs once the request, and all before it, is durable and witnessed; or with what stopped it.
/// The position is the entry's own; nothing for a request without an entry.
pub(crate) type Done = Box<dyn FnOnce(Result<Option<Position>, &StoreError>) + Send>;

enum Request {
    /// An entry to be made durable; `lazy` ones ride along with the next that is not.
    Append { append: Box<Append>, urgency: Urgency, done: Done },
    /// A state to come back to, after an entry that is durable; it rides along with the next entry
    /// that asks for a sync.
    Snapshot { stream: StreamId, seq: u64, state: Vec<u8> },
    /// Done when everything before it is durable.
    Behind(Done),
    /// The last one: what is lazy is written, then both threads end.
    Stop,
}

/// Whether an entry asks for a sync or rides along with the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Sync now.
    Synced,
    /// Ride along; delays nobody.
    Lazy,
}

/// Sends to the writer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    requests: Sender<Request>,
    pulse: Arc<Pulse>,
    failure: Failure,
}

/// What the watchdog and `status` look at.
#[derive(Debug)]
struct Pulse {
    started: Instant,
    /// When the commit that runs was begun, in ms since `started`, plus one; 0 when none runs.
    commit: AtomicU64,
    /// The last position that is durable and witnessed.
    durable: AtomicU64,
    commits: AtomicU64,
    /// The earliest of what has become due since this was looked at last.
    due: tokio::sync::watch::Sender<Millis>,
    /// Rings at every commit for whoever follows the whole log.
    told: tokio::sync::Notify,
}

/// The two threads.
pub(crate) struct Threads {
    /// Gives the number of entries since the last checkpoint.
    writer: JoinHandle<u64>,
    acker: JoinHandle<Head>,
}

struct Committed {
    head: Head,
    /// The earliest thing that is due because of it.
    due: Option<Millis>,
    done: Vec<(Done, Option<Position>)>,
}

impl Log {
    /// Starts both threads on an open store.
    pub(crate) fn start(config: &Config, opened: Opened) -> std::io::Result<(Log, Threads)> {
        let (requests, queue) = channel();
        let (committed, acks) = channel();
        let failure = opened.store.failure.clone();
        let pulse = Arc::new(Pulse {
            started: Instant::now(),
            commit: AtomicU64::new(0),
            durable: AtomicU64::new(opened.head.position.0),
            commits: AtomicU64::new(0),
            due: tokio::sync::watch::Sender::new(Millis(u64::MAX)),
            told: tokio::sync::Notify::new(),
        });
        let writer = Writer {
            store: opened.store.clone(),
            head: opened.head,
            seqs: HashMap::new(),
            config: config.clone(),
            pulse: pulse.clone(),
            failure: failure.clone(),
            acker: committed,
            unpointed: opened.walked,
            checkpoint: None,
        };
        let acker = Acker {
            witness: opened.witness,
            pulse: pulse.clone(),
            failure: failure.clone(),
            faults: config.faults.clone(),
        };
        let head = opened.head;
        let writer = std::thread::Builder::new()
            .name("stoa-log-writer".into())
            .spawn(move || writer.run(&queue))?;
        let acker = std::thread::Builder::new()
            .name("stoa-log-acker".into())
            .spawn(move || acker.run(head, &acks))?;
        Ok((Log { requests, pulse, failure }, Threads { writer, acker }))
    }

    /// Appends; `done` runs exactly once, on the acker's thread, and must be short.
    pub(crate) fn append(&self, append: Append, urgency: Urgency, done: Done) {
        self.send(Request::Append { append: Box::new(append), urgency, done });
    }

    /// Keeps a state to come back to. Lost with nothing but time.
    pub(crate) fn snapshot(&self, stream: StreamId, seq: u64, state: Vec<u8>) {
        self.send(Request::Snapshot { stream, seq, state });
    }

    /// Runs `done` once everything sent before is durable.
    pub(crate) fn behind(&self, done: Done) {
        self.send(Request::Behind(done));
    }

    fn send(&self, request: Request) {
        if let Err(gone) = self.requests.send(request) {
            let error = self.failure.error().unwrap_or(StoreError::Stopping);
            match gone.0 {
                Request::Append { done, .. } | Request::Behind(done) => done(Err(&error)),
                Request::Snapshot { .. } | Request::Stop => {}
            }
        }
    }

    /// The last position that is durable and witnessed.
    pub(crate) fn durable(&self) -> Position {
        Position(self.pulse.durable.load(Ordering::Acquire))
    }

    /// Returns once more than this is durable.
    pub(crate) async fn gone_on(&self, after: Position) {
        loop {
            let told = self.pulse.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.durable() > after {
                return;
            }
            told.await;
        }
    }

    /// Hears of everything earlier that becomes due from now on: what was before is in the rows.
    pub(crate) fn due(&self) -> tokio::sync::watch::Receiver<Millis> {
        self.pulse.due.send_replace(Millis(u64::MAX));
        self.pulse.due.subscribe()
    }

    /// How many commits there have been since the start.
    pub(crate) fn commits(&self) -> u64 {
        self.pulse.commits.load(Ordering::Relaxed)
    }

    /// How long the commit that runs has taken so far.
    pub(crate) fn commit_ms(&self) -> u64 {
        match self.pulse.commit.load(Ordering::Relaxed) {
            0 => 0,
            begun => (self.pulse.started.elapsed().as_millis() as u64).saturating_sub(begun - 1),
        }
    }

    /// Asks both threads to end once everything sent so far is written.
    pub(crate) fn stop(&self) {
        self.send(Request::Stop);
    }
}

impl Threads {
    /// Waits for both, and gives the last head and the entries since the last checkpoint.
    pub(crate) fn join(self) -> Option<(Head, u64)> {
        let unpointed = self.writer.join().ok()?;
        Some((self.acker.join().ok()?, unpointed))
    }
}

struct Writer {
    store: Store,
    head: Head,
    /// The last number of each stream in use; read from the store at first sight.
    seqs: HashMap<StreamId, u64>,
    config: Config,
    pulse: Arc<Pulse>,
    failure: Failure,
    acker: Sender<Committed>,
    /// Entries since the last checkpoint.
    unpointed: u64,
    /// The checkpoint that is being made.
    checkpoint: Option<JoinHandle<()>>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Request>) -> u64 {
        let mut waiting: Vec<Request> = Vec::new();
        let (mut stop, mut lazy) = (false, 0);
        while !stop {
            let Ok(first) = queue.recv() else { break };
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
        // Dropping the queue answers, through `Log::send`, whoever still comes.
        for request in waiting.into_iter().chain(queue.try_iter()) {
            refuse(request, &self.failure.error().unwrap_or(StoreError::Stopping));
        }
        if let Some(checkpoint) = self.checkpoint.take() {
            drop(checkpoint.join());
        }
        self.unpointed
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
        self.unpointed = 0;
        self.checkpoint = made.ok();
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
        let (mut broken, mut due) = (None, None);
        for request in requests {
            match request {
                Request::Append { append, done: then, .. } => {
                    let position = Position(head.position.0 + 1);
                    done.push((then, Some(position)));
                    match self.place(&append) {
                        Ok(()) => {}
                        Err(error) => {
                            broken = Some(error);
                            continue;
                        }
                    }
                    let Append { stream, seq, body, digest, rows, snapshot } = *append;
                    due = rows.iter().filter_map(Row::due).chain(due).min();
                    let header = Header { previous: head.hash, stream, seq, body: digest };
                    let entry = [&header.to_bytes()[..], &body].concat();
                    self.store.write(&mut batch, position, entry, &rows);
                    let place = places.entry(stream).or_insert((seq, Vec::new()));
                    place.1.extend(position.0.to_be_bytes());
                    if let Some(state) = snapshot {
                        self.store.write_snapshot(&mut batch, stream, seq, &state);
                    }
                    head = header.head(position);
                }
                Request::Snapshot { stream, seq, state } => {
                    self.store.write_snapshot(&mut batch, stream, seq, &state);
                }
                Request::Behind(then) => done.push((then, None)),
                Request::Stop => {}
            }
        }
        if let Some(error) = broken {
            return Err((done, error));
        }
        for (stream, (first, positions)) in places {
            self.store.write_stream(&mut batch, stream, first, &positions);
        }
        if !batch.is_empty()
            && let Err(error) = self.write(batch)
        {
            return Err((done, error));
        }
        self.unpointed += head.position.0 - self.head.position.0;
        self.head = head;
        Ok(Committed { head, due, done })
    }

    /// Returns once the batch is on the medium.
    fn write(&self, batch: OwnedWriteBatch) -> Result<(), StoreError> {
        self.config.faults.meet(Point::Commit)?;
        batch.durability(Some(PersistMode::SyncData)).commit()?;
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
