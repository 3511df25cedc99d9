//! What a supervisor must want, as plain lists: who must go, who must come, and every restart ever
//! counted. It says nothing of when; that is checked against each order as it is given.

use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::supervisor::{
    Backoff, ChildSpec, Exit, Intensity, Restart, State, Strategy, SupervisorCommand,
};

/// A child as the runtime sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Down,
    Waiting { due: u64 },
    Starting,
    Up,
    Stopping,
}

impl Life {
    pub(crate) fn is_live(self) -> bool {
        self != Life::Down
    }
}

pub(crate) struct Kid {
    pub(crate) spec: ChildSpec<u32>,
    pub(crate) life: Life,
    finished: bool,
    quarantined: bool,
    leaving: bool,
    counted: Vec<u64>,
    since: Option<u64>,
    /// Restarts in a row without a healthy time.
    row: u32,
}

pub(crate) struct Model {
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) backoff: Backoff,
    /// Children by the order of adding, which is their number.
    pub(crate) kids: BTreeMap<u32, Kid>,
    counted: Vec<u64>,
    must_go: BTreeSet<u32>,
    going: BTreeSet<u32>,
    /// Who must come in turn, and after what wait.
    must_come: BTreeMap<u32, u64>,
    /// Who must come at once, whoever else comes.
    at_once: BTreeMap<u32, u64>,
    coming: Option<u32>,
    quarantine: Option<u32>,
    remove: Option<u32>,
    pub(crate) ending: bool,
    escalate: bool,
}

fn too_many(counted: &[u64], intensity: Intensity, now: u64) -> bool {
    let recent = counted.iter().filter(|&&at| now - at <= intensity.within_ms);
    recent.count() > intensity.restarts_max as usize
}

impl Model {
    pub(crate) fn new(strategy: Strategy, intensity: Intensity, backoff: Backoff) -> Model {
        Model {
            strategy,
            intensity,
            backoff,
            kids: BTreeMap::new(),
            counted: Vec::new(),
            must_go: BTreeSet::new(),
            going: BTreeSet::new(),
            must_come: BTreeMap::new(),
            at_once: BTreeMap::new(),
            coming: None,
            quarantine: None,
            remove: None,
            ending: false,
            escalate: false,
        }
    }

    pub(crate) fn add(&mut self, spec: ChildSpec<u32>) {
        let id = spec.id;
        let (life, counted) = (Life::Down, Vec::new());
        let (finished, quarantined, leaving) = (false, false, false);
        let kid = Kid { spec, life, finished, quarantined, leaving, counted, since: None, row: 0 };
        self.kids.insert(id, kid);
        self.must_come.insert(id, 0);
    }

    pub(crate) fn remove(&mut self, id: u32) {
        let kid = self.kids.get_mut(&id).expect("it is there");
        match kid.life {
            Life::Down => self.forget(id),
            Life::Stopping => kid.leaving = true,
            _ => {
                kid.leaving = true;
                if !self.must_go.contains(&id) {
                    self.remove = Some(id);
                }
            }
        }
    }

    /// Can it be revived, and if so: it must come.
    pub(crate) fn revive(&mut self, id: u32) -> bool {
        let kid = self.kids.get_mut(&id).expect("it is there");
        if self.ending || !(kid.finished || kid.quarantined) {
            return false;
        }
        kid.finished = false;
        kid.quarantined = false;
        kid.counted.clear();
        kid.row = 0;
        self.must_come.insert(id, 0);
        true
    }

    pub(crate) fn stop(&mut self) {
        self.ending = true;
        self.must_come.clear();
        for (&id, kid) in &self.kids {
            match kid.life {
                Life::Down => {}
                Life::Stopping => drop(self.going.insert(id)),
                _ => drop(self.must_go.insert(id)),
            }
        }
    }

    pub(crate) fn started(&mut self, id: u32, now: u64) {
        let kid = self.kids.get_mut(&id).expect("it is there");
        kid.life = Life::Up;
        kid.since = Some(now);
        self.coming = self.coming.filter(|&coming| coming != id);
    }

    pub(crate) fn exited(&mut self, id: u32, exit: &Exit, now: u64) {
        let kid = self.kids.get_mut(&id).expect("it is there");
        kid.life = Life::Down;
        if kid.since.take().is_some_and(|since| now - since >= self.backoff.healthy_ms) {
            kid.row = 0;
        }
        self.coming = self.coming.filter(|&coming| coming != id);
        let with_others = self.must_go.remove(&id) | self.going.remove(&id);
        if kid.leaving {
            return self.forget(id);
        }
        let temporary = kid.spec.restart == Restart::Temporary;
        if with_others {
            match (self.ending, temporary) {
                (true, _) => {}
                (false, true) => self.forget(id),
                (false, false) => drop(self.must_come.insert(id, 0)),
            }
            return;
        }
        let crashed = matches!(exit, Exit::Crashed(_));
        match kid.spec.restart {
            Restart::Temporary => self.forget(id),
            Restart::Transient if !crashed => kid.finished = true,
            _ => self.restart(id, now),
        }
    }

    fn restart(&mut self, id: u32, now: u64) {
        let kid = self.kids.get_mut(&id).expect("it is there");
        let own = kid.spec.intensity;
        match own {
            Some(own) => {
                kid.counted.push(now);
                if too_many(&kid.counted, own, now) {
                    kid.quarantined = true;
                    self.quarantine = Some(id);
                    return;
                }
            }
            None => {
                self.counted.push(now);
                if too_many(&self.counted, self.intensity, now) {
                    self.escalate = true;
                    return self.stop();
                }
            }
        }
        let Backoff { first_ms, ceiling_ms, .. } = self.backoff;
        let wait = (first_ms << kid.row.min(20)).min(ceiling_ms);
        kid.row += 1;
        if own.is_some() || self.strategy == Strategy::OneForOne {
            self.at_once.insert(id, wait);
            return;
        }
        self.must_come.insert(id, wait);
        let from = if self.strategy == Strategy::OneForAll { 0 } else { id };
        for (&id, kid) in self.kids.range_mut(from..) {
            if std::mem::take(&mut kid.finished) {
                self.must_come.insert(id, 0);
            } else if kid.life.is_live() && kid.life != Life::Stopping {
                self.must_go.insert(id);
            }
        }
    }

    fn forget(&mut self, id: u32) {
        self.kids.remove(&id);
        self.must_come.remove(&id);
    }

    /// Is this order right, here and now? Then it is obeyed.
    pub(crate) fn order(&mut self, order: &SupervisorCommand<u32>, now: u64) -> Result<(), String> {
        match order {
            SupervisorCommand::Start(id) => self.come(*id, 0, now),
            SupervisorCommand::StartAfter { child, ms } => self.come(*child, *ms, now),
            SupervisorCommand::Stop { child, shutdown } => {
                if self.kids.get(child).is_none_or(|kid| kid.spec.shutdown != *shutdown) {
                    return Err("stop: not the child's own way".into());
                }
                self.go(*child)
            }
            SupervisorCommand::Quarantine { child, .. } if self.quarantine == Some(*child) => {
                self.quarantine = None;
                Ok(())
            }
            SupervisorCommand::Quarantine { .. } => {
                Err("intensity: a quarantine for nothing".into())
            }
            SupervisorCommand::Escalate { .. } => {
                if !self.escalate || self.kids.values().any(|kid| kid.life.is_live()) {
                    return Err("intensity: it gives up too early".into());
                }
                self.escalate = false;
                Ok(())
            }
        }
    }

    fn come(&mut self, id: u32, ms: u64, now: u64) -> Result<(), String> {
        let Some(kid) = self.kids.get_mut(&id) else {
            return Err("restart: of a child that was removed".into());
        };
        if kid.life.is_live() {
            return Err("restart: of a child that is live".into());
        }
        let wait = if let Some(wait) = self.at_once.remove(&id) {
            wait
        } else {
            if !self.must_go.is_empty() || !self.going.is_empty() {
                return Err("order: one comes before all have gone that must".into());
            }
            if self.coming.is_some() {
                return Err("order: one comes before the one before it is up".into());
            }
            if self.must_come.keys().next() != Some(&id) {
                return Err("restart: out of turn, or of a child that should stay as it is".into());
            }
            if kid.spec.intensity.is_none() {
                self.coming = Some(id);
            }
            self.must_come.remove(&id).unwrap_or_default()
        };
        if wait != ms {
            return Err(format!("backoff: it waits {ms} ms, not {wait} ms"));
        }
        kid.life = if ms == 0 { Life::Starting } else { Life::Waiting { due: now + ms } };
        Ok(())
    }

    fn go(&mut self, id: u32) -> Result<(), String> {
        let dynamic = |id: &u32| self.kids[id].spec.intensity.is_some();
        if self.remove == Some(id) {
            self.remove = None;
        } else if self.must_go.last() != Some(&id) {
            return Err("stop: not the last of those that must go".into());
        } else if !(self.going.is_empty() || dynamic(&id) && self.going.iter().all(dynamic)) {
            return Err("stop: before the one after it is down".into());
        } else {
            self.must_go.remove(&id);
            self.going.insert(id);
        }
        self.kids.get_mut(&id).expect("it is there").life = Life::Stopping;
        Ok(())
    }

    /// After all orders of one call: nothing that could be ordered was left out.
    pub(crate) fn nothing_is_left_out(&self) -> Result<(), String> {
        let free = self.must_go.is_empty() && self.going.is_empty();
        let left_out = [
            (self.remove.is_some(), "stop: a removed child is left running"),
            (!self.must_go.is_empty() && self.going.is_empty(), "stop: nobody goes on with it"),
            (!self.at_once.is_empty(), "restart: a child is left down"),
            (
                free && self.coming.is_none() && !self.must_come.is_empty(),
                "restart: nobody goes on with it",
            ),
            (self.quarantine.is_some(), "intensity: exceeded without a quarantine"),
            (free && self.escalate, "intensity: exceeded without giving up"),
        ];
        left_out.into_iter().find(|(left, _)| *left).map_or(Ok(()), |(_, what)| Err(what.into()))
    }

    /// The state a child should show.
    pub(crate) fn state(&self, id: u32) -> Option<&'static str> {
        let kid = self.kids.get(&id)?;
        Some(match kid.life {
            Life::Waiting { .. } | Life::Starting => "starting",
            Life::Up => "running",
            Life::Stopping => "stopping",
            Life::Down if kid.finished => "finished",
            Life::Down if kid.quarantined => "quarantined",
            Life::Down if self.must_come.contains_key(&id) => "pending",
            Life::Down => "down",
        })
    }
}

/// The state a child does show.
pub(crate) fn shown(state: &State) -> &'static str {
    match state {
        State::Down => "down",
        State::Pending { .. } => "pending",
        State::Starting => "starting",
        State::Running => "running",
        State::Stopping => "stopping",
        State::Finished => "finished",
        State::Quarantined { .. } => "quarantined",
    }
}
