//! In which words the model foretells an answer and an entry: without what does not matter.

use stoa_actors::behaviour::EffectId;
use stoa_actors::id::SpaceId;
use stoa_actors::session::{Event, LedgerEntry, Reply, TurnOutcome};
use stoa_actors::space::Wake;

/// What is foretold of an entry: the events without what does not matter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Born,
    Began {
        turn: u64,
        wakes: Vec<Wake>,
        hop: u16,
    },
    Thought,
    /// Its model is asked again later.
    Deferred,
    /// The model that was waited for has answered.
    Answered,
    /// It was told what is new.
    Briefed,
    /// Its window is full, and its model is asked to sum it up, or not.
    Full(bool),
    Compacted,
    Noted,
    Observed,
    /// Something was said, up to there.
    Steered(u64),
    Interrupted,
    Ended {
        done: bool,
        rest_until: u64,
    },
    Failed {
        retry_at: u64,
    },
    Quarantined,
    Parked {
        hop: u16,
        heard: u64,
    },
    Stopped,
    Resumed,
    Wiped,
    Followed {
        space: SpaceId,
        cursor: u64,
    },
    Unfollowed(SpaceId),
    Wrote(String),
    Told(EffectId),
    Untold(EffectId),
    LetGo(EffectId),
    /// A thought that came to nothing.
    Spent,
    Forgiven(u64),
    /// What an agent without a budget does not do.
    Other,
}

/// What is foretold of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Done,
    Busy,
    NotBefore(u64),
    Stale,
    Unborn,
    Wiped,
    Limit,
}

impl What {
    pub(crate) fn of(event: &Event) -> What {
        match event {
            Event::Born(_) => What::Born,
            Event::TurnBegan { turn, wakes, cause, .. } => {
                What::Began { turn: *turn, wakes: wakes.clone(), hop: cause.hop }
            }
            Event::Thought { .. } => What::Thought,
            Event::Deferred { .. } => What::Deferred,
            Event::Answered => What::Answered,
            Event::Briefed(_) => What::Briefed,
            Event::WindowFull { by_model, .. } => What::Full(*by_model),
            Event::Compacted(_) => What::Compacted,
            Event::Noted(_) => What::Noted,
            Event::Observed(_) => What::Observed,
            Event::Steered { wake } => What::Steered(wake.last.0),
            Event::Interrupted { .. } => What::Interrupted,
            Event::TurnEnded { outcome, rest_until } => {
                What::Ended { done: *outcome == TurnOutcome::Done, rest_until: rest_until.0 }
            }
            Event::TurnFailed { retry_at, .. } => What::Failed { retry_at: retry_at.0 },
            Event::Quarantined { .. } => What::Quarantined,
            Event::Parked { hop, heard } => What::Parked { hop: *hop, heard: heard.0 },
            Event::Stopped { .. } => What::Stopped,
            Event::Resumed { .. } => What::Resumed,
            Event::Wiped { .. } => What::Wiped,
            Event::FollowSet { space, follow } => {
                What::Followed { space: *space, cursor: follow.cursor.0 }
            }
            Event::Unfollowed(space) => What::Unfollowed(*space),
            // Whom it reaches is woken by the chain that was cut, and is cut itself if it is one of it.
            Event::Wrote { letter, .. } if letter.subject == "parked" => {
                What::Wrote(format!("parked at {}", letter.cause.hop))
            }
            Event::Wrote { letter, .. } => What::Wrote(letter.subject.clone()),
            Event::Told(id) => What::Told(*id),
            Event::Untold { id, .. } => What::Untold(*id),
            Event::LetGo(id) => What::LetGo(*id),
            Event::Booked(LedgerEntry::Spent { thoughts: 1, tokens: 0, .. }) => What::Spent,
            Event::Forgiven { failures } => What::Forgiven(*failures),
            Event::Booked(_) | Event::Exhausted { .. } | Event::Spawning { .. } => What::Other,
        }
    }
}

impl Heard {
    pub(crate) fn of(reply: &Reply) -> Heard {
        match reply {
            Reply::Busy => Heard::Busy,
            Reply::NotBefore(at) => Heard::NotBefore(at.0),
            Reply::Done | Reply::State(_) | Reply::Sent(_) | Reply::Granted { .. } => Heard::Done,
        }
    }
}
