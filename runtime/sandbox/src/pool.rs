//! A bounded set of warm workers.

use super::child::{Child, Death, Fault};
use super::wire::{self, Ask, Start};
use super::{Action, Boxed, CodeRunner, Host, admit, ended_outside};
use crate::limits::WorkersConfig;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use stoa_actors::code::ActionOutcome;
use tokio::sync::Semaphore;

/// Runs actions in worker processes. The default.
///
/// A worker that dies, is killed or misbehaves costs the action it ran, and is replaced. Workers
/// end with this value, and with this process however that ends. Needs a tokio runtime with time
/// and IO.
///
/// What it does not do: keep code of one worker from reading files that its user may read, should
/// it break out of the interpreter. The process has no file, no environment and no way to write
/// one, but no namespace of its own either.
pub struct Workers {
    config: WorkersConfig,
    idle: Mutex<Vec<Child>>,
    free: Semaphore,
    queued: AtomicUsize,
}

impl Workers {
    /// A pool without workers yet: the first actions start them, or [`warm`](Self::warm) does.
    pub fn new(config: WorkersConfig) -> Self {
        Self {
            free: Semaphore::new(config.workers_max),
            idle: Mutex::new(Vec::with_capacity(config.workers_max)),
            queued: AtomicUsize::new(0),
            config,
        }
    }

    /// Starts the workers that are missing. Must be called within a tokio runtime.
    pub fn warm(&self) -> io::Result<()> {
        let mut idle = self.idle.lock();
        while idle.len() < self.free.available_permits() {
            idle.push(Child::spawn(&self.config)?);
        }
        Ok(())
    }

    async fn act(&self, action: Action, host: &mut dyn Host) -> ActionOutcome {
        let action = match admit(action) {
            Ok(action) => action,
            Err(outcome) => return outcome,
        };
        let Some(place) = Place::in_queue(&self.queued, self.config.queue_actions_max) else {
            let max = self.config.queue_actions_max;
            let text = format!("queue_actions_max = {max} actions already wait; try again later");
            return ended_outside("SystemError", &text, action.dump);
        };
        // The semaphore is never closed.
        let permit = self.free.acquire().await;
        drop(place);
        let outcome = self.act_now(action, host).await;
        drop(permit);
        outcome
    }

    async fn act_now(&self, action: Action, host: &mut dyn Host) -> ActionOutcome {
        let limits = action.limits.clone();
        let functions = action.functions.clone();
        let ask = Ask::Start(Box::new(Start::new(action)));
        let frame = match wire::frame(&ask) {
            Ok(frame) => frame,
            Err(refusal) => {
                let text = format!("the action cannot be sent to a worker: {refusal}");
                return ended_outside("ValueError", &text, dump(ask));
            }
        };
        let mut child = self.checked_out();
        let mut again = true;
        loop {
            let mut worker = match child {
                Ok(worker) => worker,
                Err(error) => {
                    let from = self.config.worker.as_deref().unwrap_or("this program".as_ref());
                    let text = format!(
                        "no Python worker could be started from {}: {error}",
                        from.display()
                    );
                    return ended_outside("SystemError", &text, dump(ask));
                }
            };
            match worker.run(&frame, &limits, &functions, host).await {
                Ok(ended) => {
                    if !ended.retire && worker.actions < self.config.worker_actions_max {
                        self.idle.lock().push(worker);
                    }
                    return ended.outcome(dump(ask));
                }
                // It died idle; nothing of the action has run.
                Err(Death::Unborn) if again => {
                    again = false;
                    child = Child::spawn(&self.config);
                }
                Err(death) => {
                    let (class, why, fault) = worker.bury(death, &limits).await;
                    if fault == Fault::Nobody && host.again().await {
                        child = Child::spawn(&self.config);
                        continue;
                    }
                    // Who comes next finds one or starts one; a failure to start is told then.
                    if let Ok(fresh) = Child::spawn(&self.config) {
                        self.idle.lock().push(fresh);
                    }
                    return ended_outside(class, &why, dump(ask));
                }
            }
        }
    }

    fn checked_out(&self) -> io::Result<Child> {
        loop {
            let Some(mut child) = self.idle.lock().pop() else {
                return Child::spawn(&self.config);
            };
            if child.is_alive() {
                return Ok(child);
            }
        }
    }
}

impl CodeRunner for Workers {
    fn run<'a>(&'a self, action: Action, host: &'a mut dyn Host) -> Boxed<'a, ActionOutcome> {
        Box::pin(self.act(action, host))
    }
}

/// The REPL as it was before the action.
fn dump(ask: Ask) -> Option<Vec<u8>> {
    match ask {
        Ask::Start(start) => start.dump,
        Ask::Answer(_) => None,
    }
}

/// A place among those that wait, given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn in_queue(queued: &'a AtomicUsize, max: usize) -> Option<Self> {
        let more = |n: usize| (n < max).then_some(n + 1);
        queued.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Self(queued))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
