//! Who vouches for a commit, and then tells everybody who waits for it: a thread of its own, so that
//! the writer is in the next commit meanwhile; where there is none, the writer, for the way to
//! another thread costs as much as a sync.

use super::{Committed, Others, Pulse, TOLD_COMMITS_MAX};
use crate::failure::{StoreError, StoreFailure};
use crate::fault::{Faults, Point};
use crate::store::Witness;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use stoa_actors::log::Head;

pub(super) struct Acker {
    pub(super) witness: Witness,
    /// What was vouched for.
    pub head: Head,
    pub(super) pulse: Arc<Pulse>,
    pub failure: StoreFailure,
    pub(super) faults: Faults,
    pub(super) others: Arc<Others>,
}

/// The writer's side of it: commits are told of in their order, whoever does it.
pub(super) struct Telling {
    acker: Arc<Mutex<Acker>>,
    commits: SyncSender<Committed>,
    /// How many the thread has and has not told of.
    behind: Arc<AtomicUsize>,
    /// The last, which nobody has yet.
    ready: Option<Committed>,
}

impl Telling {
    /// Starts the thread. It ends, and gives what was vouched for, when this is dropped.
    pub(super) fn start(acker: Acker) -> std::io::Result<(Telling, JoinHandle<Head>)> {
        let (commits, waiting) = sync_channel(TOLD_COMMITS_MAX);
        let (acker, behind) = (Arc::new(Mutex::new(acker)), Arc::new(AtomicUsize::new(0)));
        let (shared, told) = (acker.clone(), behind.clone());
        let thread = std::thread::Builder::new().name("stoa-log-acker".into());
        let thread = thread.spawn(move || tell_all(&shared, &told, &waiting))?;
        Ok((Telling { acker, commits, behind, ready: None }, thread))
    }

    /// A commit is in the store. Where it ends is told after all that is before it.
    pub(super) fn push(&mut self, committed: Committed) {
        self.hand_over();
        self.ready = Some(committed);
    }

    /// The writer has something else to do, or waits for what this has to tell.
    pub(super) fn hand_over(&mut self) {
        if let Some(committed) = self.ready.take() {
            self.behind.fetch_add(1, Ordering::Relaxed);
            // The thread ends after this one does.
            drop(self.commits.send(committed));
        }
    }

    /// The writer has nothing else to do.
    pub(super) fn tell(&mut self) {
        if self.behind.load(Ordering::Acquire) > 0 {
            return self.hand_over();
        }
        if let Some(committed) = self.ready.take() {
            self.acker.lock().tell(vec![committed]);
        }
    }

    pub(super) fn has_something(&self) -> bool {
        self.ready.is_some()
    }
}

fn tell_all(acker: &Mutex<Acker>, behind: &AtomicUsize, commits: &Receiver<Committed>) -> Head {
    while let Ok(first) = commits.recv() {
        let ready: Vec<Committed> =
            std::iter::once(first).chain(commits.try_iter().take(TOLD_COMMITS_MAX)).collect();
        let told = ready.len();
        acker.lock().tell(ready);
        behind.fetch_sub(told, Ordering::Release);
    }
    acker.lock().head
}

impl Acker {
    fn tell(&mut self, ready: Vec<Committed>) {
        let newest = ready.last().map_or(self.head, |it| it.head);
        if newest != self.head
            && let Err(error) = self.vouch(newest)
        {
            self.failure.trip(error);
        }
        let stopped = self.failure.error();
        if stopped.is_none() {
            self.head = newest;
            self.pulse.durable.store(newest.position.0, Ordering::SeqCst);
            // Nobody misses it: who comes now sees what is durable.
            if self.pulse.following.load(Ordering::SeqCst) > 0 {
                self.pulse.told.notify_one();
            }
            if let Some(due) = ready.iter().filter_map(|it| it.due).min() {
                self.pulse.due.send_if_modified(|at| {
                    let earlier = due < *at;
                    *at = due.min(*at);
                    earlier
                });
            }
        }
        for Committed { head, done, others, .. } in ready {
            for (done, position) in done {
                match &stopped {
                    None => done(Ok(position)),
                    Some(error) => done(Err(error)),
                }
            }
            if let (None, Some(tell)) = (&stopped, self.others.get()) {
                others.into_iter().for_each(|stream| tell(stream, head.position));
            }
        }
    }

    fn vouch(&mut self, head: Head) -> Result<(), StoreError> {
        self.faults.meet(Point::Witness)?;
        let written = self.witness.write(head);
        written.map_err(|error| StoreError::Engine(format!("the witness: {error}")))?;
        self.faults.meet(Point::Witnessed)
    }
}
