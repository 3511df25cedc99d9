//! The supervision tree: obeys the verdicts of [`stoa_actors::supervisor`] on ractor's events.
//!
//! ```text
//! root ── statics   the rights actor: past its intensity the runtime stops
//!      └─ actors    spaces, sessions, own actors: each with an intensity of its own, past which it
//!                   alone is quarantined
//! ```
//!
//! ractor kills a subtree in no particular order when its parent dies and runs no cleanup on a
//! kill, so stopping is ours: in reverse order of starting, with a deadline each. Nothing that
//! matters is cleaned up there; what is acknowledged is durable already.

mod shutdown;

use super::Supervised;
use crate::failure::{StoreError, StoreFailure};
use crate::limits::Config;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa_actors::id::{Millis, StreamId};
use stoa_actors::supervisor::{
    Backoff, ChildSpec, Exit, Intensity, Restart, Shutdown, State, Strategy, Supervisor,
    SupervisorCommand,
};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Both branches; cheap to clone.
#[derive(Clone)]
pub(crate) struct Supervisors {
    statics: ActorRef<Command>,
    actors: ActorRef<Command>,
}

/// What a branch is told.
pub(crate) enum Command {
    Adopt {
        address: Arc<dyn Supervised>,
        told: oneshot::Sender<()>,
    },
    Start(StreamId),
    Started {
        child: StreamId,
        cell: ActorCell,
    },
    NotStarted {
        child: StreamId,
        why: String,
    },
    Revive {
        child: StreamId,
        told: oneshot::Sender<Result<(), String>>,
    },
    Status(oneshot::Sender<Vec<(StreamId, State)>>),
    /// Let go, and forgotten once it is gone.
    Dismiss {
        child: StreamId,
        told: oneshot::Sender<()>,
    },
    Stop(oneshot::Sender<()>),
}

impl Supervisors {
    pub(crate) async fn start(
        config: &Config,
        failure: &StoreFailure,
    ) -> Result<Supervisors, StoreError> {
        let branch = async |grade: Grade| {
            let seed = Seed { grade, config: config.clone(), failure: failure.clone() };
            Actor::spawn(None, SupervisorActor, seed)
                .await
                .map(|(actor, _)| actor)
                .map_err(|error| StoreError::Invariant(format!("a supervisor: {error}")))
        };
        Ok(Supervisors {
            statics: branch(Grade::Static).await?,
            actors: branch(Grade::Dynamic).await?,
        })
    }

    /// Takes a child that the runtime cannot do without.
    pub(crate) async fn adopt_static(
        &self,
        address: Arc<dyn Supervised>,
    ) -> Result<(), StoreError> {
        let (told, hear) = oneshot::channel();
        drop(self.statics.cast(Command::Adopt { address, told }));
        hear.await.map_err(|_| StoreError::Stopping)
    }

    /// Takes a child that is quarantined alone.
    pub(crate) async fn adopt(&self, address: Arc<dyn Supervised>) -> Result<(), StoreError> {
        let (told, hear) = oneshot::channel();
        drop(self.actors.cast(Command::Adopt { address, told }));
        hear.await.map_err(|_| StoreError::Stopping)
    }

    /// Starts a quarantined child again, with a clean record.
    pub(crate) async fn revive(&self, child: StreamId) -> Result<(), String> {
        let (told, hear) = oneshot::channel();
        drop(self.actors.cast(Command::Revive { child, told }));
        hear.await.unwrap_or_else(|_| Err("the runtime is stopping".into()))
    }

    /// Stops a child that is up, in order, and forgets it. Returns once it is gone; adopted again,
    /// it starts again.
    pub(crate) async fn dismiss(&self, child: StreamId) -> Result<(), StoreError> {
        let (told, hear) = oneshot::channel();
        drop(self.actors.cast(Command::Dismiss { child, told }));
        hear.await.map_err(|_| StoreError::Stopping)
    }

    /// Every child and what it is doing.
    pub(crate) async fn status(&self) -> Vec<(StreamId, State)> {
        let mut all = Vec::new();
        for branch in [&self.statics, &self.actors] {
            let (told, hear) = oneshot::channel();
            drop(branch.cast(Command::Status(told)));
            all.extend(hear.await.unwrap_or_default());
        }
        all
    }

    /// Kills both branches, and with them all children, in no order.
    pub(crate) fn kill(&self) {
        self.actors.kill();
        self.statics.kill();
    }

    /// Stops all children, the last first, then the branches.
    pub(crate) async fn stop(&self) {
        for branch in [&self.actors, &self.statics] {
            let (told, hear) = oneshot::channel();
            if branch.cast(Command::Stop(told)).is_ok() {
                drop(hear.await);
            }
            branch.stop(None);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grade {
    Static,
    Dynamic,
}

pub(crate) struct Seed {
    grade: Grade,
    config: Config,
    failure: StoreFailure,
}

pub(crate) struct SupervisorActor;

pub(crate) struct SupervisorState {
    seed: Seed,
    started: Instant,
    verdicts: Supervisor<StreamId>,
    addresses: HashMap<StreamId, Arc<dyn Supervised>>,
    cells: HashMap<StreamId, ActorCell>,
    children: HashMap<ActorId, StreamId>,
    /// Died before its start was told.
    early: HashMap<ActorId, Exit>,
    /// About to be started after a wait.
    waiting: HashMap<StreamId, AbortHandle>,
    /// Loading; what becomes of it is yet to be told.
    loading: HashSet<StreamId>,
    /// Dismissed; who wants to know when they are gone.
    leaving: HashMap<StreamId, oneshot::Sender<()>>,
    stopping: Option<oneshot::Sender<()>>,
}

impl Actor for SupervisorActor {
    type Msg = Command;
    type State = SupervisorState;
    type Arguments = Seed;

    async fn pre_start(
        &self,
        _: ActorRef<Command>,
        seed: Seed,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let Config { restarts_max, restarts_within_ms: within_ms, .. } = seed.config;
        let intensity = Intensity { restarts_max, within_ms };
        let backoff = backoff(&seed.config);
        let mut verdicts = Supervisor::new(Strategy::OneForOne, intensity, backoff);
        verdicts.start();
        Ok(SupervisorState {
            seed,
            started: Instant::now(),
            verdicts,
            addresses: HashMap::new(),
            cells: HashMap::new(),
            children: HashMap::new(),
            early: HashMap::new(),
            waiting: HashMap::new(),
            loading: HashSet::new(),
            leaving: HashMap::new(),
            stopping: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Command>,
        command: Command,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.take(&myself, command);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Command>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, exit) = match event {
            SupervisionEvent::ActorTerminated(cell, state, why) => {
                // It holds its address, which may be free from here on.
                drop(state);
                (cell, why.map_or(Exit::Normal, |_| Exit::Shutdown))
            }
            SupervisionEvent::ActorFailed(cell, error) => (cell, Exit::Crashed(error.to_string())),
            _ => return Ok(()),
        };
        match state.children.remove(&cell.get_id()) {
            Some(child) => state.exited(&myself, child, exit),
            None => drop(state.early.insert(cell.get_id(), exit)),
        }
        Ok(())
    }
}

fn backoff(config: &Config) -> Backoff {
    Backoff {
        first_ms: config.restart_backoff_ms,
        ceiling_ms: config.restart_backoff_ms_max,
        healthy_ms: config.restart_healthy_ms,
    }
}

impl SupervisorState {
    fn now(&self) -> Millis {
        Millis(self.started.elapsed().as_millis() as u64)
    }

    fn take(&mut self, myself: &ActorRef<Command>, command: Command) {
        match command {
            Command::Adopt { address, told } => {
                let spec = self.spec(address.stream());
                self.addresses.insert(address.stream(), address);
                match self.verdicts.add(spec) {
                    Ok(orders) => self.obey(myself, orders),
                    // A process that ends may still be bringing somebody up: nothing is wrong.
                    Err(refusal @ stoa_actors::supervisor::Refusal::GoingDown) => {
                        tracing::debug!(%refusal, "a child was not adopted");
                    }
                    Err(refusal) => tracing::warn!(%refusal, "a child was not adopted"),
                }
                let _ = told.send(());
            }
            Command::Start(child) => self.start(myself, child),
            Command::Started { child, cell } => {
                let (id, now) = (cell.get_id(), self.now());
                self.loading.remove(&child);
                self.cells.insert(child, cell);
                match self.verdicts.state(&child) {
                    // Ordered to stop while it was loading.
                    Some(State::Stopping) => self.stop(myself, child, self.deadline()),
                    _ => {
                        let orders = self.verdicts.started(&child, now);
                        self.obey(myself, orders);
                    }
                }
                match self.early.remove(&id) {
                    Some(exit) => self.exited(myself, child, exit),
                    None => drop(self.children.insert(id, child)),
                }
            }
            Command::NotStarted { child, why } => {
                self.loading.remove(&child);
                self.exited(myself, child, Exit::Crashed(why));
            }
            Command::Revive { child, told } => {
                let revived = self.verdicts.revive(&child);
                // From here on whoever asks waits for it.
                if let (Ok(_), Some(address)) = (&revived, self.addresses.get(&child)) {
                    address.restarting();
                }
                drop(told.send(revived.as_ref().map(drop).map_err(ToString::to_string)));
                self.obey(myself, revived.unwrap_or_default());
            }
            Command::Dismiss { child, told } => self.dismiss(myself, child, told),
            Command::Status(told) => {
                let status = self.verdicts.status().map(|(child, state)| (*child, state.clone()));
                drop(told.send(status.collect()));
            }
            Command::Stop(told) => {
                self.stopping = Some(told);
                self.addresses.values().for_each(|address| address.abandon());
                let orders = self.verdicts.stop();
                self.obey(myself, orders);
            }
        }
        self.tell_stopped();
    }

    fn deadline(&self) -> Shutdown {
        Shutdown::Deadline { ms: self.seed.config.stop_ms_max }
    }

    fn spec(&self, id: StreamId) -> ChildSpec<StreamId> {
        let Config { restarts_max, restarts_within_ms, .. } = self.seed.config;
        let own = Intensity { restarts_max, within_ms: restarts_within_ms };
        ChildSpec {
            id,
            restart: Restart::Permanent,
            shutdown: self.deadline(),
            intensity: (self.seed.grade == Grade::Dynamic).then_some(own),
        }
    }

    fn exited(&mut self, myself: &ActorRef<Command>, child: StreamId, exit: Exit) {
        if let Exit::Crashed(why) = &exit {
            tracing::warn!(stream = %child, %why, "an actor died");
        }
        self.cells.remove(&child);
        let now = self.now();
        let orders = self.verdicts.exited(&child, exit, now);
        if self.verdicts.state(&child).is_none() {
            self.left(child);
        } else if let Some(address) = self.addresses.get(&child) {
            address.restarting();
        }
        self.obey(myself, orders);
        self.tell_stopped();
    }

    fn obey(&mut self, myself: &ActorRef<Command>, orders: Vec<SupervisorCommand<StreamId>>) {
        for order in orders {
            match order {
                SupervisorCommand::Start(child) => self.start(myself, child),
                SupervisorCommand::StartAfter { child, ms } => {
                    let wait = Duration::from_millis(ms);
                    let timer = myself.send_after(wait, move || Command::Start(child));
                    self.waiting.insert(child, timer.abort_handle());
                }
                SupervisorCommand::Stop { child, shutdown } => self.stop(myself, child, shutdown),
                SupervisorCommand::Quarantine { child, why } => {
                    tracing::error!(stream = %child, %why, "an actor is quarantined");
                    if let Some(address) = self.addresses.get(&child) {
                        address.quarantined(&why);
                    }
                }
                SupervisorCommand::Escalate { why } => {
                    let error = format!("an actor the runtime needs died too often: {why}");
                    self.seed.failure.trip(StoreError::Invariant(error));
                }
            }
        }
    }

    fn start(&mut self, myself: &ActorRef<Command>, child: StreamId) {
        let Some(address) = self.addresses.get(&child).cloned() else { return };
        self.waiting.remove(&child);
        self.loading.insert(child);
        let myself = myself.clone();
        tokio::spawn(async move {
            let told = match address.start(myself.get_cell()).await {
                Ok(cell) => Command::Started { child, cell },
                Err(why) => Command::NotStarted { child, why },
            };
            drop(myself.cast(told));
        });
    }
}
