//! What goes wrong with agents while this process runs them, for whoever shows it to people.
//!
//! It is no copy of what happened: that is in the log of each agent. Who does not look loses the
//! oldest, and is told how many.

use crate::runtime::Runtime;
use parking_lot::Mutex;
use std::collections::VecDeque;
use stoa_actors::id::{Millis, SessionId};
use stoa_actors::session::{Event, spent_out};
use tokio::sync::Notify;

/// How many wait to be shown.
const INCIDENTS_MAX: usize = 256;
/// How long a wait for a model is that is told.
const DEFERRED_MS: u64 = 3_000;
/// Characters of a reason that are shown: of its last line.
const WHY_CHARS: usize = 400;

/// Something that has gone wrong with an agent, or is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Incident {
    pub agent: SessionId,
    pub what: Wrong,
}

/// What has happened to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A turn has failed, and is tried again.
    Failed {
        /// The last line of the reason.
        why: String,
        /// When it is tried again.
        next_try: Millis,
    },
    /// It is out of service until somebody resumes it.
    Quarantined {
        /// The last line of the reason.
        why: String,
    },
    /// It stands still after a chain of reactions, until it is answered.
    Parked {
        /// How long the chain was.
        hops: u16,
    },
    /// It stands still until it is handed a budget.
    Exhausted {
        /// Of what it was given so much.
        what: String,
    },
    /// Its model gave no answer, and is asked again later.
    Deferred {
        /// The last line of the reason.
        why: String,
        /// When it is asked again.
        next_try: Millis,
    },
    /// Somebody lets it go on.
    Resumed,
}

#[derive(Default)]
pub(crate) struct Incidents {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    incidents: VecDeque<Incident>,
    lost: u64,
}

impl Incidents {
    /// These events of an agent are durable. It waits for nobody.
    pub(super) fn happened(&self, agent: SessionId, events: &[Event]) {
        let wrong = events.iter().filter_map(wrong);
        wrong.for_each(|what| self.add(Incident { agent, what }));
    }

    /// The actor of an agent died too often.
    pub(super) fn quarantined(&self, agent: SessionId, why: &str) {
        self.add(Incident { agent, what: Wrong::Quarantined { why: last_line(why) } });
    }

    fn add(&self, incident: Incident) {
        let mut waiting = self.waiting.lock();
        if waiting.incidents.len() >= INCIDENTS_MAX {
            waiting.incidents.pop_front();
            waiting.lost += 1;
        }
        waiting.incidents.push_back(incident);
        drop(waiting);
        self.news.notify_one();
    }
}

/// Whether an event is one to be told of.
pub(super) fn is_one(event: &Event) -> bool {
    // Who waits for a moment waits for nobody to hear of it.
    if let Event::Deferred { at, until, .. } = event {
        return until.0.saturating_sub(at.0) >= DEFERRED_MS;
    }
    matches!(
        event,
        Event::TurnFailed { .. }
            | Event::Quarantined { .. }
            | Event::Parked { .. }
            | Event::Exhausted { .. }
            | Event::Resumed { .. }
    )
}

fn wrong(event: &Event) -> Option<Wrong> {
    Some(match event {
        Event::TurnFailed { why, retry_at, .. } => {
            Wrong::Failed { why: last_line(why), next_try: *retry_at }
        }
        Event::Deferred { why, until, .. } if is_one(event) => {
            Wrong::Deferred { why: last_line(why), next_try: *until }
        }
        Event::Quarantined { why, .. } => Wrong::Quarantined { why: last_line(why) },
        Event::Parked { hop, .. } => Wrong::Parked { hops: *hop },
        Event::Exhausted { what, needs } => Wrong::Exhausted { what: spent_out(what, needs) },
        Event::Resumed { .. } => Wrong::Resumed,
        _ => return None,
    })
}

/// Where a traceback says what it is about.
fn last_line(text: &str) -> String {
    let last = text.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or_default();
    last.trim().chars().take(WHY_CHARS).collect()
}

impl Runtime {
    /// What has gone wrong with agents since this was called last, in order, and how much of it was
    /// lost because nobody has called. For one reader.
    pub fn incidents(&self) -> (Vec<Incident>, u64) {
        let agents = self.agents();
        let mut waiting = agents.incidents.waiting.lock();
        let lost = std::mem::take(&mut waiting.lost);
        (std::mem::take(&mut waiting.incidents).into(), lost)
    }

    /// Returns once there may be one.
    pub async fn incident(&self) {
        self.agents().incidents.news.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_look_loses_the_oldest_and_is_told() {
        let (incidents, agent) = (Incidents::default(), SessionId([1; 16]));
        for number in 0..INCIDENTS_MAX + 3 {
            incidents.quarantined(agent, &format!("Traceback\n\nValueError: {number}\n"));
        }
        let waiting = incidents.waiting.lock();
        assert_eq!((waiting.incidents.len(), waiting.lost), (INCIDENTS_MAX, 3));
        let why = "ValueError: 3".to_owned();
        assert_eq!(waiting.incidents[0].what, Wrong::Quarantined { why });
    }
}
