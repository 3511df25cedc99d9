//! How an agent is born, woken, let rest, tried again, stopped and ended.

use super::{
    AgentSpec, Brief, Budget, Effect, Event, FollowSpec, LedgerEntry, Phase, Refusal, Reply,
    Session,
};
use crate::behaviour::{Decision, Delivery, EffectId};
use crate::id::{Millis, SessionId, SpaceId};
use crate::log::Cause;
use crate::mutant::planted;
use crate::retry::wait_ms;
use crate::space::Wake;
use std::sync::Arc;

const THINK: u64 = 0;
const ACT: u64 = 1;
const WAIT: u64 = 2;
pub(super) const TELL: u64 = 3;
const LISTEN: u64 = 4;
pub(super) const LEND: u64 = 5;
const RETURN: u64 = 6;
const LET_GO: u64 = 7;
/// Steps of a turn have room below it. Of a turn with more of them, or a step with as many requests,
/// two effects share a name long after the first is over.
const REQUESTS_SHIFT: u32 = 14;
/// Giving back what is left: there is one of it in a life.
pub(super) const RETURNS: EffectId = RETURN;

/// Every effect of a session has a name of its own, the same whenever it is asked for again.
fn id(turn: u64, step: u32, kind: u64) -> EffectId {
    turn << 32 | u64::from(step & 0x0fff_ffff) << 3 | kind
}

/// Each request of a step is another, be it for a thought or for a summary.
pub(super) fn think_id(turn: u64, step: u32, requests: u32) -> EffectId {
    id(turn, step | requests << REQUESTS_SHIFT, THINK)
}

pub(super) fn act_id(turn: u64, step: u32) -> EffectId {
    id(turn, step, ACT)
}

pub(super) fn wait(turn: u64, since: Millis, until: Millis) -> (EffectId, Effect) {
    (id(turn, 0, WAIT), Effect::Wait { turn, since, until })
}

/// Of a kind that is numbered through, in turns or out of them.
pub(super) fn numbered(number: u64, kind: u64) -> EffectId {
    number << 3 | kind
}

/// What gives back the leases of one that is out of service from entry `seq` on.
pub(super) fn lets_go_id(seq: u64) -> EffectId {
    numbered(seq, LET_GO)
}

/// What is leased by then is given back; who goes on later may lease something anew.
pub(super) fn lets_go(at: Millis) -> Effect {
    let until = if planted("session.gives_back_what_is_leased_later") { u64::MAX } else { at.0 };
    Effect::LetGo { since: Millis(0), until: Millis(until) }
}

/// After entry `seq`: one that still runs for an older entry has perhaps looked already.
pub(crate) fn listen_id(seq: u64) -> EffectId {
    numbered(seq, LISTEN)
}

impl Session {
    /// Who it is.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What it was brought up with; nothing before it is born.
    pub fn charter(&self) -> Option<&AgentSpec> {
        self.charter.as_deref()
    }

    /// What it is doing.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The spaces it follows.
    pub fn follows(&self) -> impl Iterator<Item = (SpaceId, &FollowSpec)> {
        self.follows.iter().map(|(space, follow)| (*space, follow))
    }

    /// Until when it rests, for its last turns changed nothing; told only of one that is idle.
    pub(super) fn rests_until(&self) -> Option<Millis> {
        (self.phase == Phase::Idle && !planted("session.no_rest")).then_some(self.rest_until)
    }

    /// How many turns it has begun.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Whether it has begun to bring up a child that is not there yet.
    pub fn is_bringing_up(&self) -> bool {
        !self.spawning.is_empty()
    }

    /// Whether it has nothing to do and nothing to tell: it can be put away until it is woken.
    pub fn is_at_rest(&self) -> bool {
        let done = !matches!(self.phase, Phase::Turning(_) | Phase::Waiting { .. });
        let done = done && !self.is_funded() && self.lets_go.is_empty();
        done && self.letters.is_empty() && self.owed_transfers().is_empty()
    }

    /// Whether a wake would find it listening, now or once it is done.
    pub fn listens(&self) -> bool {
        !matches!(self.phase, Phase::Unborn | Phase::Wiped | Phase::Stopped)
            && !matches!(self.phase, Phase::Quarantined { .. })
            && (!matches!(self.phase, Phase::Exhausted { .. }) || self.is_funded())
    }

    /// The state that keeps what is new in a space from waking it; nothing where it is woken. A parked
    /// one is woken by the space that it shares with its parent.
    pub fn deaf_to(&self, space: SpaceId) -> Option<&'static str> {
        let own = self.charter.as_ref().is_some_and(|it| it.dm == space);
        let deaf = match self.phase {
            Phase::Parked { .. } => !own,
            Phase::Stopped | Phase::Quarantined { .. } => true,
            Phase::Exhausted { .. } => !self.is_funded(),
            _ => false,
        };
        deaf.then(|| self.phase.word())
    }

    /// Whether it stood still for want of a budget and has one now: it gets a turn, with what is new.
    pub fn is_funded(&self) -> bool {
        match self.phase {
            Phase::Exhausted { needs, .. } => {
                self.account.used_up().is_none() && self.account.covers(needs)
            }
            _ => false,
        }
    }

    /// A look for what is new that is owed, or that somebody outside has cause for.
    pub(crate) fn look(&self) -> (EffectId, Effect) {
        (listen_id(0), Effect::Listen(Arc::new(self.clone())))
    }

    pub(super) fn living(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Unborn => Err(Refusal::Unborn),
            Phase::Wiped => Err(Refusal::Wiped),
            _ => Ok(()),
        }
    }

    pub(super) fn begin(
        &self,
        charter: Arc<AgentSpec>,
        budget: Budget,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        match self.phase {
            Phase::Unborn => {}
            Phase::Wiped => return Err(Refusal::Wiped),
            _ => return Ok(Decision::read(Reply::Done)),
        }
        let (size, max) = (charter.task.len(), delivery.limits.session.task_bytes_max);
        if size > max {
            return Err(Refusal::Limit { what: "the task", size, max });
        }
        if let Some(unit) = budget.lacking() {
            return Err(Refusal::BudgetEmpty(unit));
        }
        let wakes = Arc::default();
        let (said, told, left) = (Vec::new(), None, budget);
        let brief = Brief { charter: charter.clone(), first: 1, wakes, said, left, told };
        let cause = Cause { root: delivery.cause.root.or(charter.root), ..delivery.cause };
        let mut first = self.turn_by(brief, reaction(cause), delivery);
        let allotted =
            (!budget.is_unbounded()).then_some(Event::Booked(LedgerEntry::Allotted(budget)));
        first.events.splice(0..0, [Event::Born(charter)].into_iter().chain(allotted));
        Ok(first)
    }

    /// Something is new. What the turn before has seen already is not. To one that is parked the
    /// delivery's cause is that of the answer.
    pub(super) fn wake(&self, mut wakes: Vec<Wake>, delivery: &Delivery<'_>) -> Decision<Self> {
        self.keep_news(&mut wakes);
        let dm = self.charter().map(|it| it.dm);
        let said = wakes.iter().find(|it| Some(it.space) == dm).map(|it| it.last);
        let spoken_to = said.is_some();
        let hop = wakes.iter().map(|it| it.hop).max().map_or(0, |hop| hop.saturating_add(1));
        let root = delivery.cause.root;
        match &self.phase {
            Phase::Exhausted { .. } if self.is_funded() => {
                let mut turn = self.turn(wakes, reaction(delivery.cause), delivery);
                turn.events.insert(0, Event::Resumed { by: delivery.asker });
                turn
            }
            _ if wakes.is_empty() => Decision::read(Reply::Done),
            // What was said before it was parked is a part of the chain, not an answer.
            Phase::Parked { heard, .. }
                if said > Some(*heard) || (spoken_to && planted("session.answers_itself")) =>
            {
                // Only who is outside begins a chain anew: an agent's answer is one more of it.
                let hop = match planted("session.answers_begin_anew") {
                    true => 1,
                    false => reaction(delivery.cause).hop,
                };
                match hop > delivery.limits.session.hops_max {
                    true => Decision::read(Reply::Busy),
                    false => self.turn(wakes, Cause { root, hop }, delivery),
                }
            }
            Phase::Idle
                if delivery.now < self.rest_until && !spoken_to && !planted("session.no_rest") =>
            {
                Decision::read(Reply::NotBefore(self.rest_until))
            }
            Phase::Idle
                if hop > delivery.limits.session.hops_max && !planted("session.no_park") =>
            {
                let text =
                    format!("parked after a chain of {hop} reactions; answer here, and I go on");
                let heard = said.unwrap_or_default();
                let parked = Decision::event(Event::Parked { hop, heard }, Reply::Done);
                self.write(parked, "parked", text, Cause { root, hop })
            }
            Phase::Idle => self.turn(wakes, Cause { root, hop }, delivery),
            Phase::Stopped if planted("session.wakes_the_stopped") => {
                self.turn(wakes, Cause { root, hop }, delivery)
            }
            _ => Decision::read(Reply::Busy),
        }
    }

    /// Leaves out what a turn has seen already.
    fn keep_news(&self, wakes: &mut Vec<Wake>) {
        if !planted("session.wakes_twice") {
            wakes.retain(|it| self.follows.get(&it.space).is_some_and(|at| it.first > at.cursor));
        }
    }

    /// The turn has failed: again after a while, unless it was once too often.
    pub(super) fn failed(&self, why: String, delivery: &Delivery<'_>) -> Decision<Self> {
        let limits = &delivery.limits.session;
        let at = delivery.now;
        let since = at.0.saturating_sub(limits.failures_within_ms);
        let forgiven = self.failures.iter().take_while(|it| it.0 < since).count();
        let counted = (self.failures.len() - forgiven) as u32;
        if counted >= limits.failures_max && !planted("session.fails_for_ever") {
            let text = format!("quarantined after {} failures: {why}", counted + 1);
            let lets_go = lets_go_id(delivery.seq);
            let event = Event::Quarantined { why, at, lets_go };
            let quarantined =
                Decision::event(event, Reply::Done).effect(lets_go, self::lets_go(at));
            return self.write(quarantined, "quarantined", text, Cause::default());
        }
        let counted = if planted("session.waits_the_same") { 0 } else { counted };
        let wait_ms = wait_ms(counted, limits.backoff_first_ms, limits.backoff_ms_max);
        let retry_at = Millis(at.0 + wait_ms);
        let since = match &self.phase {
            Phase::Turning(turn) => turn.began,
            _ => at,
        };
        let (id, effect) = wait(self.turns, since, retry_at);
        let failed = Event::TurnFailed { why, at, retry_at };
        let mut failed = Decision::event(failed, Reply::Done).effect(id, effect);
        if forgiven > 0 && !planted("session.failures_pile_up") {
            failed.events.insert(0, Event::Forgiven { failures: forgiven as u64 });
        }
        failed
    }

    pub(super) fn retry(
        &self,
        turn: u64,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        match &self.phase {
            Phase::Waiting { wakes, cause, .. }
                if turn == self.turns || planted("session.retries_for_another") =>
            {
                Ok(self.turn(wakes.clone(), *cause, delivery))
            }
            _ => Err(Refusal::Stale { turn, step: 0 }),
        }
    }

    pub(super) fn stop(&self, reason: String, delivery: &Delivery<'_>) -> Decision<Self> {
        if self.phase == Phase::Stopped {
            return Decision::read(Reply::Done);
        }
        let (by, at, lets_go) = (delivery.asker, delivery.now, lets_go_id(delivery.seq));
        let text = format!("stopped: {reason}");
        let event = Event::Stopped { by, reason, at, lets_go };
        let stopped = Decision::event(event, Reply::Done).effect(lets_go, self::lets_go(at));
        self.write(stopped, "stopped", text, Cause::default())
    }

    pub(super) fn go_on(
        &self,
        mut wakes: Vec<Wake>,
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.keep_news(&mut wakes);
        match self.phase {
            Phase::Parked { .. }
            | Phase::Stopped
            | Phase::Quarantined { .. }
            | Phase::Exhausted { .. } => {
                if let Some(what) = self.account.used_up() {
                    return Err(Refusal::Exhausted(what));
                }
                if let Phase::Exhausted { what, needs } = &self.phase
                    && !self.account.covers(*needs)
                {
                    return Err(Refusal::Exhausted(what.clone()));
                }
                let mut turn = self.turn(wakes, reaction(delivery.cause), delivery);
                turn.events.insert(0, Event::Resumed { by: delivery.asker });
                Ok(turn)
            }
            _ => Ok(Decision::read(Reply::Done)),
        }
    }
}

/// What comes of something is one hop further.
fn reaction(cause: Cause) -> Cause {
    Cause { hop: cause.hop.saturating_add(1), ..cause }
}
