//! A model that gives no answer, where that is likely to pass: its request is sent again later, within
//! the same turn.
//!
//! A provider that limits the rate or has too much to do is no failure of the agent: it waits, however
//! often, and nothing counts against it. Whatever else passes by itself is tried a few times and is a
//! failure of the turn then. Either way nothing of a reply was acted upon.

use super::call::Billing;
use super::{Event, Message, Refusal, Reply, Session, Turn};
use crate::behaviour::{Decision, Delivery};
use crate::id::{Millis, SessionId};
use crate::limits::SessionLimits;
use crate::mutant::planted;
use crate::retry::wait_ms;
use serde::{Deserialize, Serialize};

/// Why a model says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ModelError {
    /// In words, for the agent's log and for whoever looks at it.
    pub text: String,
    /// Whether it is likely to pass, or what else is to be done about it; nothing where the turn has
    /// failed.
    pub remedy: Option<Remedy>,
    /// What the request may have cost all the same.
    pub billing: Billing,
}

/// What helps where a model says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// To ask it later.
    Wait(Passing),
    /// To tell it less: what it is told does not fit into its window.
    Compact,
}

/// How something passes that keeps a model from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passing {
    /// What it is.
    pub kind: PassingKind,
    /// How long to wait, in milliseconds, where the provider has said it.
    pub wait_ms: Option<u64>,
}

/// What keeps a model from answering for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassingKind {
    /// Its provider asks to wait: nobody has failed.
    Limited,
    /// The request has failed, and another may not.
    Failed,
}

impl ModelError {
    /// It will say no more another time: the turn fails.
    pub fn new(text: impl Into<String>) -> ModelError {
        ModelError { text: text.into(), remedy: None, billing: Billing::Refused }
    }

    /// It is likely to pass.
    pub fn passing(kind: PassingKind, wait_ms: Option<u64>, text: impl Into<String>) -> ModelError {
        let remedy = Some(Remedy::Wait(Passing { kind, wait_ms }));
        ModelError { text: text.into(), remedy, billing: Billing::Refused }
    }

    /// What it is to be told does not fit into its window.
    pub fn full(text: impl Into<String>) -> ModelError {
        ModelError { text: text.into(), remedy: Some(Remedy::Compact), billing: Billing::Refused }
    }

    /// That may have cost so much.
    #[must_use]
    pub fn billed(self, billing: Billing) -> ModelError {
        ModelError { billing, ..self }
    }

    /// How it passes, where it does.
    pub fn passes(&self) -> Option<Passing> {
        match self.remedy {
            Some(Remedy::Wait(passing)) => Some(passing),
            _ => None,
        }
    }

    /// As the agent is told of it.
    pub fn message(self, turn: u64, step: u32, attempt: u32) -> Message {
        let ModelError { text: why, remedy, billing } = self;
        match remedy {
            None => Message::Fail { turn, step, attempt: Some(attempt), why, billing },
            Some(Remedy::Wait(passing)) => {
                Message::Defer { turn, step, attempt, passing, why, billing }
            }
            Some(Remedy::Compact) => Message::WindowFull { turn, step, attempt, why, billing },
        }
    }
}

/// What a thought waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    /// How often its request was put off.
    pub times: u32,
    /// How often it failed.
    pub failures: u32,
    /// When it is sent again.
    pub until: Millis,
    /// Why it was put off last.
    pub why: String,
}

impl Session {
    /// The model has said nothing, and may later.
    pub(super) fn defer(
        &self,
        at: &Turn,
        attempt: u32,
        passing: Passing,
        (why, billing): (String, Billing),
        delivery: &Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let (turn, step) = (at.number, at.step);
        let limits = &delivery.limits.session;
        let before = at.deferral.as_deref();
        let (times, failures) = before.map_or((0, 0), |it| (it.times, it.failures));
        // It is told of once; what says so again is of what is over.
        if attempt != at.requests && !planted("session.is_put_off_twice") {
            return Err(Refusal::Stale { turn, step });
        }
        let failed = passing.kind == PassingKind::Failed;
        if failed
            && failures.saturating_add(1) >= limits.model_tries_max
            && !planted("session.tries_for_ever")
        {
            // Of a summary that means that it is made without the model.
            return Ok(self.fail(at, why, billing, delivery));
        }
        let thoughts = u64::from(failed && !planted("session.tries_for_nothing"));
        let spent = self.failing(at, thoughts, billing, delivery.now);
        let counts = thoughts > 0 || self.account.reserved().is_some();
        let spent = counts.then_some(spent);
        let mut account = self.account.clone();
        spent.iter().for_each(|it| account.take(it));
        if let Some(what) = account.used_up_within() {
            let mut exhausted = self.end_exhausted(at, what, delivery);
            exhausted.events.splice(0..0, spent.map(Event::Booked));
            return Ok(exhausted);
        }
        let wait = wait(passing, times, limits);
        let wait = wait.saturating_add(spread(self.id(), turn, times, passing));
        let (now, until) = (delivery.now, Millis(delivery.now.0.saturating_add(wait)));
        let deferred = Event::Deferred { kind: passing.kind, why, at: now, until };
        let mut decision = Decision::read(Reply::Done);
        decision.events.extend(spent.map(Event::Booked).into_iter().chain([deferred]));
        Ok(self.goes_on(decision))
    }
}

impl Turn {
    /// The request of its thought is put off.
    pub(super) fn deferred(&mut self, kind: PassingKind, why: &str, at: Millis, until: Millis) {
        let deferral = self.deferral.get_or_insert_default();
        deferral.times = deferral.times.saturating_add(1);
        deferral.failures = deferral.failures.saturating_add((kind == PassingKind::Failed).into());
        (deferral.until, deferral.why) = (until, why.to_owned());
        if !planted("session.waits_at_its_own_cost") {
            self.deferred_ms = self.deferred_ms.saturating_add(until.0.saturating_sub(at.0));
        }
    }
}

/// No provider is waited for longer at a time: a day.
const WAIT_MS_MAX: u64 = 86_400_000;

/// How often a provider is believed that says a moment each time; then it is asked less often.
const BELIEVED_TIMES: u32 = 4;

/// How much less often: so many of the shortest waits lie between two requests.
const FLOOR_FACTOR: u64 = 10;

/// The part of a wait that one agent may come back later than another.
const SPREAD_FACTOR: u64 = 4;

/// The most of it.
const SPREAD_MS_MAX: u64 = 60_000;

/// What is spread where a provider names no wait.
const SPREAD_OF_MS: u64 = 1_000;

/// What the provider said, else longer each time.
fn wait(passing: Passing, times: u32, limits: &SessionLimits) -> u64 {
    let own = wait_ms(times, limits.deferral_first_ms, limits.deferral_ms_max);
    match passing.wait_ms.filter(|_| !planted("session.waits_as_it_likes")) {
        // Who says that it can be at once, each time, is not asked without a pause.
        Some(said) if times == 0 => said.clamp(1, WAIT_MS_MAX),
        Some(said) if times < BELIEVED_TIMES => said.max(limits.deferral_first_ms).min(WAIT_MS_MAX),
        Some(said) => {
            let floor = own.min(limits.deferral_first_ms.saturating_mul(FLOOR_FACTOR));
            said.max(floor).min(WAIT_MS_MAX)
        }
        None => own.max(1),
    }
}

/// A little longer for one agent than for another, so that many who are told to wait do not all come
/// back at once: up to a quarter, and a minute.
fn spread(of: SessionId, turn: u64, times: u32, passing: Passing) -> u64 {
    let of_wait = passing.wait_ms.unwrap_or(SPREAD_OF_MS);
    let most = of_wait.div_ceil(SPREAD_FACTOR).min(SPREAD_MS_MAX);
    let seed = of.0.iter().fold(turn.wrapping_mul(31).wrapping_add(times.into()), |seed, byte| {
        (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    seed % (most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_comes_back_when_it_was_told_and_not_with_all_the_others() {
        let limits = SessionLimits::default();
        let passing = |wait_ms| Passing { kind: PassingKind::Limited, wait_ms };
        assert_eq!(wait(passing(Some(30_000)), 9, &limits), 30_000);
        let waits: Vec<u64> = (0..9).map(|times| wait(passing(None), times, &limits)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        let spreads: std::collections::BTreeSet<u64> =
            (0..100).map(|n| spread(SessionId([n; 16]), 1, 0, passing(Some(30_000)))).collect();
        assert!(spreads.len() > 90 && spreads.iter().all(|it| *it <= 7_500), "{spreads:?}");
    }
}
