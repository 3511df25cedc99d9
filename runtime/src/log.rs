//! The log writer: the one place where something becomes durable.
//!
//! A writer thread blocks for one request, drains what waits, and commits it as one batch with one
//! sync. An acker thread then writes the witness and completes replies, effects and wakes, while
//! the writer is in the next commit. Actors are not batched by their hosts: this drain is the
//! batch, and while one sync runs the next batch gathers by itself.

mod acker;
mod redact;
mod writer;

use crate::config::Config;
use crate::failure::{Failure, StoreError};
use crate::store::Opened;
use acker::Acker;
use redact::Owed;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stoa_actors::id::{Millis, Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::Head;
use writer::Writer;

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
    /// Rings at every commit, for the one task that wakes those who follow the whole log.
    told: tokio::sync::Notify,
    followers: tokio::sync::Notify,
}

/// How often it is looked whether both threads have ended.
const JOIN_LOOK: Duration = Duration::from_millis(1);

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
    pub(crate) fn start(config: &Config, opened: Opened) -> Result<(Log, Threads), StoreError> {
        // What a crash has left half done is gone on with before anything else.
        let owed = opened.store.erasures()?.into_iter();
        let owed = owed.map(|atom| Owed::new(vec![atom], None)).collect();
        let unstarted = |error: std::io::Error| StoreError::NoThreads(error.to_string());
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
            followers: tokio::sync::Notify::new(),
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
            owed,
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
            .spawn(move || writer.run(&queue))
            .map_err(unstarted)?;
        let acker = std::thread::Builder::new()
            .name("stoa-log-acker".into())
            .spawn(move || acker.run(head, &acks))
            .map_err(unstarted)?;
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
            let told = self.pulse.followers.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.durable() > after {
                return;
            }
            told.await;
        }
    }

    /// Wakes those who follow the whole log, for as long as there is one: a task of its own, so that
    /// however many they are the acker rings once.
    pub(crate) async fn publish(self) {
        let Log { pulse, failure, requests } = self;
        drop(requests);
        loop {
            tokio::select! {
                () = pulse.told.notified() => pulse.followers.notify_waiters(),
                _ = failure.tripped() => return,
            }
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
    /// Waits for both, and gives the last head and the entries since the last checkpoint. While the
    /// store is whole they end by themselves, however much they have to do. Once it has failed, one
    /// that the engine does not let go of is waited for no longer than that.
    pub(crate) fn join(
        self,
        failure: &Failure,
        patience: Duration,
    ) -> Result<Option<(Head, u64)>, StoreError> {
        let mut failed_at = None;
        while !(self.writer.is_finished() && self.acker.is_finished()) {
            if let Some(error) = failure.error()
                && failed_at.get_or_insert_with(Instant::now).elapsed() > patience
            {
                return Err(error);
            }
            std::thread::park_timeout(JOIN_LOOK);
        }
        let (writer, acker) = (self.writer.join(), self.acker.join());
        Ok(acker.ok().zip(writer.ok()))
    }
}
