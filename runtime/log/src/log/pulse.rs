//! What goes by while commits are made: for the watchdog, for `status`, and for those who follow.

use super::Log;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;
use stoa_actors::id::{Millis, Position};

/// What the watchdog and `status` look at.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) started: Instant,
    /// When the oldest commit on its way was begun, in ms since `started`, plus one; 0 when there
    /// is none.
    pub(super) commit: AtomicU64,
    /// The last position that is durable and witnessed.
    pub(super) durable: AtomicU64,
    pub(super) commits: AtomicU64,
    /// A bell of the order is in the queue already.
    pub(super) rung: AtomicBool,
    /// How many wait for room: nothing is lazy then.
    pub(super) hurried: AtomicUsize,
    /// The earliest of what has become due since this was looked at last.
    pub(super) due: tokio::sync::watch::Sender<Millis>,
    /// Rings at every commit while somebody follows the whole log, for the one task that wakes them.
    pub(super) told: tokio::sync::Notify,
    pub(super) followers: tokio::sync::Notify,
    /// How many of them wait: without one the task sleeps.
    pub(super) following: AtomicUsize,
}

/// One who waits for the whole log to go on.
struct Following<'a>(&'a Pulse);

impl Following<'_> {
    fn begin(pulse: &Pulse) -> Following<'_> {
        pulse.following.fetch_add(1, Ordering::SeqCst);
        Following(pulse)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.following.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pulse {
    pub(super) fn new(durable: Position) -> Pulse {
        Pulse {
            started: Instant::now(),
            commit: AtomicU64::new(0),
            durable: AtomicU64::new(durable.0),
            commits: AtomicU64::new(0),
            rung: AtomicBool::new(false),
            hurried: AtomicUsize::new(0),
            due: tokio::sync::watch::Sender::new(Millis(u64::MAX)),
            told: tokio::sync::Notify::new(),
            followers: tokio::sync::Notify::new(),
            following: AtomicUsize::new(0),
        }
    }

    /// In ms since the start, plus one.
    pub(super) fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64 + 1
    }
}

impl Log {
    /// The last position that is durable and witnessed.
    pub fn durable(&self) -> Position {
        Position(self.pulse.durable.load(Ordering::Acquire))
    }

    /// Returns once more than this is durable.
    pub async fn gone_on(&self, after: Position) {
        let _one = Following::begin(&self.pulse);
        loop {
            let told = self.pulse.followers.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.pulse.durable.load(Ordering::SeqCst) > after.0 {
                return;
            }
            told.await;
        }
    }

    /// Wakes those who follow the whole log, for as long as there is one: a task of its own, so that
    /// however many they are the acker rings once.
    pub async fn publish(self) {
        let Log { pulse, failure, requests, .. } = self;
        drop(requests);
        loop {
            tokio::select! {
                () = pulse.told.notified() => pulse.followers.notify_waiters(),
                _ = failure.tripped() => return,
            }
        }
    }

    /// Hears of everything earlier that becomes due from now on: what was before is in the rows.
    pub fn due(&self) -> tokio::sync::watch::Receiver<Millis> {
        self.pulse.due.send_replace(Millis(u64::MAX));
        self.pulse.due.subscribe()
    }

    /// How many commits there have been since the start.
    pub fn commits(&self) -> u64 {
        self.pulse.commits.load(Ordering::Relaxed)
    }

    /// How long the commit that runs has taken so far.
    pub fn commit_ms(&self) -> u64 {
        match self.pulse.commit.load(Ordering::Relaxed) {
            0 => 0,
            begun => self.pulse.now().saturating_sub(begun),
        }
    }
}
