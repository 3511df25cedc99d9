//! What follows from a start or an exit.

use super::{
    Child, Exit, Restart, State, Stay, Strategy, Supervisor, SupervisorCommand, SupervisorPhase,
};
use crate::id::Millis;
use crate::mutant::planted;

impl<K: Ord + Clone> Supervisor<K> {
    /// The child is up.
    pub fn started(&mut self, id: &K, now: Millis) -> Vec<SupervisorCommand<K>> {
        let Some(&place) = self.places.get(id) else { return Vec::new() };
        if let Some(child) = self.children.get_mut(&place)
            && child.state == State::Starting
        {
            child.state = State::Running;
            child.up_since = Some(now);
            self.rising = self.rising.filter(|&rising| rising != place);
        }
        self.advance()
    }

    /// The child is down, by itself or because it was ordered to stop.
    pub fn exited(&mut self, id: &K, exit: Exit, now: Millis) -> Vec<SupervisorCommand<K>> {
        let Some(&place) = self.places.get(id) else { return Vec::new() };
        let Some(child) = self.children.get_mut(&place) else { return Vec::new() };
        let ordered = child.state == State::Stopping;
        if !ordered && !matches!(child.state, State::Starting | State::Running) {
            // It is down already: told twice, or never asked for.
            return Vec::new();
        }
        if let Some(since) = child.up_since.take()
            && self.backoff.forgives(now.0.saturating_sub(since.0))
        {
            child.waited_ms = None;
        }
        let leaving = child.stay == Stay::Leaving;
        child.state = State::Down;
        self.rising = self.rising.filter(|&rising| rising != place);
        let in_turn = self.falling.remove(&place) | self.doomed.remove(&place);
        let mut orders = Vec::new();
        if leaving {
            self.forget(place);
        } else if in_turn {
            self.come_back_later(place);
        } else if !ordered {
            orders = self.verdict(place, exit, now);
        }
        orders.extend(self.advance());
        orders
    }

    /// It went with its group, asked or just before it was asked; that counts as no restart.
    fn come_back_later(&mut self, place: u64) {
        let temporary = self.is(place, |child| child.spec.restart == Restart::Temporary);
        if self.phase != SupervisorPhase::Up {
            return;
        }
        if temporary && !planted("supervisor.temporary_comes_back") {
            self.forget(place);
        } else {
            self.line_up(place, 0);
        }
    }

    /// It went by itself.
    fn verdict(&mut self, place: u64, exit: Exit, now: Millis) -> Vec<SupervisorCommand<K>> {
        let Some(child) = self.children.get_mut(&place) else { return Vec::new() };
        let clean = !matches!(exit, Exit::Crashed(_));
        match child.spec.restart {
            Restart::Temporary => {
                self.forget(place);
                return Vec::new();
            }
            Restart::Transient if clean && !planted("supervisor.transient_is_permanent") => {
                child.state = State::Finished;
                return Vec::new();
            }
            Restart::Transient | Restart::Permanent => {}
        }
        let why = match exit {
            Exit::Crashed(why) => why,
            Exit::Normal => "it exited, and is permanent".into(),
            Exit::Shutdown => "it was shut down by another, and is permanent".into(),
        };
        let counted = !(clean && planted("supervisor.clean_exit_uncounted"));
        let own = child.spec.intensity;
        let exceeds = match own {
            Some(own) => counted && child.restarts.exceeds(own, now),
            None => counted && self.restarts.exceeds(self.intensity, now),
        };
        if exceeds && own.is_some() && !planted("supervisor.dynamic_child_escalates") {
            child.state = State::Quarantined { why: why.clone() };
            return vec![SupervisorCommand::Quarantine { child: child.spec.id.clone(), why }];
        }
        if exceeds {
            self.wind_down(SupervisorPhase::GivingUp { why });
            return Vec::new();
        }
        let wait_ms = self.backoff.after(child.waited_ms);
        child.waited_ms = Some(wait_ms);
        self.restart(place, wait_ms)
    }

    /// Restarts the child, and those that go with it.
    fn restart(&mut self, place: u64, wait_ms: u64) -> Vec<SupervisorCommand<K>> {
        let alone = self.is(place, |child| child.spec.intensity.is_some());
        let strategy = match self.strategy {
            Strategy::OneForOne if planted("supervisor.one_for_one_takes_all") => {
                Strategy::OneForAll
            }
            _ if alone => Strategy::OneForOne,
            strategy => strategy,
        };
        let group = match strategy {
            Strategy::OneForOne => return self.begin(place, wait_ms).into_iter().collect(),
            Strategy::OneForAll => 0..=u64::MAX,
            Strategy::RestForOne if planted("supervisor.rest_is_all") => 0..=u64::MAX,
            Strategy::RestForOne => place..=u64::MAX,
        };
        let mut finished = Vec::new();
        for (&at, child) in self.children.range(group) {
            match child.state {
                State::Starting | State::Running => {
                    self.doomed.insert(at);
                }
                // As in OTP: a restart of the group is a new beginning for those that were done.
                State::Finished if !planted("supervisor.finished_stays") => finished.push(at),
                _ => {}
            }
        }
        for at in finished {
            self.line_up(at, 0);
        }
        self.line_up(place, wait_ms);
        Vec::new()
    }

    /// The next orders: first whoever must go goes, the last first; then whoever must come comes.
    pub(super) fn advance(&mut self) -> Vec<SupervisorCommand<K>> {
        let mut orders = Vec::new();
        if !self.falling.is_empty() && !planted("supervisor.stops_do_not_wait") {
            return orders;
        }
        self.fell(&mut orders);
        let hasty = planted("supervisor.restart_does_not_wait");
        if !self.falling.is_empty() && !hasty {
            return orders;
        }
        match &self.phase {
            SupervisorPhase::Up => self.raise(&mut orders),
            SupervisorPhase::Stopping => self.phase = SupervisorPhase::Stopped,
            SupervisorPhase::GivingUp { why } => {
                orders.push(SupervisorCommand::Escalate { why: why.clone() });
                self.phase = SupervisorPhase::GaveUp;
            }
            SupervisorPhase::New | SupervisorPhase::Stopped | SupervisorPhase::GaveUp => {}
        }
        orders
    }

    /// Orders the last of the doomed to stop, with its neighbours if they are on their own.
    fn fell(&mut self, orders: &mut Vec<SupervisorCommand<K>>) {
        loop {
            let next = if planted("supervisor.stops_in_start_order") {
                self.doomed.first().copied()
            } else {
                self.doomed.last().copied()
            };
            let Some(place) = next else { return };
            let dynamic = self.is(place, |child| child.spec.intensity.is_some());
            if !self.falling.is_empty() && !dynamic {
                return;
            }
            self.doomed.remove(&place);
            if let Some(child) = self.children.get_mut(&place) {
                child.state = State::Stopping;
                self.falling.insert(place);
                let (child, shutdown) = (child.spec.id.clone(), child.spec.shutdown);
                orders.push(SupervisorCommand::Stop { child, shutdown });
            }
            if !dynamic {
                return;
            }
        }
    }

    /// Orders the first of the pending to start; those on their own keep nobody waiting.
    fn raise(&mut self, orders: &mut Vec<SupervisorCommand<K>>) {
        while self.rising.is_none()
            && let Some(place) = self.pending.pop_first()
        {
            let Some(child) = self.children.get(&place) else { continue };
            let State::Pending { after_ms } = child.state else { continue };
            if child.spec.intensity.is_none() {
                self.rising = Some(place);
            }
            orders.extend(self.begin(place, after_ms));
        }
    }

    fn begin(&mut self, place: u64, wait_ms: u64) -> Option<SupervisorCommand<K>> {
        let child = self.children.get_mut(&place)?;
        child.state = State::Starting;
        let id = child.spec.id.clone();
        Some(match wait_ms {
            0 => SupervisorCommand::Start(id),
            ms => SupervisorCommand::StartAfter { child: id, ms },
        })
    }

    pub(super) fn line_up(&mut self, place: u64, after_ms: u64) {
        if let Some(child) = self.children.get_mut(&place) {
            child.state = State::Pending { after_ms };
            self.pending.insert(place);
        }
    }

    /// Nobody starts any more, and whoever is live goes in turn.
    pub(super) fn wind_down(&mut self, phase: SupervisorPhase) {
        self.phase = phase;
        self.pending.clear();
        for (&place, child) in &mut self.children {
            match child.state {
                State::Pending { .. } => child.state = State::Down,
                State::Starting | State::Running => {
                    self.doomed.insert(place);
                }
                // On its way out alone; the end waits for it like for all others.
                State::Stopping => {
                    self.falling.insert(place);
                }
                State::Down | State::Finished | State::Quarantined { .. } => {}
            }
        }
    }

    pub(super) fn forget(&mut self, place: u64) {
        self.pending.remove(&place);
        if let Some(child) = self.children.remove(&place) {
            self.places.remove(&child.spec.id);
        }
    }

    fn is(&self, place: u64, what: impl Fn(&Child<K>) -> bool) -> bool {
        self.children.get(&place).is_some_and(what)
    }
}
