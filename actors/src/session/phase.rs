//! Where a session stands.

use super::{Budget, Event, Session, Turn};
use crate::behaviour::Row;
use crate::id::{Millis, Position, SessionId, StreamId};
use crate::log::Cause;
use crate::space::Wake;
use serde::{Deserialize, Serialize};

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Phase {
    Unborn,
    /// Waits for a wake.
    Idle,
    /// In a turn.
    Turning(Box<Turn>),
    /// A turn failed and is tried again.
    Waiting {
        /// When the turn had begun.
        since: Millis,
        until: Millis,
        /// What went wrong.
        why: String,
        /// The turn that is tried again: the first that failed.
        first: u64,
        /// What had woken it.
        wakes: Vec<Wake>,
        cause: Cause,
    },
    /// Its chain of reactions was too long; a word in the DM space lets it go on.
    Parked {
        hop: u16,
        /// Up to here the DM space was heard by then: what is said after it is the answer.
        heard: Position,
    },
    /// Somebody stopped it; nothing wakes it until it is resumed.
    Stopped,
    /// It failed too often; nothing wakes it until it is resumed.
    Quarantined {
        /// How it failed last.
        why: String,
    },
    Wiped,
    /// Its budget is spent; nothing wakes it until it is handed more.
    Exhausted {
        /// Of what it was given so much, as `thoughts = 20`.
        what: String,
        /// With so much it goes on; with anything where it is nothing.
        needs: Budget,
    },
}

impl Phase {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Phase::Unborn => "unborn",
            Phase::Idle => "idle",
            Phase::Turning(turn) if turn.deferral.is_some() => DEFERRED,
            Phase::Turning(_) => "running",
            Phase::Waiting { .. } => "waiting",
            Phase::Parked { .. } => "parked",
            Phase::Stopped => "stopped",
            Phase::Quarantined { .. } => "quarantined",
            Phase::Wiped => "wiped",
            Phase::Exhausted { .. } => "exhausted",
        }
    }
}

/// In a turn whose model is to be asked again later.
const DEFERRED: &str = "deferred";

const PHASE: &[u8] = b"phase";

/// Why nothing wakes an agent whose budget is spent, or does not do for a call: as
/// [`Phase::Exhausted`] has it.
pub fn spent_out(what: &str, needs: &Budget) -> String {
    match needs.is_unbounded() {
        true => format!("{what} is spent"),
        false => what.to_owned(),
    }
}

impl Session {
    /// The front of the keys of the rows that say in a word what a session is doing: of each that
    /// lives and is not idle.
    pub fn phase_keys() -> &'static [u8] {
        PHASE
    }

    /// The key of the row of one session; there is none where it is idle.
    pub fn phase_key(session: SessionId) -> Vec<u8> {
        [PHASE, &session.0].concat()
    }

    /// Who it is and what it is doing, by such a row.
    pub fn read_phase_row(key: &[u8], value: &[u8]) -> Option<(SessionId, String)> {
        let id = key.get(PHASE.len()..)?.try_into().ok()?;
        Some((SessionId(id), String::from_utf8(value.to_vec()).ok()?))
    }
}

/// What a session is doing from an event on.
pub(super) fn project(stream: StreamId, event: &Event, rows: &mut Vec<Row>) {
    let word = match event {
        Event::TurnBegan { .. } | Event::Answered => Some("running"),
        Event::Deferred { .. } => Some(DEFERRED),
        Event::TurnFailed { .. } => Some("waiting"),
        Event::Parked { .. } => Some("parked"),
        Event::Stopped { .. } => Some("stopped"),
        Event::Quarantined { .. } => Some("quarantined"),
        Event::Exhausted { .. } => Some("exhausted"),
        Event::TurnEnded { .. } | Event::Resumed { .. } | Event::Wiped { .. } => None,
        _ => return,
    };
    let key = Session::phase_key(SessionId(stream.0));
    rows.push(Row::own::<Session>(key, word.map(|it| it.as_bytes().to_vec())));
}
