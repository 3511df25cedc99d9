//! The acker thread: vouches for a commit, then tells everybody who waits for it.

use super::{Committed, Others, Pulse, TOLD_COMMITS_MAX};
use crate::failure::{Failure, StoreError};
use crate::fault::{Faults, Point};
use crate::store::Witness;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use stoa_actors::log::Head;

pub(super) struct Acker {
    pub(super) witness: Witness,
    pub(super) pulse: Arc<Pulse>,
    pub(super) failure: Failure,
    pub(super) faults: Faults,
    pub(super) others: Arc<Others>,
}

impl Acker {
    pub(super) fn run(mut self, mut head: Head, commits: &Receiver<Committed>) -> Head {
        while let Ok(first) = commits.recv() {
            let ready: Vec<Committed> =
                std::iter::once(first).chain(commits.try_iter().take(TOLD_COMMITS_MAX)).collect();
            let newest = ready.last().map_or(head, |it| it.head);
            if newest != head
                && let Err(error) = self.vouch(newest)
            {
                self.failure.trip(error);
            }
            let stopped = self.failure.error();
            if stopped.is_none() {
                head = newest;
                self.pulse.durable.store(head.position.0, Ordering::Release);
                self.pulse.told.notify_one();
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
        head
    }

    fn vouch(&mut self, head: Head) -> Result<(), StoreError> {
        self.faults.meet(Point::Witness)?;
        let written = self.witness.write(head);
        written.map_err(|error| StoreError::Engine(format!("the witness: {error}")))?;
        self.faults.meet(Point::Witnessed)
    }
}
