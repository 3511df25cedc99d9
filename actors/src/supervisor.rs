//! What a supervisor orders when children start, exit and are let go, in OTP's words. Pure: the
//! runtime obeys the orders, in their order, and tells what came of each.
//!
//! The contract with whoever obeys. A child is *live* from its `Start` or `StartAfter` until its
//! exit is told. `Start` is answered by [`Supervisor::started`], or by [`Supervisor::exited`] if it
//! failed. `Stop` is answered by `exited`, whatever the child died of; one that waits or is still
//! starting is stopped too. Each exit is told once.
//!
//! Apart from OTP: restarts back off; a failed first start is an exit like any other; and a child
//! with an intensity of its own restarts alone and is quarantined alone.

mod pace;
mod verdict;

pub use pace::{Backoff, Intensity};

use crate::id::Millis;
use pace::History;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Children of one supervisor.
pub const CHILDREN_MAX: usize = 65_536;

/// When a child that exited by itself is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Restart {
    Permanent,
    /// After a crash only.
    Transient,
    /// Never, not even with its group; the supervisor forgets it.
    Temporary,
}

/// How a child is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shutdown {
    /// Killed at once.
    BrutalKill,
    /// Asked, and killed after the deadline.
    Deadline {
        /// Milliseconds from the asking.
        ms: u64,
    },
    /// Asked, and waited for: for children that are supervisors themselves.
    Infinity,
}

/// Who is restarted with a child that exited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Strategy {
    OneForOne,
    OneForAll,
    /// Those that were added after it.
    RestForOne,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// Its work was done.
    Normal,
    /// It was asked to go.
    Shutdown,
    /// It panicked, was killed, or could not start.
    Crashed(String),
}

/// A child, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildSpec<K> {
    /// Its name among its siblings.
    pub id: K,
    /// When it is started again.
    pub restart: Restart,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// Given to dynamic children (spaces, sessions): past it this child alone is quarantined.
    /// Without, its restarts count as the supervisor's, and past those the supervisor gives up.
    pub intensity: Option<Intensity>,
}

/// What the runtime is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum SupervisorCommand<K> {
    /// Start it now.
    Start(K),
    /// Start it after a wait.
    StartAfter {
        child: K,
        /// The wait in milliseconds.
        ms: u64,
    },
    Stop {
        child: K,
        shutdown: Shutdown,
    },
    /// It stays down until it is revived; tell whoever cares.
    Quarantine {
        child: K,
        /// Its last crash.
        why: String,
    },
    /// Too many restarts: all children are down, and this supervisor is to crash too.
    Escalate {
        /// The last crash.
        why: String,
    },
}

/// What a child is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum State {
    /// Not started, or stopped with its supervisor.
    Down,
    /// Its turn to be started is still to come.
    Pending {
        /// It will then wait so many milliseconds.
        after_ms: u64,
    },
    /// Ordered to start, perhaps after a wait.
    Starting,
    Running,
    /// Ordered to stop.
    Stopping,
    /// It went cleanly and is not to come back.
    Finished,
    /// It crashed too often.
    Quarantined {
        /// Its last crash.
        why: String,
    },
}

/// What the supervisor is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupervisorPhase {
    /// Not started yet: children may be added.
    New,
    /// Keeping its children up.
    Up,
    /// Stopping them, as told.
    Stopping,
    /// All are down, as told.
    Stopped,
    /// Stopping them, because of too many restarts.
    GivingUp {
        /// The last crash.
        why: String,
    },
    /// All are down, because of too many restarts.
    GaveUp,
}

/// The supervisor cannot do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The name is in use.
    #[error("a child of that name is there already; remove it first, or revive it")]
    ChildTaken,
    /// Nobody has that name.
    #[error("there is no child of that name; add it")]
    NoSuchChild,
    /// It is not down.
    #[error("the child is not down; only a finished or quarantined one is revived")]
    NotDown,
    /// Past the limit.
    #[error("a supervisor has at most {CHILDREN_MAX} children; remove some, or start a second one")]
    TooManyChildren,
    /// It stops or has stopped.
    #[error("the supervisor is going down; wait until it is back")]
    GoingDown,
}

/// The state of one supervisor. It lives with its process and is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervisor<K> {
    strategy: Strategy,
    intensity: Intensity,
    backoff: Backoff,
    phase: SupervisorPhase,
    restarts: History,
    /// By order of adding, which is the order of starting.
    children: BTreeMap<u64, Child<K>>,
    places: BTreeMap<K, u64>,
    next_place: u64,
    /// Live, to be stopped in their turn: the last first.
    doomed: BTreeSet<u64>,
    /// Ordered to stop in their turn; nothing goes on until they are down.
    falling: BTreeSet<u64>,
    /// To be started in their turn: the first first.
    pending: BTreeSet<u64>,
    /// Ordered to start in its turn; those after it wait.
    rising: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Child<K> {
    spec: ChildSpec<K>,
    state: State,
    restarts: History,
    waited_ms: Option<u64>,
    up_since: Option<Millis>,
    stay: Stay,
}

impl<K> Child<K> {
    fn new(spec: ChildSpec<K>) -> Child<K> {
        let (state, restarts, stay) = (State::Down, History::default(), Stay::Listed);
        Child { spec, state, restarts, waited_ms: None, up_since: None, stay }
    }
}

/// What becomes of a child once it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    Listed,
    Leaving,
}

impl<K: Ord + Clone> Supervisor<K> {
    /// A supervisor without children, not started.
    pub fn new(strategy: Strategy, intensity: Intensity, backoff: Backoff) -> Supervisor<K> {
        Supervisor {
            strategy,
            intensity,
            backoff,
            phase: SupervisorPhase::New,
            restarts: History::default(),
            children: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
            doomed: BTreeSet::new(),
            falling: BTreeSet::new(),
            pending: BTreeSet::new(),
            rising: None,
        }
    }

    /// Starts the children in the order in which they were added, each after the one before is up.
    pub fn start(&mut self) -> Vec<SupervisorCommand<K>> {
        if self.phase != SupervisorPhase::New {
            return Vec::new();
        }
        self.phase = SupervisorPhase::Up;
        for place in self.children.keys().copied().collect::<Vec<_>>() {
            self.line_up(place, 0);
        }
        self.advance()
    }

    /// Adds a child after all others, and starts it if the supervisor is up.
    pub fn add(&mut self, spec: ChildSpec<K>) -> Result<Vec<SupervisorCommand<K>>, Refusal> {
        match self.phase {
            SupervisorPhase::New | SupervisorPhase::Up => {}
            _ => return Err(Refusal::GoingDown),
        }
        if self.places.contains_key(&spec.id) {
            return Err(Refusal::ChildTaken);
        }
        if self.children.len() >= CHILDREN_MAX {
            return Err(Refusal::TooManyChildren);
        }
        let place = self.next_place;
        self.next_place += 1;
        self.places.insert(spec.id.clone(), place);
        self.children.insert(place, Child::new(spec));
        if self.phase == SupervisorPhase::New {
            return Ok(Vec::new());
        }
        self.line_up(place, 0);
        Ok(self.advance())
    }

    /// Stops a child and forgets it; its siblings are not touched, whatever the strategy.
    pub fn remove(&mut self, id: &K) -> Result<Vec<SupervisorCommand<K>>, Refusal> {
        let place = *self.places.get(id).ok_or(Refusal::NoSuchChild)?;
        let doomed = self.doomed.contains(&place);
        let Some(child) = self.children.get_mut(&place) else { return Err(Refusal::NoSuchChild) };
        match child.state {
            State::Starting | State::Running => {
                child.stay = Stay::Leaving;
                if doomed {
                    return Ok(Vec::new());
                }
                child.state = State::Stopping;
                let (child, shutdown) = (child.spec.id.clone(), child.spec.shutdown);
                Ok(vec![SupervisorCommand::Stop { child, shutdown }])
            }
            State::Stopping => {
                child.stay = Stay::Leaving;
                Ok(Vec::new())
            }
            State::Down | State::Pending { .. } | State::Finished | State::Quarantined { .. } => {
                self.forget(place);
                Ok(self.advance())
            }
        }
    }

    /// Starts a child that is finished or quarantined, with a clean record.
    pub fn revive(&mut self, id: &K) -> Result<Vec<SupervisorCommand<K>>, Refusal> {
        if self.phase != SupervisorPhase::Up {
            return Err(Refusal::GoingDown);
        }
        let place = *self.places.get(id).ok_or(Refusal::NoSuchChild)?;
        let Some(child) = self.children.get_mut(&place) else { return Err(Refusal::NoSuchChild) };
        if !matches!(child.state, State::Finished | State::Quarantined { .. }) {
            return Err(Refusal::NotDown);
        }
        child.restarts.clear();
        child.waited_ms = None;
        self.line_up(place, 0);
        Ok(self.advance())
    }

    /// Stops all children, the last added first, each after the one before is down. Neighbours
    /// with an intensity of their own do not know each other and stop together.
    pub fn stop(&mut self) -> Vec<SupervisorCommand<K>> {
        match self.phase {
            SupervisorPhase::New | SupervisorPhase::Up => {}
            _ => return Vec::new(),
        }
        self.wind_down(SupervisorPhase::Stopping);
        self.advance()
    }

    /// What the supervisor is doing. After [`Supervisor::stop`] it is over at
    /// [`SupervisorPhase::Stopped`].
    pub fn phase(&self) -> &SupervisorPhase {
        &self.phase
    }

    /// What one child is doing.
    pub fn state(&self, id: &K) -> Option<&State> {
        self.children.get(self.places.get(id)?).map(|child| &child.state)
    }

    /// Since when one child is up, by the supervisor's last word of it.
    pub fn up_since(&self, id: &K) -> Option<Millis> {
        self.children.get(self.places.get(id)?)?.up_since
    }

    /// Every child and what it is doing, in order of adding.
    pub fn status(&self) -> impl Iterator<Item = (&K, &State)> {
        self.children.values().map(|child| (&child.spec.id, &child.state))
    }
}

#[cfg(test)]
mod tests;
