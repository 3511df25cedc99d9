//! How children go: stopped, dismissed, and the last of them told.

use super::{Command, SupervisorState};
use ractor::ActorRef;
use std::time::Duration;
use stoa_actors::id::StreamId;
use stoa_actors::supervisor::{Exit, Shutdown, State, SupervisorPhase};
use tokio::sync::oneshot;

impl SupervisorState {
    pub(super) fn dismiss(
        &mut self,
        myself: &ActorRef<Command>,
        child: StreamId,
        told: oneshot::Sender<()>,
    ) {
        // One that is kept out of service stays, to be seen; who asks hears that by `told` dropped.
        if !matches!(self.verdicts.state(&child), Some(State::Running | State::Starting)) {
            return;
        }
        if let Ok(orders) = self.verdicts.remove(&child) {
            self.leaving.insert(child, told);
            self.obey(myself, orders);
        }
    }

    /// It is gone and forgotten.
    pub(super) fn left(&mut self, child: StreamId) {
        if let Some(address) = self.addresses.remove(&child) {
            address.rested();
        }
        if let Some(told) = self.leaving.remove(&child) {
            let _ = told.send(());
        }
    }

    /// Every stop is answered by an exit: at once for a child that only waits for its start, once
    /// it is loaded for one that loads.
    pub(super) fn stop(&mut self, myself: &ActorRef<Command>, child: StreamId, shutdown: Shutdown) {
        if let Some(timer) = self.waiting.remove(&child) {
            timer.abort();
            return self.exited(myself, child, Exit::Shutdown);
        }
        let Some(cell) = self.cells.get(&child).cloned() else { return };
        match shutdown {
            Shutdown::BrutalKill => cell.kill(),
            Shutdown::Infinity => drop(cell.drain()),
            Shutdown::Deadline { ms } => {
                tokio::spawn(async move {
                    let wait = Some(Duration::from_millis(ms));
                    if cell.drain_and_wait(wait).await.is_err() {
                        cell.kill();
                    }
                });
            }
        }
    }

    pub(super) fn tell_stopped(&mut self) {
        if *self.verdicts.phase() == SupervisorPhase::Stopped
            && let Some(told) = self.stopping.take()
        {
            let _ = told.send(());
        }
    }
}
